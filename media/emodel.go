package media

import (
	"math"
	"time"
)

// The E-model (ITU-T G.107): how good a connection is, computed from what was measured of it.

// ratingDefault is R with all parameters of G.107 at their defaults (Table 3 there): G.711, no loss, no delay.
const ratingDefault = 93.2

// impairment is how a codec suffers from loss (ITU-T G.113 Appendix I): Ie without any, and Bpl, the loss in percent that
// it withstands.
type impairment struct{ ie, bpl float64 }

// The wideband codecs have no values on the scale of G.107: they are rated as G.711 with concealment, which they are not
// worse than. That makes legs comparable; what wideband gains is not shown.
var impairments = map[string]impairment{
	"PCMU": {0, 25.1}, // with packet-loss concealment, as every party of today has it (G.113 Table I.4)
	"PCMA": {0, 25.1},
	"G729": {11, 19}, // G.729A with VAD
	"opus": {0, 25.1},
	"G722": {0, 25.1},
}

// Conditions of one direction of a connection, for Rating.
type Conditions struct {
	Codec string        // as in a=rtpmap; one that is not known is taken for G.711
	Loss  float64       // packets that were not there in time, of those expected: 0 to 1
	Burst float64       // BurstR: mean length of bursts of loss over that of random loss; 1 and below = random
	Delay time.Duration // from mouth to ear
}

// Rating is the transmission rating factor R, 0 (unusable) to 93.2 (ITU-T G.107 §7). Echo is taken to be cancelled.
func Rating(c Conditions) float64 {
	return min(max(ratingDefault-delayImpairment(c.Delay)-lossImpairment(c), 0), 100)
}

// lossImpairment is Ie,eff (G.107 equation 7-29).
func lossImpairment(c Conditions) float64 {
	codec, ok := impairments[c.Codec]
	if !ok {
		codec = impairments["PCMU"]
	}
	ppl := 100 * min(max(c.Loss, 0), 1)
	if ppl == 0 {
		return codec.ie
	}
	return codec.ie + (95-codec.ie)*ppl/(ppl/max(c.Burst, 1)+codec.bpl)
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
