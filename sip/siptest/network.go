// Package siptest has a network in memory and a scripted phone, to test SIP in fake time: under testing/synctest a timer of
// 32 s takes no time at all, and nothing is lost or swapped unless the test wants it.
package siptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Network carries datagrams between addresses that exist in memory only. The zero value is ready.
type Network struct {
	// Deliver, when set, is asked for each datagram after how long it arrives; a negative time loses it.
	Deliver func(from, to netip.AddrPort, data []byte) time.Duration

	mu    sync.Mutex
	conns map[netip.AddrPort]*conn
}

type packet struct {
	from netip.AddrPort
	data []byte
}

// conn is one address of the network as a net.PacketConn. Deadlines are not supported.
type conn struct {
	net   *Network
	addr  netip.AddrPort
	queue chan packet
	once  sync.Once
	done  chan struct{}
}

// queueSize is how many datagrams wait at an address; more are lost.
const queueSize = 1024

// ListenPacket opens an address ("10.0.0.1:5060"); its signature is that of net.ListenConfig.
func (n *Network) ListenPacket(_ context.Context, _, addr string) (net.PacketConn, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("siptest: listen on %q: %w", addr, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns == nil {
		n.conns = make(map[netip.AddrPort]*conn)
	}
	if n.conns[a] != nil {
		return nil, fmt.Errorf("siptest: address %s is in use", a)
	}
	c := &conn{net: n, addr: a, queue: make(chan packet, queueSize), done: make(chan struct{})}
	n.conns[a] = c
	return c, nil
}

func (n *Network) send(from, to netip.AddrPort, data []byte) {
	p := packet{from: from, data: append([]byte(nil), data...)}
	if n.Deliver == nil {
		n.deliver(to, p)
		return
	}
	switch after := n.Deliver(from, to, p.data); {
	case after == 0:
		n.deliver(to, p)
	case after > 0:
		time.AfterFunc(after, func() { n.deliver(to, p) })
	}
}

func (n *Network) deliver(to netip.AddrPort, p packet) {
	n.mu.Lock()
	c := n.conns[to]
	n.mu.Unlock()
	if c == nil {
		return // nobody there: lost, as on a real network without ICMP
	}
	select {
	case c.queue <- p:
	default:
	}
}

func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-c.done:
		return 0, nil, net.ErrClosed
	default:
	}
	select {
	case p := <-c.queue:
		return copy(b, p.data), net.UDPAddrFromAddrPort(p.from), nil
	case <-c.done:
		return 0, nil, net.ErrClosed
	}
}

func (c *conn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("siptest: not a UDP address")
	}
	a := u.AddrPort()
	c.net.send(c.addr, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), b)
	return len(b), nil
}

func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		c.net.mu.Lock()
		delete(c.net.conns, c.addr)
		c.net.mu.Unlock()
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.addr) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// LoseEvery makes a Deliver that loses every nth datagram.
func LoseEvery(n int) func(from, to netip.AddrPort, data []byte) time.Duration {
	var mu sync.Mutex
	count := 0
	return func(netip.AddrPort, netip.AddrPort, []byte) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if count++; count%n == 0 {
			return -1
		}
		return 0
	}
}
