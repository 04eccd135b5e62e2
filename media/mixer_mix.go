package media

import (
	"time"

	"strowger/media/codec"
)

// mix is the state of a mixer's goroutine.
type mix struct {
	count  int64 // frames so far
	sounds []*announcement
	outs   []*mixOut // shared ones
	gone   []*member

	// What is said, by sampling rate: 8 and 16 kHz. sum is of those who are heard at this rate, all is everybody.
	sum8, all8   [160]float32
	sum16, all16 [320]float32
	up           codec.Upsampler
	down         codec.Downsampler
	lifted       [320]float32
	lowered      [160]float32
	minus        [320]float32
}

// frame mixes 20 ms.
func (m *Mixer) frame(due, now time.Duration) {
	x := &m.mix
	m.mu.Lock()
	members, playing := m.members, m.playing
	x.sounds = append(x.sounds, m.tones...)
	clear(m.tones)
	m.tones = m.tones[:0]
	m.mu.Unlock()

	clear(x.sum8[:])
	clear(x.sum16[:])
	for _, mem := range members {
		mem.listen(due)
		if mem.adds {
			add(x.sum(mem.tap.rate()), mem.said[:])
		}
		mem.events()
	}
	m.announce(playing)
	x.join()
	for _, mem := range members {
		if mem.gone.Load() {
			x.gone = append(x.gone, mem)
			continue
		}
		x.give(mem, now)
	}
	x.share(members, now)
	x.count++
	if len(x.gone) > 0 {
		m.forget(x.gone)
		clear(x.gone)
		x.gone = x.gone[:0]
	}
}

func (x *mix) sum(rate int) []float32 {
	if rate == 8000 {
		return x.sum8[:]
	}
	return x.sum16[:]
}

func (x *mix) all(rate int) []float32 {
	if rate == 8000 {
		return x.all8[:]
	}
	return x.all16[:]
}

func add(sum, said []float32) {
	said = said[:len(sum)]
	for i, v := range said {
		sum[i] += v
	}
}

// announce adds what all are to hear.
func (m *Mixer) announce(playing *announcement) {
	x := &m.mix
	if playing != nil && !playing.play(x.sum(playing.rate)) {
		m.mu.Lock()
		mine := m.playing == playing
		if mine {
			m.playing = nil
		}
		m.mu.Unlock()
		if mine {
			m.post(MixerEvent{Type: MixerPlayEnded, Token: playing.token})
		}
	}
	kept := x.sounds[:0]
	for _, a := range x.sounds {
		if a.play(x.sum(a.rate)) {
			kept = append(kept, a)
		}
	}
	clear(x.sounds[len(kept):])
	x.sounds = kept
}

// play adds the next frame; false at the end.
func (a *announcement) play(sum []float32) bool {
	for i := range sum {
		if a.at >= len(a.samples) {
			if !a.loop {
				return false
			}
			a.at = 0
		}
		sum[i] += float32(a.samples[a.at])
		a.at++
	}
	return true
}

// join brings together what is said at both rates: one conversion each way, however many members there are.
func (x *mix) join() {
	x.up.ConvertFloat(x.lifted[:], x.sum8[:])
	x.down.ConvertFloat(x.lowered[:], x.sum16[:])
	for i, v := range x.sum16 {
		x.all16[i] = v + x.lifted[i]
	}
	for i, v := range x.sum8 {
		x.all8[i] = v + x.lowered[i]
	}
}

// give sends a member its own mix, or finds the shared one that it gets.
func (x *mix) give(mem *member, now time.Duration) {
	if t := mem.to.Load(); t != mem.aim {
		mem.aim, mem.own, mem.shared, mem.alone = t, nil, nil, aloneFrames
	}
	if mem.aim == nil {
		return // not agreed yet
	}
	rate := mem.tap.rate()
	if mem.own != nil && mem.own.rate != rate { // the bandwidth of its codec changed
		mem.own, mem.shared, mem.alone, mem.fresh = nil, nil, aloneFrames, true
	}
	if mem.own == nil {
		mem.own = newMixOut(*mem.aim, rate, mem.s.engine.opus, x.count)
	}
	stateless := mem.aim.format.codec == codecPCMU || mem.aim.format.codec == codecPCMA
	switch {
	case mem.adds && !stateless:
		mem.alone = aloneFrames
	case mem.adds || mem.fresh:
		mem.alone = 1
	case mem.alone > 0:
		mem.alone--
	}
	if mem.alone == 0 {
		if mem.shared == nil {
			mem.shared = x.shared(mem, rate)
		}
		mem.shared.users++
		return
	}
	if mem.shared != nil {
		mem.own.adopt(mem.shared)
		mem.shared = nil
	}
	n := rate / 50
	minus := x.minus[:n]
	copy(minus, x.all(rate))
	if mem.adds {
		for i, v := range mem.said[:n] {
			minus[i] -= v
		}
	}
	if mem.fresh { // no click where it joins
		fade(minus, rate)
		mem.fresh = false
	}
	mem.own.take(minus)
	mem.sendFrom(mem.own, now)
}

// shared finds the output for those who say nothing, or makes it out of the member's own.
func (x *mix) shared(mem *member, rate int) *mixOut {
	for _, o := range x.outs {
		if o.codec == mem.aim.format.codec && o.rate == rate && o.ptime == mem.aim.ptime {
			if o.users == 0 && o.idle { // nobody has used it of late
				o.adopt(mem.own)
			}
			return o
		}
	}
	o := newMixOut(*mem.aim, rate, mem.s.engine.opus, x.count)
	o.adopt(mem.own)
	x.outs = append(x.outs, o)
	return o
}

// share encodes once for all who hear the same.
func (x *mix) share(members []*member, now time.Duration) {
	for _, o := range x.outs {
		if o.idle = o.users == 0; !o.idle {
			o.take(x.all(o.rate))
		}
		o.users = 0
	}
	for _, mem := range members {
		if mem.shared != nil && !mem.gone.Load() && mem.aim != nil {
			mem.sendFrom(mem.shared, now)
		}
	}
}

// fade lets 5 ms begin softly.
func fade(s []float32, rate int) {
	n := rate / 200
	for i := range n {
		s[i] *= (float32(i) + 0.5) / float32(n)
	}
}

// mixOut turns a mix into packets.
type mixOut struct {
	codec  *codecInfo
	ptime  int
	rate   int // of the samples
	length int // samples in a packet

	limit   limiter
	voice   voice
	wait    [3 * 960]int16 // samples for the next packet
	have    int
	packets [2]struct {
		b [headerLen + 960]byte
		n int
	}
	made  int // packets, in this frame
	users int // members in this frame
	idle  bool
}

// newMixOut begins in the middle of a packet where the others are: packets of the same length end with the same frame.
func newMixOut(t target, rate int, opus *codec.OpusLibrary, count int64) *mixOut {
	o := &mixOut{codec: t.format.codec, ptime: t.ptime, rate: rate, voice: voice{rate: rate, opus: opus}}
	o.limit = newLimiter(rate)
	o.length = samplesIn(o.codec.frame(t.ptime), rate)
	o.have = int(count * int64(rate/50) % int64(o.length))
	return o
}

// adopt goes on where another output of the same kind is, so that the decoder at the party notices nothing.
func (o *mixOut) adopt(from *mixOut) {
	o.limit = from.limit
	o.voice.adopt(&from.voice)
	o.have = copy(o.wait[:], from.wait[:from.have])
}

// take limits a frame and encodes what is due.
func (o *mixOut) take(frame []float32) {
	o.limit.take(o.wait[o.have:], frame)
	o.have += len(frame)
	o.made = 0
	at := 0
	for ; o.have-at >= o.length && o.made < len(o.packets); at += o.length {
		p := &o.packets[o.made]
		p.n = len(o.voice.encode(o.codec, p.b[headerLen:], o.wait[at:at+o.length]))
		o.made++
	}
	o.have = copy(o.wait[:], o.wait[at:o.have])
}
