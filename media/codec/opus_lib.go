//go:build linux && (amd64 || arm64)

package codec

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// OpusLibrary is the system's libopus (version 1.0 or later), which encodes, and decodes what forward error correction has
// kept of lost packets.
type OpusLibrary struct {
	Settings OpusSettings // for those who do not choose their own

	size    func(channels int32) int32
	init    func(state unsafe.Pointer, rate, channels, application int32) int32
	control uintptr
	encode  uintptr

	decoderSize func(channels int32) int32
	decoderInit func(state unsafe.Pointer, rate, channels int32) int32
	decode      uintptr
}

// LoadOpus loads libopus at run time. It fails where the library is not installed (Debian: libopus0).
func LoadOpus() (*OpusLibrary, error) {
	handle, err := purego.Dlopen("libopus.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("libopus: %w", err)
	}
	l := &OpusLibrary{}
	var size, start, decoderSize, decoderInit uintptr
	for name, at := range map[string]*uintptr{
		"opus_encoder_get_size": &size, "opus_encoder_init": &start, "opus_encoder_ctl": &l.control, "opus_encode": &l.encode,
		"opus_decoder_get_size": &decoderSize, "opus_decoder_init": &decoderInit, "opus_decode": &l.decode,
	} {
		if *at, err = purego.Dlsym(handle, name); err != nil {
			return nil, fmt.Errorf("libopus: %w", err)
		}
	}
	purego.RegisterFunc(&l.size, size)
	purego.RegisterFunc(&l.init, start)
	purego.RegisterFunc(&l.decoderSize, decoderSize)
	purego.RegisterFunc(&l.decoderInit, decoderInit)
	return l, nil
}

// maxOpus is the longest packet that an encoder makes here, octets: more than 60 ms ever take.
const maxOpus = 1275

// OpusEncoder encodes 16 kHz, mono for one party or stereo for a file. Its state is memory of Go's: the library keeps none,
// and nothing has to be freed. What the library reads and writes lies in it too, where nothing moves.
type OpusEncoder struct {
	lib      *OpusLibrary
	channels int
	state    []uint64
	in       [2 * OpusRate * 60 / 1000]int16
	out      [maxOpus]byte
	args     [5]uintptr
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

// OpusSettings of an encoder. The zero value is what speech on a good network wants.
type OpusSettings struct {
	Bitrate int  // bit/s, 6000 to 64000; 0 = 24000, or 32000 with FEC
	FEC     bool // in-band forward error correction: a quarter of the bits, and a packet's delay where it is used
	DTX     bool // next to nothing is sent while nothing is said
}

// NewEncoder starts a stream (RFC 7587 §3.1).
func (l *OpusLibrary) NewEncoder(o OpusSettings) (*OpusEncoder, error) {
	if o.Bitrate == 0 {
		o.Bitrate = 24000
		if o.FEC {
			o.Bitrate = 32000 // below, there is no room for it
		}
	}
	settings := [][2]uintptr{{opusSetBitrate, uintptr(o.Bitrate)}, {opusSetEffort, 5}, {opusSetFEC, flag(o.FEC)}, {opusSetDTX, flag(o.DTX)}}
	if o.FEC {
		settings = append(settings, [2]uintptr{opusSetLoss, 5})
	}
	return l.newEncoder(1, settings)
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

func flag(on bool) uintptr {
	if on {
		return 1
	}
	return 0
}

// Encode codes 10, 20, 40 or 60 ms of samples; nil for any other length. payload should have room for 400 octets.
func (e *OpusEncoder) Encode(payload []byte, samples []int16) []byte {
	if len(samples) == 0 || len(payload) == 0 || len(samples) > len(e.in) {
		return nil
	}
	copy(e.in[:], samples)
	e.args = [5]uintptr{uintptr(unsafe.Pointer(&e.state[0])), uintptr(unsafe.Pointer(&e.in[0])), uintptr(len(samples) / e.channels),
		uintptr(unsafe.Pointer(&e.out[0])), uintptr(min(len(payload), len(e.out)))}
	n, _, _ := purego.SyscallN(e.lib.encode, e.args[:]...)
	runtime.KeepAlive(e)
	if int32(n) <= 0 {
		return nil
	}
	return payload[:copy(payload, e.out[:int32(n)])]
}

// Copy makes the encoder go on where another one is.
func (e *OpusEncoder) Copy(from *OpusEncoder) { copy(e.state, from.state) }

// libraryDecoder is a decoder of the library. What it reads and writes lies in it, where nothing moves.
type libraryDecoder struct {
	lib   *OpusLibrary
	state []uint64
	in    [maxOpusPacket]byte
	out   [OpusRate * 120 / 1000]int16
	args  [6]uintptr
}

// maxOpusPacket is the longest packet that is decoded, octets: 120 ms at the highest bitrate would be six times as long.
const maxOpusPacket = 2048

// NewDecoder starts a stream.
func (l *OpusLibrary) NewDecoder() (*OpusDecoder, error) {
	n := l.decoderSize(1)
	if n <= 0 {
		return nil, fmt.Errorf("libopus: no decoder for one channel")
	}
	d := &libraryDecoder{lib: l, state: make([]uint64, (n+7)/8)}
	if code := l.decoderInit(unsafe.Pointer(&d.state[0]), OpusRate, 1); code != 0 {
		return nil, fmt.Errorf("libopus: the decoder does not start: error %d", code)
	}
	return &OpusDecoder{library: d}, nil
}

// decode decodes a packet to n samples, or, with fec, what it tells of the n samples before it. Without a packet it makes up
// n samples. nil when it cannot.
func (d *libraryDecoder) decode(payload []byte, n int, fec bool) []int16 {
	if len(payload) > len(d.in) || n == 0 || n > len(d.out) {
		return nil
	}
	in := uintptr(0)
	if copy(d.in[:], payload) > 0 {
		in = uintptr(unsafe.Pointer(&d.in[0]))
	}
	d.args = [6]uintptr{uintptr(unsafe.Pointer(&d.state[0])), in, uintptr(len(payload)), uintptr(unsafe.Pointer(&d.out[0])), uintptr(n), flag(fec)}
	got, _, _ := purego.SyscallN(d.lib.decode, d.args[:]...)
	runtime.KeepAlive(d)
	if int32(got) <= 0 || int(int32(got)) > n {
		return nil
	}
	return d.out[:int32(got)]
}
