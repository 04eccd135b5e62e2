package playout

import "math"

// Concealer fills the gaps that lost packets leave, in the manner of ITU-T G.711 Appendix I: the last pitch periods go
// on, more of them the longer the gap lasts, ever more quietly; what comes after the gap is overlapped with what would
// have followed. It differs from the Appendix in three things. It delays nothing: where the gap begins, the step between
// the last sample and the repeated ones is faded out instead. The voice lasts for 160 ms, not 60, so that a row of lost
// packets is no hole in a word. And under it lies noise of the level and spectrum of the party's background, for as long
// as the gap may still be one (half a second): silence would be heard as the line going dead.
type Concealer struct {
	rate    int
	history []float32 // the last samples, made ones too; newest last
	lost    int       // samples since the gap began, 0 = none
	outside bool      // somebody else fills this gap

	before []float32 // history when the gap began
	cycle  []float32 // what is repeated: the last 1 to 3 pitch periods of it
	period int
	at     int     // in cycle
	step   float32 // to be faded out at the beginning

	background background
}

// Times of the Appendix, in samples at 8 kHz (the values for other rates are in proportion).
const (
	historyLen  = 390 // 48.75 ms
	periodMin   = 40  // 5 ms: 200 Hz
	periodMax   = 120 // 15 ms: 66 Hz
	correlation = 160 // 20 ms
	tenMS       = 80
	fadeEnd     = 16 * tenMS // of the voice
	floorFade   = 40 * tenMS // from here the background fades
	floorEnd    = 50 * tenMS // to here
	outsideEnd  = 2 * tenMS  // for so long somebody else may fill a gap
)

// NewConcealer is for samples at rate Hz, a multiple of 8000.
func NewConcealer(rate int) *Concealer {
	k := rate / 8000
	return &Concealer{
		rate: rate, history: make([]float32, historyLen*k), before: make([]float32, historyLen*k),
		cycle: make([]float32, 0, 3*periodMax*k), background: newBackground(rate),
	}
}

func (c *Concealer) scale(n int) int { return n * c.rate / 8000 }

// Good takes samples that were received. After a gap their beginning is overlapped, in place, with its continuation.
func (c *Concealer) Good(samples []int16) {
	if c.outside {
		c.outside, c.lost = false, 0
		c.Cut()
	}
	if c.lost > 0 {
		c.merge(samples)
		c.lost = 0
	}
	c.remember(samples)
	c.background.watch(samples)
}

// Made takes samples of a gap that somebody else filled, who knows the codec better.
func (c *Concealer) Made(samples []int16) {
	c.outside = true
	c.lost += len(samples)
	c.remember(samples)
}

// Cut makes the next samples overlap with what would have followed here: they are of another source.
func (c *Concealer) Cut() {
	if c.lost == 0 {
		c.begin()
		c.lost = 1
	}
}

// Lost says for how many samples the present gap has lasted.
func (c *Concealer) Lost() int { return c.lost }

// leaves says that somebody else may fill what follows: the first packet of a gap. Codecs' own concealments fit a single
// packet better than what is made here, but grow quiet so soon that rows are heard as holes.
func (c *Concealer) leaves() bool {
	return c.lost == 0 || c.outside && c.lost < c.scale(outsideEnd)
}

// over says that the gap is so long that nothing is made up for it any more: silence.
func (c *Concealer) over() bool {
	return c.lost >= c.scale(floorEnd) || c.lost >= c.scale(fadeEnd) && c.background.noise.gain == 0
}

// Period is the pitch period that a gap here repeats, in samples.
func (c *Concealer) Period() int {
	if c.lost == 0 || c.outside {
		return c.pitch()
	}
	return c.period
}

// Conceal makes the samples of a gap, or more of them.
func (c *Concealer) Conceal(out []int16) {
	if c.lost == 0 || c.outside {
		c.begin()
		c.outside = false
	}
	for i := range out {
		out[i] = round16(c.next())
		c.lost++
	}
	c.remember(out)
}

// merge overlaps for a quarter of the period, and 4 ms more per 10 ms of the gap; 10 ms at most.
func (c *Concealer) merge(samples []int16) {
	n := c.period/4 + c.scale(32)*(c.lost/c.scale(tenMS))
	n = min(n, c.scale(tenMS), len(samples))
	for i := range n {
		w := (float32(i) + 0.5) / float32(n)
		samples[i] = round16(w*float32(samples[i]) + (1-w)*c.next())
		c.lost++
	}
}

// next is the next sample of the continuation.
func (c *Concealer) next() float32 {
	v := c.background.next() * c.fading(floorFade, floorEnd)
	gain := c.fading(tenMS, fadeEnd)
	if gain == 0 {
		return v
	}
	if c.at == len(c.cycle) {
		c.repeat(min(c.lost/c.scale(tenMS)+1, 3))
	}
	voice := c.cycle[c.at]
	c.at++
	if fade := c.scale(periodMin); c.lost < fade {
		voice += c.step * (1 - float32(c.lost)/float32(fade))
	}
	return voice*gain + v*(1-gain) // the voice has the background in it
}

// fading is 1 up to one place in the gap, 0 after another.
func (c *Concealer) fading(from, to int) float32 {
	from, to = c.scale(from), c.scale(to)
	return min(1, max(0, float32(to-c.lost)/float32(to-from)))
}

// begin looks for the period and starts to repeat it.
func (c *Concealer) begin() {
	c.period = c.pitch()
	c.background.tune()
	copy(c.before, c.history)
	c.repeat(1)
	c.step = c.before[len(c.before)-1] - c.cycle[len(c.cycle)-1]
}

// repeat begins a round of the last n periods: one alone, for long, buzzes. Where they wrap they are overlapped, for a
// quarter of a period, with what went before them.
func (c *Concealer) repeat(n int) {
	h, p := c.before, c.period
	q := p / 4
	n = min(n, (len(h)-q)/p)
	start := len(h) - n*p
	c.cycle = append(c.cycle[:0], h[start:]...)
	for i := range q {
		w := (float32(i) + 0.5) / float32(q)
		at := len(c.cycle) - q + i
		c.cycle[at] = (1-w)*c.cycle[at] + w*h[start-q+i]
	}
	c.at = 0
}

// pitch is the lag, within 5 to 15 ms, at which the last 20 ms are most like what was before: the highest normalised
// cross-correlation, searched on every second sample first.
func (c *Concealer) pitch() int {
	h := c.history
	lo, hi, n := c.scale(periodMin), c.scale(periodMax), c.scale(correlation)
	best, bestAt := float32(-1), hi
	for lag := lo; lag <= hi; lag += 2 {
		if v := similarity(h[len(h)-n:], h[len(h)-n-lag:len(h)-lag], 2); v > best {
			best, bestAt = v, lag
		}
	}
	coarse := bestAt
	best = -1
	for lag := max(lo, coarse-2); lag <= min(hi, coarse+2); lag++ {
		if v := similarity(h[len(h)-n:], h[len(h)-n-lag:len(h)-lag], 1); v > best {
			best, bestAt = v, lag
		}
	}
	return bestAt
}

// similarity is the normalised cross-correlation of two stretches, on every step-th sample: 1 = alike but for loudness.
func similarity(a, b []float32, step int) float32 {
	b = b[:len(a)]
	var ab, aa, bb float32
	for i := 0; i < len(a); i += step {
		ab += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	if aa < 1 || bb < 1 {
		return 0
	}
	return ab / sqrt32(aa*bb)
}

func (c *Concealer) remember(samples []int16) {
	h := c.history
	if n := len(samples) - len(h); n > 0 {
		samples = samples[n:]
	}
	copy(h, h[len(samples):])
	for i, v := range samples {
		h[len(h)-len(samples)+i] = float32(v)
	}
}

func sqrt32(v float32) float32 { return float32(math.Sqrt(float64(v))) }

func round16(v float32) int16 {
	if v < 0 {
		return int16(max(v-0.5, -32768))
	}
	return int16(min(v+0.5, 32767))
}
