package playout

// timeScale decides when the delay is to change.
type timeScale struct {
	short int // frames in a row for which a late packet would not have been in time
	ample int // frames in a row with more waiting than is needed
	spare int // the least of what was too much in these
}

func (t *timeScale) reset() { *t = timeScale{} }

const (
	shortFrames = 5  // this many, and the delay grows
	ampleFrames = 50 // this many, and it shrinks
)

// adapt looks at what would be there, beyond the n samples that are needed at the moment at, if every packet were as
// late as the jitter says.
func (b *Buffer) adapt(n int, at int64) {
	if b.jitter.n == 0 || b.length == 0 || b.starved > 0 {
		b.scale.reset()
		return
	}
	late := int64(max(b.jitter.spread+b.rate/1000, b.min) + b.extra) // a millisecond more: time to see a drifting clock come
	// Packets begin at place + k*length; the last one that has come for sure began at or before this one.
	sure := at - b.jitter.base - late
	k := floorDiv(sure-b.place, int64(b.length))
	have := b.place + (k+1)*int64(b.length)
	spare := int(have-b.tail) + len(b.pcm) - n
	t := &b.scale
	switch {
	case spare < 0:
		t.ample = 0
		if t.short++; t.short >= shortFrames {
			b.stretch(-spare)
			t.reset()
		}
	default:
		t.short = 0
		if t.ample == 0 || spare < t.spare {
			t.spare = spare
		}
		if t.ample++; t.ample >= ampleFrames {
			t.ample = 0
			b.shrink(t.spare, n)
		}
	}
}

// stretch goes on with what was said last for a few pitch periods: n samples, or what is nearest to them.
func (b *Buffer) stretch(n int) {
	p := b.conceal.Period()
	n = p * max(1, min((n+p/2)/p, b.rate/50/p))
	if len(b.pcm)+n > cap(b.pcm) {
		return
	}
	b.synthesize(n)
	b.made -= n // nothing was lost
	b.stats.Stretched += uint64(n)
}

// shrink takes up to spare samples out of what is to be played next, where that is like itself.
func (b *Buffer) shrink(spare, n int) {
	if limit := b.rate / 4; spare > limit {
		b.skip(spare)
		return
	}
	lo := b.rate / 400 // 2.5 ms
	hi := min(spare, b.rate*15/1000)
	if hi < lo {
		return
	}
	// The overlap is as long as the lag, or half a frame.
	need := n + hi
	for len(b.pcm) < need && b.count > 0 && b.queue[0].place <= b.tail {
		b.decode(&b.queue[0])
		b.drop()
	}
	if len(b.pcm) < need || b.made > 0 {
		return
	}
	lag, fit, loud := bestLag(b.pcm, lo, hi)
	if fit < 0.7 && loud && spare < b.rate/25 {
		return // 40 ms more than is needed are worth a scratch
	}
	over := min(lag, n/2)
	for i := range over {
		w := (float32(i) + 0.5) / float32(over)
		b.pcm[i] = round16((1-w)*float32(b.pcm[i]) + w*float32(b.pcm[i+lag]))
	}
	b.pcm = b.pcm[:over+copy(b.pcm[over:], b.pcm[over+lag:])]
	b.stats.Cut += uint64(lag)
	b.scale.spare -= lag
	b.scale.ample = ampleFrames - 10 // there may be more
}

// skip throws away what nobody wants to hear so late.
func (b *Buffer) skip(n int) {
	b.pcm, b.made = b.pcm[:0], 0
	b.tail += int64(n)
	for b.count > 0 && b.queue[0].place+int64(b.queue[0].samples) <= b.tail {
		b.drop()
	}
	b.conceal.Cut()
	b.stats.Skipped += uint64(n)
	b.scale.reset()
}

// bestLag finds where a cut is heard least: the lag at which 5 ms are most like those at the beginning.
func bestLag(pcm []int16, lo, hi int) (lag int, fit float32, loud bool) {
	lag, fit = hi, -1
	window := lo * 2
	var energy float32
	for _, v := range pcm[:window] {
		energy += float32(v) * float32(v)
	}
	if energy < float32(window)*100*100 { // -50 dBFS: cut where one likes
		return hi, 0, false
	}
	for l := lo; l <= hi && l+window <= len(pcm); l++ {
		var ab, bb float32
		for i := range window {
			x, y := float32(pcm[i]), float32(pcm[i+l])
			ab += x * y
			bb += y * y
		}
		if bb < 1 {
			continue
		}
		if v := ab / sqrt32(energy*bb); v > fit {
			lag, fit = l, v
		}
	}
	return lag, fit, true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
