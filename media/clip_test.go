package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// sineWAV is a WAV file of a sine of 1 kHz at half of full scale, one second, in a form.
func sineWAV(tag uint16, channels, rate, bits int) []byte {
	var data []byte
	le := binary.LittleEndian
	for i := range rate {
		v := 0.5 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate))
		for range channels {
			switch {
			case tag == 3:
				data = le.AppendUint32(data, math.Float32bits(float32(v)))
			case bits == 8:
				data = append(data, byte(128+127*v))
			case bits == 16:
				data = le.AppendUint16(data, uint16(int16(32767*v)))
			case bits == 24:
				w := uint32(int32(v * (1 << 23)))
				data = append(data, byte(w), byte(w>>8), byte(w>>16))
			case bits == 32:
				data = le.AppendUint32(data, uint32(int32(v*(1<<31))))
			}
		}
	}
	b := []byte("RIFF\x00\x00\x00\x00WAVELIST\x05\x00\x00\x00extra\x00fmt ")
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, tag)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	return append(le.AppendUint32(b, uint32(len(data))), data...)
}

func TestClipOfAnyWAV(t *testing.T) {
	for _, f := range []struct {
		tag                  uint16
		channels, rate, bits int
		want                 int
	}{
		{1, 1, 8000, 16, 8000}, {1, 1, 16000, 16, 16000}, {1, 2, 44100, 16, 16000}, {1, 2, 48000, 24, 16000},
		{3, 1, 48000, 32, 16000}, {1, 1, 11025, 8, 16000}, {1, 6, 96000, 32, 16000},
	} {
		c, err := ReadClip(bytes.NewReader(sineWAV(f.tag, f.channels, f.rate, f.bits)), 2*time.Second)
		if err != nil || c.Rate != f.want || len(c.Samples) != c.Rate {
			t.Errorf("%+v: %d samples at %d Hz, %v", f, len(c.Samples), c.Rate, err)
			continue
		}
		if snr := sineSNR(c.Samples[200:len(c.Samples)-200], c.Rate); snr < 35 { // 8 bits give 38
			t.Errorf("%+v: the sine comes out with %.0f dB", f, snr)
		}
	}
}

// sineSNR is how far everything but a sine of 1 kHz is below it.
func sineSNR(s []int16, rate int) float64 {
	var re, im, all float64
	n := len(s) / rate * rate
	if n == 0 {
		n = len(s) / (rate / 1000) * (rate / 1000)
	}
	for i, v := range s[:n] {
		x := 2 * math.Pi * 1000 * float64(i) / float64(rate)
		re, im, all = re+float64(v)*math.Cos(x), im+float64(v)*math.Sin(x), all+float64(v)*float64(v)
	}
	signal := 2 * (re*re + im*im) / float64(n)
	return 10 * math.Log10(signal/math.Max(all-signal, 1e-9))
}

// TestClipStaysAsItIs: a message that is read, and written again shorter, has lost nothing.
func TestClipStaysAsItIs(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		c := Clip{Samples: make([]int16, rate), Rate: rate}
		for i := range c.Samples {
			c.Samples[i] = int16(i * 7919)
		}
		if got, err := ReadClip(bytes.NewReader(c.WAV()), 0); err != nil || !slices.Equal(got.Samples, c.Samples) {
			t.Errorf("at %d Hz other samples came out (%v)", rate, err)
		}
	}
}

func TestClipRefusesWhatIsNone(t *testing.T) {
	whole := sineWAV(1, 1, 16000, 16)
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("hello, world"), "RIFF alone": []byte("RIFF"), "no data": whole[:40],
		"MP3": []byte("ID3\x03\x00"), "Ogg, no Opus": append([]byte("OggS\x00\x02"), make([]byte, 40)...),
	} {
		if _, err := ReadClip(bytes.NewReader(b), time.Minute); !errors.Is(err, ErrClip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadClip(bytes.NewReader(whole), time.Second/2); !errors.Is(err, ErrClip) {
		t.Errorf("a second where half of one is allowed: %v", err)
	}
	if c, err := ReadClip(bytes.NewReader(whole[:len(whole)/2]), time.Minute); err != nil || len(c.Samples) < 7000 {
		t.Errorf("half a file: %d samples, %v", len(c.Samples), err)
	}
}

func TestClipOfOpus(t *testing.T) {
	c, err := ReadClipFile(filepath.Join("..", "configs", "prompts", "en", "vm-menu.opus"))
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Duration().Seconds(); c.Rate != 16000 || d < 7.9 || d > 8.0 {
		t.Errorf("%.2f s at %d Hz; opusinfo says 7.95 s", d, c.Rate)
	}
	if level := rms(c.Samples); level < 1000 {
		t.Errorf("it is silent: %.0f", level)
	}
}

func TestClipTrimmedAndJoined(t *testing.T) {
	c := Clip{make([]int16, 16000), 8000} // two seconds
	for i := 4000; i < 8000; i++ {
		c.Samples[i] = int16(8000 * (i&1*2 - 1))
	}
	short := c.Trimmed(100 * time.Millisecond)
	if len(short.Samples) != 4000+1600 || short.Samples[800] == 0 || short.Samples[799] != 0 {
		t.Errorf("trimmed to %d samples", len(short.Samples))
	}
	silent := Clip{make([]int16, 8000), 8000}
	if got := silent.Trimmed(0); len(got.Samples) != 8000 {
		t.Errorf("silence trimmed to %d samples", len(got.Samples))
	}
	both := short.Joined(Clip{make([]int16, 16000), 16000})
	if both.Rate != 16000 || len(both.Samples) != 2*5600+16000 {
		t.Errorf("joined: %d samples at %d Hz", len(both.Samples), both.Rate)
	}
	name := filepath.Join(t.TempDir(), "joined.wav")
	if err := both.Write(name); err != nil {
		t.Fatal(err)
	}
	samples, rate, err := readWAV(name)
	if err != nil || rate != 16000 || len(samples) != len(both.Samples) {
		t.Errorf("read back %d samples at %d Hz, %v", len(samples), rate, err)
	}
	if files, _ := os.ReadDir(filepath.Dir(name)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func FuzzReadClip(f *testing.F) {
	f.Add(sineWAV(1, 1, 8000, 16)[:200])
	f.Add(sineWAV(3, 2, 48000, 32)[:200])
	if b, err := os.ReadFile(filepath.Join("..", "configs", "prompts", "en", "n-1.opus")); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ReadClip(bytes.NewReader(b), time.Second)
		if err == nil && (len(c.Samples) == 0 || len(c.Samples) > c.Rate || c.Rate != 8000 && c.Rate != 16000) {
			t.Errorf("%d samples at %d Hz", len(c.Samples), c.Rate)
		}
	})
}
