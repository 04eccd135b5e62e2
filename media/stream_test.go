package media

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestContinuity: whatever talks to a party - a bridge, another one, a player, keys, a source that restarts its numbers -
// it receives one stream: one SSRC, no number twice or left out, timestamps that never go back and follow the clock.
func TestContinuity(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		c := newFakeLeg(t, e, Options{}, agreedOn(codecPCMA, codecPCMU))
		b.ts, c.ts = 1<<32-2000, 77
		mustBridge(t, a.Session, b.Session)
		b.talks(200*time.Millisecond, loud)
		mustBridge(t, a.Session, c.Session)
		c.talks(200*time.Millisecond, loud)
		if err := a.Play(Sound{Tone: "beep"}); err != nil {
			t.Fatal(err)
		}
		c.talks(600*time.Millisecond, loud)
		a.SendDigit('5', 100)
		c.talks(400*time.Millisecond, loud)
		time.Sleep(time.Second)
		c.ssrc, c.seq, c.ts = 4711, 9, 3_000_000_000
		c.talks(200*time.Millisecond, loud)
		c.seq += 20000 // restarts under the same SSRC
		c.talks(200*time.Millisecond, loud)
		if err := a.Echo(); err != nil {
			t.Fatal(err)
		}
		a.talks(200*time.Millisecond, loud)
		checkContinuous(t, a.link.packets(), 80)
	})
}

func checkContinuous(t *testing.T, list []sentPacket, atLeast int) {
	t.Helper()
	if len(list) < atLeast {
		t.Fatalf("%d packets, want %d", len(list), atLeast)
	}
	for i := 1; i < len(list); i++ {
		p, q := list[i-1], list[i]
		if q.ssrc != p.ssrc || q.seq != p.seq+1 {
			t.Fatalf("packet %d: ssrc %d seq %d after ssrc %d seq %d", i, q.ssrc, q.seq, p.ssrc, p.seq)
		}
		step := int32(q.ts - p.ts)
		if step < 0 {
			t.Fatalf("packet %d: timestamp goes back by %d", i, -step)
		}
	}
	first, last := list[0], list[len(list)-1]
	elapsed := int64(last.at.Sub(first.at)) * 8000 / int64(time.Second)
	if drift := int64(last.ts-first.ts) - elapsed; drift < -1600 || drift > 1600 {
		t.Errorf("timestamps strayed from the clock by %d units", drift)
	}
}

// TestMarkers: the first packet after a change of source has the marker, the others have not.
func TestMarkers(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		c := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		b.talks(100*time.Millisecond, loud)
		mustBridge(t, a.Session, c.Session)
		c.talks(100*time.Millisecond, loud)
		for i, p := range a.link.packets() {
			if p.marker != (i == 0 || i == 5) {
				t.Errorf("packet %d: marker %v", i, p.marker)
			}
		}
	})
}

// TestLossAndOrderPass: what is lost or reordered on the way to us is so on the way from us, number for number.
func TestLossAndOrderPass(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var link fakeLink
		var o outStream
		o.init(nil)
		o.configure(&link, agreedOn(codecPCMU), nil, 0)
		o.setSource(7)
		start := uint16(rapid.Uint32().Draw(rt, "start"))
		count := rapid.IntRange(2, 300).Draw(rt, "count")
		numbers := []uint16{start}
		for i := 1; i < count; i++ {
			if rapid.IntRange(0, 9).Draw(rt, "lose") > 0 {
				numbers = append(numbers, start+uint16(i))
			}
		}
		for i := 2; i < len(numbers); i++ {
			if rapid.IntRange(0, 9).Draw(rt, "swap") == 0 {
				numbers[i-1], numbers[i] = numbers[i], numbers[i-1]
			}
		}
		for i, n := range numbers {
			pkt := make([]byte, 172)
			h := header{seq: n, ts: uint32(n-start) * 160, ssrc: 5, start: 12, end: 172}
			o.relay(7, h, 0, 8000, pkt, time.Duration(i)*tickInterval)
		}
		// Packets from before the first one of a source have no number left; there is at most one here.
		sent := link.packets()
		if len(sent) != len(numbers) {
			rt.Fatalf("%d packets became %d", len(numbers), len(sent))
		}
		for i, p := range sent {
			if got, want := p.seq-sent[0].seq, numbers[i]-start; got != want {
				rt.Fatalf("packet %d: number %d became %d", i, want, got)
			}
			if got, want := p.ts-sent[0].ts, uint32(numbers[i]-start)*160; got != want {
				rt.Fatalf("packet %d: timestamp %d became %d", i, want, got)
			}
		}
	})
}

// TestForeignSourceIsDropped: who is not bridged with the party any more cannot be heard by it.
func TestForeignSourceIsDropped(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		mustBridge(t, b.Session, nil)
		b.talks(100*time.Millisecond, loud)
		a.talks(100*time.Millisecond, loud)
		if n := len(a.link.packets()) + len(b.link.packets()); n != 0 {
			t.Errorf("%d packets passed a bridge that was left", n)
		}
	})
}

// TestHeaderExtrasAreStripped: extensions, CSRCs and padding of one side mean nothing to the other.
func TestHeaderExtrasAreStripped(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		pkt := []byte{2<<6 | 0x20 | 0x10 | 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9}
		pkt = append(pkt, 1, 2, 3, 4)                         // CSRC
		pkt = append(pkt, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0) // extension
		pkt = append(pkt, 'v', 'o', 'i', 'c', 'e')
		pkt = append(pkt, 0, 0, 3) // padding
		a.received(pkt)
		got := b.link.packets()
		if len(got) != 1 || string(got[0].payload) != "voice" || got[0].start != headerLen {
			t.Errorf("sent on: %+v", got)
		}
	})
}

func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3})
	f.Add([]byte{0xbf, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseRTP(b)
		if ok && (h.start < headerLen || h.end > len(b) || h.start > h.end) {
			t.Errorf("payload at %d:%d of %d", h.start, h.end, len(b))
		}
	})
}

func FuzzRTCP(f *testing.F) {
	e := &Engine{start: time.Now()}
	f.Add([]byte{0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7})
	for _, kind := range []byte{200, 201, 202, 203, 204, 205, 206, 207} {
		for words := range byte(10) { // whatever a packet says of its length
			b := make([]byte, 40)
			b[0], b[1], b[3] = 0x81, kind, words
			f.Add(b)
		}
	}
	for size := range byte(10) { // and a block of an XR of its
		b := make([]byte, 44)
		b[0], b[1], b[3], b[8], b[11] = 0x80, rtcpXR, 10, xrVoIP, size
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &Session{engine: e}
		s.receivedRTCP(b)
	})
}
