package icelite

import (
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Config of a Mux.
type Config struct {
	// UDP is the "ip:port" of the UDP socket. Port 0 takes any free one. Without an IP (":port" or "[::]:port"; 0.0.0.0 means
	// IPv4 alone) every address of this host gets a socket of its own, so that an answer leaves from the address that was
	// asked; addresses may come and go.
	UDP string
	// TCP is the "ip:port" of a TCP listener for browsers whose network blocks UDP (RFC 6544), "" for none.
	TCP string
	// Public are addresses under which the same ports are reached from outside (static NAT). They are advertised first.
	Public []netip.Addr
	// LostAfter is how long an agent that has been heard may be silent until Handler.Lost is told; 0 = 20 s. Browsers check
	// every few seconds even while they send no media (RFC 7675 §5.1).
	LostAfter time.Duration
}

// followSeconds is how often a wildcard's addresses are looked up again.
const followSeconds = 10

// Mux owns the sockets that all agents share. Its methods may be called from any goroutine.
type Mux struct {
	cfg   Config
	start time.Time
	udp   *ports
	tcp   *ports

	mu      sync.RWMutex
	byUfrag map[string]*Agent
	closed  bool

	done chan struct{}
	wg   sync.WaitGroup
}

// Listen opens the sockets of cfg and serves them until Close.
func Listen(cfg Config) (*Mux, error) {
	return listenOn(cfg, hostAddresses)
}

func listenOn(cfg Config, host func() ([]netip.Addr, error)) (*Mux, error) {
	if cfg.LostAfter <= 0 {
		cfg.LostAfter = 20 * time.Second
	}
	m := &Mux{cfg: cfg, start: time.Now(), byUfrag: map[string]*Agent{}, done: make(chan struct{})}
	m.udp = &ports{mux: m, host: host, open: newUDPSocket}
	m.tcp = &ports{mux: m, host: host, open: newTCPListener}
	err := m.udp.listen(cfg.UDP)
	if err == nil && cfg.TCP != "" {
		err = m.tcp.listen(cfg.TCP)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	m.wg.Go(m.watch)
	return m, nil
}

// Addr is the first local UDP address.
func (m *Mux) Addr() netip.AddrPort { return m.udp.addrs()[0] }

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

// watch finds agents that have fallen silent, and addresses of this host that came or went.
func (m *Mux) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var list []*Agent
	for n := 1; ; n++ {
		select {
		case <-m.done:
			return
		case <-tick.C:
		}
		if n%followSeconds == 0 {
			m.udp.follow()
			m.tcp.follow()
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
	m.udp.close()
	m.tcp.close()
	m.wg.Wait()
}
