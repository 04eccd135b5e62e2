package media

import (
	"sync"
	"time"

	"strowger/media/codec"
	"strowger/media/playout"
)

// listener is what a party says, put in order, concealed and decoded once, for all who want to hear it: the transcoder of
// its bridge, the mixer that it is in, recorders. Each has a tap. Frames are made, 20 ms at a time, when the first of them
// asks for one that is due, and are kept until the last may have asked.
//
// A live tap is one behind which somebody waits for an answer; it sets the pace, so that nothing waits for a tick that is not
// its own. While all that listen only write, packets may come late by lag.
//
// When the party changes to a codec of another bandwidth, frames are made at another rate from then on. One that ends in
// silence and one that begins with it lie between.
type listener struct {
	opus *codec.OpusLibrary

	mu         sync.Mutex
	rate       int // of the frames, Hz: 8000 or 16000
	buffer     *playout.Buffer
	before     *playout.Buffer // at another rate, beforeRate: one more frame comes of it; nil: none
	beforeRate int
	softly     bool          // the next sound begins softly
	past       playout.Stats // of former buffers
	next       time.Duration // when the next frame is due; 0 = nobody has listened yet
	made       int64         // frames
	taps       int
	live       int // of them
	frames     [listenerFrames]listenerFrame
}

type listenerFrame struct {
	samples [listenerFrameMax]int16
	rate    int
	kind    playout.Kind
	said    time.Duration // when its beginning came from the party, or would have; 0 = not known
}

const (
	listenerFrames   = 16                     // that are kept: those who fall further behind hear silence
	listenerFrameMax = 16000 / 50             // samples in tickInterval
	listenerSlack    = 5 * time.Millisecond   // a live tap that asks so much too early gets its frame
	listenerLag      = 100 * time.Millisecond // while nobody waits, late packets may come
)

func newListener(rate int, opus *codec.OpusLibrary) *listener {
	l := &listener{rate: rate, opus: opus}
	l.buffer = playout.New(rate, &voice{rate: rate, opus: opus}, listenerLag)
	return l
}

// retune makes frames at another rate as soon as one more has ended the old ones.
func (l *listener) retune(rate int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rate == l.rate {
		return
	}
	if l.before == nil {
		l.before, l.beforeRate = l.buffer, l.rate
	}
	least := listenerLag
	if l.live > 0 {
		least = 0
	}
	l.rate = rate
	l.buffer = playout.New(rate, &voice{rate: rate, opus: l.opus}, least)
}

// take keeps a packet until it is due.
func (l *listener) take(h header, c *codecInfo, payload []byte, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next != 0 && now-l.next > maxCatchUp { // nobody listened for a while
		l.skip(now)
	}
	l.buffer.Push(playoutPacket(h, c, payload, l.rate), now)
}

// stats are the counts of the jitter buffer.
func (l *listener) stats() playout.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.past.Plus(l.buffer.Stats())
}

// skip gives up frames that nobody asked for in time. Called with mu held.
func (l *listener) skip(now time.Duration) {
	missed := int64((now - l.next) / tickInterval)
	for i := range min(missed, listenerFrames) {
		f := &l.frames[(l.made+i)%listenerFrames]
		clear(f.samples[:])
		f.kind, f.said, f.rate = playout.Idle, 0, l.rate
	}
	l.made += missed
	l.next += time.Duration(missed) * tickInterval
	l.buffer.Reset()
}

// produce makes the frames that are due. Called with mu held.
func (l *listener) produce(now time.Duration) {
	if now-l.next > maxCatchUp {
		l.skip(now)
	}
	for l.next <= now {
		l.frame(&l.frames[l.made%listenerFrames])
		l.made++
		l.next += tickInterval
	}
}

// frame makes the next one. Called with mu held.
func (l *listener) frame(f *listenerFrame) {
	b := l.buffer
	f.rate = l.rate
	if l.before != nil {
		b, f.rate = l.before, l.beforeRate
	}
	pcm := f.samples[:f.rate/50]
	f.kind = b.Pull(pcm, l.next)
	f.said = b.Said(l.next+tickInterval) - tickInterval
	switch {
	case l.before != nil:
		ramp(pcm, 1, 0)
		l.past = l.past.Plus(b.Stats())
		l.before, l.softly = nil, true
	case l.softly && f.kind != playout.Idle:
		ramp(pcm[:f.rate/200], 0, 1)
		l.softly = false
	}
}

// ramp changes the gain of samples evenly.
func ramp(samples []int16, from, to float32) {
	step := (to - from) / float32(len(samples))
	for i, v := range samples {
		samples[i] = round16(float32(v) * (from + step*(float32(i)+0.5)))
	}
}

// tap is one who listens. It is used by one goroutine at a time.
type tap struct {
	l     *listener
	live  bool
	begun bool
	at    int64 // number of the next frame

	hertz   int  // rate of the frames that are read
	follows bool // it is that of the frames that are made; else they are converted
	up      *codec.Upsampler
	down    *codec.Downsampler
}

// tap begins to listen now, with the next frame that is made. Every tap must be closed.
func (l *listener) tap(live bool, now time.Duration) *tap {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taps++
	if l.next == 0 {
		l.next = now
	}
	if live {
		l.live++
		l.buffer.SetLeast(0)
	}
	return &tap{l: l, live: live, at: l.made, hertz: l.rate}
}

// close ends it; a second time does nothing.
func (t *tap) close() {
	l := t.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.at < 0 {
		return
	}
	t.at = -1
	l.taps--
	if t.live {
		if l.live--; l.live == 0 {
			l.buffer.SetLeast(listenerLag)
		}
	}
}

// follow makes the tap's rate that of the frames as they are made: it may change with each that is read.
func (t *tap) follow() *tap {
	t.follows = true
	return t
}

// rate is that of the frame that was read last, Hz. It never changes, unless the tap follows.
func (t *tap) rate() int { return t.hertz }

// read fills out with the next frame that is due, tickInterval of samples (out of a tap that follows has room for the most);
// false when there is none yet. One who has not
// asked for longer than frames are kept gets silence for each that is gone; a live one goes on with the newest instead.
func (t *tap) read(out []int16, now time.Duration) (kind playout.Kind, ok bool) {
	kind, _, ok = t.readSaid(out, now)
	return kind, ok
}

// readSaid is read that also tells when the frame's beginning came from the party.
func (t *tap) readSaid(out []int16, now time.Duration) (kind playout.Kind, said time.Duration, ok bool) {
	l := t.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.at < 0 {
		return playout.Idle, 0, false
	}
	if t.live {
		l.align(now, t.begun)
	}
	l.produce(now)
	if t.live && (!t.begun || l.made-t.at > listenerFrames/2) {
		t.at = l.made - 1
	}
	t.begun = true
	switch {
	case t.at >= l.made:
		return playout.Idle, 0, false
	case t.at < l.made-listenerFrames:
		clear(out)
	default:
		f := &l.frames[t.at%listenerFrames]
		t.copy(out, f)
		kind, said = f.kind, f.said
	}
	t.at++
	return kind, said, true
}

// copy gives out a frame at the tap's rate.
func (t *tap) copy(out []int16, f *listenerFrame) {
	pcm := f.samples[:f.rate/50]
	if t.follows {
		t.hertz = f.rate
	}
	switch {
	case f.rate == t.hertz:
		copy(out, pcm)
	case f.rate < t.hertz:
		if t.up == nil {
			t.up = &codec.Upsampler{}
		}
		t.up.Convert(out, pcm)
	default:
		if t.down == nil {
			t.down = &codec.Downsampler{}
		}
		t.down.Convert(out, pcm)
	}
}

// align lets frames be due at the moments at which a live tap asks for them, so that what is made is not kept waiting: when
// it begins, and when it asks a little earlier than before. Called with mu held.
func (l *listener) align(now time.Duration, begun bool) {
	early := l.next - now
	switch {
	case early > 0 && (early <= listenerSlack || !begun), early < 0 && -early < maxCatchUp && !begun && l.taps == 1:
		l.next = now
	}
}

// lag is by how much later than said the frames are at the least.
func (t *tap) lag() time.Duration {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.l.live > 0 {
		return 0
	}
	return listenerLag
}

// ahead makes what waits due: for one who stops, and wants to hear what was said last.
func (t *tap) ahead(now time.Duration) time.Duration { return now + t.lag() }

// listenTo is a tap on what the party says. Called with topology held, and followed by rebuild; so is unlisten.
func (s *Session) listenTo(live bool) *tap {
	if s.listener == nil {
		s.listener = newListener(s.listenRate(), s.engine.opus)
		s.listenSince, _ = s.in.stats()
	}
	return s.listener.tap(live, s.engine.now())
}

// unlisten closes a tap; nil is allowed. The last one takes the listener with it.
func (s *Session) unlisten(t *tap) {
	if t == nil {
		return
	}
	t.close()
	t.l.mu.Lock()
	last := t.l.taps == 0
	t.l.mu.Unlock()
	if last && s.listener == t.l {
		in, _ := s.in.stats()
		s.playedOut.add(t.l, s.listenSince, in)
		s.listener = nil
	}
}

// listenRate is the sampling rate at which the party is heard best: that of the codec which was agreed first.
func (s *Session) listenRate() int {
	if f, ok := s.agreed.best(); ok {
		return f.codec.rate
	}
	return 8000
}

// best is the agreed codec to encode for somebody who listens to several parties: the first that can be.
func (a agreement) best() (format, bool) {
	for _, f := range a.audio {
		if a.encodes(f.codec) {
			return f, true
		}
	}
	if len(a.audio) > 0 {
		return a.audio[0], false
	}
	return format{}, false
}
