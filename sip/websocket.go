package sip

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// WSIdentity says who is at the other end of a WebSocket, as package web knows it from the upgrade request.
type WSIdentity struct {
	User    string // User.ID of the signed-in user; with Trusted
	Session string // id of the web session, for the binding's Device
	Trusted bool   // authenticated by the web session: no digest is asked. False = a foreign phone, which does digest
	Secure  bool   // accepted over HTTPS: Via says WSS
}

const (
	wsPingInterval = 30 * time.Second
	wsPingTimeout  = 10 * time.Second
	wsWriteTimeout = 10 * time.Second
)

// errBusy refuses a connection beyond the limits of flow.go.
var errBusy = errors.New("sip: too many connections")

// ServeWebSocket speaks SIP over an accepted WebSocket (RFC 7118) until either side closes it, and returns nil then.
// remote is the browser's address as "ip:port", for logs and limits. Bindings made over the connection end with it.
//
// sipgo's own WebSocket server upgrades in its accept loop, answers no Ping and needs a port of its own. It therefore gets
// a connection that replays a canned upgrade and then carries one frame for each message.
func (s *Server) ServeWebSocket(conn *websocket.Conn, remote string, id WSIdentity) error {
	transport, listener := "ws", s.listeners.ws
	if id.Secure {
		transport, listener = "wss", s.listeners.wss
	}
	if listener == nil {
		return errors.New("sip: server is not started")
	}
	f := s.flows.add(transport, remote, &id)
	if f == nil {
		_ = conn.Close(websocket.StatusTryAgainLater, "too many connections")
		return errBusy
	}
	conn.SetReadLimit(maxDatagram)
	c := newWSConn(conn, f.addr)
	s.flows.attach(f, c)
	if id.Trusted {
		s.guard.trust(f.addr)
		s.flows.prove(f)
	}
	defer s.flows.remove(f)
	defer c.end()
	if err := listener.feed(c); err != nil {
		return fmt.Errorf("sip: websocket of %s: %w", remote, err)
	}
	ping := time.NewTicker(wsPingInterval)
	defer ping.Stop()
	strange := time.NewTimer(proveWithin)
	defer strange.Stop()
	for {
		select {
		case <-c.closed:
			return nil
		case <-strange.C:
			if !s.flows.isProved(f) {
				_ = c.Close()
			}
		case <-ping.C:
			ctx, cancel := context.WithTimeout(context.Background(), wsPingTimeout)
			err := conn.Ping(ctx)
			cancel()
			if err != nil {
				_ = c.Close() // the loop sees it next; the browser vanished without a word
			}
		}
	}
}

// wsConn is a net.Conn for sipgo's WebSocket server over an already accepted WebSocket. One goroutine reads, writes come
// under sipgo's lock.
type wsConn struct {
	conn   *websocket.Conn
	addr   netip.AddrPort
	ctx    context.Context // ended by Close
	cancel context.CancelFunc
	closed <-chan struct{}

	pending  []byte // what Read has not returned yet: the upgrade request, then frames
	upgraded bool
	out      []byte // what was written and is no whole frame yet
}

// cannedUpgrade is a request that gobwas/ws accepts (RFC 6455 §4.1, with the key of its §1.3).
const cannedUpgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"

func newWSConn(conn *websocket.Conn, addr string) *wsConn {
	ctx, cancel := context.WithCancel(context.Background())
	ap, _ := netip.ParseAddrPort(addr)
	return &wsConn{conn: conn, addr: ap, ctx: ctx, cancel: cancel, closed: ctx.Done(), pending: []byte(cannedUpgrade)}
}

// end says goodbye to the browser. It waits for nothing.
func (c *wsConn) end() {
	c.cancel()
	_ = c.conn.CloseNow()
}

// Close ends the connection as sipgo sees it; ServeWebSocket then closes the WebSocket.
func (c *wsConn) Close() error {
	c.cancel()
	return nil
}

func (c *wsConn) Read(b []byte) (int, error) {
	for len(c.pending) == 0 {
		kind, data, err := c.conn.Read(c.ctx)
		if err != nil {
			c.cancel()
			return 0, io.EOF
		}
		if len(data) > 0 && (kind == websocket.MessageText || kind == websocket.MessageBinary) {
			c.pending = appendFrame(c.pending, data)
		}
	}
	n := copy(b, c.pending)
	if c.pending = c.pending[n:]; len(c.pending) == 0 {
		c.pending = nil
	}
	return n, nil
}

// appendFrame adds a client's text frame (RFC 6455 §5.2) whose mask is zero, so that the payload stands as it is.
func appendFrame(to, payload []byte) []byte {
	const finText, masked = 0x81, 0x80
	switch n := len(payload); {
	case n < 126:
		to = append(to, finText, masked|byte(n))
	case n <= 0xffff:
		to = binary.BigEndian.AppendUint16(append(to, finText, masked|126), uint16(n))
	default:
		to = binary.BigEndian.AppendUint64(append(to, finText, masked|127), uint64(n))
	}
	to = append(to, 0, 0, 0, 0)
	return append(to, payload...)
}

// Write takes what sipgo writes: first the response to the canned upgrade, which nobody wants, then server frames.
func (c *wsConn) Write(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, b...)
	if !c.upgraded {
		i := bytes.Index(c.out, []byte("\r\n\r\n"))
		if i < 0 {
			return len(b), nil
		}
		c.upgraded, c.out = true, c.out[i+4:]
	}
	for {
		payload, size := nextFrame(c.out)
		if size == 0 {
			return len(b), nil
		}
		if err := c.send(payload); err != nil {
			c.cancel()
			return 0, err
		}
		c.out = append(c.out[:0], c.out[size:]...)
	}
}

func (c *wsConn) send(payload []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, wsWriteTimeout)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, payload)
}

// nextFrame is the payload of the first whole, unmasked frame in b and the frame's size, 0 while it is incomplete.
func nextFrame(b []byte) (payload []byte, size int) {
	if len(b) < 2 {
		return nil, 0
	}
	head, n := 2, uint64(b[1]&0x7f)
	switch n {
	case 126:
		if head = 4; len(b) < head {
			return nil, 0
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return nil, 0
		}
		n = binary.BigEndian.Uint64(b[2:])
	}
	if uint64(len(b)-head) < n {
		return nil, 0
	}
	return b[head : head+int(n)], head + int(n)
}

func (c *wsConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.addr) }
func (c *wsConn) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4zero} }

// The deadlines are not used: pings find dead browsers, and writes have a time limit of their own.
func (c *wsConn) SetDeadline(time.Time) error      { return nil }
func (c *wsConn) SetReadDeadline(time.Time) error  { return nil }
func (c *wsConn) SetWriteDeadline(time.Time) error { return nil }

// feedListener is a net.Listener whose connections are handed in.
type feedListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newFeedListener() *feedListener {
	return &feedListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// feed gives c to the accept loop.
func (l *feedListener) feed(c net.Conn) error {
	select {
	case l.conns <- c:
		return nil
	case <-l.done:
		return net.ErrClosed
	}
}

func (l *feedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *feedListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *feedListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero} }
