package mediatest

import (
	"math"
	"math/rand/v2"
)

// Speech makes a signal that is to a line what speech is: syllables of 120 to 320 ms with a pitch that glides between 90
// and 220 Hz and three formants, hissing consonants between them, and a pause now and then; about -20 dBFS while it
// lasts. The same seed says the same.
func Speech(rate, n int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]int16, n)
	var f [3]resonator
	phase, pitch := 0.0, 120.0
	for at := 0; at < n; {
		length := rate * (120 + r.IntN(200)) / 1000
		target := 90 + 130*r.Float64()
		voiced, pause := r.IntN(5) > 0, r.IntN(8) == 0
		formants := [3]float64{300 + 500*r.Float64(), 900 + 1100*r.Float64(), 2300 + 600*r.Float64()}
		for i := range f {
			f[i].tune(formants[i], 60+50*float64(i), float64(rate))
		}
		start := pitch
		for i := range length {
			if at == n {
				break
			}
			x := float64(i) / float64(length)
			pitch = start + (target-start)*x
			source := 0.0
			if voiced {
				phase += pitch / float64(rate)
				if phase >= 1 {
					phase--
					source = 1
				}
			} else {
				source = 0.06 * r.NormFloat64()
			}
			v := 0.0
			for k := range f {
				v += f[k].next(source) / float64(k+1)
			}
			envelope := math.Sin(math.Pi * min(1, x*1.02))
			if pause {
				envelope = 0
			}
			out[at] = int16(max(-30000, min(30000, 9000*envelope*v)))
			at++
		}
	}
	return out
}

// resonator is a pair of poles with unit gain at its frequency.
type resonator struct{ a, b, gain, y1, y2 float64 }

func (r *resonator) tune(freq, width, rate float64) {
	radius := math.Exp(-math.Pi * width / rate)
	r.a, r.b = 2*radius*math.Cos(2*math.Pi*freq/rate), -radius*radius
	r.gain = math.Sqrt(1 - radius)
}

func (r *resonator) next(x float64) float64 {
	y := r.gain*x*3 + r.a*r.y1 + r.b*r.y2
	r.y1, r.y2 = y, r.y1
	return y
}
