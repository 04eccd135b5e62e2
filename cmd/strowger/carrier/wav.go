package carrier

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadWAV reads a mono 16 bit PCM WAV of 8 or 16 kHz as 8 kHz samples.
func ReadWAV(path string) ([]int16, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	samples, err := ParseWAV(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; make one with: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav", path, err)
	}
	return samples, nil
}

var errWAV = errors.New("not a mono 16 bit PCM WAV of 8 or 16 kHz")

// ParseWAV is ReadWAV of a file's content.
func ParseWAV(data []byte) ([]int16, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, errWAV
	}
	rate := uint32(0)
	for rest := data[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:min(len(rest), 8+size)]
		switch id {
		case "fmt ":
			if len(body) < 16 || binary.LittleEndian.Uint16(body) != 1 || binary.LittleEndian.Uint16(body[2:]) != 1 || binary.LittleEndian.Uint16(body[14:]) != 16 {
				return nil, errWAV
			}
			rate = binary.LittleEndian.Uint32(body[4:])
		case "data":
			return narrow(body, rate)
		}
		rest = rest[min(len(rest), 8+size+size%2):]
	}
	return nil, errWAV
}

// narrow turns PCM bytes into 8 kHz samples. From 16 kHz it averages pairs: a telephone's filter would leave no more.
func narrow(body []byte, rate uint32) ([]int16, error) {
	samples := make([]int16, len(body)/2)
	if err := binary.Read(bytes.NewReader(body), binary.LittleEndian, samples); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	switch rate {
	case 8000:
		return samples, nil
	case 16000:
		half := make([]int16, len(samples)/2)
		for i := range half {
			half[i] = int16((int32(samples[2*i]) + int32(samples[2*i+1])) / 2)
		}
		return half, nil
	}
	return nil, errWAV
}

// WriteWAV writes 8 kHz samples as a WAV file.
func WriteWAV(path string, samples []int16) error {
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*len(samples)))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(8000), uint32(16000), uint16(2), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*len(samples)))
	binary.Write(&b, binary.LittleEndian, samples)
	return os.WriteFile(path, b.Bytes(), 0o600)
}
