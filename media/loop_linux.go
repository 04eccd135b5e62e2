package media

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epollTransport reads many sockets in one goroutine, and in two ways. While there are few packets it is promptly woken for
// each: its epoll set is in another one, the bell, which is parked on the Go netpoller, so that an idle shard costs no
// thread. While there are many it gathers: it takes the set off the bell, sleeps, and reads what has come, so that one
// wake-up serves all packets of gatherTime. A wake-up costs as much CPU time as relaying a packet does.
//
// Sockets are read and written by raw system calls: they never block, so the scheduler need not be told.
//
// An event carries the slot of its socket and the slot's generation. Both change hands when a socket is closed and its
// slot used again, so that an event that was fetched before is not given to the wrong leg.
type epollTransport struct {
	now     func() time.Duration
	epfd    int
	bell    *os.File
	closing atomic.Bool
	done    chan struct{}

	mu    sync.Mutex
	slots []*epollSocket
	free  []int32
}

const (
	// gatherTime is how long packets are gathered. With what the timer is late, and what the handling of those before takes, a
	// packet is kept for 0.6 ms at 50 calls and 1.2 ms at 800 on one core, some 2 ms at most. The jitter buffer at the other end,
	// made for the tens of milliseconds that networks vary by, does not notice.
	gatherTime = time.Millisecond

	// Gathering pays from two packets per gatherTime, which is what 20 calls bring. It begins when one window brings as
	// many, and ends when the wake-ups of a window find less than one each.
	window      = 20 * time.Millisecond
	manyPackets = 2 * int(window/gatherTime)
	fewPackets  = int(window / gatherTime)

	epollBatch = 128
	// readAhead datagrams are read before the first of them is handled: the kernel's code for reading, and then ours and the
	// kernel's for sending, stay in the processor's caches for as many turns.
	readAhead = 16
)

// newTransport is the best transport of this platform.
func newTransport(now func() time.Duration) (transport, error) {
	t := &epollTransport{now: now, done: make(chan struct{})}
	raw, err := t.open()
	if err != nil {
		return nil, fmt.Errorf("media: epoll: %w", err)
	}
	l := &epollLoop{t: t}
	go func() {
		defer close(t.done)
		_ = raw.Read(l.run) // until the bell is closed
	}()
	return t, nil
}

// open makes the two sets.
func (t *epollTransport) open() (raw syscall.RawConn, err error) {
	if t.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	bell, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		_ = unix.SetNonblock(bell, true) // for os.NewFile: use the netpoller
		t.bell = os.NewFile(uintptr(bell), "epoll")
		if raw, err = t.bell.SyscallConn(); err == nil {
			err = t.ring(uintptr(bell), true)
		}
	}
	if err != nil {
		if t.bell != nil {
			_ = t.bell.Close()
		}
		_ = unix.Close(t.epfd)
	}
	return raw, err
}

func (t *epollTransport) close() {
	t.closing.Store(true)
	_ = t.bell.Close() // wakes the loop
	<-t.done
	_ = unix.Close(t.epfd)
}

// ring says whether packets ring the bell from now on.
func (t *epollTransport) ring(bell uintptr, on bool) error {
	op := unix.EPOLL_CTL_DEL
	if on {
		op = unix.EPOLL_CTL_ADD
	}
	return unix.EpollCtl(int(bell), op, t.epfd, &unix.EpollEvent{Events: unix.EPOLLIN})
}

// epollLoop is the memory of the loop: no packet allocates any.
type epollLoop struct {
	t       *epollTransport
	events  [epollBatch]unix.EpollEvent
	sockets [epollBatch]*epollSocket
	bufs    [readAhead][maxDatagram]byte
	from    [readAhead]sockaddr
	sizes   [readAhead]int

	begun time.Duration // of the window
	count int           // packets in it
}

// run reads until nothing is left and returns false, which parks the goroutine until the bell rings: the netpoller reports
// the edge, so the set must have been seen empty.
func (l *epollLoop) run(bell uintptr) bool {
	for {
		n := l.scan()
		if n == 0 {
			return l.t.closing.Load()
		}
		l.count += n
		if now := l.t.now(); now-l.begun >= window {
			many := l.count >= manyPackets && now-l.begun < 2*window
			l.begun, l.count = now, 0
			if many {
				l.gather(bell)
			}
		}
	}
}

// gather reads at intervals until there are few packets.
func (l *epollLoop) gather(bell uintptr) {
	if l.t.ring(bell, false) != nil {
		return
	}
	for n := fewPackets; n >= fewPackets; {
		n = 0
		for range window / gatherTime {
			time.Sleep(gatherTime)
			if l.t.closing.Load() {
				return
			}
			for got := epollBatch; got == epollBatch; n += got {
				got = l.scan()
			}
		}
	}
	_ = l.t.ring(bell, true) // cannot fail: it was there
}

// scan reads one datagram of each socket that has any, up to epollBatch of them, and returns how many that were.
func (l *epollLoop) scan() int {
	t := l.t
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(t.epfd), uintptr(unsafe.Pointer(&l.events[0])), epollBatch, 0, 0, 0)
	for e == unix.EINTR {
		n, _, e = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(t.epfd), uintptr(unsafe.Pointer(&l.events[0])), epollBatch, 0, 0, 0)
	}
	if e != 0 {
		return 0
	}
	t.mu.Lock()
	for i, ev := range l.events[:n] {
		s := t.slots[ev.Fd]
		if s != nil && s.generation != ev.Pad {
			s = nil
		}
		l.sockets[i] = s
	}
	t.mu.Unlock()
	now := t.now()
	for ready := l.sockets[:n]; len(ready) > 0; {
		some := ready[:min(len(ready), readAhead)]
		ready = ready[len(some):]
		for i, s := range some {
			l.sizes[i] = -1
			if s != nil {
				l.sizes[i] = s.recv(l.bufs[i][:], &l.from[i])
			}
		}
		for i, s := range some {
			if size := l.sizes[i]; size >= 0 {
				s.reader.datagram(l.bufs[i][:size], l.from[i].addrPort(), now)
			}
			some[i] = nil
		}
	}
	return int(n)
}
