package e2e

import (
	"encoding/binary"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/media/codec"
)

// rtpParty speaks PCMU, or PCMA after alaw: it says one tone and keeps what it hears.
type rtpParty struct {
	conn *net.UDPConn
	hz   float64

	mu     sync.Mutex
	to     netip.AddrPort
	mute   bool
	every  int  // so many packets one is lost, 0 = none
	a      bool // speaks PCMA
	ears   []int16
	digits []byte
	key    byte // being pressed, 0 = none
	pushed int  // packets of it that were sent
	event  uint32
	ssrcs  map[uint32]bool
}

func newRTPParty(t *testing.T, ip netip.Addr, hz float64) *rtpParty {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		t.Fatal(err)
	}
	p := &rtpParty{conn: conn, hz: hz, ssrcs: map[uint32]bool{}}
	stop := make(chan struct{})
	var parts sync.WaitGroup
	parts.Go(p.listen)
	parts.Go(func() { p.speak(stop) })
	t.Cleanup(func() { close(stop); conn.Close(); parts.Wait() })
	return p
}

func (p *rtpParty) local() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// connect says where the other side's RTP port is; the party speaks from then on.
func (p *rtpParty) connect(to netip.AddrPort) { p.mu.Lock(); p.to = to; p.mu.Unlock() }

// alaw makes the party speak PCMA.
func (p *rtpParty) alaw() { p.mu.Lock(); p.a = true; p.mu.Unlock() }

// loses lets one of so many packets be lost on the way; 0 = none.
func (p *rtpParty) loses(every int) { p.mu.Lock(); p.every = every; p.mu.Unlock() }

// silence stops or resumes sending.
func (p *rtpParty) silence(on bool) { p.mu.Lock(); p.mute = on; p.mu.Unlock() }

func (p *rtpParty) heard() []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int16(nil), p.ears...)
}

// keys are the digits received by RFC 4733.
func (p *rtpParty) keys() string { p.mu.Lock(); defer p.mu.Unlock(); return string(p.digits) }

// press pushes a key for 100 ms (RFC 4733).
func (p *rtpParty) press(key byte) { p.mu.Lock(); p.key, p.pushed = key, 0; p.mu.Unlock() }

// nextEvent is the next packet of the key that is being pressed, begun at timestamp ts; nil when there is none.
func (p *rtpParty) nextEvent(packet []byte, begun *uint32) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key == 0 {
		return nil
	}
	if p.pushed == 0 {
		*begun = binary.BigEndian.Uint32(packet[4:])
	}
	p.pushed++
	out := append(append([]byte(nil), packet[:12]...), byte(strings.IndexByte("0123456789*#ABCD", p.key)), 10, 0, 0)
	out[1] = 101
	binary.BigEndian.PutUint32(out[4:], *begun)
	binary.BigEndian.PutUint16(out[14:], uint16(min(p.pushed, 5)*160))
	if p.pushed >= 5 {
		out[13] |= 0x80
	}
	if p.pushed == 7 { // the end three times
		p.key = 0
	}
	return out
}

// sources is how many SSRCs the party has seen.
func (p *rtpParty) sources() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.ssrcs) }

// forget begins with empty ears.
func (p *rtpParty) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ears, p.digits, p.ssrcs = nil, nil, map[uint32]bool{}
}

func (p *rtpParty) speak(stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	packet, voice, begun := make([]byte, 172), [160]int16{}, uint32(0)
	packet[0] = 0x80
	binary.BigEndian.PutUint32(packet[8:], uint32(p.hz))
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		to, mute, a := p.to, p.mute || p.every > 0 && n%p.every == 0, p.a
		p.mu.Unlock()
		if !to.IsValid() || mute {
			continue
		}
		binary.BigEndian.PutUint16(packet[2:], uint16(n))
		binary.BigEndian.PutUint32(packet[4:], uint32(n*160))
		if e := p.nextEvent(packet, &begun); e != nil {
			p.conn.WriteToUDPAddrPort(e, to)
			continue
		}
		for i := range voice {
			voice[i] = int16(8192 * math.Sin(2*math.Pi*p.hz*float64(n*160+i)/8000))
		}
		if packet[1] = 0; a {
			packet[1] = 8
			codec.EncodeA(packet[12:], voice[:])
		} else {
			codec.EncodeMu(packet[12:], voice[:])
		}
		p.conn.WriteToUDPAddrPort(packet, to)
	}
}

func (p *rtpParty) listen() {
	buf := make([]byte, 1500)
	for {
		n, _, err := p.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n < 12 || buf[0]>>6 != 2 {
			continue
		}
		p.mu.Lock()
		p.hear(buf[:n])
		p.mu.Unlock()
	}
}

func (p *rtpParty) hear(b []byte) {
	p.ssrcs[binary.BigEndian.Uint32(b[8:])] = true
	body := b[12:]
	switch b[1] & 0x7f {
	case 0:
		p.ears = append(p.ears, codec.DecodeMu(make([]int16, len(body)), body)...)
	case 8:
		p.ears = append(p.ears, codec.DecodeA(make([]int16, len(body)), body)...)
	case 101:
		if ts := binary.BigEndian.Uint32(b[4:]); len(body) >= 4 && body[1]&0x80 != 0 && ts != p.event {
			p.event = ts
			p.digits = append(p.digits, "0123456789*#ABCD"[body[0]&15])
		}
	}
}
