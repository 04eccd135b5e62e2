package codec

import (
	"fmt"
	"math"
	"testing"
)

func pow10(dB float64) float64 { return math.Pow(10, dB/20) }

// project finds a sine of hz in samples: amplitude and phase, radians.
func project(s []int16, hz float64, rate int) (amplitude, phase float64) {
	var re, im float64
	for i, v := range s {
		w := 2 * math.Pi * hz * float64(i) / float64(rate)
		re += float64(v) * math.Sin(w)
		im += float64(v) * math.Cos(w)
	}
	n := float64(len(s)) / 2
	return math.Hypot(re, im) / n, math.Atan2(im, re)
}

// TestG722Response: flat within 1 dB from 100 to 6400 Hz, down 3 dB at the most at 7 kHz (clause 2.2 of G.722 asks for -3 dB
// between 50 and 7000 Hz), and a delay of 22 samples, 1.4 ms, the filters', at every frequency.
func TestG722Response(t *testing.T) {
	for _, hz := range []float64{100, 200, 400, 1000, 2000, 3000, 3500, 4500, 5000, 6000, 6400, 7000} {
		in := sine(hz, 6000, 16000, 32000)
		out := NewG722Decoder().Decode(make([]int16, 32000), NewG722Encoder().Encode(make([]byte, 16000), in))
		amplitude, phase := project(out[16000:], hz, 16000)
		dB := 20 * math.Log10(amplitude/6000)
		limit := 1.0
		if hz > 6400 {
			limit = 3
		}
		if math.Abs(dB) > limit {
			t.Errorf("%v Hz: %.2f dB", hz, dB)
		}
		period := 16000 / hz
		late := math.Mod(-phase/(2*math.Pi)*period-22, period) // beyond 22 samples, in one period
		late -= period * math.Round(late/period)
		t.Logf("%v Hz: %+.2f dB, delay 22%+.2f samples", hz, dB, late)
		if math.Abs(late) > 0.3 {
			t.Errorf("%v Hz: %.2f samples beyond 22", hz, late)
		}
	}
}

// TestConverterResponse measures both converters on sines: ripple of the pass band up to 3.4 kHz, what is left of 4.6 kHz
// and more, and 32 samples of delay at the higher rate, 2 ms.
func TestConverterResponse(t *testing.T) {
	const amplitude = 16000
	ripple, alias, image := 0.0, -200.0, -200.0
	for hz := 100.0; hz <= 7900; hz += 50 {
		if hz <= 3400 {
			var up Upsampler
			out := up.Convert(make([]int16, 16000), sine(hz, amplitude, 8000, 8000))[8000:]
			got, phase := project(out, hz, 16000)
			ripple = max(ripple, math.Abs(20*math.Log10(got/amplitude)))
			mirror, _ := project(out, 8000-hz, 16000)
			image = max(image, 20*math.Log10(mirror/amplitude+1e-9))
			if late := math.Mod(-phase/(2*math.Pi)*16000/hz-32, 16000/hz); math.Abs(late-16000/hz*math.Round(late*hz/16000)) > 0.05 {
				t.Errorf("up, %v Hz: %.2f samples beyond 32", hz, late)
			}
		}
		var down Downsampler
		out := down.Convert(make([]int16, 8000), sine(hz, amplitude, 16000, 16000))[4000:]
		switch {
		case hz <= 3400:
			got, _ := project(out, hz, 8000)
			ripple = max(ripple, math.Abs(20*math.Log10(got/amplitude)))
		case hz >= 4600:
			got, _ := project(out, 8000-hz, 8000)
			alias = max(alias, 20*math.Log10(got/amplitude+1e-9))
		}
	}
	figures := fmt.Sprintf("ripple %.3f dB, images %.1f dB, aliases %.1f dB", ripple, image, alias)
	t.Log(figures)
	if ripple > 0.01 || image > -73 || alias > -73 {
		t.Errorf("%s; want at most 0.01, -73, -73", figures)
	}
}
