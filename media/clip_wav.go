package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"strowger/media/codec"
)

// wavFormat is the fmt chunk of any WAV file.
type wavFormat struct {
	tag      uint16 // 1 PCM, 3 float, 6 A-law, 7 µ-law
	channels int
	rate     int
	bits     int
}

// readAnyWAV reads the sound of a WAV file in whatever form.
func readAnyWAV(r io.Reader, longest time.Duration) (Clip, error) {
	bad := func(what string) (Clip, error) { return Clip{}, fmt.Errorf("%w: %s", ErrClip, what) }
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[8:]) != "WAVE" {
		return bad("a RIFF file, but not WAV")
	}
	var f wavFormat
	for {
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return bad("the WAV file has no data")
		}
		size := int64(binary.LittleEndian.Uint32(head[4:8]))
		switch string(head[:4]) {
		case "fmt ":
			if size < 16 || size > 1000 {
				return bad("the WAV file's format is damaged")
			}
			b := make([]byte, size+size&1)
			if _, err := io.ReadFull(r, b); err != nil {
				return bad("the WAV file is cut off")
			}
			var err error
			if f, err = readWAVFormat(b); err != nil {
				return Clip{}, err
			}
		case "data":
			if f.rate == 0 {
				return bad("the WAV file's data comes before its format")
			}
			return f.read(io.LimitReader(r, size), longest)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return bad("the WAV file has no data")
			}
		}
	}
}

func readWAVFormat(b []byte) (wavFormat, error) {
	le := binary.LittleEndian
	f := wavFormat{tag: le.Uint16(b), channels: int(le.Uint16(b[2:])), rate: int(le.Uint32(b[4:])), bits: int(le.Uint16(b[14:]))}
	if f.tag == 0xfffe && len(b) >= 26 { // extensible: the first octets of the sub-format's GUID
		f.tag = le.Uint16(b[24:])
	}
	known := f.tag == 1 && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32) || f.tag == 3 && f.bits == 32 ||
		(f.tag == 6 || f.tag == 7) && f.bits == 8
	if !known || f.channels < 1 || f.channels > 8 || f.rate < 8000 || f.rate > 192000 {
		return f, fmt.Errorf("%w: WAV of format %d, %d channels, %d bits, %d Hz; use PCM of 16 bits, mono, 16000 Hz",
			ErrClip, f.tag, f.channels, f.bits, f.rate)
	}
	return f, nil
}

// read takes the samples, mixes the channels and converts the rate.
func (f wavFormat) read(r io.Reader, longest time.Duration) (Clip, error) {
	if longest > 0 { // a second more tells a longer file from a fitting one
		most := int64(longest.Seconds()+1) * int64(f.rate*f.channels*f.bits/8)
		r = io.LimitReader(r, most)
	}
	b, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Clip{}, err
	}
	width := f.channels * f.bits / 8
	mono := make([]float32, len(b)/width)
	for i := range mono {
		frame, sum := b[i*width:(i+1)*width], float32(0)
		for c := range f.channels {
			sum += f.sample(frame[c*f.bits/8:])
		}
		mono[i] = sum / float32(f.channels)
	}
	rate := clipRate
	if f.rate == 8000 {
		rate = 8000
	}
	return Clip{resample(mono, f.rate, rate), rate}, nil
}

// sample is one sample of one channel, -1 to 1.
func (f wavFormat) sample(b []byte) float32 {
	le := binary.LittleEndian
	switch {
	case f.tag == 3:
		v := math.Float32frombits(le.Uint32(b))
		if v != v { // not a number
			return 0
		}
		return max(-1, min(1, v))
	case f.tag == 6:
		var v [1]int16
		return float32(codec.DecodeA(v[:], b[:1])[0]) / 32768
	case f.tag == 7:
		var v [1]int16
		return float32(codec.DecodeMu(v[:], b[:1])[0]) / 32768
	case f.bits == 8:
		return (float32(b[0]) - 128) / 128
	case f.bits == 16:
		return float32(int16(le.Uint16(b))) / 32768
	case f.bits == 24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
	}
	return float32(int32(le.Uint32(b))) / (1 << 31)
}
