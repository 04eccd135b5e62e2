package main

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// caller is a small SIP user agent that places calls over UDP and notes when each response came.
type caller struct {
	conn   *net.UDPConn
	ip     string
	at     string // host:port
	target string
	server *net.UDPAddr
	names  *names
	ended  chan struct{}

	mu    sync.Mutex
	calls map[string]*outgoing
}

// outgoing is one call. What the responses tell is guarded by the caller's lock until done is closed.
type outgoing struct {
	id, tag string
	invite  []byte
	port    int // of our audio

	sent, rang, answered time.Time
	status               int
	remote               netip.AddrPort // where the audio goes
	ack                  []byte
	inDialog             string // headers of requests within the dialog
	target               string

	done chan struct{} // closed on the final response
	gone chan struct{} // closed when BYE was answered
}

func newCaller(ip, target string) (*caller, error) {
	server, err := net.ResolveUDPAddr("udp4", target)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20)
	c := &caller{conn: conn, ip: ip, at: conn.LocalAddr().String(), target: target, server: server, names: newNames(), calls: map[string]*outgoing{}, ended: make(chan struct{})}
	go c.read()
	return c, nil
}

// close ends the reader; the port is free when it returns.
func (c *caller) close() {
	_ = c.conn.Close()
	<-c.ended
}

// place calls a user of the server, offering audio at port. It returns at once; the call's done says when it was decided.
func (c *caller) place(user string, port int) *outgoing {
	call := &outgoing{id: c.names.next(), tag: c.names.next(), port: port, done: make(chan struct{}), gone: make(chan struct{})}
	sdp := sdpOf(c.ip, port)
	call.invite = fmt.Appendf(nil, "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\n"+
		"Call-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:bench@%s>\r\nMax-Forwards: 70\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"+
		"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		user, c.target, c.at, c.names.next(), callerNumber, c.at, call.tag, user, c.target, call.id, c.at, len(sdp), sdp)
	c.mu.Lock()
	c.calls[call.id] = call
	call.sent = time.Now()
	c.mu.Unlock()
	c.persist(call.invite, call.done)
	return call
}

// hangUp ends a call that was answered.
func (c *caller) hangUp(call *outgoing) {
	c.mu.Lock()
	bye := c.within(call, "BYE", 2)
	c.mu.Unlock()
	c.persist(bye, call.gone)
}

// persist sends a request, again and again until it was answered or nobody will (RFC 3261 §17.1: Timers A, B, E and F).
func (c *caller) persist(request []byte, answered <-chan struct{}) {
	_, _ = c.conn.WriteToUDP(request, c.server)
	go func() {
		for wait := 500 * time.Millisecond; wait < 10*time.Second; wait *= 2 {
			select {
			case <-answered:
				return
			case <-time.After(wait):
				_, _ = c.conn.WriteToUDP(request, c.server)
			}
		}
	}()
}

// within makes a request inside the dialog.
func (c *caller) within(call *outgoing, method string, cseq int) []byte {
	return fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\n%sCSeq: %d %s\r\nContact: <sip:bench@%s>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, call.target, c.at, c.names.next(), call.inDialog, cseq, method, c.at)
}

func (c *caller) read() {
	defer close(c.ended)
	buf := make([]byte, 1<<16)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		now, m := time.Now(), parse(buf[:n])
		c.mu.Lock()
		call := c.calls[m.get("call-id")]
		c.mu.Unlock()
		switch {
		case m.status() == 0 && m.method() != "ACK": // the server's own requests, such as BYE when it ends the call
			_, _ = c.conn.WriteToUDPAddrPort(m.answer("200 OK", "", "bench@"+c.at, ""), from)
		case call == nil || m.status() == 0:
		case m.method() == "INVITE":
			c.invited(call, &m, now)
		case m.method() == "BYE" && m.status() >= 200:
			c.forget(call)
		}
	}
}

// invited takes a response to INVITE.
func (c *caller) invited(call *outgoing, m *message, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := m.status()
	switch {
	case status < 180:
		return
	case status < 200:
		if call.rang.IsZero() {
			call.rang = now
		}
		return
	}
	if call.status == 0 {
		call.status, call.answered = status, now
		call.remote, _ = mediaAddress(m.body)
		call.target = addressIn(m.get("contact"))
		call.inDialog = fmt.Sprintf("%sFrom: <sip:%s@%s>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\n", m.routeSet(), callerNumber, c.at, call.tag, m.get("to"), call.id)
		call.ack = c.within(call, "ACK", 1)
		close(call.done)
	}
	if status < 300 {
		_, _ = c.conn.WriteToUDP(call.ack, c.server)
	}
}

// forget ends what is left of a call.
func (c *caller) forget(call *outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.calls[call.id]; ok {
		delete(c.calls, call.id)
		close(call.gone)
	}
}

// result is what became of a decided call.
func (c *caller) result(call *outgoing) (status int, ringing time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := call.rang
	if heard.IsZero() {
		heard = call.answered
	}
	return call.status, heard.Sub(call.sent)
}
