package icelite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// Limits of the TCP side. A connection costs memory and two goroutines before it has proved anything, so there are few of
// those, and not for long.
const (
	tcpStrangers  = 64               // connections that have not sent a good check,
	tcpPerAddress = 8                // and those of them from one address
	tcpProveTime  = 10 * time.Second // to send it
	tcpWriteQueue = 64               // packets that wait for a slow peer: 1.3 s of audio; then packets are lost as on UDP
	tcpWriteTime  = 5 * time.Second  // for one packet, then the connection is given up
)

// tcpListener accepts the connections of browsers whose network blocks UDP (ICE TCP, passive candidates: RFC 6544).
type tcpListener struct {
	mux   *Mux
	ln    *net.TCPListener
	local netip.AddrPort
	wg    sync.WaitGroup

	mu        sync.Mutex
	conns     map[*tcpConn]struct{}
	strangers map[netip.Addr]int // how many, by address
	closed    bool
}

func newTCPListener(m *Mux, at netip.AddrPort) (endpoint, error) {
	ln, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	local := netip.AddrPortFrom(at.Addr(), uint16(ln.Addr().(*net.TCPAddr).Port))
	return &tcpListener{mux: m, ln: ln, local: local, conns: map[*tcpConn]struct{}{}, strangers: map[netip.Addr]int{}}, nil
}

func (l *tcpListener) serve() {
	defer l.wg.Wait()
	for {
		nc, err := l.ln.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors: wait for some to be freed
			continue
		}
		from := nc.RemoteAddr().(*net.TCPAddr).AddrPort()
		c := &tcpConn{l: l, nc: nc, stranger: true, out: make(chan []byte, tcpWriteQueue), done: make(chan struct{})}
		c.remote = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !l.add(c) {
			_ = nc.Close()
			continue
		}
		l.wg.Go(c.read)
		l.wg.Go(c.writeLoop)
	}
}

// add takes a new connection, while there are not too many that have proved nothing.
func (l *tcpListener) add(c *tcpConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := 0
	for _, n := range l.strangers {
		total += n
	}
	if l.closed || total >= tcpStrangers || l.strangers[c.remote.Addr()] >= tcpPerAddress {
		return false
	}
	l.conns[c] = struct{}{}
	l.strangers[c.remote.Addr()]++
	return true
}

// proved is told once of every connection: when it is a stranger no more, or at its end.
func (l *tcpListener) proved(c *tcpConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := c.remote.Addr()
	if l.strangers[a]--; l.strangers[a] == 0 {
		delete(l.strangers, a)
	}
}

func (l *tcpListener) addr() netip.AddrPort { return l.local }

func (l *tcpListener) close() {
	_ = l.ln.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.conns {
		c.close()
	}
}

// tcpConn is one connection; packets are framed with a length of two bytes (RFC 4571 §2).
type tcpConn struct {
	l        *tcpListener
	nc       net.Conn
	remote   netip.AddrPort
	stranger bool // read goroutine only

	mu   sync.Mutex
	path *path

	out  chan []byte
	done chan struct{}
	once sync.Once
}

func (c *tcpConn) read() {
	defer c.end()
	_ = c.nc.SetReadDeadline(time.Now().Add(tcpProveTime))
	r := bufio.NewReaderSize(c.nc, 4096)
	buf := make([]byte, maxPacket)
	msg := new(stun.Message)
	for {
		if _, err := io.ReadFull(r, buf[:2]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(buf))
		if n == 0 || n > maxPacket {
			return
		}
		if _, err := io.ReadFull(r, buf[:n]); err != nil {
			return
		}
		if isSTUN(buf[:n]) {
			c.l.mux.check(msg, buf[:n], c, c.remote)
		} else if p := c.currentPath(); p != nil {
			p.deliver(buf[:n])
		}
		if c.stranger && c.currentPath() != nil {
			c.stranger = false
			c.l.proved(c)
			_ = c.nc.SetReadDeadline(time.Time{}) // from here on its agent watches over it
		}
	}
}

// end runs when reading has failed or the connection was closed.
func (c *tcpConn) end() {
	if c.stranger {
		c.l.proved(c)
	}
	c.close()
	if p := c.currentPath(); p != nil {
		p.agent.pathGone(p)
	}
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
}

func (c *tcpConn) writeLoop() {
	defer c.close()
	for {
		select {
		case <-c.done:
			return
		case b := <-c.out:
			_ = c.nc.SetWriteDeadline(time.Now().Add(tcpWriteTime))
			if _, err := c.nc.Write(b); err != nil {
				return
			}
		}
	}
}

func (c *tcpConn) close() {
	c.once.Do(func() {
		close(c.done)
		_ = c.nc.Close()
	})
}

var errSlowPeer = errors.New("the peer's TCP connection does not keep up")

// write queues a frame: a slow peer must not hold up the others.
func (c *tcpConn) write(b []byte, _ netip.AddrPort) error {
	frame := make([]byte, 2+len(b))
	binary.BigEndian.PutUint16(frame, uint16(len(b)))
	copy(frame[2:], b)
	select {
	case c.out <- frame:
		return nil
	default:
		return errSlowPeer
	}
}

func (c *tcpConn) currentPath() *path {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.path
}

func (c *tcpConn) setPath(p *path) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.path = p
}

// dropPath ends the connection: it serves no other agent.
func (c *tcpConn) dropPath(p *path) {
	if c.currentPath() == p {
		c.close()
	}
}
