package playout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// lossy runs a signal through a channel that loses packets of 20 ms, and fill makes what is missing.
func lossy(in []int16, rate int, lost func(i int) bool, good func([]int16), fill func([]int16)) []int16 {
	n := rate / 50
	out := make([]int16, len(in)/n*n)
	copy(out, in)
	for i := 0; i*n < len(out); i++ {
		part := out[i*n : i*n+n]
		if lost(i) {
			fill(part)
		} else {
			good(part)
		}
	}
	return out
}

// segmentalSNR is the mean, in dB, of the signal-to-noise ratios of 20 ms windows in which a differs from b and speech is
// heard, each limited to -10 to 35 dB.
func segmentalSNR(a, b []int16, rate int) float64 {
	window := rate / 50
	sum, n := 0.0, 0
	for at := 0; at+window <= min(len(a), len(b)); at += window {
		signal, noise := 0.0, 0.0
		for i := at; i < at+window; i++ {
			signal += float64(a[i]) * float64(a[i])
			d := float64(a[i]) - float64(b[i])
			noise += d * d
		}
		if noise > 0 && signal > float64(window)*300*300 {
			sum += min(35, max(-10, 10*math.Log10(signal/noise)))
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// edges is the mean step, relative to the RMS of the signal around it, where packets meet that are not both received.
func edges(s []int16, rate int, lost func(int) bool) float64 {
	n := rate / 50
	sum, count, before := 0.0, 0, false
	for i := 1; (i+1)*n <= len(s); i++ {
		now := lost(i)
		if now || before {
			power := 1.0
			for _, v := range s[(i-1)*n : (i+1)*n] {
				power += float64(v) * float64(v) / float64(2*n)
			}
			if power > 300*300 {
				sum += math.Abs(float64(s[i*n])-float64(s[i*n-1])) / math.Sqrt(power)
				count++
			}
		}
		before = now
	}
	return sum / float64(max(count, 1))
}

func TestConcealBeatsRepetition(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, percent := range []int{1, 3, 5, 10, 20} {
			t.Run(fmt.Sprintf("%d Hz %d%%", rate, percent), func(t *testing.T) {
				in := mediatest.Speech(rate, 60*rate, 7)
				loss := func() func(int) bool {
					r := rand.New(rand.NewPCG(1, uint64(percent)))
					return func(int) bool { return r.IntN(100) < percent }
				}
				c := NewConcealer(rate)
				ours := lossy(in, rate, loss(), c.Good, c.Conceal)
				last := make([]int16, rate/50)
				repeated := lossy(in, rate, loss(), func(p []int16) { copy(last, p) }, func(p []int16) { copy(p, last) })
				silent := lossy(in, rate, loss(), func([]int16) {}, func(p []int16) { clear(p) })
				d, rep, sil := segmentalSNR(in, ours, rate), segmentalSNR(in, repeated, rate), segmentalSNR(in, silent, rate)
				e, repE, own := edges(ours, rate, loss()), edges(repeated, rate, loss()), edges(in, rate, loss())
				t.Logf("SNR of what differs %.1f dB, repetition %.1f, silence %.1f; edges %.2f, repetition %.2f, original %.2f",
					d, rep, sil, e, repE, own)
				if d < rep+2 || d < sil+1 {
					t.Errorf("SNR %.1f dB, want 2 dB more than repetition (%.1f), 1 dB more than silence (%.1f)", d, rep, sil)
				}
				if e > own*1.3 || e > repE*0.6 {
					t.Errorf("edges of %.2f, want about the original's %.2f; repetition has %.2f", e, own, repE)
				}
			})
		}
	}
}

func largestStep(s []int16) (step int) {
	for i := range s[1:] {
		d := int(s[i+1]) - int(s[i])
		step = max(step, d, -d)
	}
	return step
}

// TestConcealKeepsPitch: a gap of 20 ms in a steady voice leaves its period and its level, and no step at its edges.
func TestConcealKeepsPitch(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, hz := range []float64{75, 100, 137, 190} {
			in := make([]int16, rate/2)
			for i := range in {
				for h := 1.0; h <= 5; h++ {
					in[i] += int16(2500 / h * math.Sin(2*math.Pi*hz*h*float64(i)/float64(rate)))
				}
			}
			c := NewConcealer(rate)
			out := lossy(in, rate, func(i int) bool { return i == 10 }, c.Good, c.Conceal)
			gap := out[rate/5 : rate/5+rate/50]
			if got, want := mediatest.Loudness(gap), mediatest.Loudness(in[rate/5:rate/5+rate/50]); math.Abs(got-want) > 2 {
				t.Errorf("%v Hz at %d: the gap has %.1f dBFS, want %.1f", hz, rate, got, want)
			}
			if got, want := largestStep(out), largestStep(in); float64(got) > 1.35*float64(want) {
				t.Errorf("%v Hz at %d: a step of %d, the voice's largest is %d", hz, rate, got, want)
			}
			period := float64(rate) / hz
			if k := math.Round(float64(c.Period()) / period); k < 1 || math.Abs(float64(c.Period())-k*period) > 1.5 {
				t.Errorf("%v Hz at %d: period %d, want a multiple of %.1f", hz, rate, c.Period(), period)
			}
		}
	}
}

// TestConcealEnds: after 160 ms there is silence, and the voice comes back without a step.
func TestConcealEnds(t *testing.T) {
	in := mediatest.Tone(200, 8000, 8000)
	c := NewConcealer(8000)
	out := lossy(in, 8000, func(i int) bool { return i >= 10 && i < 25 }, c.Good, c.Conceal)
	for i, v := range out[1600+fadeEnd : 4000] {
		if v != 0 {
			t.Fatalf("%d samples after the fade: %d", i, v)
		}
	}
	if got, want := largestStep(out), largestStep(in); got > want*4/3 {
		t.Errorf("a step of %d, the tone's largest is %d", got, want)
	}
	if before, after := mediatest.Loudness(out[1600:1680]), mediatest.Loudness(out[2400:2560]); after > before-6 {
		t.Errorf("100 ms into the gap it has %.1f dBFS, at its beginning %.1f", after, before)
	}
}

// TestConcealBackground: what is heard of a party's surroundings goes on, as loud and of the same colour, when the voice has
// faded; and ends when the party has sent nothing for so long that it has fallen silent.
func TestConcealBackground(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		r, last := rand.New(rand.NewPCG(3, 4)), 0.0
		in := mediatest.Tone(200, rate, rate)
		for i := range in {
			if i > rate/5 && i < rate/2 { // a pause
				in[i] = 0
			}
			last = 0.9*last + 40*r.NormFloat64() // RMS 92, -51 dBFS, mostly low
			in[i] += int16(last)
		}
		c := NewConcealer(rate)
		lost := func(i int) bool { return i >= 38 }
		out := lossy(append(in, make([]int16, rate/2)...), rate, lost, c.Good, c.Conceal)
		room, floor := in[rate/4:rate*2/5], out[rate*76/100+rate*17/100:rate*76/100+rate*39/100]
		if got, want := mediatest.Loudness(floor), mediatest.Loudness(room); math.Abs(got-want) > 3 {
			t.Errorf("at %d Hz the background has %.1f dBFS, in the gap %.1f", rate, want, got)
		}
		if got, want := highness(floor), highness(room); got > 2*want || got < want/2 {
			t.Errorf("at %d Hz the background's highs are %.2f, in the gap %.2f", rate, want, got)
		}
		if got := mediatest.Loudness(out[rate*129/100:]); got > -100 {
			t.Errorf("at %d Hz after half a second there are %.1f dBFS", rate, got)
		}
	}
}

// highness is the energy of the differences between samples, over that of the samples.
func highness(s []int16) float64 {
	var d, e float64
	for i := range s[1:] {
		d += float64(s[i+1]-s[i]) * float64(s[i+1]-s[i])
		e += float64(s[i]) * float64(s[i])
	}
	return d / e
}

func TestConcealAllocatesNothing(t *testing.T) {
	c, frame := NewConcealer(16000), make([]int16, 320)
	if n := testing.AllocsPerRun(100, func() { c.Good(frame); c.Conceal(frame) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkConceal(b *testing.B) {
	for _, rate := range []int{8000, 16000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			c, frame := NewConcealer(rate), mediatest.Speech(rate, rate/50, 3)
			b.ReportAllocs()
			for b.Loop() {
				c.Good(frame)
				c.Conceal(frame)
			}
		})
	}
}

// ownConcealment is a codec whose packets are samples, and which fills gaps with sevens.
type ownConcealment struct{ raw }

func (*ownConcealment) Continue(_ uint8, n int) []int16 { return slices.Repeat([]int16{7}, n) }

// TestCodecConceals the first packet of a gap; the rest is made here.
func TestCodecConceals(t *testing.T) {
	b := New(8000, &ownConcealment{}, 0)
	heard := make([]int16, 0, 160*20)
	frame, payload := make([]int16, 160), make([]byte, 320)
	for i := range payload {
		payload[i] = 40 // 40<<8 + 40
	}
	for i := range 20 {
		now := time.Duration(i) * 20 * time.Millisecond
		if i != 10 && i < 14 {
			b.Push(Packet{SSRC: 1, Seq: uint16(i), TS: uint32(160 * i), Clock: 8000, Samples: 160, Payload: payload}, now)
		}
		b.Pull(frame, now)
		heard = append(heard, frame...)
	}
	own := 0
	for _, v := range heard {
		if v == 7 {
			own++
		}
	}
	if st := b.Stats(); own < 300 || own > 330 || st.Concealed < 160*6 {
		t.Errorf("%d samples of the codec's own, want those of a packet for each of two gaps: %+v", own, st)
	}
}
