package sip

import (
	"context"
	"net"
	"testing"
	"time"
)

// floodedConn reads as many datagrams from different sources as it is told, before it reads the real ones.
type floodedConn struct {
	net.PacketConn
	flood int
}

func (c *floodedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.flood == 0 {
		return c.PacketConn.ReadFrom(b)
	}
	c.flood--
	from := &net.UDPAddr{IP: net.IPv4(10, byte(c.flood>>16), byte(c.flood>>8), byte(c.flood)), Port: 5060}
	return copy(b, "SIP/2.0 200 OK\r\n\r\n"), from, nil
}

// A flood of forged sources leaves nothing behind, and the socket works on.
func TestForgedSourcesAreForgotten(t *testing.T) {
	cfg := newOffice().config()
	cfg.ListenPacket = func(ctx context.Context, network, addr string) (net.PacketConn, error) {
		c, err := new(net.ListenConfig).ListenPacket(ctx, network, addr)
		return &floodedConn{c, 2*maxReading + 10}, err
	}
	s := startEdge(t, cfg)
	w := dialWire(t, "udp", s.Addrs().UDP)
	w.send(w.request("OPTIONS", testURI, "x", ""))
	if a := w.readAny(time.Minute); a.status != 200 {
		t.Fatalf("after the flood: %q", a.line)
	}
	if n := s.tp.Pool("udp").Size(); n > 20 {
		t.Errorf("%d sources are kept", n)
	}
}

// An INVITE into a dialog that does not exist is refused once, not again and again.
func TestUnknownDialogLeavesNoState(t *testing.T) {
	s := startEdge(t, newOffice().config())
	w := dialWire(t, "udp", s.Addrs().UDP)
	w.send(w.request("INVITE", "sip:201@"+testRealm, "x", "To: <sip:a@b>;tag=nothing\n"))
	if a := w.read(); a.status != 481 {
		t.Fatalf("answered %q", a.line)
	}
	if n := len(s.order.cur); n != 0 {
		t.Errorf("the order remembers %d dialogs", n)
	}
	if a := w.readAny(700 * time.Millisecond); a.status != 0 { // Timer G would fire after T1 (RFC 3261 §17.2.1)
		t.Fatalf("answered %q once more", a.line)
	}
}
