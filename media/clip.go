package media

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"strowger/media/codec"
)

// Clip is a piece of sound outside calls: a prompt, a greeting that somebody uploads, a message to be trimmed or joined.
type Clip struct {
	Samples []int16 // mono
	Rate    int     // 8000 or 16000 Hz
}

// ErrClip is what ReadClip's errors wrap when the sound itself is to blame; their text is for whoever gave it.
var ErrClip = errors.New("unusable sound")

const (
	clipRate     = 16000
	maxClipBytes = 64 << 20
	clipSpeech   = 250 // as speechRMS: below it 20 ms count as silence
)

// Duration of the clip.
func (c Clip) Duration() time.Duration {
	if c.Rate == 0 {
		return 0
	}
	return time.Duration(len(c.Samples)) * time.Second / time.Duration(c.Rate)
}

// ReadClip reads a WAV file (PCM of 8 to 32 bits, float, A-law, µ-law; 8 to 192 kHz; up to 8 channels, which are mixed) or
// Opus in Ogg (RFC 7845), and converts it to what a player takes. Sound beyond longest is an error, 0 = no limit but 64 MB.
func ReadClip(r io.Reader, longest time.Duration) (Clip, error) {
	in := bufio.NewReader(io.LimitReader(r, maxClipBytes+1))
	magic, err := in.Peek(4)
	if err != nil {
		return Clip{}, fmt.Errorf("%w: the file is empty", ErrClip)
	}
	var c Clip
	switch string(magic) {
	case "RIFF":
		c, err = readAnyWAV(in, longest)
	case "OggS":
		c, err = readOggOpus(in, longest)
	default:
		return Clip{}, fmt.Errorf("%w: neither a WAV file nor Opus in Ogg", ErrClip)
	}
	switch {
	case err != nil:
		return Clip{}, err
	case len(c.Samples) == 0:
		return Clip{}, fmt.Errorf("%w: there is no sound in the file", ErrClip)
	}
	return c, tooLong(len(c.Samples), c.Rate, longest)
}

func tooLong(samples, rate int, longest time.Duration) error {
	if longest > 0 && int64(samples) > int64(longest.Seconds()*float64(rate)) {
		return fmt.Errorf("%w: longer than %v", ErrClip, longest)
	}
	return nil
}

// ReadClipFile is ReadClip of a file without a limit of time.
func ReadClipFile(name string) (Clip, error) {
	f, err := os.Open(name)
	if err != nil {
		return Clip{}, err
	}
	defer f.Close()
	c, err := ReadClip(f, 0)
	if err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// WAV is the clip as a WAV file.
func (c Clip) WAV() []byte {
	b := wavHeader(c.Rate, 2*len(c.Samples))
	for _, v := range c.Samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// Write writes the clip as a WAV file for players; it is complete under its name, or not there (temporary name, sync,
// rename).
func (c Clip) Write(name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone after the rename
	if _, err := f.Write(c.WAV()); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// Trimmed is the clip without the silence at both ends, but for margin before what is said and after it. A clip in which
// nothing is said stays as it is.
func (c Clip) Trimmed(margin time.Duration) Clip {
	n := c.Rate / 50
	first, last := -1, -1
	for i := 0; n > 0 && i < len(c.Samples); i += n {
		if rms(c.Samples[i:min(i+n, len(c.Samples))]) > clipSpeech {
			if first < 0 {
				first = i
			}
			last = min(i+n, len(c.Samples))
		}
	}
	if first < 0 {
		return c
	}
	m := int(margin.Seconds() * float64(c.Rate))
	return Clip{c.Samples[max(0, first-m):min(len(c.Samples), last+m)], c.Rate}
}

// Joined is this clip and then the other, at the higher rate of the two.
func (c Clip) Joined(next Clip) Clip {
	rate := max(c.Rate, next.Rate)
	c, next = c.at(rate), next.at(rate)
	return Clip{append(append(make([]int16, 0, len(c.Samples)+len(next.Samples)), c.Samples...), next.Samples...), rate}
}

// at is the clip at 16 kHz when it is to be, else as it is.
func (c Clip) at(rate int) Clip {
	if c.Rate == rate || c.Rate != 8000 || rate != 16000 {
		return c
	}
	var up codec.Upsampler
	return Clip{up.Convert(make([]int16, 2*len(c.Samples)), c.Samples), rate}
}

// resampleTaps of the converter of uploaded sound on each side of a sample.
const resampleTaps = 24

// resample converts between any two rates with a windowed sinc, cut off below the half of the lower rate. It is for files:
// exact, not quick. What has the rate already, as all that we wrote ourselves, comes out as it is.
func resample(in []float32, from, to int) []int16 {
	out := make([]int16, int(int64(len(in))*int64(to)/int64(from)))
	if from == to {
		for i, v := range in {
			out[i] = int16(max(-32768, min(32767, math.Round(float64(v)*32768))))
		}
		return out
	}
	cut := min(1, float64(to)/float64(from)) * 0.94
	reach := float64(resampleTaps) / cut
	weights := make(map[int64][]float64) // by what the place of a sample is behind a whole one; between usual rates there are few
	for i := range out {
		place := int64(i) * int64(from)
		whole, part := int(place/int64(to)), place%int64(to)
		w := weights[part]
		if w == nil {
			w = weightsAt(float64(part)/float64(to), cut, reach)
			if len(weights) < maxWeights {
				weights[part] = w
			}
		}
		sum := 0.0
		first := whole - int(reach)
		for k := max(0, -first); k < len(w) && first+k < len(in); k++ {
			sum += float64(in[first+k]) * w[k]
		}
		out[i] = int16(max(-32768, min(32767, math.Round(sum*32767))))
	}
	return out
}

// maxWeights is how many places are kept: 44.1 kHz and its halves have no more.
const maxWeights = 320

// weightsAt are those of the samples around a place which is part behind a sample, from reach before that one to reach after.
func weightsAt(part, cut, reach float64) []float64 {
	before := int(reach)
	w := make([]float64, 2*before+2)
	for k := range w {
		w[k] = kernel((float64(k-before)-part)*cut) * cut
	}
	return w
}

// kernel is the sinc under a Hann window of resampleTaps on each side.
func kernel(x float64) float64 {
	if math.Abs(x) < 1e-9 {
		return 1
	}
	if math.Abs(x) >= resampleTaps {
		return 0
	}
	return math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/resampleTaps))
}
