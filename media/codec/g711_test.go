package codec

import (
	"math"
	"testing"
)

// TestG711EveryCode: decoding and encoding again gives the code back, but for the negative zero of µ-law, which no sample
// has in the Recommendation's 14 bits.
func TestG711EveryCode(t *testing.T) {
	for code := range 256 {
		b := []byte{byte(code)}
		s := make([]int16, 1)
		if got := EncodeA(make([]byte, 1), DecodeA(s, b))[0]; got != b[0] {
			t.Errorf("A-law %#02x comes back as %#02x", code, got)
		}
		want := b[0]
		if want == 0x7f {
			want = 0xff
		}
		if got := EncodeMu(make([]byte, 1), DecodeMu(s, b))[0]; got != want {
			t.Errorf("µ-law %#02x comes back as %#02x", code, got)
		}
	}
}

// TestG711Decisions holds all 65,536 samples to the decision values of tables 1 and 2 of G.711: the code of a sample is
// the one whose interval contains it. The intervals are written down here from the tables' construction, segment by
// segment, not from the encoder.
func TestG711Decisions(t *testing.T) {
	mu := muDecisions()
	a := aDecisions()
	in, out := make([]int16, 1), make([]byte, 1)
	for v := math.MinInt16; v <= math.MaxInt16; v++ {
		in[0] = int16(v)
		if got, want := EncodeMu(out, in)[0], byIntervals(v>>2, mu, 0xff, 0x7f); got != want {
			t.Fatalf("µ-law of %d is %#02x, want %#02x", v, got, want)
		}
		if got, want := EncodeA(out, in)[0], byIntervals(v>>4, a, 0x80, 0x00); got^0x55 != want {
			t.Fatalf("A-law of %d is %#02x, want %#02x", v, got, want^0x55)
		}
	}
}

// byIntervals finds the number of the interval, and combines it with the sign: µ-law counts down from its code for
// zero, A-law counts up.
func byIntervals(v int, decisions []int, positive, negative int) byte {
	base := positive
	if v < 0 {
		v, base = ^v, negative
	}
	n := 0
	for n < len(decisions) && v >= decisions[n] {
		n++
	}
	if positive == 0xff {
		return byte(base - n)
	}
	return byte(base + n)
}

// muDecisions: on the 14-bit scale, 16 intervals in each of 8 segments; the first is of 1, the other 15 of the first
// segment of 2, and the steps double with each segment.
func muDecisions() (list []int) {
	at := 1
	for segment := range 8 {
		for step := range 16 {
			if segment == 0 && step == 0 {
				list = append(list, at)
				continue
			}
			at += 2 << segment
			list = append(list, at)
		}
	}
	return list[:127]
}

// aDecisions: on the 12-bit magnitude scale, two segments of 16 intervals of 1, then six whose steps double.
func aDecisions() (list []int) {
	at := 0
	for segment := range 8 {
		for range 16 {
			at += 1 << max(0, segment-1)
			list = append(list, at)
		}
	}
	return list[:127]
}

func TestG711KnownValues(t *testing.T) {
	for _, c := range []struct {
		sample int16
		mu, a  byte
	}{{0, 0xff, 0xd5}, {-1, 0x7f, 0x55}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}} {
		in := []int16{c.sample}
		if got := EncodeMu(make([]byte, 1), in)[0]; got != c.mu {
			t.Errorf("µ-law of %d is %#02x, want %#02x", c.sample, got, c.mu)
		}
		if got := EncodeA(make([]byte, 1), in)[0]; got != c.a {
			t.Errorf("A-law of %d is %#02x, want %#02x", c.sample, got, c.a)
		}
	}
	s := make([]int16, 2)
	if DecodeMu(s, []byte{0x80, 0x00}); s[0] != 32124 || s[1] != -32124 {
		t.Errorf("µ-law extremes are %v", s)
	}
	if DecodeA(s, []byte{0xaa, 0x2a}); s[0] != 32256 || s[1] != -32256 {
		t.Errorf("A-law extremes are %v", s)
	}
}
