package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4/pkg/media/oggwriter"

	"strowger/media/codec"
)

func newTapeSink(o TapeOptions, rate int, opus *codec.OpusLibrary) (tapeSink, error) {
	if o.Opus && opus == nil {
		return nil, errors.New("libopus is not installed: only WAV can be written")
	}
	f, err := os.OpenFile(o.File+partSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	file := tapeFile{f: f, name: o.File}
	if !o.Opus {
		return &wavTape{tapeFile: file, rate: rate}, nil
	}
	return newOggTape(file, rate, opus)
}

// tapeFile is what the formats have in common.
type tapeFile struct {
	f    *os.File
	name string
}

// close gives the file its name, also when the disk was full: what there is is good.
func (t *tapeFile) close(failed bool) error {
	err := completeFile(t.f, t.name)
	if err != nil && failed {
		return nil // the disk has said so already; the name is given at the next start
	}
	return err
}

// wavTape writes 16-bit PCM: at half the rate, and so half the size, when narrow is said. The header is true after each write.
type wavTape struct {
	tapeFile
	rate, size int
	narrow     bool
	down       [tapeChannels]codec.Downsampler
	half       []int16
	buf        []byte
}

// begin says before the first write that nothing above 4 kHz will come.
func (w *wavTape) begin(narrow bool) {
	if narrow {
		w.narrow, w.rate = true, w.rate/2
	}
}

// halve converts pairs to half the rate. Their number is even.
func (w *wavTape) halve(pairs []int16) []int16 {
	n := len(pairs) / tapeChannels
	w.half = slices.Grow(w.half[:0], len(pairs)+2*n)[:len(pairs)+2*n]
	for c := range tapeChannels {
		one, other := w.half[len(pairs):len(pairs)+n], w.half[len(pairs)+n:]
		for i := range one {
			one[i] = pairs[tapeChannels*i+c]
		}
		for i, v := range w.down[c].Convert(other, one) {
			w.half[tapeChannels*i+c] = v
		}
	}
	return w.half[:tapeChannels*(n/2)]
}

func (w *wavTape) write(pairs []int16) error {
	if w.narrow {
		pairs = w.halve(pairs)
	}
	w.buf = w.buf[:0]
	for _, v := range pairs {
		w.buf = binary.LittleEndian.AppendUint16(w.buf, uint16(v))
	}
	if _, err := w.f.WriteAt(w.buf, int64(wavHeaderLen+w.size)); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	w.size += len(w.buf)
	_, err := w.f.WriteAt(wavHeaderOf(tapeChannels, w.rate, w.size), 0)
	return err
}

// oggTape writes Opus in Ogg (RFC 7845). Every packet is a page: a file that is cut off is good up to there.
//
// libopus may code the channels together. Measured with speech at these 48 kbit/s (41 are used), the side that is silent holds
// the other one at -76 dB, at worst -46 dB for 20 ms, and -37 dB while both talk: less than a telephone's own echo. So they are
// not coded apart.
type oggTape struct {
	tapeFile
	enc     *codec.OpusEncoder
	ogg     *oggwriter.OggWriter
	frame   []int16 // 20 ms, as far as it is filled
	payload [1500]byte
	pkt     rtp.Packet
}

// oggLead is the silence, in pairs, that goes before the sound: players leave out the first 80 ms (the writer's pre-skip), of
// which 6.5 ms are the encoder's own delay.
const oggLead = codec.OpusRate*80/1000 - codec.OpusRate*65/10000

func newOggTape(file tapeFile, rate int, opus *codec.OpusLibrary) (*oggTape, error) {
	t := &oggTape{tapeFile: file, frame: make([]int16, 0, tapeChannels*rate/50)}
	var err error
	if t.enc, err = opus.NewStereoEncoder(); err == nil {
		t.ogg, err = oggwriter.NewWith(struct{ io.Writer }{file.f}, uint32(rate), tapeChannels)
	}
	if err != nil {
		_ = file.f.Close()
		_ = os.Remove(file.f.Name())
		return nil, err
	}
	if err := t.write(make([]int16, tapeChannels*oggLead)); err != nil {
		_ = file.f.Close()
		_ = os.Remove(file.f.Name())
		return nil, err
	}
	return t, nil
}

// begin implements tapeSink: Opus adapts to its input.
func (t *oggTape) begin(bool) {}

func (t *oggTape) write(pairs []int16) error {
	for len(pairs) > 0 {
		n := min(cap(t.frame)-len(t.frame), len(pairs))
		t.frame, pairs = append(t.frame, pairs[:n]...), pairs[n:]
		if len(t.frame) < cap(t.frame) {
			break
		}
		t.pkt.Payload = t.enc.Encode(t.payload[:], t.frame)
		t.pkt.SequenceNumber++
		t.pkt.Timestamp += 960
		t.frame = t.frame[:0]
		if err := t.ogg.WriteRTP(&t.pkt); err != nil {
			return fmt.Errorf("write the recording: %w", err)
		}
	}
	return nil
}

func (t *oggTape) close(failed bool) error {
	if !failed { // what is in the encoder still, and less than a packet
		failed = t.write(make([]int16, tapeChannels*codec.OpusRate/50)) != nil
	}
	err := t.ogg.Close() // the last page; the file stays open
	if failed {
		err = nil
	}
	return errors.Join(err, t.tapeFile.close(failed))
}
