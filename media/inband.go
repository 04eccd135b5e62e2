package media

import (
	"math"
	"time"
)

// Keys in the sound itself (ITU-T Q.23), of parties without telephone-event, within the limits of Q.24: two tones for
// 40 ms at least, within 1.5 % of their frequencies, neither 6 dB louder (twist), and next to nothing beside them.
const (
	inbandBlock  = 102    // samples at 8 kHz that are looked at together, 12.75 ms
	inbandHop    = 51     // samples from one block to the next
	inbandDown   = 4      // blocks in a row: tones of 32 ms have them always, of 25 ms never
	inbandUp     = 4      // blocks without: a gap of 10 ms has fewer, a pause of 40 ms more
	inbandLevel  = 1.8e-3 // of full scale, -55 dB: mean square of what is looked at
	inbandShare  = 0.75   // of the energy that the two tones must have
	inbandTwist  = 6.3    // ratio of their energies, 8 dB
	inbandOffset = 0.025  // of the frequency: 1.5 % must be taken, 3.5 % must not
)

var inbandTones = [8]float64{697, 770, 852, 941, 1209, 1336, 1477, 1633}

const inbandNames = "123A456B789C*0#D"

// inbandDetector finds keys in samples of 8 kHz. The zero value is ready.
type inbandDetector struct {
	block [inbandBlock]float64
	n     int
	count int              // blocks so far: phases are counted from the first
	last  [2][8]complex128 // spectra of the two blocks before, older one first
	cand  int8             // 1 + key of the block before, 0 = none
	run   int              // blocks with it, in a row
	key   int8             // 1 + key that is down, 0 = none
	hits  int              // blocks of it
	gaps  int              // blocks without it since
}

// inbandListener finds keys in a party's packets. Only the goroutine that receives them uses it.
type inbandListener struct {
	voice  voice
	detect inbandDetector
}

func newInbandListener() *inbandListener { return &inbandListener{voice: voice{rate: 8000}} }

// take looks at a packet. Opus is not looked at: who has it has telephone-event, and it does not keep tones pure.
func (k *inbandListener) take(c *codecInfo, payload []byte) press {
	if !c.transcode {
		return press{}
	}
	return k.detect.take(k.voice.decode(c, payload))
}

// down is the key that is held down, 0 = none.
func (d *inbandDetector) down() byte {
	if d.key == 0 {
		return 0
	}
	return inbandNames[d.key-1]
}

// take looks at samples and returns the key that ended in them, if one did.
func (d *inbandDetector) take(samples []int16) (ended press) {
	for _, v := range samples {
		d.block[d.n] = float64(v) / 32768
		if d.n++; d.n < inbandBlock {
			continue
		}
		d.count = (d.count + 1) % 8000 // a whole number of periods of every tone
		if p := d.judge(d.look()); p.key != 0 {
			ended = p
		}
		d.n = copy(d.block[:], d.block[inbandHop:])
	}
	return ended
}

// judge follows a key from block to block.
func (d *inbandDetector) judge(seen int8) (ended press) {
	if seen != d.cand {
		d.run = 0
	}
	d.run++
	switch {
	case d.key != 0 && seen == d.key:
		d.hits, d.gaps = d.hits+1+d.gaps, 0
	case d.key != 0:
		if d.gaps++; d.gaps >= inbandUp {
			length := time.Duration(d.hits) * inbandHop * time.Second / 8000
			ended = press{key: inbandNames[d.key-1], millis: int(length.Milliseconds())}
			d.key = 0
		}
	case seen != 0 && d.run >= inbandDown:
		d.key, d.hits, d.gaps = seen, d.run, 0
	}
	d.cand = seen
	return ended
}

// look says which key's tones are all there is in the block: 1 + key, 0 = none's.
func (d *inbandDetector) look() int8 {
	total := 0.0
	for _, v := range d.block {
		total += v * v
	}
	was := d.last[0]
	var power [8]float64
	d.last[0] = d.last[1]
	for i, hz := range inbandTones {
		x := d.spectrum(hz)
		d.last[1][i] = x
		power[i] = (real(x)*real(x) + imag(x)*imag(x)) * 2 / inbandBlock
	}
	if total < inbandLevel*inbandLevel*inbandBlock {
		return 0
	}
	row, column := strongest(power[:4]), 4+strongest(power[4:])
	r, c := power[row], power[column]
	if r+c < inbandShare*total || r > inbandTwist*c || c > inbandTwist*r {
		return 0
	}
	key := int8(4*row + column - 4 + 1)
	if d.cand == key && d.run >= 2 && !(d.inTune(was, row) && d.inTune(was, column)) {
		return 0
	}
	return key
}

// inTune compares the phases of two blocks that do not overlap: a tone beside its frequency runs ahead or behind.
func (d *inbandDetector) inTune(was [8]complex128, i int) bool {
	a, b := was[i], d.last[1][i]
	re, im := real(a)*real(b)+imag(a)*imag(b), real(a)*imag(b)-imag(a)*real(b)
	turn := math.Atan2(im, re) / (2 * math.Pi) // in periods, phases counted from the same moment
	return math.Abs(turn)*8000/inbandBlock <= inbandOffset*inbandTones[i]
}

// spectrum is the Fourier sum of the block at one frequency.
func (d *inbandDetector) spectrum(hz float64) complex128 {
	w := 2 * math.Pi * hz / 8000
	sin, cos := math.Sincos(w)
	s, c := math.Sincos(w * float64(d.count*inbandHop))
	var re, im float64
	for _, v := range d.block {
		re += v * c
		im -= v * s
		s, c = s*cos+c*sin, c*cos-s*sin
	}
	return complex(re, im)
}

func strongest(power []float64) (at int) {
	for i, v := range power {
		if v > power[at] {
			at = i
		}
	}
	return at
}
