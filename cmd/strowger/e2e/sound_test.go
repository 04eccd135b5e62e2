package e2e

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"
)

// writeTone writes a mono 16 bit WAV of one sine, a quarter of full scale.
func writeTone(t *testing.T, path string, rate int, hz float64, d time.Duration) {
	t.Helper()
	n := int(d.Seconds() * float64(rate))
	data := make([]byte, 44+2*n)
	copy(data, "RIFF")
	binary.LittleEndian.PutUint32(data[4:], uint32(36+2*n))
	copy(data[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(data[16:], 16)
	binary.LittleEndian.PutUint16(data[20:], 1)
	binary.LittleEndian.PutUint16(data[22:], 1)
	binary.LittleEndian.PutUint32(data[24:], uint32(rate))
	binary.LittleEndian.PutUint32(data[28:], uint32(2*rate))
	binary.LittleEndian.PutUint16(data[32:], 2)
	binary.LittleEndian.PutUint16(data[34:], 16)
	copy(data[36:], "data")
	binary.LittleEndian.PutUint32(data[40:], uint32(2*n))
	for i := range n {
		v := 8192 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))
		binary.LittleEndian.PutUint16(data[44+2*i:], uint16(int16(v)))
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// readWAV reads a WAV file that may still be growing.
func readWAV(path string) (samples []int16, rate int) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 46 {
		return nil, 0
	}
	rate = int(binary.LittleEndian.Uint32(data[24:]))
	channels := int(binary.LittleEndian.Uint16(data[22:]))
	if channels < 1 { // linphone writes the header when the call is over
		channels, rate = 1, 8000
	}
	for i := 44; i+1 < len(data); i += 2 * channels {
		samples = append(samples, int16(binary.LittleEndian.Uint16(data[i:])))
	}
	return samples, rate
}

// goertzel is the share of the samples' power that stands at hz: near 1 for that pure tone, near 0 without it.
func goertzel(samples []int16, rate int, hz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var s1, s2, power float64
	for _, v := range samples {
		x := float64(v)
		s1, s2 = x+c*s1-s2, s1
		power += x * x
	}
	if power == 0 {
		return 0
	}
	return (s1*s1 + s2*s2 - c*s1*s2) / power / float64(len(samples)) * 2
}

// carries reports whether these samples end in 400 ms of the tone, loud enough to be heard.
func carries(samples []int16, rate int, hz float64) bool {
	n := rate * 2 / 5
	if rate == 0 || len(samples) < n {
		return false
	}
	tail := samples[len(samples)-n:]
	var power float64
	for _, v := range tail {
		power += float64(v) * float64(v)
	}
	return math.Sqrt(power/float64(n)) > 300 && goertzel(tail, rate, hz) > 0.7
}

// silent reports whether these samples end in 400 ms without sound.
func silent(samples []int16, rate int) bool {
	n := rate * 2 / 5
	if rate == 0 || len(samples) < n {
		return false
	}
	for _, v := range samples[len(samples)-n:] {
		if v > 200 || v < -200 {
			return false
		}
	}
	return true
}

// wavHears waits until a growing recording ends in the tone.
func wavHears(t *testing.T, who string, file func() string, hz float64) {
	t.Helper()
	eventually(t, who+" should hear its peer's tone", 12*time.Second, func() bool {
		samples, rate := readWAV(file())
		return carries(samples, rate, hz)
	})
}
