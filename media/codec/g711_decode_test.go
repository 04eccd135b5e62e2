package codec

import "testing"

// TestG711Decode holds all codes to column 7 of tables 1 and 2 of G.711: a code's value is half way between the decision
// values on both sides of it, on the Recommendation's scales of 13 (A-law) and 14 bits (µ-law) with sign.
func TestG711Decode(t *testing.T) {
	mu, a := append([]int{0}, muDecisions()...), append([]int{0}, aDecisions()...)
	mu, a = append(mu, 8159), append(a, 2048) // the virtual decision values (note 1 of both tables)
	out := make([]int16, 1)
	for n := range 128 {
		value := 4 * (mu[n] + mu[n+1]) / 2 // on 16 bits
		if n == 0 {
			value = 0 // y0 is 0, not the middle: both codes for zero
		}
		for _, c := range []struct {
			code byte
			want int
		}{{byte(0xff - n), value}, {byte(0x7f - n), -value}} {
			if got := DecodeMu(out, []byte{c.code})[0]; int(got) != c.want {
				t.Errorf("µ-law %#02x is %d, want %d", c.code, got, c.want)
			}
		}
		value = 16 * (a[n] + a[n+1]) / 2
		for _, c := range []struct {
			code byte
			want int
		}{{byte(0x80+n) ^ 0x55, value}, {byte(n) ^ 0x55, -value}} {
			if got := DecodeA(out, []byte{c.code})[0]; int(got) != c.want {
				t.Errorf("A-law %#02x is %d, want %d", c.code, got, c.want)
			}
		}
	}
}

// TestG711SNR is the shape of figure 5 of G.712: with a sine from full scale down to -40 dB, the quantisation is at least
// 33 dB below it down to -30 dBm0, 27 dB at -40.
func TestG711SNR(t *testing.T) {
	for name, law := range map[string]struct {
		enc func([]byte, []int16) []byte
		dec func([]int16, []byte) []int16
	}{"A": {EncodeA, DecodeA}, "mu": {EncodeMu, DecodeMu}} {
		for _, c := range []struct{ dB, min float64 }{{-3, 33}, {-10, 33}, {-20, 33}, {-30, 33}, {-40, 27}} {
			in := sine(1020, 32124*pow10(c.dB), 8000, 8000)
			out := law.dec(make([]int16, 8000), law.enc(make([]byte, 8000), in))
			got := snr(in, out)
			t.Logf("%s-law at %.0f dB: %.1f dB", name, c.dB, got)
			if got < c.min {
				t.Errorf("%s-law at %.0f dB: SNR %.1f dB, want %.0f", name, c.dB, got, c.min)
			}
		}
	}
}
