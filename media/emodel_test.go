package media

import (
	"math"
	"testing"
	"time"
)

// Published: G.107's default rating, the scores of G.107 Annex B and G.109, the loss values that follow from G.113
// Appendix I, and the delay curve of G.107 Figure 1 and G.114.
func TestRating(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Conditions
		want float64
	}{
		{"default", Conditions{Codec: "PCMU"}, 93.2},
		{"unknown codec", Conditions{Codec: "x"}, 93.2},
		{"G.729A", Conditions{Codec: "G729"}, 82.2},
		{"G.711, 1 % random loss", Conditions{Codec: "PCMA", Loss: 0.01}, 93.2 - 95*1/(1+25.1)},
		{"G.711, 5 % random loss", Conditions{Codec: "PCMA", Loss: 0.05}, 77.4},
		{"G.711, 5 % in bursts twice as long", Conditions{Codec: "PCMA", Loss: 0.05, Burst: 2}, 93.2 - 95*5/(2.5+25.1)},
		{"all lost", Conditions{Codec: "PCMA", Loss: 1}, 93.2 - 95*100/125.1},
		{"100 ms", Conditions{Delay: 100 * time.Millisecond}, 93.2},
		{"400 ms", Conditions{Delay: 400 * time.Millisecond}, 69.1},
		{"G.722", Conditions{Codec: "G722"}, 116},
		{"Opus", Conditions{Codec: "opus"}, 128},
		{"G.722, 5 % random loss", Conditions{Codec: "G722", Loss: 0.05}, 116 - 82*5/15.0},
		{"G.722, 400 ms", Conditions{Codec: "G722", Delay: 400 * time.Millisecond}, 116 - 24.1},
		{"beyond all", Conditions{Loss: 1, Burst: 100, Delay: time.Minute}, 0},
	} {
		if got := Rating(c.c); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%s: R = %.2f, want %.2f", c.name, got, c.want)
		}
	}
}

// TestWidebandIsWorthIt: with random loss G.722 and Opus are never rated worse than G.711, and more loss is never better.
func TestWidebandIsWorthIt(t *testing.T) {
	for _, burst := range []float64{1, 3, 10} {
		for _, delay := range []time.Duration{0, 150 * time.Millisecond, 600 * time.Millisecond} {
			last := map[string]float64{}
			for loss := 0.0; loss <= 1; loss += 0.01 {
				narrow := Rating(Conditions{"PCMU", loss, burst, delay})
				for _, codec := range []string{"PCMU", "G722", "opus"} {
					r := Rating(Conditions{codec, loss, burst, delay})
					if burst == 1 && (r < narrow || MOS(r) < MOS(narrow)) {
						t.Errorf("%s, %.0f %% loss, burst %v, %v: R %.1f, of G.711 %.1f", codec, 100*loss, burst, delay, r, narrow)
					}
					if before, ok := last[codec]; ok && r > before {
						t.Errorf("%s: R rises at %.0f %% loss", codec, 100*loss)
					}
					last[codec] = r
				}
			}
		}
	}
}

func TestMOS(t *testing.T) {
	for r, want := range map[float64]float64{-5: 1, 0: 1, 50: 2.58, 60: 3.10, 70: 3.60, 80: 4.03, 90: 4.34, 93.2: 4.41, 100: 4.5, 120: 4.5} {
		if got := MOS(r); math.Abs(got-want) > 0.01 {
			t.Errorf("R %.1f: MOS %.3f, want %.2f", r, got, want)
		}
	}
	last := 0.0
	for r := 7.0; r <= 100; r += 0.5 { // below 6.5 the formula dips under 1
		if MOS(r) < last {
			t.Errorf("MOS falls at R %.1f", r)
		}
		last = MOS(r)
	}
}
