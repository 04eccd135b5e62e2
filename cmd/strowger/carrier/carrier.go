// Package carrier simulates a SIP trunk provider for the demo: a small SIP and RTP endpoint on loopback that calls in, can
// be called, and has numbers that misbehave on purpose.
package carrier

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Timers of RFC 3261 §17.1.1.1.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
	t4 = 64 * t1
)

// Carrier is a running simulated carrier. Its methods are safe for concurrent use.
type Carrier struct {
	conn   *net.UDPConn
	server netip.AddrPort // the phone system's SIP address
	voice  []int16        // the greeting, 8 kHz

	mu    sync.Mutex
	calls map[string]*call // by Call-ID
	ended bool
	wait  sync.WaitGroup
}

// New listens on listen (port 0 = any free one). Greeting is what the carrier says, 8 kHz samples; nil = a tone.
func New(listen netip.AddrPort, greeting []int16) (*Carrier, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listen))
	if err != nil {
		return nil, fmt.Errorf("the demo's carrier cannot listen on %s: %w", listen, err)
	}
	if greeting == nil {
		greeting = tone(440, 1600*time.Millisecond)
	}
	c := &Carrier{conn: conn, voice: greeting, calls: map[string]*call{}}
	c.wait.Add(1)
	go c.read()
	return c, nil
}

// Addr is where the carrier listens.
func (c *Carrier) Addr() netip.AddrPort { return c.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Connect tells the carrier where the phone system listens.
func (c *Carrier) Connect(server netip.AddrPort) { c.mu.Lock(); c.server = server; c.mu.Unlock() }

// Close ends every call and stops.
func (c *Carrier) Close() error {
	c.mu.Lock()
	c.ended = true
	calls := make([]*call, 0, len(c.calls))
	for _, k := range c.calls {
		calls = append(calls, k)
	}
	c.mu.Unlock()
	for _, k := range calls {
		k.hangUp()
	}
	err := c.conn.Close()
	c.wait.Wait()
	return err
}

func (c *Carrier) read() {
	defer c.wait.Done()
	buf := make([]byte, 65535)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 20 {
			continue
		}
		m, err := parse(append([]byte(nil), buf[:n]...))
		if err != nil {
			continue
		}
		c.take(m, from)
	}
}

// take handles one message. It runs on the reader's goroutine and never waits.
func (c *Carrier) take(m *message, from netip.AddrPort) {
	c.mu.Lock()
	k := c.calls[m.get("call-id")]
	c.mu.Unlock()
	switch {
	case m.code != 0:
		if k != nil {
			k.response(m)
		}
	case m.method == "INVITE" && k == nil:
		c.invited(m, from)
	case k != nil:
		k.request(m, from)
	case m.method == "OPTIONS" || m.method == "REGISTER":
		c.write(m.reply(200, "OK", token()), from)
	case m.method != "ACK":
		c.write(m.reply(481, "Call/Transaction Does Not Exist", token()), from)
	}
}

func (c *Carrier) write(m *message, to netip.AddrPort) { c.conn.WriteToUDPAddrPort(m.bytes(), to) }

func (c *Carrier) start(k *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.calls[k.id] = k
	c.wait.Add(1)
	return true
}

// forget removes a call some time after its end, so that retransmissions are still answered.
func (c *Carrier) forget(k *call) {
	defer c.wait.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, k.id)
}

func token() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// repeat sends a message again and again as UDP demands (RFC 3261 §17.1.1.2) until ctx ends or Timer B fires.
func (c *Carrier) repeat(ctx context.Context, data []byte, to netip.AddrPort, most time.Duration) {
	c.conn.WriteToUDPAddrPort(data, to)
	limit := time.NewTimer(t4)
	defer limit.Stop()
	for wait := t1; ; wait = min(2*wait, most) {
		select {
		case <-ctx.Done():
			return
		case <-limit.C:
			return
		case <-time.After(wait):
			c.conn.WriteToUDPAddrPort(data, to)
		}
	}
}
