package playout

import "math"

// noise is comfort noise (RFC 3389): what a party wants to be heard while it sends nothing.
type noise struct {
	on    bool
	gain  float64 // of the excitation
	k     [maxReflection]float64
	back  [maxReflection + 1]float64 // of the lattice
	order int
	seed  uint32
}

// maxReflection is how many coefficients of a spectrum are used; further ones are left out.
const maxReflection = 12

// set takes a payload: the level in -dBov, and perhaps reflection coefficients (§3.1, §3.2).
func (n *noise) set(payload []byte) {
	if len(payload) == 0 {
		return
	}
	n.order = min(len(payload)-1, maxReflection)
	power := 1.0
	for i := range n.order {
		k := 258 * (float64(payload[1+i]) - 127) / 32768
		n.k[i] = min(max(k, -0.95), 0.95)
		power *= 1 - n.k[i]*n.k[i]
	}
	rms := 32768 * math.Pow(10, -float64(payload[0]&0x7f)/20)
	n.gain = min(rms, 3000) * math.Sqrt(3*power) // of a uniform excitation; and no louder than speech
	if !n.on {
		clear(n.back[:])
	}
	n.on = true
}

// next makes a sample, in 16 bits.
func (n *noise) next() int16 { return round16(n.sample()) }

// sample makes a sample: white noise through the all-pole lattice.
func (n *noise) sample() float32 {
	if n.gain == 0 {
		return 0
	}
	n.seed = n.seed*1664525 + 1013904223
	f := n.gain * float64(int32(n.seed)) / (1 << 31)
	for i := n.order - 1; i >= 0; i-- {
		f -= n.k[i] * n.back[i]
		n.back[i+1] = n.back[i] + n.k[i]*f
	}
	n.back[0] = f
	return float32(f)
}

// murmur appends n samples of comfort noise.
func (b *Buffer) murmur(n int) {
	at := len(b.pcm)
	b.pcm = b.pcm[:at+n]
	for i := range b.pcm[at:] {
		b.pcm[at+i] = b.noise.next()
	}
	b.conceal.Good(b.pcm[at:])
	b.tail += int64(n)
	b.made = 0
}

// quieten begins comfort noise, without a click.
func (b *Buffer) quieten(s *slot) {
	if !b.noise.on {
		b.conceal.Cut()
	}
	b.noise.set(s.payload)
	b.lastSeq = s.seq
	b.starved = 0
}
