package media

import (
	"math"
	"time"
)

// The E-model (ITU-T G.107, and G.107.1 for wideband): how good a connection is, computed from what was measured of it.
//
// R is on the scale of G.107.1, which goes on where that of G.107 ends: narrowband keeps its values there, at most 93.2, and
// wideband reaches 129. So a clean G.722 call is rated better than a clean G.711 call, and legs compare whatever they speak.
// MOS stays on the scale of G.107 Annex B, which every other device shows and whose end is 4.5: G.107.1's own (R/1.29) is
// that of listeners who know wideband, and gives a perfect G.711 call 3.7.

// The rating without any impairment.
const (
	ratingDefault = 93.2 // G.107 with all parameters at their defaults (Table 3 there): G.711, no loss, no delay
	ratingWide    = 129  // the same of G.107.1
)

// impairment is how a codec suffers from loss (ITU-T G.113): Ie without any, and Bpl, the loss in percent that it withstands.
type impairment struct {
	wide    bool // Ie,WB, of the wideband scale
	ie, bpl float64
}

// impairments of G.113 Appendix I and, for wideband, IV. What is not in there is taken from what is like it: Opus at 24
// kbit/s from G.722.2 at 23.05 kbit/s. For wideband with concealment no Bpl is published. With 10, between G.711's
// 4.3 without and 25.1 with concealment, random loss never makes wideband worse than G.711, and what it gains dwindles.
var impairments = map[string]impairment{
	"PCMU": {ie: 0, bpl: 25.1}, // with packet-loss concealment, as every party of today has it (G.113 Table I.4)
	"PCMA": {ie: 0, bpl: 25.1},
	"G729": {ie: 11, bpl: 19}, // G.729A with VAD
	"G722": {wide: true, ie: 13, bpl: 10},
	"opus": {wide: true, ie: 1, bpl: 10},
}

// Conditions of one direction of a connection, for Rating.
type Conditions struct {
	Codec string        // as in a=rtpmap; one that is not known is taken for G.711
	Loss  float64       // packets that were not there in time, of those expected: 0 to 1
	Burst float64       // BurstR: mean length of bursts of loss over that of random loss; 1 and below = random
	Delay time.Duration // from mouth to ear
}

// Rating is the transmission rating factor R (ITU-T G.107 §7, G.107.1 §7): 0 (unusable) to 93.2 in narrowband, to 129 in
// wideband. Echo is taken to be cancelled.
func Rating(c Conditions) float64 {
	codec, ok := impairments[c.Codec]
	if !ok {
		codec = impairments["PCMU"]
	}
	best := ratingDefault
	if codec.wide {
		best = ratingWide
	}
	return max(best-delayImpairment(c.Delay)-codec.withLoss(c), 0)
}

// withLoss is Ie,eff (G.107 equation 7-29, G.107.1 §7.5).
func (i impairment) withLoss(c Conditions) float64 {
	ppl := 100 * min(max(c.Loss, 0), 1)
	if ppl == 0 {
		return i.ie
	}
	return i.ie + (95-i.ie)*ppl/(ppl/max(c.Burst, 1)+i.bpl)
}

// delayImpairment is Idd (G.107 equations 7-27 and 7-28): what 100 ms and more do to a conversation.
func delayImpairment(d time.Duration) float64 {
	ta := float64(d) / float64(time.Millisecond)
	if ta <= 100 {
		return 0
	}
	x := math.Log2(ta / 100)
	sixth := func(v float64) float64 { return math.Pow(1+math.Pow(v, 6), 1.0/6) }
	return 25 * (sixth(x) - 3*sixth(x/3) + 2)
}

// MOS is the mean opinion score that people give to a connection of rating r, 1 (bad) to 4.5 (ITU-T G.107 Annex B).
func MOS(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
