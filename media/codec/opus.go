package codec

import (
	"fmt"

	"github.com/pion/opus"
)

// OpusRate is the rate, in Hz, of the samples that Opus is coded from and decoded to here: wideband.
const OpusRate = 16000

// OpusDecoder decodes to 16 kHz mono: one of libopus (OpusLibrary.NewDecoder), or one that needs no library and knows no
// forward error correction.
type OpusDecoder struct {
	d       opus.Decoder
	library *libraryDecoder // nil: d
}

// NewOpusDecoder starts a stream without the library.
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
	if d.library != nil {
		return samples[:copy(samples, d.library.decode(payload, want, false))]
	}
	n, err := d.d.DecodeToInt16(payload, samples)
	if err != nil || n > len(samples) {
		return nil
	}
	return samples[:n]
}

// Repair makes, out of the redundancy in a packet, the samples of the one before it, which was lost: as many as the packet
// itself has. nil when there is none, or the decoder knows none.
func (d *OpusDecoder) Repair(samples []int16, payload []byte) []int16 {
	n := OpusSamples(payload)
	if d.library == nil || n == 0 || n > len(samples) || !OpusRedundant(payload) {
		return nil
	}
	return samples[:copy(samples, d.library.decode(payload, n, true))]
}

// Continue fills samples, a multiple of 10 ms, with what may have followed the last packet; nil when the decoder knows no
// concealment, or has decoded nothing yet.
func (d *OpusDecoder) Continue(samples []int16) []int16 {
	if d.library == nil {
		return nil
	}
	return samples[:copy(samples, d.library.decode(nil, len(samples), false))]
}

// OpusRedundant says whether a packet tells something of the one before it: the LBRR flag of its first SILK frame (RFC 6716
// §4.2.3), which follows one flag for each 20 ms. Packets of several frames have it where their first frame is.
func OpusRedundant(payload []byte) bool {
	if len(payload) < 2 || payload[0]>>3 >= 16 || payload[0]&3 != 0 { // CELT knows none; we look into single frames only
		return false
	}
	flags := 1
	if config := payload[0] >> 3; config < 12 {
		flags = max(1, int(config&3)) // 10 and 20 ms have one, 40 ms two, 60 ms three
	}
	return payload[1]>>(7-flags)&1 == 1
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
