package playout

import (
	"math"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// TestComfortNoise: while the party sends none but noise packets, noise of their level is heard, without a click, and the
// voice is heard in time when it comes back.
func TestComfortNoise(t *testing.T) {
	in := mediatest.Tone(200, 8000, 8000)
	l := &line{t: t, in: in, phase: 3 * time.Millisecond, heard: []int16{}, way: func(i int) (time.Duration, bool) {
		return 0, i > 50 && i < 150 && i != 100
	}, stamp: func(i int, p *Packet) {
		if i == 50 || i == 100 {
			p.Noise = true
		}
	}}
	l.payload = func(i int) []byte {
		switch i {
		case 50:
			return []byte{50}
		case 100:
			return []byte{40, 200, 100} // louder, and with a spectrum
		}
		return nil
	}
	l.run(300)
	level := func(from, to int) float64 { return mediatest.Loudness(l.heard[160*from:160*to]) - 10*math.Log10(2) } // of a sine -> RMS
	if got := level(55, 98); math.Abs(got+50) > 1 {
		t.Errorf("the noise has %.1f dBov, asked for were -50", got)
	}
	if got := level(105, 148); math.Abs(got+40) > 1 {
		t.Errorf("the noise has %.1f dBov, asked for were -40", got)
	}
	if got := mediatest.Level(l.heard[160*153:160*200], 8000, 200); got < -11 {
		t.Errorf("after the pause the tone has %.1f dBFS", got)
	}
	if got, want := largestStep(l.heard), largestStep(in); got > want*3/2+1500 {
		t.Errorf("a click of %d; the tone's largest step is %d", got, want)
	}
	if st := l.b.Stats(); st.Concealed+st.Late+st.Skipped > 0 {
		t.Errorf("%+v", st)
	}
}

// TestNoiseOfAnything: no payload makes it unstable.
func TestNoiseOfAnything(t *testing.T) {
	for v := range 256 {
		var n noise
		payload := []byte{0}
		for range 20 {
			payload = append(payload, byte(v))
		}
		n.set(payload)
		peak := 0
		for range 80000 {
			s := int(n.next())
			peak = max(peak, s, -s)
		}
		if peak > 32000 {
			t.Fatalf("reflections of %d: %d", v, peak)
		}
	}
}
