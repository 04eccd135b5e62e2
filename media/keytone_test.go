package media

import (
	"testing"
	"time"

	"strowger/media/mediatest"
)

// heardKeys decodes what a leg was sent, in one codec, and returns the keys in the sound.
func (l *fakeLeg) heardKeys() string {
	v, keys := voice{rate: 8000}, ""
	var d inbandDetector
	for _, p := range l.link.packets() {
		if p.pt != l.agreed.audio[0].send {
			continue
		}
		if got := d.take(v.decode(l.agreed.audio[0].codec, p.payload)); got.key != 0 {
			keys += string(got.key)
		}
	}
	return keys
}

// TestSendTone: keys for a party without telephone-event are tones that Q.24 receivers take, with gaps between them, in the
// place of what is said.
func TestSendTone(t *testing.T) {
	for _, c := range []*codecInfo{codecPCMU, codecPCMA, codecG722} {
		fakeTime(t, func(t *testing.T, e *Engine) {
			a, b := newFakeLeg(t, e, Options{}, agreedOn(c)), newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
			mustBridge(t, a.Session, b.Session)
			b.talks(100*time.Millisecond, loud)
			for _, key := range []byte("1590*#AD11") {
				if !a.SendTone(key, 50) {
					t.Fatal("refused")
				}
			}
			b.talks(3*time.Second, loud)
			if got := a.heardKeys(); got != "1590*#AD11" {
				t.Errorf("%s: heard %q", c.name, got)
			}
			if a.SendTone('x', 50) {
				t.Error("sent a key that is none")
			}
			sent := a.link.packets()
			checkContinuous(t, sent, len(sent))
		})
	}
}

// TestInbandToEvent: a key in the sound of a party without telephone-event is one event for a party with it, of the same
// length, and next to nothing of it is left in the sound.
func TestInbandToEvent(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a, b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU)), newFakeLeg(t, e, Options{}, agreedOn(codecPCMA, codecEvent8))
		mustBridge(t, a.Session, b.Session)
		for _, key := range []byte("1#") {
			a.talks(200*time.Millisecond, quiet)
			samples := dial(key, 200, 0, 0, -12, 0)
			for at := 0; at+160 <= len(samples); at += 160 {
				a.says(samples[at : at+160])
				time.Sleep(tickInterval)
			}
			a.talks(200*time.Millisecond, quiet)
		}
		time.Sleep(time.Second)
		events := map[byte][]sentPacket{}
		for _, p := range b.link.packets() {
			if p.pt == codecEvent8.payload {
				key := keyNames[p.payload[0]]
				events[key] = append(events[key], p)
			}
		}
		if len(events) != 2 {
			t.Errorf("%d keys were sent", len(events))
		}
		for key, list := range events {
			last := list[len(list)-1]
			units := int(last.payload[2])<<8 | int(last.payload[3])
			checkKey(t, list, key, units)
			if ms := units / 8; ms < 130 || ms > 260 {
				t.Errorf("%c: an event of %d ms, pressed for 200", key, ms)
			}
		}
		if got := a.events.of(Digit); len(got) != 2 || !got[0].Relayed {
			t.Errorf("posted %+v", got)
		}
		tones := 0 // packets of sound with a tone in them
		for _, p := range b.link.packets() {
			v := voice{rate: 8000}
			if p.pt == codecPCMA.payload && mediatest.Loudness(v.decode(codecPCMA, p.payload)) > -40 {
				tones++
			}
		}
		if tones > 2*4 { // 40 ms at the beginning, and the end of the last
			t.Errorf("%d packets of tones are left in the sound", tones)
		}
	})
}

// TestHeldKeyEnds: a key whose end is lost with the party's network is released.
func TestHeldKeyEnds(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a, b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU)), newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		mustBridge(t, a.Session, b.Session)
		samples := dial('5', 200, 0, 0, -12, 0)
		for at := 800; at+160 <= 2000; at += 160 {
			a.says(samples[at : at+160])
			time.Sleep(tickInterval)
		}
		time.Sleep(2 * time.Second)
		var events []sentPacket
		for _, p := range b.link.packets() {
			if p.pt == codecEvent8.payload {
				events = append(events, p)
			}
		}
		last := events[len(events)-1]
		checkKey(t, events, '5', int(last.payload[2])<<8|int(last.payload[3]))
		if n := len(events); n > 20 {
			t.Errorf("%d packets", n)
		}
		a.talks(200*time.Millisecond, loud)
		if got := b.link.packets(); got[len(got)-1].pt != codecPCMU.payload {
			t.Error("the party is not heard afterwards")
		}
	})
}

// TestTransitTalkOff: speech that is relayed presses no keys at the other side.
func TestTransitTalkOff(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a, b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU)), newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecEvent8))
		mustBridge(t, a.Session, b.Session)
		speech := mediatest.Speech(8000, 8000*60, 77)
		for at := 0; at+160 <= len(speech); at += 160 {
			a.says(speech[at : at+160])
			time.Sleep(tickInterval)
		}
		for _, p := range b.link.packets() {
			if p.pt != codecPCMU.payload {
				t.Fatal("speech pressed a key")
			}
		}
	})
}
