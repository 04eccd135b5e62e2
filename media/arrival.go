package media

import (
	"time"
)

// lateLimit is how far behind the quickest a packet may be to be of use: a jitter buffer of today waits no longer. Where
// nothing is terminated here, it says which packets the other party's buffer will have thrown away.
const lateLimit = 100 * time.Millisecond

// arrivals judges the order and the timing of one source's packets. It costs a few additions per packet.
type arrivals struct {
	seen  uint64 // of the 64 numbers up to the newest: bit 0 is the newest
	runs  uint64 // gaps in the numbers
	inRun uint64 // packets missing in them; what came later is taken off again
	base  float64
	based bool
	bursts

	// of all sources
	reordered, duplicates, late uint64
}

// begin forgets the source before.
func (a *arrivals) begin() { a.seen, a.based = 1, false }

// ahead notes a packet that is delta numbers newer than the newest, 1 = the next.
func (a *arrivals) ahead(delta uint16) {
	a.seen = a.seen<<delta | 1 // a shift of 64 and more leaves nothing
	if delta > 1 {
		a.runs++
		a.inRun += uint64(delta - 1)
	}
	for n := min(delta-1, 64); n > 0; n-- { // what else is lost is a pause of a second and more
		a.bursts.lost()
	}
	a.bursts.got()
}

// behind notes a packet that is delta numbers older than the newest, 0 = that one again, and says whether it is new.
func (a *arrivals) behind(delta uint16) bool {
	if delta < 64 && a.seen>>delta&1 != 0 {
		a.duplicates++
		return false
	}
	if delta < 64 {
		a.seen |= 1 << delta
	}
	a.reordered++
	a.inRun -= min(a.inRun, 1)
	return true
}

// timed takes a packet's transit time in units of clock; jumped says that it is of another timeline than the one before.
func (a *arrivals) timed(transit float64, clock uint32, jumped bool) {
	if !a.based || jumped || transit < a.base {
		a.base, a.based = transit, true
		return
	}
	over := transit - a.base
	a.base += over / 128 // the way has become longer, or the clocks drift: buffers follow within seconds
	if over > lateLimit.Seconds()*float64(clock) {
		a.late++
	}
}

// burstRatio is BurstR of ITU-T G.107: how long bursts of loss are, over what they would be if loss were random.
func (a *arrivals) burstRatio(loss float64) float64 {
	if a.runs == 0 || a.inRun == 0 {
		return 1
	}
	return max(1, float64(a.inRun)/float64(a.runs)*(1-loss))
}

// gmin is how many packets in a row must come to end a burst (RFC 3611 §4.7.2).
const gmin = 16

// bursts counts transitions between good times ("gaps") and bad ones ("bursts"), RFC 3611 Appendix A.2.
type bursts struct {
	since, losses                uint32 // packets since the last loss; losses in this burst
	c11, c13, c14, c22, c23, c33 uint64
}

func (b *bursts) got() { b.since++ }

func (b *bursts) lost() {
	if b.since >= gmin {
		if b.losses == 1 {
			b.c14++
		} else {
			b.c13++
		}
		b.losses = 1
		b.c11 += uint64(b.since)
	} else {
		b.losses++
		if b.since == 0 {
			b.c33++
		} else {
			b.c23++
			b.c22 += uint64(b.since - 1)
		}
	}
	b.since = 0
}

// figures are the mean densities (0 to 1) and durations of bursts and gaps.
func (b *bursts) figures(packet time.Duration) (burstDensity, gapDensity float64, burst, gap time.Duration) {
	c11 := b.c11 + uint64(b.since) // the time since the last loss belongs to it
	c31, c32 := float64(b.c13), float64(b.c23)
	p32 := 0.0
	if n := c31 + c32 + float64(b.c33); n > 0 {
		p32 = c32 / n
	}
	p23 := 1.0
	if n := float64(b.c22 + b.c23); n >= 1 {
		p23 = 1 - float64(b.c22)/n
	}
	if b.c23+b.c33 > 0 {
		burstDensity = p23 / (p23 + p32)
	}
	if n := c11 + b.c14; n > 0 {
		gapDensity = float64(b.c14) / float64(n)
	}
	good := c11 + b.c14 + b.c13
	all := good + b.c22 + 2*b.c23 + b.c13 + b.c33
	times := max(b.c13, 1)
	gap = time.Duration(good) * packet / time.Duration(times)
	burst = time.Duration(all-good) * packet / time.Duration(times)
	return burstDensity, gapDensity, burst, gap
}
