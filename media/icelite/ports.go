package icelite

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// endpoint is a UDP socket or a TCP listener. serve runs until close.
type endpoint interface {
	serve()
	close()
	addr() netip.AddrPort
}

// ports are the endpoints of one protocol: one where the address is fixed, one for every address of this host where it is a
// wildcard. Those follow the host from network to network. All have the same port.
type ports struct {
	mux  *Mux
	host func() ([]netip.Addr, error)
	open func(*Mux, netip.AddrPort) (endpoint, error)

	mu     sync.Mutex
	want   netip.AddrPort // zero: not listening
	all    []endpoint
	closed bool
}

func (p *ports) listen(addr string) error {
	if strings.HasPrefix(addr, ":") {
		addr = "[::]" + addr
	}
	want, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("WebRTC address %q: want ip:port: %w", addr, err)
	}
	ips := []netip.Addr{want.Addr()}
	if want.Addr().IsUnspecified() {
		if ips, err = p.host(); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = want
	return p.set(ips)
}

// follow opens and closes endpoints as the addresses of this host came and went.
func (p *ports) follow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.want.IsValid() || !p.want.Addr().IsUnspecified() {
		return
	}
	if ips, err := p.host(); err == nil {
		_ = p.set(ips) // an address that cannot be bound yet is tried again
	}
}

// set makes the endpoints those of ips. One that cannot be bound (an interface that is going away) is left out; the first that
// can be decides the port of all. It fails, and changes nothing, when none can be. mu is held.
func (p *ports) set(ips []netip.Addr) error {
	var next []endpoint
	err := fmt.Errorf("WebRTC address %s: this host has no address", p.want)
	for _, ip := range ips {
		if p.want.Addr().Is4() && !ip.Is4() {
			continue
		}
		if i := slices.IndexFunc(p.all, func(e endpoint) bool { return e.addr().Addr() == ip }); i >= 0 {
			next = append(next, p.all[i])
			continue
		}
		e, failed := p.open(p.mux, netip.AddrPortFrom(ip, p.want.Port()))
		if failed != nil {
			err = fmt.Errorf("WebRTC address %s: %w", netip.AddrPortFrom(ip, p.want.Port()), failed)
			continue
		}
		p.want = netip.AddrPortFrom(p.want.Addr(), e.addr().Port())
		p.mux.wg.Go(e.serve)
		next = append(next, e)
	}
	if len(next) == 0 {
		return err
	}
	for _, e := range p.all {
		if !slices.Contains(next, e) {
			e.close()
		}
	}
	p.all = next
	return nil
}

func (p *ports) addrs() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]netip.AddrPort, len(p.all))
	for i, e := range p.all {
		list[i] = e.addr()
	}
	return list
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, e := range p.all {
		e.close()
	}
}

// hostAddresses lists what a wildcard stands for: every usable unicast address, loopback last.
func hostAddresses() ([]netip.Addr, error) {
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
		case !ok, ip.IsLinkLocalUnicast():
		case ip.IsLoopback():
			loopback = append(loopback, ip)
		default:
			outside = append(outside, ip)
		}
	}
	return append(outside, loopback...), nil
}
