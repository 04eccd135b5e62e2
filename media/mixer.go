package media

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// MixerOptions of a new mixer.
type MixerOptions struct {
	ID    string // for logs only: the call's id, or the room's
	Tones bool   // all hear a tone when somebody joins or leaves
	// OnEvent is told what happens. It is called from the mixer's goroutine: it must not block, and must not call the mixer.
	OnEvent func(MixerEvent)
}

// MemberOptions of one party in a mixer.
type MemberOptions struct {
	Member int  // names it in events
	Muted  bool // it is not heard
	Quiet  bool // no tone when it joins or leaves
}

// MixerEventType says what happened in a mixer.
type MixerEventType int

// The events of a mixer.
const (
	Speaking       MixerEventType = iota // a member began to talk, muted or not
	Quiet                                // it has said nothing for a second
	MixerPlayEnded                       // a Play without Loop came to its end
)

// MixerEvent is posted by OnEvent.
type MixerEvent struct {
	Type   MixerEventType
	Member int // Speaking, Quiet
	Token  int // MixerPlayEnded: the Sound's
}

// Mixer is a conference: each member hears the sum of the others and never itself, those with a wideband codec the others'
// wideband. One goroutine takes 20 ms of each member at a time, whatever their packets do: a member that loses packets, or
// all of them, disturbs nobody.
//
//	listener ─ level ─┬─ sum, per sampling rate ─ minus itself ─ limiter ─ encoder ─ outStream
//	                  └─ of all members
//
// Members that say nothing hear all the same: they share a limiter and an encoder. Its methods may be called from any
// goroutine and do not block.
type Mixer struct {
	engine *Engine
	opt    MixerOptions
	stop   chan struct{}
	closed bool // guarded by engine.topology

	mu      sync.Mutex // taken after engine.topology
	members []*member  // never changed in place
	playing *announcement
	tones   []*announcement // that begin with the next frame

	mix mix // the goroutine's
}

// announcement is a sound that all members hear.
type announcement struct {
	samples []int16
	rate    int
	file    *sound // whose samples these are
	loop    bool
	token   int
	at      int // the goroutine's
}

// NewMixer makes a mixer without members.
func (e *Engine) NewMixer(opt MixerOptions) (*Mixer, error) {
	e.topology.Lock()
	defer e.topology.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	m := &Mixer{engine: e, opt: opt, stop: make(chan struct{})}
	e.mixers[m] = struct{}{}
	e.work.Go(m.run)
	return m, nil
}

// Close lets all members leave; the sessions stay open. Closing twice is allowed.
func (m *Mixer) Close() {
	e := m.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	delete(e.mixers, m)
	close(m.stop)
	m.mu.Lock()
	list := m.members
	m.members, m.playing, m.tones = nil, nil, nil
	m.mu.Unlock()
	for _, mem := range list {
		if mem.s.member == mem {
			mem.s.member = nil
		}
		mem.leave()
	}
}

// Add lets a session join; it leaves its bridge, echo or earlier mixer. What it plays it hears alone, instead of the others,
// who hear it meanwhile. Adding a member again changes its options. It fails when session or mixer are closed, or the
// party has only codecs that cannot be encoded here.
func (m *Mixer) Add(s *Session, o MemberOptions) error {
	e := m.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	if m.closed || s.closed {
		return ErrClosed
	}
	if _, ok := s.agreed.best(); !ok && len(s.agreed.audio) > 0 {
		return s.wrap(fmt.Errorf("cannot join a conference in %s; answer with one of %v", s.agreed.audio[0].codec.name, Terminated()))
	}
	if mem := s.member; mem != nil && mem.mixer == m {
		mem.id.Store(int64(o.Member))
		mem.muted.Store(o.Muted)
		return nil
	}
	left := s.leave()
	s.echo = false
	s.member = newMember(m, s, o)
	s.rebuild()
	left.rebuild()
	m.mu.Lock()
	m.members = append(slices.Clone(m.members), s.member)
	m.mu.Unlock()
	m.tone("join", o.Quiet)
	return nil
}

// Remove lets a member leave; a session that is none is left alone. One that is closed, or bridged to another, leaves by
// itself.
func (m *Mixer) Remove(s *Session) {
	m.engine.topology.Lock()
	defer m.engine.topology.Unlock()
	if s.member != nil && s.member.mixer == m {
		s.leaveMixer()
		s.rebuild()
	}
}

// leaveMixer begins the end of a membership: the mixer's goroutine fades it out. Called with topology held.
func (s *Session) leaveMixer() {
	mem := s.member
	if mem == nil {
		return
	}
	s.member = nil
	mem.gone.Store(true)
	mem.mixer.tone("leave", mem.quiet)
}

// forget takes those who are faded out off the list. It is called by the mixer's goroutine.
func (m *Mixer) forget(gone []*member) {
	m.engine.topology.Lock()
	defer m.engine.topology.Unlock()
	m.mu.Lock()
	m.members = slices.DeleteFunc(slices.Clone(m.members), func(mem *member) bool { return slices.Contains(gone, mem) })
	m.mu.Unlock()
	for _, mem := range gone {
		mem.leave()
	}
}

// Mute stops, or lets pass again, what a member says.
func (m *Mixer) Mute(s *Session, muted bool) {
	m.engine.topology.Lock()
	defer m.engine.topology.Unlock()
	if s.member != nil && s.member.mixer == m {
		s.member.muted.Store(muted)
	}
}

// Play lets all members hear a sound, over what is said. MixerPlayEnded is posted when it is over; a new Play replaces the
// old one. It fails when the sound cannot be read.
func (m *Mixer) Play(sound Sound) error {
	a, err := m.engine.announcement(sound)
	if err != nil {
		return fmt.Errorf("conference %s: %w", m.opt.ID, err)
	}
	m.mu.Lock()
	m.playing = a
	m.mu.Unlock()
	return nil
}

// Stop ends what is playing, without an event.
func (m *Mixer) Stop() {
	m.mu.Lock()
	m.playing = nil
	m.mu.Unlock()
}

// tone lets all members hear that somebody came or went.
func (m *Mixer) tone(name string, quiet bool) {
	if !m.opt.Tones || quiet {
		return
	}
	if a, err := m.engine.announcement(Sound{Tone: name}); err == nil {
		m.mu.Lock()
		m.tones = append(m.tones, a)
		m.mu.Unlock()
	}
}

// announcement opens a sound.
func (e *Engine) announcement(s Sound) (*announcement, error) {
	a := &announcement{loop: s.Loop, token: s.Token}
	if s.Tone != "" {
		samples, err := toneSamples(s.Tone)
		if err != nil {
			return nil, err
		}
		a.samples, a.rate = samples, toneRate
	} else {
		file, err := e.sounds.open(s.File)
		if err != nil {
			return nil, err
		}
		a.samples, a.rate, a.file = file.samples, file.rate, file
	}
	if len(a.samples) == 0 {
		a.loop = false
	}
	return a, nil
}

// run is the mixer's goroutine: a frame every 20 ms. What it could not do in time it catches up with, or gives up.
func (m *Mixer) run() {
	due := m.engine.now() + tickInterval
	timer := time.NewTimer(tickInterval)
	defer timer.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-timer.C:
		}
		now := m.engine.now()
		if now-due > maxCatchUp {
			due = now
		}
		for due <= now {
			m.frame(due, now)
			due += tickInterval
		}
		timer.Reset(due - m.engine.now())
	}
}
