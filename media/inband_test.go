package media

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"strowger/media/mediatest"
)

// dial makes a key's tones: ms of them, off by so many percent, the column so many dB louder, in 100 ms of noise.
func dial(key byte, ms int, percent, twist, level, noise float64) []int16 {
	i := strings.IndexByte(inbandNames, key)
	r := rand.New(rand.NewPCG(uint64(key), uint64(ms)))
	out := make([]int16, 800+ms*8+800)
	a := 32768 * math.Pow(10, level/20)
	for n := range out {
		v := noise * 32768 * r.NormFloat64()
		if n >= 800 && n < 800+ms*8 {
			t := 2 * math.Pi * float64(n) / 8000 * (1 + percent/100)
			v += a*math.Pow(10, -twist/40)*math.Sin(t*inbandTones[i/4]) + a*math.Pow(10, twist/40)*math.Sin(t*inbandTones[4+i%4])
		}
		out[n] = int16(max(-32768, min(32767, v)))
	}
	return out
}

func detect(samples []int16) (keys string, millis int) {
	var d inbandDetector
	for at := 0; at < len(samples); at += 160 {
		if p := d.take(samples[at:min(at+160, len(samples))]); p.key != 0 {
			keys += string(p.key)
			millis = p.millis
		}
	}
	return keys, millis
}

// TestInbandKeys holds the detector to the limits of Q.24, each key on its own.
func TestInbandKeys(t *testing.T) {
	for _, c := range []struct {
		name                         string
		ms                           int
		percent, twist, level, noise float64
		want                         bool
	}{
		{"plain", 60, 0, 0, -12, 0, true},
		{"shortest", 40, 0, 0, -12, 0, true},
		{"too short", 23, 0, 0, -12, 0, false},
		{"1.5 % high", 60, 1.5, 0, -12, 0, true},
		{"1.5 % low", 60, -1.5, 0, -12, 0, true},
		{"3.5 % high", 60, 3.5, 0, -12, 0, false},
		{"3.5 % low", 60, -3.5, 0, -12, 0, false},
		{"twist 4 dB", 60, 0, 4, -12, 0, true},
		{"twist -6 dB", 60, 0, -6, -12, 0, true},
		{"twist 12 dB", 60, 0, 12, -14, 0, false},
		{"quiet", 60, 0, 0, -31, 0, true},
		{"loud", 60, 0, 0, -6.1, 0, true},
		{"15 dB above noise", 60, 0, 0, -12, 0.045, true},
		{"too quiet", 60, 0, 0, -65, 0, false},
	} {
		for _, key := range []byte(inbandNames) {
			want := ""
			if c.want {
				want = string(key)
			}
			samples := dial(key, c.ms, c.percent, c.twist, c.level, c.noise)
			for shift := 0; shift < inbandBlock; shift += 6 { // wherever the blocks begin
				if got, _ := detect(samples[shift:]); got != want {
					t.Errorf("%s: %q is taken for %q", c.name, key, got)
				}
			}
		}
	}
	if keys, ms := detect(dial('5', 200, 0, 0, -12, 0)); keys != "5" || ms < 175 || ms > 215 {
		t.Errorf("200 ms of 5: %q for %d ms", keys, ms)
	}
	long := append(dial('1', 50, 0, 0, -12, 0)[400:1380], dial('1', 50, 0, 0, -12, 0)[620:]...)
	if keys, _ := detect(long); keys != "11" {
		t.Errorf("1, a pause of 45 ms, and 1 again: %q", keys)
	}
}

// TestInbandTalkOff: an hour of what is like speech has no key in it.
func TestInbandTalkOff(t *testing.T) {
	for seed := range uint64(12) {
		if keys, _ := detect(mediatest.Speech(8000, 8000*300, seed)); keys != "" {
			t.Errorf("speech %d: %q", seed, keys)
		}
	}
}

func BenchmarkInband(b *testing.B) {
	var d inbandDetector
	frame := mediatest.Speech(8000, 160, 1)
	b.ReportAllocs()
	for b.Loop() {
		d.take(frame)
	}
}

// TestInbandLeg: a leg without telephone-event presses by sound, one with it does not.
func TestInbandLeg(t *testing.T) {
	for _, c := range []struct {
		agreed agreement
		want   int
	}{{agreedOn(codecPCMU), 2}, {agreedOn(codecPCMU, codecEvent8), 0}} {
		fakeTime(t, func(t *testing.T, e *Engine) {
			l := newFakeLeg(t, e, Options{}, c.agreed)
			for _, key := range []byte("1#") {
				samples := dial(key, 100, 0, 0, -12, 0)
				for at := 0; at+160 <= len(samples); at += 160 {
					l.says(samples[at : at+160])
				}
			}
			got := l.events.of(Digit)
			if len(got) != c.want || c.want > 0 && (got[0].Digit != '1' || got[1].Digit != '#' || got[0].Relayed) {
				t.Errorf("posted %+v", got)
			}
		})
	}
}
