package playout

import "time"

// Pull makes the frame that is due now. It always fills out, which must be no longer than 120 ms.
func (b *Buffer) Pull(out []int16, now time.Duration) Kind {
	if !b.begun(now) {
		clear(out)
		return Idle
	}
	b.stats.Played += uint64(len(out))
	b.adapt(len(out), b.samples(now))
	idle := b.conceal.over() && b.count == 0
	b.fill(len(out))
	kind := Received
	if b.made > len(b.pcm)-len(out) {
		kind = Concealed
		if idle && b.starved > 0 {
			kind = Idle
		}
	}
	copy(out, b.pcm)
	b.consume(len(out))
	return kind
}

// begun says whether there is, or was, something to play.
func (b *Buffer) begun(now time.Duration) bool {
	if !b.started && b.count > 0 && b.samples(now) >= b.startAt {
		b.started, b.tail, b.starved = true, b.queue[0].place, 0
		b.pcm, b.made = b.pcm[:0], 0
	}
	return b.started
}

func (b *Buffer) consume(n int) {
	b.pcm = b.pcm[:copy(b.pcm, b.pcm[n:])]
	b.made = min(b.made, len(b.pcm))
}

// fill decodes, and makes up what is missing, until n samples are there.
func (b *Buffer) fill(n int) {
	for len(b.pcm) < n {
		need := n - len(b.pcm)
		if b.count == 0 {
			b.makeUp(need)
			b.starved += need
			continue
		}
		first := &b.queue[0]
		if gap := first.place - b.tail; gap > 0 {
			b.starved = 0
			if !b.mend(first, gap) {
				b.makeUp(int(min(gap, int64(need))))
			}
			continue
		}
		b.decode(first)
		b.drop()
	}
}

// makeUp conceals n samples of the party's timeline.
func (b *Buffer) makeUp(n int) {
	if b.noise.on {
		b.murmur(n)
		return
	}
	lost := b.conceal.Lost()
	b.tail += int64(n)
	b.synthesize(n - b.proceed(n))
	if left := b.conceal.scale(fadeEnd) - lost; left > 0 {
		b.stats.Concealed += uint64(min(n, left))
	}
}

// proceed lets the codec itself make up n samples, and tells how many it has. Where single packets are repaired, only rows
// are left.
func (b *Buffer) proceed(n int) (made int) {
	if b.goOn == nil || b.extra > 0 || !b.conceal.leaves() {
		return 0
	}
	at := len(b.pcm)
	for made < n {
		if len(b.spare) == 0 {
			b.spare = append(b.spare, b.goOn.Continue(b.lastKind, b.rate/100)...)
		}
		if len(b.spare) == 0 {
			break
		}
		take := min(n-made, len(b.spare))
		b.pcm = append(b.pcm, b.spare[:take]...)
		b.spare = b.spare[:copy(b.spare, b.spare[take:])]
		made += take
	}
	if made > 0 {
		b.made += made
		b.conceal.Made(b.pcm[at:])
	}
	return made
}

func (b *Buffer) synthesize(n int) {
	if n == 0 {
		return
	}
	at := len(b.pcm)
	b.pcm = b.pcm[:at+n]
	b.conceal.Conceal(b.pcm[at:])
	b.made += n
}

// decode appends a packet, without the part of it that has been played.
func (b *Buffer) decode(s *slot) {
	if s.noise {
		b.quieten(s)
		return
	}
	if b.noise.on {
		b.noise.on = false
		b.conceal.Cut()
	}
	samples := b.dec.Decode(s.kind, s.payload)
	b.lastKind, b.spare = s.kind, b.spare[:0]
	played := int(b.tail - s.place)
	if s.cut {
		b.conceal.Cut()
	}
	b.starved = 0
	b.lossy(s)
	b.tail = max(b.tail, s.place+int64(len(samples)))
	if played >= len(samples) {
		return
	}
	b.play(samples[played:])
}

// play appends what was received.
func (b *Buffer) play(samples []int16) {
	samples = samples[:min(len(samples), cap(b.pcm)-len(b.pcm))]
	at := len(b.pcm)
	b.pcm = append(b.pcm, samples...)
	b.conceal.Good(b.pcm[at:])
	b.made = 0
}
