package call

import "slices"

// mixing is a fake Mixer: who is in it, and what they hear.
type mixing struct {
	w       *world
	opt     MixerOptions
	members []*session
	muted   map[*session]bool
	playing Sound
	closed  bool
}

func (w *world) NewMixer(o MixerOptions) (Mixer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &mixing{w: w, opt: o, muted: map[*session]bool{}}
	w.mixers = append(w.mixers, m)
	return m, nil
}

func (m *mixing) Add(s MediaSession, o MemberOptions) error {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	member := s.(*session)
	if b := member.bridged; b != nil {
		member.bridged, b.bridged = nil, nil
	}
	m.w.unmixLocked(member)
	m.members = append(m.members, member)
	m.muted[member] = o.Muted
	return nil
}

func (m *mixing) Remove(s MediaSession) {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.members = slices.DeleteFunc(m.members, func(o *session) bool { return o == s.(*session) })
}

func (m *mixing) Mute(s MediaSession, muted bool) {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.muted[s.(*session)] = muted
}

func (m *mixing) Play(s Sound) error {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.playing = s
	return nil
}

func (m *mixing) Stop() { _ = m.Play(Sound{}) }

func (m *mixing) Close() {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.members, m.closed = nil, true
}

// unmix takes a session out of its mixer.
func (w *world) unmix(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unmixLocked(s)
}

func (w *world) unmixLocked(s *session) {
	for _, m := range w.mixers {
		m.members = slices.DeleteFunc(m.members, func(o *session) bool { return o == s })
	}
}
