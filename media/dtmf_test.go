package media

import (
	"testing"
	"time"
)

func TestKeyIsPostedOnce(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		a.presses("5", 5, 3)
		a.presses("5", 5, 3) // the same key again
		a.presses("#", 3, 1) // two of its ends were lost
		got := a.events.of(Digit)
		want := []Event{{Type: Digit, Digit: '5', Millis: 100}, {Type: Digit, Digit: '5', Millis: 100}, {Type: Digit, Digit: '#', Millis: 60}}
		if len(got) != len(want) {
			t.Fatalf("posted %+v", got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("posted %+v, want %+v", got[i], want[i])
			}
		}
	})
}

func TestKeyWithoutEnd(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		a.presses("7", 4, 0)
		if n := len(a.events.of(Digit)); n != 0 {
			t.Fatal("posted before its end")
		}
		a.ts += 8000
		a.presses("8", 4, 0) // begins while the 7 has no end
		time.Sleep(time.Second)
		got := a.events.of(Digit)
		if len(got) != 2 || got[0].Digit != '7' || got[1].Digit != '8' || got[1].Millis != 80 {
			t.Errorf("posted %+v", got)
		}
	})
}

// TestKeyPasses: a key crosses the bridge with its shape, under the payload type of the other side.
func TestKeyPasses(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		other := agreedOn(codecPCMU, codecEvent8)
		other.events[0].send = 126
		b := newFakeLeg(t, e, Options{}, other)
		mustBridge(t, a.Session, b.Session)
		a.talks(100*time.Millisecond, loud)
		a.presses("9", 5, 3)
		a.talks(100*time.Millisecond, loud)
		var keys []sentPacket
		for _, p := range b.link.packets() {
			if p.pt == 126 {
				keys = append(keys, p)
			}
		}
		checkKey(t, keys, '9', 800)
		if got := a.events.of(Digit); len(got) != 1 || !got[0].Relayed {
			t.Errorf("posted %+v", got)
		}
		checkContinuous(t, b.link.packets(), 18)
	})
}

// checkKey asserts one event: one timestamp, growing duration, three ends.
func checkKey(t *testing.T, list []sentPacket, key byte, units int) {
	t.Helper()
	if len(list) < 4 {
		t.Fatalf("%d event packets", len(list))
	}
	ends, last := 0, 0
	for _, p := range list {
		length := int(p.payload[2])<<8 | int(p.payload[3])
		if p.ts != list[0].ts || keyNames[p.payload[0]] != key || length < last {
			t.Errorf("event packet %+v after one of %d units", p, last)
		}
		last = length
		if p.payload[1]&0x80 != 0 {
			ends++
		}
	}
	if ends != 3 || last != units {
		t.Errorf("%d end packets, %d units; want 3 and %d", ends, last, units)
	}
}

func TestSendDigit(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		b.talks(100*time.Millisecond, loud)
		if !a.SendDigit('1', 100) || !a.SendDigit('2', 1) {
			t.Fatal("refused")
		}
		b.talks(500*time.Millisecond, loud)
		var keys, one []sentPacket
		for _, p := range a.link.packets() {
			if p.pt == 101 {
				keys = append(keys, p)
			}
		}
		for len(keys) > 0 && keys[0].payload[0] == 1 {
			one, keys = append(one, keys[0]), keys[1:]
		}
		checkKey(t, one, '1', 800)
		checkKey(t, keys, '2', 320) // the shortest that receivers must detect
		if !one[0].marker || one[1].marker {
			t.Error("the marker is not on the first packet alone")
		}
		checkContinuous(t, a.link.packets(), 20)
		if b.SendDigit('1', 100) {
			t.Error("sent to a party without telephone-event")
		}
		if a.SendDigit('x', 100) {
			t.Error("sent a key that is none")
		}
	})
}

// TestKeyForPartyWithoutEvents: the caller is told, so that it may send an INFO.
func TestKeyForPartyWithoutEvents(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		a.presses("3", 5, 3)
		if got := a.events.of(Digit); len(got) != 1 || got[0].Relayed {
			t.Errorf("posted %+v", got)
		}
		if n := len(b.link.packets()); n != 0 {
			t.Errorf("%d event packets were sent to a party that knows none", n)
		}
	})
}

// TestKeyChangesClock: between parties whose telephone-events have different clocks the key is pressed anew.
func TestKeyChangesClock(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecOpus, codecPCMU, codecEvent8))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecOpus, codecEvent48))
		mustBridge(t, a.Session, b.Session)
		a.presses("4", 5, 3)
		time.Sleep(time.Second)
		checkKey(t, b.link.packets(), '4', 4800)
	})
}
