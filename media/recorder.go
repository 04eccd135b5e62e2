package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	partSuffix    = ".part"
	flushInterval = 500 * time.Millisecond
	speechRMS     = 250                    // of full scale 32768: -42 dBFS, below it a frame counts as silence
	speechHang    = 200 * time.Millisecond // a shorter pause between words is part of what is said
)

// recorder writes what a party says to a WAV file, in step with the clock on the wall. The shard's clock takes 20 ms at a
// time from the listener; a goroutine of its own writes, twice a second, so that the disk holds up nobody and a crash loses
// half a second.
//
// The file is called NAME.part until it is complete, and its header is true after each write.
type recorder struct {
	s    *Session
	rec  Recording
	rate int
	file *os.File

	mu      sync.Mutex
	tap     *tap
	ignore  int // frames that were said before the recording began
	written int // samples, with those that wait in pending
	loud    int // sample number after the last one of speech
	spoken  int // samples of speech
	pending []int16
	spare   []int16 // the memory of pending while that is being written
	why     string  // why it ends, "" = it goes on
	err     error

	stop chan struct{}
	once sync.Once
}

// Record writes what the party says to a WAV file (16 kHz when G.722 or Opus was agreed first, 8 kHz otherwise) until
// StopRecording, MaxSeconds, or SilenceSeconds without speech; then RecordEnded is posted. A recording in progress is
// completed. It fails when the file cannot be made.
func (s *Session) Record(rec Recording) error {
	if err := os.MkdirAll(filepath.Dir(rec.File), 0o700); err != nil {
		return s.wrap(fmt.Errorf("recording: %w", err))
	}
	e := s.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	if s.closed {
		return ErrClosed
	}
	file, err := os.OpenFile(rec.File+partSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return s.wrap(fmt.Errorf("recording: %w", err))
	}
	if s.recorder != nil {
		s.recorder.finish("stopped")
	}
	tap := s.listenTo(false)
	r := &recorder{s: s, rec: rec, rate: tap.rate(), file: file, tap: tap, stop: make(chan struct{})}
	r.ignore = int(tap.lag() / tickInterval)
	s.recorder = r
	s.rebuild()
	e.work.Go(r.write)
	s.shard.activate(s)
	return nil
}

// StopRecording completes the recording in progress, if any; RecordEnded follows.
func (s *Session) StopRecording() {
	s.engine.topology.Lock()
	r := s.recorder
	s.engine.topology.Unlock()
	if r != nil {
		s.endRecording(r, "stopped")
	}
}

// endRecording detaches the recorder and lets it complete its file.
func (s *Session) endRecording(r *recorder, why string) {
	s.engine.topology.Lock()
	if s.recorder == r {
		s.recorder = nil
		s.rebuild()
	}
	r.finish(why)
	s.engine.topology.Unlock()
}

// finish ends the recording; the first reason counts. Called with topology held.
func (r *recorder) finish(why string) {
	r.once.Do(func() {
		r.mu.Lock()
		if why == "stopped" {
			r.pull(r.tap.ahead(r.s.engine.now())) // what was said last
		}
		r.why = why
		r.mu.Unlock()
		r.s.unlisten(r.tap)
		close(r.stop)
	})
}

// pull takes the frames that are due at a time. Called with mu held.
func (r *recorder) pull(until time.Duration) {
	n := samplesIn(tickInterval, r.rate)
	for r.why == "" {
		r.pending = slices.Grow(r.pending, n)
		frame := r.pending[len(r.pending) : len(r.pending)+n]
		if _, ok := r.tap.read(frame, until); !ok {
			return
		}
		if r.ignore > 0 {
			r.ignore--
			continue
		}
		r.pending = r.pending[:len(r.pending)+n]
		r.written += n
		if rms(frame) > speechRMS {
			r.loud = r.written
		}
		if r.loud > 0 && r.written-r.loud < samplesIn(speechHang, r.rate) {
			r.spoken += n
		}
	}
}

// tick takes what is due, and says why the recording is to end, "" when it goes on.
func (r *recorder) tick(now time.Duration) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pull(now)
	switch {
	case r.err != nil:
		return "failed"
	case r.rec.MaxSeconds > 0 && r.written >= r.rec.MaxSeconds*r.rate:
		return "limit"
	case r.rec.SilenceSeconds > 0 && r.written-r.loud >= r.rec.SilenceSeconds*r.rate:
		return "silence"
	}
	return ""
}

// write is the recorder's goroutine.
func (r *recorder) write() {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	total := 0
	for done := false; !done; {
		select {
		case <-ticker.C:
		case <-r.stop:
			done = true
		}
		n, err := r.flush(total)
		total += n
		if err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			<-r.stop // the next tick sees err and ends it
			done = true
		}
	}
	r.complete(total)
}

// flush writes what waits after total octets, and then the header.
func (r *recorder) flush(total int) (int, error) {
	r.mu.Lock()
	samples := r.pending
	r.pending, r.spare = r.spare[:0], samples
	if limit := r.rec.MaxSeconds * r.rate; limit > 0 {
		samples = samples[:min(len(samples), max(0, limit-total/2))]
	}
	r.mu.Unlock()
	b := make([]byte, 0, 2*len(samples))
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	if n, err := r.file.WriteAt(b, int64(wavHeaderLen+total)); err != nil {
		return n &^ 1, err // the disk is full: a part of it is there
	}
	_, err := r.file.WriteAt(wavHeader(r.rate, total+len(b)), 0)
	return len(b), err
}

// complete syncs and renames the file, and posts the end. A recording that could not be written to its end is completed up to
// there; where even that fails, the file keeps its temporary name.
func (r *recorder) complete(total int) {
	r.mu.Lock()
	why, err, spoken := r.why, r.err, min(r.spoken, total/2)
	r.mu.Unlock()
	if err == nil {
		err = completeFile(r.file, r.rec.File)
	} else {
		_ = r.file.Close()
	}
	if err != nil {
		why = "failed"
		saved, again := recoverFile(r.rec.File+partSuffix, r.rec.File)
		if !saved {
			total, spoken = 0, 0
		}
		r.s.engine.log.Error().Err(errors.Join(err, again)).Str("call_id", r.s.opt.ID).Str("file", r.rec.File).Bool("saved", saved).
			Msg("recording could not be completed (check the data folder's disk): where saved, it is there up to this point, otherwise what was written is kept as .part")
	}
	rate := float64(r.rate)
	r.s.post(Event{Type: RecordEnded, Seconds: float64(total/2) / rate, Speech: float64(spoken) / rate, Why: why})
}

// completeFile makes the file durable and gives it its name: sync, close, rename, sync of the folder.
func completeFile(f *os.File, name string) error {
	err := errors.Join(f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(name+partSuffix, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// RecoverRecordings completes what a crash left behind: every *.part below dir gets its name, and a WAV file a header that
// fits its length. Those without audio are removed. It returns the recovered files. It must not run while recordings are
// being made there.
func RecoverRecordings(dir string) ([]string, error) {
	var found []string
	var failed error
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || !strings.HasSuffix(name, partSuffix) {
			return nil
		}
		final := strings.TrimSuffix(name, partSuffix)
		ok, err := recoverFile(name, final)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("recover %s: %w", name, err))
		} else if ok {
			found = append(found, final)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // nothing was ever recorded
	}
	return found, errors.Join(err, failed)
}

func recoverFile(part, final string) (bool, error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [wavHeaderLen]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || string(head[:4]) != "RIFF" && string(head[:4]) != "OggS" {
		return false, os.Remove(part) // the crash came before the first write
	}
	if string(head[:4]) == "OggS" { // its pages stand for themselves
		return true, completeFile(f, final)
	}
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	rate, channels := int(binary.LittleEndian.Uint32(head[24:])), max(int(binary.LittleEndian.Uint16(head[22:])), 1)
	size := int(info.Size()-wavHeaderLen) / (2 * channels) * 2 * channels
	if size == 0 {
		return false, os.Remove(part)
	}
	if _, err := f.WriteAt(wavHeaderOf(channels, rate, size), 0); err != nil {
		return false, err
	}
	if err := f.Truncate(int64(wavHeaderLen + size)); err != nil {
		return false, err
	}
	return true, completeFile(f, final)
}

func rms(samples []int16) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(samples), 1)))
}
