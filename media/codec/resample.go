package codec

import "math"

// halfBand is the low-pass of both converters: 63 taps (Kaiser window), cut off at a quarter of the higher rate. Every second
// tap but the middle one is zero. Up to 3.4 kHz it is flat within 0.01 dB; images and aliases above 4.6 kHz are 73 dB down.
// Delay: 32 samples of the higher rate, 2 ms at 16 kHz. There is none for 48 kHz: Opus is decoded to, and coded from, 16 kHz.
const (
	halfBandTaps = 63
	halfBandBeta = 7.4 // of the window
)

var halfBand = designHalfBand()

// designHalfBand returns the taps at odd distances from the middle: h[k] is that at 2k+1. The middle one is 1/2.
func designHalfBand() *[16]float32 {
	const mid = halfBandTaps / 2
	h := new([16]float32)
	sum := 0.0
	var taps [16]float64
	for k := range taps {
		n := float64(2*k + 1)
		window := bessel0(halfBandBeta*math.Sqrt(1-n*n/((mid+1)*(mid+1)))) / bessel0(halfBandBeta)
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

// chunk is how many samples are converted at a time: the history and a chunk lie side by side, so that nothing moves
// per sample.
const chunk = 320

// Upsampler doubles the rate: 8 to 16 kHz. The zero value starts a stream.
type Upsampler struct{ line [31 + chunk]float32 }

// Convert makes two samples of each; out must have room for them.
func (u *Upsampler) Convert(out, in []int16) []int16 {
	out = out[:2*len(in)]
	for done := 0; done < len(in); {
		part := in[done:min(done+chunk, len(in))]
		for i, s := range part {
			u.line[31+i] = float32(s)
		}
		for i := range part {
			was, between := u.pair(i)
			out[2*(done+i)], out[2*(done+i)+1] = int16(was), round16(between)
		}
		copy(u.line[:31], u.line[len(part):len(part)+31])
		done += len(part)
	}
	return out
}

// ConvertFloat is Convert for samples that are not limited to 16 bits.
func (u *Upsampler) ConvertFloat(out, in []float32) []float32 {
	out = out[:2*len(in)]
	for done := 0; done < len(in); {
		part := in[done:min(done+chunk, len(in))]
		copy(u.line[31:], part)
		for i := range part {
			out[2*(done+i)], out[2*(done+i)+1] = u.pair(i)
		}
		copy(u.line[:31], u.line[len(part):len(part)+31])
		done += len(part)
	}
	return out
}

// pair is the old sample that is due, and the one half way to the next, from 16 on each side.
func (u *Upsampler) pair(i int) (was, between float32) {
	w := (*[32]float32)(u.line[i : i+32])
	var acc float32
	for k, h := range halfBand {
		acc += h * (w[16+k] + w[15-k])
	}
	return w[15], 2 * acc
}

// Downsampler halves the rate: 16 to 8 kHz. The zero value starts a stream.
type Downsampler struct{ line [61 + chunk]float32 }

// Convert makes one sample of two; an odd last one is left out. out must have room for len(in)/2.
func (d *Downsampler) Convert(out, in []int16) []int16 {
	out = out[:len(in)/2]
	in = in[:2*len(out)]
	for done := 0; done < len(in); {
		part := in[done:min(done+chunk, len(in))]
		for i, s := range part {
			d.line[61+i] = float32(s)
		}
		for i := 0; i < len(part); i += 2 {
			out[(done+i)/2] = round16(d.one(i))
		}
		copy(d.line[:61], d.line[len(part):len(part)+61])
		done += len(part)
	}
	return out
}

// ConvertFloat is Convert for samples that are not limited to 16 bits.
func (d *Downsampler) ConvertFloat(out, in []float32) []float32 {
	out = out[:len(in)/2]
	in = in[:2*len(out)]
	for done := 0; done < len(in); {
		part := in[done:min(done+chunk, len(in))]
		copy(d.line[61:], part)
		for i := 0; i < len(part); i += 2 {
			out[(done+i)/2] = d.one(i)
		}
		copy(d.line[:61], d.line[len(part):len(part)+61])
		done += len(part)
	}
	return out
}

// one is the low-pass at a place of the line.
func (d *Downsampler) one(i int) float32 {
	const mid = halfBandTaps / 2
	w := (*[63]float32)(d.line[i : i+63])
	acc := w[mid] / 2
	for k, h := range halfBand {
		acc += h * (w[mid+2*k+1] + w[mid-2*k-1])
	}
	return acc
}

func round16(v float32) int16 {
	if v < 0 {
		return int16(max(v-0.5, -32768))
	}
	return int16(min(v+0.5, 32767))
}
