package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An RTP packet of the load is 20 ms of G.711 whose payload says, for whoever receives it, whose it is and when it left.
const (
	packetSize  = 12 + 160
	period      = 20 * time.Millisecond
	atMagic     = 12
	atStream    = 16
	atSentAt    = 20
	atCounted   = 28 // 1 = sent within the measurement
	magic       = 0x57524f47
	senderTick  = 250 * time.Microsecond // the sender wakes at most so often,
	receiveTick = time.Millisecond       // and the receiver; the kernel's timestamps keep the latencies right
)

// stream is one direction of a call: packets that leave from our socket and come back, through the server, at another.
type stream struct {
	fd, rtcp int
	port     int
	to       unix.RawSockaddrInet4
	packet   [packetSize]byte
	seq      uint16
	due      int64
	sent     int // within the measurement
	received int
}

// generator sends and receives all streams in two threads of its own.
type generator struct {
	streams []*stream
	epoll   int

	counting       atomic.Bool
	stopping       atomic.Bool
	ended          chan struct{}
	latencies      []int32 // µs, of counted packets
	strange        int     // packets that are not ours
	late           time.Duration
	sent, received int
}

// newGenerator opens n sockets on each of two addresses: a call has a stream in each direction.
func newGenerator(ips [2]string, n int) (*generator, error) {
	g := &generator{ended: make(chan struct{}, 2), latencies: make([]int32, 0, 1<<22)}
	var err error
	if g.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for _, ip := range ips {
		addr, err := netip.ParseAddr(ip)
		if err != nil {
			return nil, err
		}
		for port, opened := firstPort, 0; opened < n; port += 2 {
			switch err := g.open(addr.As4(), port); {
			case err == nil:
				opened++
			case !errors.Is(err, unix.EADDRINUSE) || port > lastPort:
				return nil, fmt.Errorf("socket of stream %d: %w", len(g.streams), err)
			}
		}
	}
	return g, nil
}

// Where the load's sockets are: below the ports that the system gives to anybody.
const firstPort, lastPort = 10000, 19998

// open makes a stream's socket, and that of RTCP so that the server's reports do not meet a closed port.
func (g *generator) open(ip [4]byte, port int) error {
	s := &stream{port: port}
	var err error
	if s.fd, err = udpSocket(ip, port); err != nil {
		return err
	}
	if s.rtcp, err = udpSocket(ip, port+1); err != nil {
		_ = unix.Close(s.fd)
		return err
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		return err
	}
	_ = unix.SetsockoptInt(s.rtcp, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048) // nobody reads it
	index := len(g.streams)
	g.streams = append(g.streams, s)
	p := s.packet[:]
	p[0] = 2 << 6
	binary.BigEndian.PutUint32(p[8:], uint32(1+index)) // SSRC
	binary.BigEndian.PutUint32(p[atMagic:], magic)
	binary.BigEndian.PutUint32(p[atStream:], uint32(index))
	return unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.fd)})
}

func udpSocket(ip [4]byte, port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: ip, Port: port}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (s *stream) aim(to netip.AddrPort) {
	s.to = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4(), Port: to.Port()<<8 | to.Port()>>8}
}

// start sends and receives until stop. Only aimed streams send.
func (g *generator) start() {
	var aimed []*stream
	for _, s := range g.streams {
		if s.to.Family != 0 {
			aimed = append(aimed, s)
		}
	}
	go g.send(aimed)
	go g.receive()
}

// stop ends both threads after the last packets had time to come, and closes the sockets.
func (g *generator) stop() {
	g.counting.Store(false)
	time.Sleep(500 * time.Millisecond)
	g.stopping.Store(true)
	<-g.ended
	<-g.ended
	for _, s := range g.streams {
		g.sent, g.received = g.sent+s.sent, g.received+s.received
	}
	slices.Sort(g.latencies)
}

func (g *generator) close() {
	_ = unix.Close(g.epoll)
	for _, s := range g.streams {
		_, _ = unix.Close(s.fd), unix.Close(s.rtcp)
	}
}

func (g *generator) send(streams []*stream) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // a thread that ends would take along the processes that it started
	defer func() { g.ended <- struct{}{} }()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	start := time.Now().UnixNano()
	for i, s := range streams {
		s.due = start + int64(period)*int64(i)/int64(len(streams)) // evenly, not all at once
	}
	for i := 0; !g.stopping.Load(); i = (i + 1) % len(streams) {
		s := streams[i]
		now := time.Now().UnixNano()
		for s.due > now {
			sleep(max(time.Duration(s.due-now), senderTick))
			now = time.Now().UnixNano()
		}
		p := s.packet[:]
		s.seq++
		binary.BigEndian.PutUint16(p[2:], s.seq)
		binary.BigEndian.PutUint32(p[4:], uint32(s.seq)*160)
		binary.BigEndian.PutUint64(p[atSentAt:], uint64(now))
		p[atCounted] = 0
		if g.counting.Load() {
			p[atCounted] = 1
			s.sent++
			g.late = max(g.late, time.Duration(now-s.due))
		}
		_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&p[0])), packetSize, 0,
			uintptr(unsafe.Pointer(&s.to)), unix.SizeofSockaddrInet4)
		s.due += int64(period)
	}
}

func (g *generator) receive() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { g.ended <- struct{}{} }()
	events := make([]unix.EpollEvent, 256)
	var buf [2048]byte
	var control [64]byte
	part := unix.Iovec{Base: &buf[0], Len: uint64(len(buf))}
	for !g.stopping.Load() {
		n, _ := unix.EpollWait(g.epoll, events, 0)
		for _, ev := range events[:max(n, 0)] {
			m := unix.Msghdr{Iov: &part, Iovlen: 1, Control: &control[0], Controllen: uint64(len(control))}
			size, _, e := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(ev.Fd), uintptr(unsafe.Pointer(&m)), unix.MSG_DONTWAIT)
			if e == 0 {
				g.take(buf[:size], arrival(control[:m.Controllen]))
			}
		}
		if n < len(events)/2 {
			sleep(receiveTick)
		}
	}
}

// arrival is the kernel's timestamp of a packet.
func arrival(control []byte) int64 {
	const header = syscall.SizeofCmsghdr
	if len(control) < header+16 {
		return time.Now().UnixNano()
	}
	return int64(binary.NativeEndian.Uint64(control[header:]))*1e9 + int64(binary.NativeEndian.Uint64(control[header+8:]))
}

func (g *generator) take(p []byte, at int64) {
	if len(p) != packetSize || binary.BigEndian.Uint32(p[atMagic:]) != magic || int(binary.BigEndian.Uint32(p[atStream:])) >= len(g.streams) {
		g.strange++
		return
	}
	if p[atCounted] == 0 {
		return
	}
	g.streams[binary.BigEndian.Uint32(p[atStream:])].received++
	micros := (at - int64(binary.BigEndian.Uint64(p[atSentAt:]))) / 1000
	g.latencies = append(g.latencies, int32(min(max(micros, 0), math.MaxInt32)))
}

// deaf counts streams of which nothing arrived.
func (g *generator) deaf() (n int) {
	for _, s := range g.streams {
		if s.sent > 0 && s.received == 0 {
			n++
		}
	}
	return n
}

// latency is a quantile of the counted packets'.
func (g *generator) latency(q float64) time.Duration {
	return time.Duration(quantile(g.latencies, q)) * time.Microsecond
}

// quantile of sorted values, 0 when there are none.
func quantile[T any](sorted []T, q float64) (v T) {
	if len(sorted) > 0 {
		v = sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
	}
	return v
}

// sleep does not hand the thread back to the scheduler's timers, which are too coarse.
func sleep(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}
