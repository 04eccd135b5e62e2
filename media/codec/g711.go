// Package codec turns samples into the payloads of the telephone's codecs and back: G.711 (ITU-T G.711), G.722
// (ITU-T G.722 at 64 kbit/s), and conversion between their sampling rates. Everything works on 16-bit linear samples and
// on memory of the caller; nothing here knows RTP, time or loss.
package codec

// G.711 by table: both directions are exact for every value, because the tables are made from the definition.
//
// The Recommendation defines µ-law on 14-bit and A-law on 13-bit samples; as in its reference software (G.191), 16-bit
// samples are taken as those with the low bits cut off, and the sign's magnitude is that of the one's complement.
var (
	muDecode = table(new([256]int16), func(i int) int16 { return expandMu(uint8(i)) })
	aDecode  = table(new([256]int16), func(i int) int16 { return expandA(uint8(i)) })
	muEncode = muEncodeTable() // by sample >> 2
	aEncode  = aEncodeTable()  // by sample >> 4
)

func table(t *[256]int16, f func(int) int16) *[256]int16 {
	for i := range t {
		t[i] = f(i)
	}
	return t
}

func muEncodeTable() *[1 << 14]uint8 {
	t := new([1 << 14]uint8)
	for i := range t {
		t[i] = compressMu(int16(i << 2))
	}
	return t
}

func aEncodeTable() *[1 << 12]uint8 {
	t := new([1 << 12]uint8)
	for i := range t {
		t[i] = compressA(int16(i << 4))
	}
	return t
}

// DecodeMu expands PCMU into samples, which must have room for len(payload).
func DecodeMu(samples []int16, payload []byte) []int16 {
	samples = samples[:len(payload)]
	for i, b := range payload {
		samples[i] = muDecode[b]
	}
	return samples
}

// DecodeA expands PCMA.
func DecodeA(samples []int16, payload []byte) []int16 {
	samples = samples[:len(payload)]
	for i, b := range payload {
		samples[i] = aDecode[b]
	}
	return samples
}

// EncodeMu compresses samples to PCMU in payload, which must have room for len(samples).
func EncodeMu(payload []byte, samples []int16) []byte {
	payload = payload[:len(samples)]
	for i, s := range samples {
		payload[i] = muEncode[uint16(s)>>2]
	}
	return payload
}

// EncodeA compresses samples to PCMA.
func EncodeA(payload []byte, samples []int16) []byte {
	payload = payload[:len(samples)]
	for i, s := range samples {
		payload[i] = aEncode[uint16(s)>>4]
	}
	return payload
}

// compressMu: sign, 3 bits of segment, 4 bits of step, all inverted; a bias of 33 (on the 14-bit scale) makes every
// segment twice the one before it.
func compressMu(s int16) uint8 {
	v := int(s) >> 2
	sign := uint8(0x80)
	if v < 0 {
		v, sign = ^v, 0
	}
	v = min(v+33, 0x1fff)
	segment := 0
	for v>>(segment+6) != 0 {
		segment++
	}
	step := v >> (segment + 1) & 0x0f
	return sign | (^uint8(segment<<4|step) & 0x7f)
}

func expandMu(b uint8) int16 {
	b = ^b
	segment, step := int(b>>4&7), int(b&0x0f)
	v := (step<<1+33)<<segment - 33
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v << 2)
}

// compressA: sign, segment and step with the even bits inverted; the first two segments have the same step.
func compressA(s int16) uint8 {
	v := int(s) >> 4
	sign := uint8(0x80)
	if v < 0 {
		v, sign = ^v, 0
	}
	out := v
	if v > 15 {
		segment := 1
		for v > 16+15 {
			v >>= 1
			segment++
		}
		out = segment<<4 | (v - 16)
	}
	return (sign | uint8(out)) ^ 0x55
}

func expandA(b uint8) int16 {
	b ^= 0x55
	segment, step := int(b>>4&7), int(b&0x0f)
	v := step<<1 + 1
	if segment > 0 {
		v = (v + 32) << (segment - 1)
	}
	v <<= 3
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
