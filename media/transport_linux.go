package media

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

func (t *epollTransport) listen(at netip.AddrPort, r reader) (socket, error) {
	s := &epollSocket{t: t, reader: r}
	if err := s.open(at); err != nil {
		return nil, err
	}
	t.mu.Lock()
	if n := len(t.free); n > 0 {
		s.slot, t.free = t.free[n-1], t.free[:n-1]
	} else {
		s.slot = int32(len(t.slots))
		t.slots = append(t.slots, nil)
	}
	s.generation = generations.Add(1)
	t.slots[s.slot] = s
	t.mu.Unlock()
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: s.slot, Pad: s.generation}
	if err := unix.EpollCtl(t.epfd, unix.EPOLL_CTL_ADD, s.fd, &ev); err != nil {
		s.close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return s, nil
}

// epollSocket is a socket of an epollTransport. Around each system call one of its locks is held, for reading or for
// writing, and both around close: it cannot give the descriptor to somebody else in between.
type epollSocket struct {
	t          *epollTransport
	reader     reader
	slot       int32
	generation int32
	bound      int
	inet6      bool

	fd     int
	closed bool // changed with both locks held

	recvMu sync.Mutex

	sendMu    sync.Mutex
	to        netip.AddrPort // what send wrote to last
	toRaw     sockaddr       // the same as the kernel wants it
	connected netip.AddrPort
}

// open binds the socket. A port that the kernel chose is bound again by its number: the kernel takes back what it chose
// when a connected socket is opened up again.
func (s *epollSocket) open(at netip.AddrPort) error {
	s.inet6 = at.Addr().Is6()
	if err := s.openAt(at); err != nil || at.Port() != 0 {
		return err
	}
	_ = closeFD(s.fd)
	return s.openAt(netip.AddrPortFrom(at.Addr(), uint16(s.bound)))
}

func (s *epollSocket) openAt(at netip.AddrPort) error {
	family := unix.AF_INET
	if s.inet6 {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("UDP socket (limit of open files?): %w", err)
	}
	s.fd = fd
	// DSCP EF, expedited forwarding (RFC 4594 §4.1). A network that forbids it ignores it.
	if s.inet6 {
		_ = setsockopt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0xb8)
	}
	if at.Addr() == netip.IPv6Unspecified() { // for both families, whatever the host's default is
		_ = setsockopt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if !s.inet6 || at.Addr().IsUnspecified() {
		_ = setsockopt(fd, unix.IPPROTO_IP, unix.IP_TOS, 0xb8)
	}
	var local sockaddr
	local.set(at, s.inet6)
	if err := s.bind(&local, int(at.Port())); err != nil {
		_ = closeFD(fd)
		return fmt.Errorf("bind %s: %w", at, err)
	}
	return nil
}

// setsockopt and closeFD do not tell the scheduler either: a call opens and closes four sockets.
func setsockopt(fd, level, name, value int) error {
	v := int32(value)
	_, _, e := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
	if e != 0 {
		return e
	}
	return nil
}

func closeFD(fd int) error {
	if _, _, e := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); e != 0 {
		return e
	}
	return nil
}

func (s *epollSocket) bind(local *sockaddr, port int) error {
	if _, _, e := unix.RawSyscall(unix.SYS_BIND, uintptr(s.fd), uintptr(unsafe.Pointer(local)), uintptr(local.size())); e != 0 {
		return e
	}
	if s.bound = port; port != 0 {
		return nil
	}
	got, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	switch a := got.(type) {
	case *unix.SockaddrInet4:
		s.bound = a.Port
	case *unix.SockaddrInet6:
		s.bound = a.Port
	}
	return nil
}

func (s *epollSocket) port() int { return s.bound }

// recv reads one datagram; -1 when there is none or the socket was closed. ICMP errors are read away.
func (s *epollSocket) recv(buf []byte, from *sockaddr) int {
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	if s.closed {
		return -1
	}
	size := uint32(unsafe.Sizeof(from.raw))
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0,
		uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&size)))
	if e != 0 {
		return -1
	}
	return int(n)
}

func (s *epollSocket) send(b []byte, to netip.AddrPort) {
	if len(b) == 0 {
		return
	}
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if s.closed {
		return
	}
	var ptr, size uintptr
	if to != s.connected {
		if to != s.to {
			s.to = to
			s.toRaw.set(to, s.inet6)
		}
		ptr, size = uintptr(unsafe.Pointer(&s.toRaw.raw)), uintptr(s.toRaw.size())
	}
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	// The first attempt after an ICMP error returns that error instead of sending.
	for range 2 {
		_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), flags, ptr, size)
		if e != unix.ECONNREFUSED {
			return
		}
	}
}

// connect saves the kernel a route look-up per packet, and us the packets of everybody else.
func (s *epollSocket) connect(to netip.AddrPort) {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if s.closed || to == s.connected {
		return
	}
	var raw sockaddr
	raw.set(to, s.inet6)
	if !to.IsValid() {
		raw.raw.Family = unix.AF_UNSPEC
	}
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s.fd), uintptr(unsafe.Pointer(&raw.raw)), uintptr(raw.size()))
	if e == 0 {
		s.connected = to
	}
}

func (s *epollSocket) close() {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	_ = closeFD(s.fd) // takes it out of the epoll set too
	t := s.t
	t.mu.Lock()
	t.slots[s.slot] = nil
	t.free = append(t.free, s.slot)
	t.mu.Unlock()
}

// generations tags sockets; it only has to differ between two users of one slot that follow each other closely.
var generations atomic.Int32

// sockaddr is an address as the kernel reads and writes it, for both families.
type sockaddr struct{ raw unix.RawSockaddrInet6 }

func (a *sockaddr) size() uint32 {
	if a.raw.Family == unix.AF_INET6 {
		return unix.SizeofSockaddrInet6
	}
	return unix.SizeofSockaddrInet4
}

func (a *sockaddr) set(to netip.AddrPort, inet6 bool) {
	a.raw = unix.RawSockaddrInet6{Family: unix.AF_INET}
	p := (*[2]byte)(unsafe.Pointer(&a.raw.Port))
	p[0], p[1] = byte(to.Port()>>8), byte(to.Port())
	if inet6 {
		a.raw.Family = unix.AF_INET6
		if to.IsValid() {
			a.raw.Addr = to.Addr().As16()
		}
		return
	}
	if ip := to.Addr().Unmap(); ip.Is4() {
		(*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw)).Addr = ip.As4()
	}
}

func (a *sockaddr) addrPort() netip.AddrPort {
	p := (*[2]byte)(unsafe.Pointer(&a.raw.Port))
	port := uint16(p[0])<<8 | uint16(p[1])
	if a.raw.Family == unix.AF_INET6 {
		return netip.AddrPortFrom(netip.AddrFrom16(a.raw.Addr).Unmap(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw)).Addr), port)
}
