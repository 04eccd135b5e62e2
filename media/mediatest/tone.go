// Package mediatest lets tests hear: each party says a tone of its own, and what the others received is asked for it. It
// has a small RTP party as well, which shares no code with package media but its codecs.
package mediatest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
)

// Tone makes samples of a sine, -10 dBFS.
func Tone(freq float64, rate, n int) []int16 {
	samples := make([]int16, n)
	for i := range samples {
		samples[i] = int16(10362 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return samples
}

// Level is the power of one frequency in the samples, in dBFS (a full-scale sine is 0), by the Goertzel algorithm;
// -120 at the least.
func Level(samples []int16, rate int, freq float64) float64 {
	if len(samples) == 0 {
		return -120
	}
	w := 2 * math.Pi * freq / float64(rate)
	coeff := 2 * math.Cos(w)
	var s1, s2 float64
	for _, v := range samples {
		s1, s2 = float64(v)/32768+coeff*s1-s2, s1
	}
	power := (s1*s1 + s2*s2 - coeff*s1*s2) * 4 / float64(len(samples)) / float64(len(samples))
	return max(-120, 10*math.Log10(power+1e-30))
}

// Loudness is the power of everything in the samples, in dBFS.
func Loudness(samples []int16) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += float64(v) / 32768 * float64(v) / 32768
	}
	return max(-120, 10*math.Log10(2*sum/float64(max(len(samples), 1))+1e-30))
}

// Hears says whether the tone is in the samples: louder than -30 dBFS in a tenth of a second at least.
func Hears(samples []int16, rate int, freq float64) bool {
	window := rate / 10
	for i := 0; i+window <= len(samples); i += window / 2 {
		if Level(samples[i:i+window], rate, freq) > -30 {
			return true
		}
	}
	return false
}

// WhoIsHeard returns the names of the tones that the samples contain.
func WhoIsHeard(samples []int16, rate int, tones map[string]float64) map[string]bool {
	heard := map[string]bool{}
	for name, freq := range tones {
		if Hears(samples, rate, freq) {
			heard[name] = true
		}
	}
	return heard
}

// WriteWAV writes 16-bit mono samples.
func WriteWAV(name string, samples []int16, rate int) error {
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+2*len(samples)))...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*rate))
	b = append(b, "\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, uint32(2*len(samples)))
	for _, v := range samples {
		b = le.AppendUint16(b, uint16(v))
	}
	return os.WriteFile(name, b, 0o600)
}

// ReadWAV reads 16-bit PCM of any rate; of several channels the first.
func ReadWAV(name string) (samples []int16, rate int, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, err
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errors.New(name + ": not a WAV file")
	}
	le := binary.LittleEndian
	channels := 1
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), min(int(le.Uint32(b[4:])), len(b)-8)
		chunk := b[8 : 8+size]
		b = b[min(8+size+size&1, len(b)):]
		switch id {
		case "fmt ":
			if len(chunk) < 16 || le.Uint16(chunk[14:]) != 16 {
				return nil, 0, fmt.Errorf("%s: not 16-bit PCM", name)
			}
			channels, rate = int(le.Uint16(chunk[2:])), int(le.Uint32(chunk[4:]))
		case "data":
			for i := 0; i+2*channels <= len(chunk); i += 2 * channels {
				samples = append(samples, int16(le.Uint16(chunk[i:])))
			}
			return samples, rate, nil
		}
	}
	return nil, 0, errors.New(name + ": no data")
}
