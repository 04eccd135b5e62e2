package codec

import "math"

// halfBand is the low-pass of both converters: 63 taps (Kaiser window, beta 8), cut off at a quarter of the higher rate.
// Every second tap but the middle one is zero. Up to 3.4 kHz it is flat within 0.1 dB; images and aliases of speech
// above 4.6 kHz are 70 dB down. Delay: 31 samples of the higher rate, 1.9 ms at 16 kHz.
const halfBandTaps = 63

var halfBand = designHalfBand()

// designHalfBand returns the taps at odd distances from the middle: h[k] is that at 2k+1. The middle one is 1/2.
func designHalfBand() *[16]float32 {
	const mid = halfBandTaps / 2
	h := new([16]float32)
	sum := 0.0
	var taps [16]float64
	for k := range taps {
		n := float64(2*k + 1)
		window := bessel0(8*math.Sqrt(1-n*n/((mid+1)*(mid+1)))) / bessel0(8)
		taps[k] = math.Sin(math.Pi*n/2) / (math.Pi * n) * window
		sum += 2 * taps[k]
	}
	for k := range taps {
		h[k] = float32(taps[k] / sum / 2) // both phases have the gain 1/2: no ripple at the rate itself
	}
	return h
}

// bessel0 is the modified Bessel function of the first kind, order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= x / 2 / k * (x / 2 / k)
		sum += term
	}
	return sum
}

// Upsampler doubles the rate: 8 to 16 kHz. The zero value starts a stream.
type Upsampler struct{ past [32]float32 }

// Convert makes two samples of each; out must have room for them.
func (u *Upsampler) Convert(out, in []int16) []int16 {
	out = out[:2*len(in)]
	for i, s := range in {
		copy(u.past[:31], u.past[1:])
		u.past[31] = float32(s)
		// The new sample lies half way between two old ones: 16 on each side; or it is the old one.
		var acc float32
		for k, h := range halfBand {
			acc += h * (u.past[16+k] + u.past[15-k])
		}
		out[2*i], out[2*i+1] = int16(u.past[15]), round16(2*acc)
	}
	return out
}

// Downsampler halves the rate: 16 to 8 kHz. The zero value starts a stream.
type Downsampler struct{ past [64]float32 }

// Convert makes one sample of two; an odd last one is left out. out must have room for len(in)/2.
func (d *Downsampler) Convert(out, in []int16) []int16 {
	out = out[:len(in)/2]
	for i := range out {
		copy(d.past[:62], d.past[2:])
		d.past[62], d.past[63] = float32(in[2*i]), float32(in[2*i+1])
		const mid = 32
		acc := d.past[mid] / 2
		for k, h := range halfBand {
			acc += h * (d.past[mid+2*k+1] + d.past[mid-2*k-1])
		}
		out[i] = round16(acc)
	}
	return out
}

func round16(v float32) int16 {
	return int16(min(max(math.Round(float64(v)), -32768), 32767))
}
