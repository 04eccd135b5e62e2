package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// WAV files: RIFF, 16-bit PCM, mono, 8 or 16 kHz.

const (
	wavHeaderLen = 44
	wavMaxSize   = 64 << 20 // half an hour at 16 kHz
)

// wavHeader describes size octets of samples, of one channel.
func wavHeader(rate, size int) []byte { return wavHeaderOf(1, rate, size) }

func wavHeaderOf(channels, rate, size int) []byte {
	b := make([]byte, 0, wavHeaderLen)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(wavHeaderLen-8+size))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*channels*rate))
	b = le.AppendUint16(b, uint16(2*channels)) // octets per sample of all channels
	b = le.AppendUint16(b, 16)                 // bits
	b = append(b, "data"...)
	return le.AppendUint32(b, uint32(size))
}

// readWAV loads a file. Errors say what the file is and what it should be.
func readWAV(name string) (samples []int16, rate int, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, fmt.Errorf("sound: %w", err)
	}
	if info.Size() > wavMaxSize {
		return nil, 0, fmt.Errorf("sound %s: %d bytes, more than %d", name, info.Size(), wavMaxSize)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, fmt.Errorf("sound: %w", err)
	}
	if samples, rate, err = parseWAV(b); err != nil {
		return nil, 0, fmt.Errorf("sound %s: %w", name, err)
	}
	return samples, rate, nil
}

func parseWAV(b []byte) ([]int16, int, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errors.New("not a WAV file")
	}
	rate := 0
	for b = b[12:]; len(b) >= 8; {
		name, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		size = min(size, len(b)) // a file that was cut off, or is still being written
		switch name {
		case "fmt ":
			var err error
			if rate, err = parseWAVFormat(b[:size]); err != nil {
				return nil, 0, err
			}
		case "data":
			if rate == 0 {
				return nil, 0, errors.New("WAV without a fmt chunk before its data")
			}
			samples := make([]int16, size/2)
			for i := range samples {
				samples[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
			}
			return samples, rate, nil
		}
		b = b[min(size+size&1, len(b)):]
	}
	return nil, 0, errors.New("WAV without data")
}

func parseWAVFormat(b []byte) (rate int, err error) {
	if len(b) < 16 {
		return 0, errors.New("WAV with a short fmt chunk")
	}
	le := binary.LittleEndian
	format, channels, rate, bits := le.Uint16(b), le.Uint16(b[2:]), int(le.Uint32(b[4:])), le.Uint16(b[14:])
	if format != 1 && format != 0xfffe || channels != 1 || bits != 16 || rate != 8000 && rate != 16000 {
		return 0, fmt.Errorf("WAV of format %d, %d channels, %d bits, %d Hz; want 16-bit PCM, mono, 8000 or 16000 Hz",
			format, channels, bits, rate)
	}
	return rate, nil
}
