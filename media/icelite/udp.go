package icelite

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// maxPacket is the largest datagram that is taken: an Ethernet frame's worth. DTLS, STUN and audio stay far below.
const maxPacket = 1500

// udpBuffer is asked of the kernel for each direction: 20 ms of 2,000 parties fit, so that a busy moment loses nothing.
const udpBuffer = 4 << 20

// udpSocket is one UDP socket that all agents share. Its goroutine is the one that delivers.
type udpSocket struct {
	mux   *Mux
	conn  *net.UDPConn
	local netip.AddrPort

	mu    sync.RWMutex
	paths map[netip.AddrPort]*path
}

func newUDPSocket(m *Mux, at netip.AddrPort) (endpoint, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	// Best effort: the kernel clamps to its own limit (net.core.rmem_max).
	_ = conn.SetReadBuffer(udpBuffer)
	_ = conn.SetWriteBuffer(udpBuffer)
	local := netip.AddrPortFrom(at.Addr(), uint16(conn.LocalAddr().(*net.UDPAddr).Port))
	return &udpSocket{mux: m, conn: conn, local: local, paths: map[netip.AddrPort]*path{}}, nil
}

func (s *udpSocket) addr() netip.AddrPort { return s.local }
func (s *udpSocket) close()               { _ = s.conn.Close() }

func (s *udpSocket) serve() {
	buf := make([]byte, maxPacket+1)
	msg := new(stun.Message)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			// ICMP errors of single peers show up here; they say nothing about the others.
			time.Sleep(time.Millisecond)
			continue
		}
		if n == 0 || n > maxPacket {
			continue
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if isSTUN(buf[:n]) {
			s.mux.check(msg, buf[:n], s, from)
			continue
		}
		if p := s.path(from); p != nil {
			p.deliver(buf[:n])
		}
	}
}

func (s *udpSocket) path(from netip.AddrPort) *path {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.paths[from]
}

func (s *udpSocket) setPath(p *path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths[p.remote] = p
}

// dropPath forgets p, unless its address belongs to another agent by now.
func (s *udpSocket) dropPath(p *path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paths[p.remote] == p {
		delete(s.paths, p.remote)
	}
}

func (s *udpSocket) write(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}
