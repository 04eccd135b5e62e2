package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxDatagram is more than any RTP packet that we relay: an Ethernet frame's worth.
const maxDatagram = 1500

// netTransport is the portable transport.
type netTransport struct {
	now func() time.Duration
	wg  sync.WaitGroup
}

func (t *netTransport) listen(at netip.AddrPort, r reader) (socket, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	s := &netSocket{conn: c}
	t.wg.Go(func() { s.read(r, t.now) })
	return s, nil
}

func (t *netTransport) close() { t.wg.Wait() }

type netSocket struct{ conn *net.UDPConn }

func (s *netSocket) read(r reader, now func() time.Duration) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of something that we sent
		}
		r.datagram(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), now())
	}
}

func (s *netSocket) port() int { return s.conn.LocalAddr().(*net.UDPAddr).Port }

func (s *netSocket) send(b []byte, to netip.AddrPort) { _, _ = s.conn.WriteToUDPAddrPort(b, to) }

func (s *netSocket) connect(netip.AddrPort) {}

func (s *netSocket) close() { _ = s.conn.Close() }
