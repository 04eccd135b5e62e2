package media

import "strowger/media/codec"

// maxFrame is the most samples in one packet that is decoded here: 120 ms at 16 kHz. Longer packets are cut.
const maxFrame = 16 * 120

// voice decodes and encodes one direction of G.711 or G.722 at a fixed sampling rate, with the states and buffers that
// it takes. It is used by one goroutine at a time.
type voice struct {
	rate int // of the samples outside: 8000 or 16000
	dec  *codec.G722Decoder
	enc  *codec.G722Encoder
	up   codec.Upsampler
	down codec.Downsampler
	a, b [2 * maxFrame]int16
}

// decode turns a payload into samples at v.rate; they stay valid until the next call.
func (v *voice) decode(c *codecInfo, payload []byte) []int16 {
	if limit := maxFrame * int(c.clock) / 16000; len(payload) > limit { // one octet per unit of the RTP clock
		payload = payload[:limit]
	}
	var out []int16
	switch c {
	case codecPCMU:
		out = codec.DecodeMu(v.a[:], payload)
	case codecPCMA:
		out = codec.DecodeA(v.a[:], payload)
	case codecG722:
		if v.dec == nil {
			v.dec = codec.NewG722Decoder()
		}
		out = v.dec.Decode(v.a[:], payload)
	default:
		return nil
	}
	return v.convert(v.b[:], out, c.rate, v.rate)
}

// encode turns samples at v.rate into a payload of codec c.
func (v *voice) encode(c *codecInfo, payload []byte, samples []int16) []byte {
	samples = v.convert(v.a[:], samples, v.rate, c.rate)
	switch c {
	case codecPCMU:
		return codec.EncodeMu(payload, samples)
	case codecPCMA:
		return codec.EncodeA(payload, samples)
	case codecG722:
		if v.enc == nil {
			v.enc = codec.NewG722Encoder()
		}
		return v.enc.Encode(payload, samples)
	}
	return nil
}

func (v *voice) convert(buf, samples []int16, from, to int) []int16 {
	switch {
	case from < to:
		return v.up.Convert(buf, samples)
	case from > to:
		return v.down.Convert(buf, samples)
	}
	return samples
}

// transcoder turns the packets of one codec into those of another with the same RTP clock, one for one: sequence numbers
// and timestamps stay, so loss and order are the receiver's to deal with, as they are without us.
type transcoder struct {
	from, to *codecInfo
	in, out  voice
	buf      [headerLen + maxFrame]byte
}

func newTranscoder(from, to *codecInfo) *transcoder {
	rate := max(from.rate, to.rate)
	if from.rate == to.rate {
		rate = from.rate
	}
	return &transcoder{from: from, to: to, in: voice{rate: rate}, out: voice{rate: rate}}
}

// convert returns the packet anew, in memory of the transcoder.
func (t *transcoder) convert(h header, pkt []byte) (header, []byte) {
	samples := t.in.decode(t.from, pkt[h.start:h.end])
	payload := t.out.encode(t.to, t.buf[headerLen:], samples)
	h.start, h.end = headerLen, headerLen+len(payload)
	return h, t.buf[:]
}
