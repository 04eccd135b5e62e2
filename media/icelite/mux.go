package icelite

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Config of a Mux.
type Config struct {
	// UDP is the "ip:port" of the UDP socket. Port 0 takes any free one. Without an IP (0.0.0.0 or ::) every address of this
	// host gets a socket of its own, so that an answer leaves from the address that was asked.
	UDP string
	// TCP is the "ip:port" of a TCP listener for browsers whose network blocks UDP (RFC 6544), "" for none.
	TCP string
	// Public are addresses under which the same ports are reached from outside (static NAT). They are advertised first.
	Public []netip.Addr
	// LostAfter is how long an agent that has been heard may be silent until Handler.Lost is told; 0 = 20 s. Browsers check
	// every few seconds even while they send no media (RFC 7675 §5.1).
	LostAfter time.Duration
}

// Mux owns the sockets that all agents share. Its methods may be called from any goroutine.
type Mux struct {
	cfg   Config
	start time.Time
	udp   []*udpSocket
	tcp   []*tcpListener

	mu      sync.RWMutex
	byUfrag map[string]*Agent
	closed  bool

	done chan struct{}
	wg   sync.WaitGroup
}

// Listen opens the sockets of cfg and serves them until Close.
func Listen(cfg Config) (*Mux, error) {
	if cfg.LostAfter <= 0 {
		cfg.LostAfter = 20 * time.Second
	}
	m := &Mux{cfg: cfg, start: time.Now(), byUfrag: map[string]*Agent{}, done: make(chan struct{})}
	if err := m.listen(); err != nil {
		m.Close()
		return nil, err
	}
	for _, s := range m.udp {
		m.wg.Go(s.serve)
	}
	for _, l := range m.tcp {
		m.wg.Go(l.serve)
	}
	m.wg.Go(m.watch)
	return m, nil
}

func (m *Mux) listen() error {
	err := onEach(m.cfg.UDP, func(at netip.AddrPort) (netip.AddrPort, error) {
		s, err := newUDPSocket(m, at)
		if err != nil {
			return at, err
		}
		m.udp = append(m.udp, s)
		return s.local, nil
	})
	if err != nil || m.cfg.TCP == "" {
		return err
	}
	return onEach(m.cfg.TCP, func(at netip.AddrPort) (netip.AddrPort, error) {
		l, err := newTCPListener(m, at)
		if err != nil {
			return at, err
		}
		m.tcp = append(m.tcp, l)
		return l.local, nil
	})
}

// onEach calls open for the address, or for every address of this host when it is a wildcard; then one that cannot be bound
// (an interface that is going away) is left out. The first that can be decides the port of all.
func onEach(addr string, open func(netip.AddrPort) (netip.AddrPort, error)) error {
	want, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("WebRTC address %q: want ip:port: %w", addr, err)
	}
	ips := []netip.Addr{want.Addr()}
	if want.Addr().IsUnspecified() {
		if ips, err = hostAddresses(want.Addr().Is4()); err != nil {
			return err
		}
	}
	port, bound := want.Port(), 0
	for _, ip := range ips {
		var got netip.AddrPort
		var e error
		if got, e = open(netip.AddrPortFrom(ip, port)); e != nil {
			err = fmt.Errorf("WebRTC address %s: %w", netip.AddrPortFrom(ip, port), e)
			continue
		}
		port = got.Port()
		bound++
	}
	if bound == 0 {
		return err
	}
	return nil
}

// hostAddresses lists what a wildcard stands for: every usable unicast address, loopback last.
func hostAddresses(only4 bool) ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the addresses of this host: %w", err)
	}
	var outside, loopback []netip.Addr
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		ip, ok := netip.AddrFromSlice(n.IP)
		ip = ip.Unmap()
		switch {
		case !ok, ip.IsLinkLocalUnicast(), only4 && !ip.Is4():
		case ip.IsLoopback():
			loopback = append(loopback, ip)
		default:
			outside = append(outside, ip)
		}
	}
	return append(outside, loopback...), nil
}

// Addr is the first local UDP address.
func (m *Mux) Addr() netip.AddrPort { return m.udp[0].local }

// now is the time since the mux began, monotonic.
func (m *Mux) now() time.Duration { return time.Since(m.start) }

func (m *Mux) agent(ufrag string) *Agent {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byUfrag[ufrag]
}

var errClosed = errors.New("the WebRTC port is closed")

func (m *Mux) register(ufrag string, a *Agent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errClosed
	}
	m.byUfrag[ufrag] = a
	return nil
}

func (m *Mux) unregister(ufrags ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range ufrags {
		delete(m.byUfrag, u)
	}
}

// watch finds agents that have fallen silent.
func (m *Mux) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var list []*Agent
	for {
		select {
		case <-m.done:
			return
		case <-tick.C:
		}
		list = list[:0]
		m.mu.RLock()
		for _, a := range m.byUfrag {
			list = append(list, a)
		}
		m.mu.RUnlock()
		now := m.now()
		for _, a := range list {
			a.checkSilence(now)
		}
		clear(list)
	}
}

// Close closes the sockets and waits for their goroutines. Agents that are left cannot send or hear any more.
func (m *Mux) Close() {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.closed = true
	m.mu.Unlock()
	close(m.done)
	for _, s := range m.udp {
		_ = s.conn.Close()
	}
	for _, l := range m.tcp {
		l.close()
	}
	m.wg.Wait()
}
