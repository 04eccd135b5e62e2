package main

import (
	"net"
	"net/netip"
)

// callee is a small SIP user agent that answers every call with audio.
type callee struct {
	conn *net.UDPConn
	ip   string
	at   string
	// answer is told where a new call sends its audio and returns the port of ours, 0 to refuse.
	answer func(netip.AddrPort) int
	ports  map[string]int // Call-ID → port of our audio
	ended  chan struct{}
}

func newCallee(at string, answer func(netip.AddrPort) int) (*callee, error) {
	addr, err := net.ResolveUDPAddr("udp4", at)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20)
	c := &callee{conn: conn, ip: addr.IP.String(), at: at, answer: answer, ports: map[string]int{}, ended: make(chan struct{})}
	go c.read()
	return c, nil
}

// close ends the reader; the port is free when it returns.
func (c *callee) close() {
	_ = c.conn.Close()
	<-c.ended
}

func (c *callee) read() {
	defer close(c.ended)
	buf := make([]byte, 1<<16)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m := parse(buf[:n])
		switch {
		case m.status() != 0 || m.method() == "ACK":
		case m.method() == "INVITE":
			c.invited(&m, from)
		default:
			_, _ = c.conn.WriteToUDPAddrPort(m.answer("200 OK", "", "callee@"+c.at, ""), from)
		}
	}
}

func (c *callee) invited(m *message, from netip.AddrPort) {
	id := m.get("call-id")
	port, known := c.ports[id]
	if !known {
		if remote, ok := mediaAddress(m.body); ok {
			port = c.answer(remote)
		}
		c.ports[id] = port
		_, _ = c.conn.WriteToUDPAddrPort(m.answer("180 Ringing", "callee", "callee@"+c.at, ""), from)
	}
	if port == 0 {
		_, _ = c.conn.WriteToUDPAddrPort(m.answer("486 Busy Here", "callee", "callee@"+c.at, ""), from)
		return
	}
	_, _ = c.conn.WriteToUDPAddrPort(m.answer("200 OK", "callee", "callee@"+c.at, sdpOf(c.ip, port)), from)
}
