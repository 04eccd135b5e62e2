package playout

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/media/mediatest"
)

// TestPause: a party that sends nothing while it is silent is heard in time when it speaks again; the pause is silent.
func TestPause(t *testing.T) {
	in := mediatest.Tone(200, 8000, 8000)
	for name, stamp := range map[string]func(i int, p *Packet){
		"timestamps go on":    nil,
		"timestamps stand by": func(i int, p *Packet) { p.TS -= uint32(160 * min(max(i-49, 0), 100)) },
	} {
		l := &line{t: t, in: in, phase: 3 * time.Millisecond, heard: []int16{}, stamp: stamp, way: func(i int) (time.Duration, bool) {
			return 0, i >= 50 && i < 150
		}}
		l.run(300)
		if st := l.b.Stats(); st.Late+st.Skipped > 0 || st.Concealed != fadeEnd {
			t.Errorf("%s: %+v", name, st)
		}
		if got := mediatest.Loudness(l.heard[160*62 : 160*149]); got > -100 {
			t.Errorf("%s: the pause has %.1f dBFS", name, got)
		}
		if got := mediatest.Level(l.heard[160*152:160*200], 8000, 200); got < -11 {
			t.Errorf("%s: after the pause the tone has %.1f dBFS", name, got)
		}
		if got, want := largestStep(l.heard), largestStep(in); got > want*3/2 {
			t.Errorf("%s: a click of %d; the tone's largest step is %d", name, got, want)
		}
	}
}

// TestNewSource: another SSRC, timestamp or clock in mid-call is heard at once, without a click.
func TestNewSource(t *testing.T) {
	in := mediatest.Tone(200, 8000, 8000)
	for name, change := range map[string]func(p *Packet){
		"SSRC":      func(p *Packet) { p.SSRC, p.TS = 2, p.TS+12345 },
		"timestamp": func(p *Packet) { p.TS += 1 << 30 },
		"back":      func(p *Packet) { p.TS -= 1 << 30 },
		"clock":     func(p *Packet) { p.Clock, p.TS = 48000, p.TS*6 },
		"kind":      func(p *Packet) { p.Kind = 1 },
	} {
		l := &line{t: t, in: in, phase: 3 * time.Millisecond, heard: []int16{}, stamp: func(i int, p *Packet) {
			if i >= 100 {
				change(p)
			}
		}}
		l.run(300)
		st := l.b.Stats()
		if st.Concealed+st.Late+st.Skipped > 0 {
			t.Errorf("%s: %+v", name, st)
		}
		for at := 0; at+1600 < len(l.heard)-1600; at += 800 {
			if got := mediatest.Level(l.heard[at:at+1600], 8000, 200); got < -11 && at > 0 {
				t.Errorf("%s: %d ms: the tone has %.1f dBFS", name, at/8, got)
			}
		}
		if got, want := largestStep(l.heard), largestStep(in); got > want*3/2 {
			t.Errorf("%s: a click of %d; the tone's largest step is %d", name, got, want)
		}
	}
}

// TestAnything feeds the buffer with what a network, or a stranger, may think of: it neither panics nor grows.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := New(16000, &raw{}, time.Duration(rapid.IntRange(0, 100).Draw(t, "least"))*time.Millisecond)
		now := time.Duration(0)
		out := make([]int16, rapid.SampledFrom([]int{160, 320, 480, 960, 1920}).Draw(t, "frame"))
		clocks := []uint32{8000, 16000, 48000}
		for range rapid.IntRange(0, 200).Draw(t, "packets") {
			now += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 20, 20, 20, 400}).Draw(t, "wait")) * time.Millisecond
			samples := rapid.SampledFrom([]int{0, 1, 160, 320, 1920, 5760}).Draw(t, "samples")
			b.Push(Packet{
				SSRC: rapid.Uint32Range(0, 1).Draw(t, "ssrc"), TS: rapid.Uint32().Draw(t, "ts"),
				Clock:   rapid.SampledFrom(clocks).Draw(t, "clock"),
				Samples: samples, Payload: make([]byte, 2*rapid.IntRange(0, samples).Draw(t, "really")),
			}, now)
			if rapid.Bool().Draw(t, "pull") {
				b.Pull(out, now)
			}
			if b.count > slots || len(b.pcm) > cap(b.pcm) {
				t.Fatalf("%d packets, %d samples", b.count, len(b.pcm))
			}
		}
	})
}

func steady(b *Buffer) func() {
	p := Packet{SSRC: 1, Clock: 8000, Samples: 160, Payload: make([]byte, 320)}
	for i, v := range mediatest.Speech(8000, 160, 4) {
		p.Payload[2*i], p.Payload[2*i+1] = byte(v), byte(v>>8)
	}
	now, out, n := time.Duration(0), make([]int16, 160), 0
	return func() {
		now += frame20
		p.TS += 160
		if n++; n%20 != 0 { // 5 % loss
			b.Push(p, now)
		}
		b.Pull(out, now)
	}
}

func TestBufferAllocatesNothing(t *testing.T) {
	turn := steady(New(8000, &raw{}, 0))
	for range 1000 {
		turn()
	}
	if n := testing.AllocsPerRun(1000, turn); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// BenchmarkBuffer is one packet in and one frame out, with one of twenty lost.
func BenchmarkBuffer(b *testing.B) {
	turn := steady(New(8000, &raw{}, 0))
	b.ReportAllocs()
	for b.Loop() {
		turn()
	}
}
