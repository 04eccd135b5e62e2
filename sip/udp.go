package sip

import (
	"net"

	sipmsg "github.com/emiago/sipgo/sip"
)

// maxReading is after how many changes of the source one reading of the UDP socket ends and the next begins.
const maxReading = 50000

// serveUDP lets sipgo read the UDP socket until it is closed. sipgo keeps the source of every datagram for as long as it
// reads, some 600 bytes each: a flood of forged sources would fill the memory. So a reading ends now and then, which
// frees them, and another begins. Transactions keep the socket itself and do not notice.
func (s *Server) serveUDP() {
	for {
		r := &reading{PacketConn: s.listeners.udp, left: maxReading, ending: s.keepUDP}
		if err := s.tp.ServeUDP(r); err != nil || r.left > 0 {
			return
		}
	}
}

// keepUDP makes requests that we send leave by the listening socket, also while no reading of sipgo's is on: it would
// open another one.
func (s *Server) keepUDP() {
	c := s.listeners.udp
	addr := c.LocalAddr().String()
	s.tp.Pool("udp").Add(addr, &sipmsg.UDPConnection{PacketConn: c, PacketAddr: addr, Listener: true})
}

// reading is the socket for one reading by sipgo's only reader.
type reading struct {
	net.PacketConn
	last   net.Addr
	left   int
	ending func()
}

// ReadFrom implements net.PacketConn. What ends a reading for sipgo is net.ErrClosed.
func (r *reading) ReadFrom(b []byte) (int, net.Addr, error) {
	if r.left <= 0 {
		r.ending()
		return 0, nil, net.ErrClosed
	}
	n, from, err := r.PacketConn.ReadFrom(b)
	if from != nil && !sameAddr(r.last, from) {
		r.last = from
		r.left--
	}
	return n, from, err
}

// sameAddr compares the addresses of two datagrams.
func sameAddr(a, b net.Addr) bool {
	x, ok := a.(*net.UDPAddr)
	y, too := b.(*net.UDPAddr)
	return ok && too && x.Port == y.Port && x.IP.Equal(y.IP)
}
