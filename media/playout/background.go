package playout

import "math"

// background is what is heard of a party's surroundings between its words: the softest 20 ms of the last seconds, and
// noise like them.
type background struct {
	quiet  []float32 // the softest that was heard
	have   int       // samples of it
	limit  float32   // RMS above which it is not replaced: it rises by and by
	energy float32
	got    int // samples in energy
	fresh  bool
	noise  noise
}

// Levels are RMS values of 16-bit samples.
const (
	backgroundMax   = 180  // -45 dBFS: what is louder is taken for speech
	backgroundLeast = 1    // of limit
	backgroundRise  = 1.01 // of limit, per packet: 4 dB a second
)

func newBackground(rate int) background {
	return background{quiet: make([]float32, rate/50), limit: backgroundMax}
}

// watch takes samples that were received, one packet.
func (g *background) watch(samples []int16) {
	n := min(len(samples), len(g.quiet))
	if n == 0 {
		return
	}
	var energy float32
	for _, v := range samples[:n] {
		energy += float32(v) * float32(v)
	}
	level := sqrt32(energy / float32(n))
	if level > g.limit {
		g.limit = min(g.limit*backgroundRise, backgroundMax)
		return
	}
	g.limit, g.have, g.fresh = max(level, backgroundLeast), n, true
	for i, v := range samples[:n] {
		g.quiet[i] = float32(v)
	}
}

// tune makes the noise that of what was heard: a gap begins.
func (g *background) tune() {
	if !g.fresh {
		return
	}
	g.fresh = false
	g.noise.like(g.quiet[:g.have])
}

func (g *background) next() float32 { return g.noise.sample() }

// like lets the noise have the level and the spectrum of samples: reflection coefficients by the Levinson-Durbin recursion.
func (n *noise) like(samples []float32) {
	const order = 8
	var r [order + 1]float64
	for lag := range r {
		for i := lag; i < len(samples); i++ {
			r[lag] += float64(samples[i]) * float64(samples[i-lag])
		}
	}
	clear(n.back[:])
	n.order, n.gain = 0, 0
	if r[0] < float64(len(samples)) { // RMS below 1: silence
		return
	}
	r[0] *= 1.001 // 30 dB of white noise, so that nothing rings
	left := r[0]
	var a, was [order + 1]float64
	for i := 1; i <= order; i++ {
		k := r[i]
		for j := 1; j < i; j++ {
			k += a[j] * r[i-j]
		}
		k /= -left
		k = min(max(k, -0.95), 0.95)
		was = a
		for j := 1; j < i; j++ {
			a[j] += k * was[i-j]
		}
		a[i] = k
		n.k[i-1] = k
		left *= 1 - k*k
	}
	n.order = order
	n.gain = math.Sqrt(3 * left / float64(len(samples)))
}
