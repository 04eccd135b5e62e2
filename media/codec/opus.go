package codec

import (
	"fmt"

	"github.com/pion/opus"
)

// OpusRate is the rate, in Hz, of the samples that Opus is coded from and decoded to here: wideband.
const OpusRate = 16000

// OpusDecoder decodes to 16 kHz mono.
type OpusDecoder struct{ d opus.Decoder }

// NewOpusDecoder starts a stream.
func NewOpusDecoder() (*OpusDecoder, error) {
	d, err := opus.NewDecoderWithOutput(OpusRate, 1)
	if err != nil {
		return nil, fmt.Errorf("opus decoder: %w", err)
	}
	return &OpusDecoder{d: d}, nil
}

// Decode decodes one packet; nil when it is none. samples must have room for 120 ms.
func (d *OpusDecoder) Decode(samples []int16, payload []byte) []int16 {
	want := OpusSamples(payload)
	if want == 0 || want > len(samples) {
		return nil
	}
	n, err := d.d.DecodeToInt16(payload, samples)
	if err != nil || n > len(samples) {
		return nil
	}
	return samples[:n]
}

// OpusSamples is how many samples a packet decodes to at 16 kHz, 0 when it is none (RFC 6716 §3.1, §3.2).
func OpusSamples(payload []byte) int {
	if len(payload) == 0 {
		return 0
	}
	frame := OpusRate / 400 << (payload[0] >> 3 & 3) // CELT: 2.5 to 20 ms
	switch config := payload[0] >> 3; {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		frame = [4]int{OpusRate / 100, OpusRate / 50, OpusRate / 25, OpusRate * 3 / 50}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		frame = OpusRate / 100 << (config & 1)
	}
	switch payload[0] & 3 {
	case 1, 2:
		frame *= 2
	case 3:
		if len(payload) < 2 {
			return 0
		}
		frame *= int(payload[1] & 0x3f)
	}
	if frame > OpusRate*120/1000 {
		return 0
	}
	return frame
}
