package codec

// G.722 at 64 kbit/s (ITU-T G.722, mode 1): two sub-bands of 8 kHz by a quadrature mirror filter, each coded by adaptive
// differential PCM with 6 and 2 bits. The names of the Recommendation's blocks stand beside what computes them; its
// arithmetic is 16-bit with saturation, and every shift matters.

// G722Encoder turns 16 kHz samples into octets, two samples each. The zero value is not ready: use NewG722Encoder.
type G722Encoder struct {
	low, high band
	line      [22 + chunk]int32 // of the filter: the last 22 samples, and those at work
}

// G722Decoder turns octets into 16 kHz samples.
type G722Decoder struct {
	low, high band
	line      [22 + chunk]int32
}

// NewG722Encoder starts a stream.
func NewG722Encoder() *G722Encoder {
	return &G722Encoder{low: band{det: 32}, high: band{det: 8}}
}

// NewG722Decoder starts a stream.
func NewG722Decoder() *G722Decoder {
	return &G722Decoder{low: band{det: 32}, high: band{det: 8}}
}

// Encode codes pairs of samples; an odd last sample is left out. payload must have room for len(samples)/2.
func (e *G722Encoder) Encode(payload []byte, samples []int16) []byte {
	payload = payload[:len(samples)/2]
	samples = samples[:2*len(payload)]
	for done := 0; done < len(samples); {
		part := samples[done:min(done+chunk, len(samples))]
		for i, s := range part {
			e.line[22+i] = int32(s)
		}
		for i := 0; i < len(part); i += 2 {
			odd, even := filter((*[24]int32)(e.line[i : i+24]))
			payload[(done+i)/2] = e.encodeHigh((even-odd)>>14)<<6 | e.encodeLow((even+odd)>>14)
		}
		copy(e.line[:22], e.line[len(part):len(part)+22])
		done += len(part)
	}
	return payload
}

// filter is the quadrature mirror filter: the sums over the samples at even and odd places of the line. Its 24 taps are
// written out (Table 11/G.722); those at odd places are those at even ones in reverse.
func filter(x *[24]int32) (first, second int32) {
	first = 3*x[0] - 11*x[2] + 12*x[4] + 32*x[6] - 210*x[8] + 951*x[10] +
		3876*x[12] - 805*x[14] + 362*x[16] - 156*x[18] + 53*x[20] - 11*x[22]
	second = -11*x[1] + 53*x[3] - 156*x[5] + 362*x[7] - 805*x[9] + 3876*x[11] +
		951*x[13] - 210*x[15] + 32*x[17] + 12*x[19] - 11*x[21] + 3*x[23]
	return first, second
}

// encodeLow is QUANTL with 60 levels; the predictor sees only the upper 4 bits, so that the lower two may be robbed.
func (e *G722Encoder) encodeLow(x int32) byte {
	b := &e.low
	el := clamp16(x - b.s)
	mag := el
	if el < 0 {
		mag = ^el
	}
	level := 0 // the highest whose decision value is not above
	for step := 16; step > 0; step >>= 1 {
		if at := level + step; at < len(quantLow) && mag >= quantLow[at]*b.det>>12 {
			level = at
		}
	}
	level++
	// Codes count down from the smallest magnitude: 61 for positive, 63 (two codes are skipped) for negative ones.
	code := 62 - level
	if el < 0 {
		code = 64 - level
		if level > 2 {
			code = 34 - level
		}
	}
	b.adaptLow(byte(code >> 2))
	return byte(code)
}

// encodeHigh is QUANTH with 4 levels.
func (e *G722Encoder) encodeHigh(x int32) byte {
	b := &e.high
	eh := clamp16(x - b.s)
	mag := eh
	if eh < 0 {
		mag = ^eh
	}
	code := byte(3)
	if mag >= 564*b.det>>12 {
		code = 2
	}
	if eh < 0 {
		code -= 2
	}
	b.adaptHigh(code)
	return code
}

// Decode expands octets; samples must have room for twice as many.
func (d *G722Decoder) Decode(samples []int16, payload []byte) []int16 {
	samples = samples[:2*len(payload)]
	for done := 0; done < len(payload); {
		part := payload[done:min(done+chunk/2, len(payload))]
		for i, code := range part {
			low := clamp15(d.low.s + d.low.det*invLow6[code&0x3f]>>15)
			d.low.adaptLow(code & 0x3f >> 2)
			high := clamp15(d.high.adaptHigh(code >> 6))
			d.line[22+2*i], d.line[22+2*i+1] = low+high, low-high
			second, first := filter((*[24]int32)(d.line[2*i : 2*i+24]))
			out := samples[2*(done+i) : 2*(done+i)+2]
			out[0], out[1] = int16(clamp16(first>>11)), int16(clamp16(second>>11))
		}
		copy(d.line[:22], d.line[2*len(part):2*len(part)+22])
		done += len(part)
	}
	return samples
}

// band is the state of one sub-band's ADPCM: the same in encoder and decoder, fed with the same codes.
type band struct {
	s, sz int32    // predicted value, and its part from the zeros
	det   int32    // quantiser's scale
	nb    int32    // its logarithm
	r     int32    // twice the reconstructed signal, in 16 bits
	p     [2]int32 // partially reconstructed signal, newest first
	a     [2]int32 // predictor's poles
	b     [6]int32 // and zeros
	d     [6]int32 // twice the quantised differences, in 16 bits, newest first
}

// adaptLow takes the upper four bits of a low-band code: INVQAL, LOGSCL, SCALEL and the predictor.
func (b *band) adaptLow(code byte) {
	d := b.det * invLow4[code] >> 15
	b.nb = min(max(b.nb*127>>7+scaleLow[code], 0), 18432)
	b.det = scale(b.nb, 8)
	b.predict(d)
}

// adaptHigh is INVQAH, LOGSCH, SCALEH and the predictor; it returns the reconstructed sample.
func (b *band) adaptHigh(code byte) int32 {
	d := b.det * invHigh[code] >> 15
	r := d + b.s
	b.nb = min(max(b.nb*127>>7+scaleHigh[code], 0), 22528)
	b.det = scale(b.nb, 10)
	b.predict(d)
	return r
}

// scale is the antilogarithm (SCALEL, SCALEH).
func scale(nb, shift int32) int32 {
	m, shift := expTable[nb>>6&31], shift-nb>>11
	if shift < 0 {
		return m << -shift << 2
	}
	return m >> shift << 2
}

// predict adapts the predictor to the newest difference and predicts the next sample.
func (b *band) predict(d int32) {
	r := clamp16(b.s + d)  // RECONS
	p := clamp16(b.sz + d) // PARREC
	a2 := b.pole2(p)
	a1 := b.pole1(p, a2)

	// UPZERO, FILTEZ and DELAYA. 128 more than 32640/32768 of 16 bits is never more than 16 bits: nothing saturates.
	step := int32(128)
	if d == 0 {
		step = 0
	}
	d2 := clamp16(2 * d)
	z, x := &b.b, &b.d
	z[0] = z[0]*32640>>15 + signed(step, x[0]^d)
	z[1] = z[1]*32640>>15 + signed(step, x[1]^d)
	z[2] = z[2]*32640>>15 + signed(step, x[2]^d)
	z[3] = z[3]*32640>>15 + signed(step, x[3]^d)
	z[4] = z[4]*32640>>15 + signed(step, x[4]^d)
	z[5] = z[5]*32640>>15 + signed(step, x[5]^d)
	sz := z[0]*d2>>15 + z[1]*x[0]>>15 + z[2]*x[1]>>15 + z[3]*x[2]>>15 + z[4]*x[3]>>15 + z[5]*x[4]>>15
	x[5], x[4], x[3], x[2], x[1], x[0] = x[4], x[3], x[2], x[1], x[0], d2
	b.p[1], b.p[0] = b.p[0], p
	b.a = [2]int32{a1, a2}

	// FILTEP, PREDIC
	r2 := clamp16(2 * r)
	sp := clamp16(a1*r2>>15 + a2*b.r>>15)
	b.r = r2
	b.sz = clamp16(sz)
	b.s = clamp16(sp + b.sz)
}

// signed is v, or -v when sign is negative.
func signed(v, sign int32) int32 {
	sign >>= 31
	return (v ^ sign) - sign
}

// pole2 is UPPOL2.
func (b *band) pole2(p int32) int32 {
	wd := clamp16(b.a[0] << 2)
	if p>>15 == b.p[0]>>15 {
		wd = min(-wd, 32767)
	}
	step := int32(-128)
	if p>>15 == b.p[1]>>15 {
		step = 128
	}
	return min(max(step+wd>>7+b.a[1]*32512>>15, -12288), 12288)
}

// pole1 is UPPOL1.
func (b *band) pole1(p, a2 int32) int32 {
	step := int32(-192)
	if p>>15 == b.p[0]>>15 {
		step = 192
	}
	limit := clamp16(15360 - a2)
	return min(max(step+b.a[0]*32640>>15, -limit), limit)
}

func clamp16(v int32) int32 { return min(max(v, -32768), 32767) }

// clamp15 is LIMIT: the sub-bands have 15 bits.
func clamp15(v int32) int32 { return min(max(v, -16384), 16383) }

var (
	// quantLow are the decision levels of the low band (Table 14/G.722, 60 levels).
	quantLow = [30]int32{
		0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339,
		1458, 1612, 1765, 1980, 2195, 2557, 2919,
	}
	// invLow4 and invLow6 are the output levels by the 4 and 6 bits of a low-band code.
	invLow4 = [16]int32{
		0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
	}
	invLow6 = [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
	// invHigh are the output levels of the high band.
	invHigh = [4]int32{-7408, -1616, 7408, 1616}
	// scaleLow and scaleHigh are the steps of the scale's logarithm, by code.
	scaleLow  = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	scaleHigh = [4]int32{798, -214, 798, -214}
	// expTable is 2048 * 2^(i/32).
	expTable = [32]int32{
		2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
	}
)
