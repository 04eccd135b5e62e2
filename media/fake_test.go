package media

import (
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"strowger/media/codec"
)

// fakeLink is a link without SDP and sockets: what the session sends is kept. Tests under fake time use it.
type fakeLink struct {
	agreed agreement
	secure string

	mu   sync.Mutex
	sent []sentPacket
	rtcp [][]byte
}

type sentPacket struct {
	header
	payload []byte
	at      time.Time
}

func (l *fakeLink) offer([]*codecInfo) ([]byte, error)             { return []byte("offer"), nil }
func (l *fakeLink) remoteOffer([]byte) ([]*codecInfo, error)       { return nil, nil }
func (l *fakeLink) answer([]*codecInfo) ([]byte, agreement, error) { return nil, l.agreed, nil }
func (l *fakeLink) remoteAnswer([]byte) (agreement, error)         { return l.agreed, nil }
func (l *fakeLink) remoteDirection() string                        { return sendrecv }
func (l *fakeLink) srtp() string                                   { return l.secure }
func (l *fakeLink) close()                                         {}

func (l *fakeLink) sendRTP(pkt []byte) {
	h, _ := parseRTP(pkt)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, sentPacket{h, append([]byte(nil), pkt[h.start:h.end]...), time.Now()})
}

func (l *fakeLink) sendRTCP(pkt []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rtcp = append(l.rtcp, append([]byte(nil), pkt...))
}

func (l *fakeLink) packets() []sentPacket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sentPacket(nil), l.sent...)
}

func (l *fakeLink) reports() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([][]byte(nil), l.rtcp...)
}

// agreedOn is an agreement with payload types of its own for each codec.
func agreedOn(codecs ...*codecInfo) agreement {
	a := agreement{ptime: 20, send: true, recv: true}
	for _, c := range codecs {
		f := format{c, c.payload, c.payload}
		if c == codecEvent8 || c == codecEvent48 {
			a.events = append(a.events, f)
		} else {
			a.audio = append(a.audio, f)
		}
	}
	return a
}

// fakeLeg is a session on a fakeLink, with a party that talks.
type fakeLeg struct {
	*Session
	link   *fakeLink
	events *events
	ssrc   uint32
	seq    uint16
	ts     uint32
}

func newFakeLeg(t testing.TB, e *Engine, opt Options, a agreement) *fakeLeg {
	t.Helper()
	l := &fakeLeg{link: &fakeLink{agreed: a}, events: &events{}, ssrc: e.newSource() * 1000}
	opt.OnEvent = l.events.post
	s, err := e.newSession(opt, func(*Session) (link, error) { return l.link, nil })
	if err != nil {
		t.Fatal(err)
	}
	l.Session = s
	l.renegotiate(t)
	return l
}

func (l *fakeLeg) renegotiate(t testing.TB) {
	t.Helper()
	if _, err := l.RemoteAnswer(nil); err != nil {
		t.Fatal(err)
	}
}

// packet is the party's next one.
func (l *fakeLeg) packet(pt uint8, ts uint32, payload []byte) []byte {
	b := make([]byte, headerLen, headerLen+len(payload))
	l.seq++
	putHeader(b, pt, false, l.seq, ts, l.ssrc)
	return append(b, payload...)
}

// says sends 20 ms of a codec with one octet per timestamp unit.
func (l *fakeLeg) says(samples []int16) {
	l.received(l.packet(0, l.ts, codec.EncodeMu(make([]byte, len(samples)), samples)))
	l.ts += uint32(len(samples))
}

// talks says 20 ms of noise-free tone per 20 ms for so long.
func (l *fakeLeg) talks(d time.Duration, samples []int16) {
	for range d / tickInterval {
		l.says(samples)
		time.Sleep(tickInterval)
	}
}

// presses sends telephone-event packets of one key: n of 20 ms each, and so many end packets.
func (l *fakeLeg) presses(key string, n, ends int) {
	code := byte(0)
	for i := range keyNames {
		if keyNames[i] == key[0] {
			code = byte(i)
		}
	}
	payload := func(i int, end byte) []byte {
		return binary.BigEndian.AppendUint16([]byte{code, end | 10}, uint16(160*i))
	}
	for i := 1; i <= n; i++ {
		l.received(l.packet(101, l.ts, payload(i, 0)))
		time.Sleep(tickInterval)
	}
	for range ends {
		l.received(l.packet(101, l.ts, payload(n, 0x80)))
	}
	l.ts += uint32(160 * n)
}

// fakeTime runs a test under fake time, with an engine that has no sockets.
func fakeTime(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := NewEngine(Config{BindIP: loopback, Portable: true, Shards: 1, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		test(t, e)
	})
}

var (
	quiet = make([]int16, 160)
	loud  = toneFrame()
)

// toneFrame is 20 ms of 1000 Hz, which repeats without a jump.
func toneFrame() []int16 {
	t := tone{low: 1000, on: time.Second}
	return t.samples()[160:320]
}
