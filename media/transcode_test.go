package media

import (
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// transcoded lets one leg say samples in G.711 to a leg that has G.722; lost packets are left out.
func transcoded(t *testing.T, samples []int16, lost func(i int) bool) (sent []sentPacket, start time.Time) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecG722))
		mustBridge(t, a.Session, b.Session)
		time.Sleep(7 * time.Millisecond)
		start = time.Now()
		for i := range len(samples) / 160 {
			if lost(i) {
				a.seq, a.ts = a.seq+1, a.ts+160
			} else {
				a.says(samples[160*i : 160*i+160])
			}
			time.Sleep(tickInterval)
		}
		time.Sleep(time.Second)
		sent = b.link.packets()
	})
	return sent, start
}

func heard(sent []sentPacket) (samples []int16) {
	dec, buf := codec.NewG722Decoder(), make([]int16, 2*maxFrame)
	for _, p := range sent {
		samples = append(samples, dec.Decode(buf, p.payload)...)
	}
	return samples
}

// TestTranscodeClean: packet for packet, evenly spaced, and no more than 25 ms later.
func TestTranscodeClean(t *testing.T) {
	sent, start := transcoded(t, mediatest.Tone(440, 8000, 80000), func(int) bool { return false })
	if len(sent) < 500 || len(sent) > 512 {
		t.Fatalf("%d packets, want 500, and a few that fade away", len(sent))
	}
	for i, p := range sent {
		if d := p.at.Sub(start) - time.Duration(i)*tickInterval; d < 0 || d > 25*time.Millisecond {
			t.Fatalf("packet %d came %v after what was said", i, d)
		}
		if p.seq != sent[0].seq+uint16(i) || p.ts != sent[0].ts+uint32(160*i) || len(p.payload) != 160 {
			t.Fatalf("packet %d is %+v, the first %+v", i, p.header, sent[0].header)
		}
	}
	if got := mediatest.Level(heard(sent)[1600:150000], 16000, 440); got < -10.5 || got > -9.5 {
		t.Errorf("the tone has %.2f dBFS, said were -10", got)
	}
}

// TestTranscodeLoss: the listener gets every packet, and hears no gap longer than one.
func TestTranscodeLoss(t *testing.T) {
	sent, _ := transcoded(t, mediatest.Tone(440, 8000, 80000), func(i int) bool { return i%20 == 9 })
	if len(sent) < 500 || len(sent) > 512 {
		t.Fatalf("%d packets, want 500", len(sent))
	}
	samples := heard(sent)
	for at := 3200; at+320 < 500*320-640; at += 160 {
		if got := mediatest.Loudness(samples[at : at+320]); got < -14 {
			t.Errorf("%d ms: %.1f dBFS, said were -10", at/16, got)
		}
	}
}

// TestTranscodePause: nothing is sent while the party sends nothing; afterwards timestamps tell how long that was.
func TestTranscodePause(t *testing.T) {
	sent, _ := transcoded(t, mediatest.Tone(440, 8000, 80000), func(i int) bool { return i >= 100 && i < 300 })
	if len(sent) < 300 || len(sent) > 320 {
		t.Fatalf("%d packets, want 300, and a few that fade away", len(sent))
	}
	for i := 1; i < len(sent); i++ {
		ts, at := time.Duration(sent[i].ts-sent[i-1].ts)*time.Second/8000, sent[i].at.Sub(sent[i-1].at)
		if d := ts - at; max(d, -d) > tickInterval {
			t.Errorf("packet %d: %v later by its timestamp, %v by the clock", i, ts, at)
		}
		if at > time.Second && !sent[i].marker {
			t.Errorf("packet %d begins a talkspurt without the marker", i)
		}
	}
}
