package media

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"strowger/media/codec"
	"strowger/media/playout"
)

// TapeOptions of the recording of a call.
type TapeOptions struct {
	ID         string // for logs only: the call's id
	File       string // absolute path; it appears when it is complete, and is called NAME.part until then
	Opus       bool   // Ogg Opus instead of WAV; needs libopus
	MaxSeconds int    // 0 = twelve hours
	// OnEvent is told how it ends, once. It is called from the tape's goroutine: it must not block, and must not call the tape.
	OnEvent func(TapeEvent)
}

// TapeEvent says that the file is complete, or as complete as it could be made.
type TapeEvent struct {
	Seconds float64 // of the file
	Missing float64 // seconds of it that are silent because the disk did not keep up
	Why     string  // stopped | limit | failed
	Err     error   // failed: what the disk said. The file is kept up to there
}

const (
	tapeChannels   = 2
	tapeLimit      = 12 * 60 * 60 // seconds: WAV ends at 4 GiB
	tapeRoom       = 5            // seconds that wait in memory for a slow disk
	tapeMargin     = 600 * time.Millisecond
	tapeFlush      = 250 * time.Millisecond
	tapeAlign      = 8 * time.Millisecond   // the channels stray no further apart,
	upsamplerDelay = 31                     // samples at its output: half of codec.Upsampler's filter
	tapeJump       = 200 * time.Millisecond // or this far while somebody talks, before they are put right
)

// Tape records a call in stereo: the caller left, everybody else right. Both channels follow the clock on the wall: what
// was said at the same time is at the same place of the file, whatever jitter buffer it came through, and pauses are silent.
//
// The shards' clocks bring what the parties said into a ring in memory. A goroutine of the tape's own takes it from there
// to the disk, four times a second, so that the disk holds up nobody and a crash loses less than a second.
type Tape struct {
	e     *Engine
	opt   TapeOptions
	rate  int
	start time.Duration
	sink  tapeSink

	mu      sync.Mutex
	lanes   []*lane
	ring    []int16 // pairs of samples
	base    int64   // the first sample, from the start, that waits in the ring
	missing int64   // samples that found no room
	paused  int64   // what was said from here
	resumed int64   // to here is left out
	end     int64   // where it ends, -1 = it goes on
	why     string

	stop chan struct{}
	once sync.Once
}

// tapeSink is the file. Only the tape's goroutine uses it.
type tapeSink interface {
	// begin comes before the first write: narrow says that all parties speak at 8 kHz.
	begin(narrow bool)
	// write appends pairs of samples. What was written before an error is good.
	write(pairs []int16) error
	// close completes the file; failed says that not everything could be written.
	close(failed bool) error
}

// lane is a party on a tape.
type lane struct {
	t       *Tape
	s       *Session
	channel int

	mu    sync.Mutex
	tap   *tap
	pos   int64 // of the next sample, from the start of the tape
	idle  bool  // nothing was heard last
	up    codec.Upsampler
	down  codec.Downsampler
	frame [listenerFrameMax]int16
	other [2 * listenerFrameMax]int16
}

// NewTape begins a recording with nobody on it. It fails when the file cannot be made, or Opus is asked for where it cannot
// be encoded.
func (e *Engine) NewTape(o TapeOptions) (*Tape, error) {
	if err := os.MkdirAll(filepath.Dir(o.File), 0o700); err != nil {
		return nil, fmt.Errorf("record call %s: %w", o.ID, err)
	}
	sink, err := newTapeSink(o, codec.OpusRate, e.opus)
	if err != nil {
		return nil, fmt.Errorf("record call %s: %w", o.ID, err)
	}
	return e.newTape(o, sink)
}

func (e *Engine) newTape(o TapeOptions, sink tapeSink) (*Tape, error) {
	t := &Tape{e: e, opt: o, rate: codec.OpusRate, sink: sink, end: -1, stop: make(chan struct{})}
	limit := tapeLimit
	if o.MaxSeconds > 0 {
		limit = min(limit, o.MaxSeconds)
	}
	t.ring = make([]int16, tapeChannels*tapeRoom*t.rate)
	e.topology.Lock()
	defer e.topology.Unlock()
	if e.closed {
		return nil, errors.Join(ErrClosed, sink.close(true))
	}
	t.start = e.now()
	e.tapes[t] = struct{}{}
	e.work.Go(func() { t.run(int64(limit * t.rate)) })
	return t, nil
}

// Add records a party: channel 0 is left, 1 is right, where several are mixed. One that is on a tape already changes over.
func (t *Tape) Add(s *Session, channel int) error {
	e := t.e
	e.topology.Lock()
	defer e.topology.Unlock()
	if _, open := e.tapes[t]; s.closed || !open {
		return ErrClosed
	}
	s.untape()
	l := &lane{t: t, s: s, channel: min(max(channel, 0), tapeChannels-1), tap: s.listenTo(false), idle: true}
	l.pos = t.at(e.now())
	s.lane = l
	s.rebuild()
	t.mu.Lock()
	t.lanes = append(t.lanes, l)
	t.mu.Unlock()
	s.shard.activate(s)
	return nil
}

// Remove lets a party go on without being recorded.
func (t *Tape) Remove(s *Session) {
	t.e.topology.Lock()
	defer t.e.topology.Unlock()
	if s.lane != nil && s.lane.t == t {
		s.untape()
		s.rebuild()
	}
}

// untape takes the session from its tape, if it is on one. Called with topology held, and followed by rebuild.
func (s *Session) untape() {
	l := s.lane
	if l == nil {
		return
	}
	s.lane = nil
	l.mu.Lock()
	l.pull(l.tap.ahead(s.engine.now())) // what was said last
	l.mu.Unlock()
	s.unlisten(l.tap)
	l.t.mu.Lock()
	l.t.lanes = slices.DeleteFunc(l.t.lanes, func(o *lane) bool { return o == l })
	l.t.mu.Unlock()
}

// Pause records silence, until it is called with false. The time goes on in the file.
func (t *Tape) Pause(on bool) {
	now := t.at(t.e.now())
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case on && now >= t.resumed:
		t.paused, t.resumed = now, math.MaxInt64
	case !on && t.resumed == math.MaxInt64:
		t.resumed = now
	}
}

// Close completes the file in the background; OnEvent follows. Closing twice is allowed.
func (t *Tape) Close() { t.finish("stopped") }

func (t *Tape) finish(why string) {
	t.once.Do(func() {
		e := t.e
		e.topology.Lock()
		delete(e.tapes, t)
		t.mu.Lock()
		lanes := slices.Clone(t.lanes)
		t.mu.Unlock()
		for _, l := range lanes {
			l.s.untape()
			l.s.rebuild()
		}
		e.topology.Unlock()
		t.mu.Lock()
		t.end, t.why = t.at(e.now()), why
		t.mu.Unlock()
		close(t.stop)
	})
}

// at is the place of a moment in the file.
func (t *Tape) at(now time.Duration) int64 {
	return int64((now-t.start)/time.Microsecond) * int64(t.rate) / 1e6
}

// tick takes what is due from a party. Its shard's clock calls it.
func (l *lane) tick(now time.Duration) {
	l.mu.Lock()
	l.pull(now)
	l.mu.Unlock()
}

// pull takes the frames that are due. Called with mu held.
func (l *lane) pull(until time.Duration) {
	rate := l.tap.rate()
	frame := l.frame[:rate/50]
	for {
		kind, said, ok := l.tap.readSaid(frame, until)
		if !ok {
			return
		}
		samples := l.convert(frame, rate)
		if kind == playout.Idle {
			l.idle = true
		} else {
			at := l.t.at(said)
			if rate < l.t.rate {
				at -= upsamplerDelay
			}
			l.place(at, frame)
			l.t.mix(l.channel, l.pos, samples)
		}
		l.pos += int64(len(samples))
	}
}

// place moves to where the frame belongs, when it is off: at once after a silence, between words otherwise.
func (l *lane) place(want int64, frame []int16) {
	off := want - l.pos
	if off < 0 {
		off = -off
	}
	align, jump := int64(samplesIn(tapeAlign, l.t.rate)), int64(samplesIn(tapeJump, l.t.rate))
	if l.idle || off > jump || off > align && rms(frame) < speechRMS {
		l.pos = want
	}
	l.idle = false
}

func (l *lane) convert(frame []int16, rate int) []int16 {
	switch {
	case rate < l.t.rate:
		return l.up.Convert(l.other[:], frame)
	case rate > l.t.rate:
		return l.down.Convert(l.other[:], frame)
	}
	return frame
}

// mix adds samples to a channel. What comes too late, or finds no room, is left out.
func (t *Tape) mix(channel int, pos int64, samples []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	room := int64(len(t.ring) / tapeChannels)
	if over := pos + int64(len(samples)) - t.base - room; over > 0 {
		over = min(over, int64(len(samples)))
		t.missing += over
		samples = samples[:int64(len(samples))-over]
	}
	if late := t.base - pos; late > 0 {
		late = min(late, int64(len(samples)))
		samples, pos = samples[late:], pos+late
	}
	for i, v := range samples {
		if at := pos + int64(i); at >= t.paused && at < t.resumed {
			continue
		}
		at := &t.ring[(pos+int64(i))%room*tapeChannels+int64(channel)]
		*at = int16(min(max(int32(*at)+int32(v), -32768), 32767))
	}
}

// run is the tape's goroutine.
func (t *Tape) run(limit int64) {
	ticker := time.NewTicker(tapeFlush)
	defer ticker.Stop()
	pairs := make([]int16, tapeChannels*t.rate/2)
	var err error
	written := int64(0)
	for done := false; !done && err == nil; {
		select {
		case <-ticker.C:
		case <-t.stop:
			done = true
		}
		upto := t.at(t.e.now() - tapeMargin)
		if done {
			upto = t.end // it is set before stop is closed
		}
		if written == 0 && upto > 1 {
			t.sink.begin(t.narrow())
		}
		for upto = min(upto, limit) &^ 1; written < upto && err == nil; {
			n := int(min(upto-written, int64(len(pairs)/tapeChannels)))
			t.take(pairs[:tapeChannels*n])
			if err = t.sink.write(pairs[:tapeChannels*n]); err == nil {
				written += int64(n)
			}
		}
		if written == limit {
			t.finish("limit")
			done = true
		}
	}
	t.complete(written, err)
}

// narrow says whether all parties speak at 8 kHz. The file keeps to what holds as it begins: a wideband party who comes later is
// heard in narrowband there.
func (t *Tape) narrow() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lanes) > 0 && !slices.ContainsFunc(t.lanes, func(l *lane) bool { return l.tap.rate() > 8000 })
}

// take moves what is due out of the ring, and makes room.
func (t *Tape) take(pairs []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	room := int64(len(t.ring) / tapeChannels)
	at := int(t.base % room * tapeChannels)
	for done := 0; done < len(pairs); at = 0 {
		n := copy(pairs[done:], t.ring[at:])
		clear(t.ring[at : at+n])
		done += n
	}
	t.base += int64(len(pairs) / tapeChannels)
}

// complete ends the file and says so.
func (t *Tape) complete(written int64, err error) {
	if err != nil {
		t.finish("failed")
	}
	err2 := t.sink.close(err != nil)
	if err == nil {
		err = err2
	}
	t.mu.Lock()
	e := TapeEvent{Seconds: float64(written) / float64(t.rate), Missing: float64(t.missing) / float64(t.rate), Why: t.why, Err: err}
	t.mu.Unlock()
	if err != nil {
		e.Why = "failed"
		t.e.log.Error().Err(err).Str("call_id", t.opt.ID).Str("file", t.opt.File).Msg("the recording of a call ends early: check the data folder's disk; the call goes on")
	}
	if t.opt.OnEvent != nil {
		t.opt.OnEvent(e)
	}
}
