//go:build linux && (amd64 || arm64)

package codec

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// OpusLibrary is the system's libopus (version 1.0 or later), which encodes. The decoder needs none.
type OpusLibrary struct {
	size    func(channels int32) int32
	init    func(state unsafe.Pointer, rate, channels, application int32) int32
	control uintptr
	encode  uintptr
}

// LoadOpus loads libopus at run time. It fails where the library is not installed (Debian: libopus0).
func LoadOpus() (*OpusLibrary, error) {
	handle, err := purego.Dlopen("libopus.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("libopus: %w", err)
	}
	l := &OpusLibrary{}
	var size, start uintptr
	for name, at := range map[string]*uintptr{
		"opus_encoder_get_size": &size, "opus_encoder_init": &start, "opus_encoder_ctl": &l.control, "opus_encode": &l.encode,
	} {
		if *at, err = purego.Dlsym(handle, name); err != nil {
			return nil, fmt.Errorf("libopus: %w", err)
		}
	}
	purego.RegisterFunc(&l.size, size)
	purego.RegisterFunc(&l.init, start)
	return l, nil
}

// OpusEncoder encodes 16 kHz, mono for one party or stereo for a file. Its state is memory of Go's: the library keeps none, and nothing has to
// be freed.
type OpusEncoder struct {
	lib      *OpusLibrary
	channels int
	state    []uint64
}

// From opus_defines.h.
const (
	opusVoIP       = 2048
	opusSetBitrate = 4002
	opusSetEffort  = 4010 // "complexity", 0 to 10
	opusSetFEC     = 4012
	opusSetLoss    = 4014
	opusSetDTX     = 4016
)

// NewEncoder starts a stream of 24 kbit/s, with in-band FEC for 5 % loss and without DTX (RFC 7587 §3.1: fit for speech).
func (l *OpusLibrary) NewEncoder() (*OpusEncoder, error) {
	return l.newEncoder(1, [][2]uintptr{{opusSetBitrate, 24000}, {opusSetEffort, 5}, {opusSetFEC, 1}, {opusSetLoss, 5}, {opusSetDTX, 0}})
}

// NewStereoEncoder starts a stream of 48 kbit/s for files: pairs of samples, without FEC.
func (l *OpusLibrary) NewStereoEncoder() (*OpusEncoder, error) {
	return l.newEncoder(2, [][2]uintptr{{opusSetBitrate, 48000}, {opusSetEffort, 5}, {opusSetDTX, 0}})
}

func (l *OpusLibrary) newEncoder(channels int32, settings [][2]uintptr) (*OpusEncoder, error) {
	n := l.size(channels)
	if n <= 0 {
		return nil, fmt.Errorf("libopus: no encoder for %d channels", channels)
	}
	e := &OpusEncoder{lib: l, channels: int(channels), state: make([]uint64, (n+7)/8)}
	state := unsafe.Pointer(&e.state[0])
	if code := l.init(state, OpusRate, channels, opusVoIP); code != 0 {
		return nil, fmt.Errorf("libopus: the encoder does not start: error %d", code)
	}
	for _, set := range settings {
		if code, _, _ := purego.SyscallN(l.control, uintptr(state), set[0], set[1]); int32(code) != 0 {
			return nil, fmt.Errorf("libopus: setting %d is refused: error %d", set[0], int32(code))
		}
	}
	return e, nil
}

// Encode codes 10, 20, 40 or 60 ms of samples; nil for any other length. payload should have room for 400 octets.
func (e *OpusEncoder) Encode(payload []byte, samples []int16) []byte {
	if len(samples) == 0 || len(payload) == 0 {
		return nil
	}
	n, _, _ := purego.SyscallN(e.lib.encode, uintptr(unsafe.Pointer(&e.state[0])), uintptr(unsafe.Pointer(&samples[0])),
		uintptr(len(samples)/e.channels), uintptr(unsafe.Pointer(&payload[0])), uintptr(len(payload)))
	if int32(n) <= 0 {
		return nil
	}
	return payload[:int32(n)]
}

// Copy makes the encoder go on where another one is.
func (e *OpusEncoder) Copy(from *OpusEncoder) { copy(e.state, from.state) }
