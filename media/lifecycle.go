package media

import "time"

// tick does what is due every 20 ms; false when nothing is going on.
func (s *Session) tick(now time.Duration) bool {
	s.engine.topology.Lock()
	pl, rec, lane, agreed := s.player, s.recorder, s.lane, s.agreed
	s.engine.topology.Unlock()
	more := s.out.tickKeys(now)
	if pl != nil && !pl.tick(now, agreed) {
		s.playEnded(pl)
	}
	if rec != nil {
		if why := rec.tick(now); why != "" {
			s.endRecording(rec, why)
		}
	}
	if lane != nil {
		lane.tick(now)
	}
	if p := s.path.Load(); p.coded != nil && p.coded.coder.tick(p.coded, p.ptime, now) {
		more = true
	}
	return more || pl != nil || rec != nil || lane != nil
}

// scan does what is due now and then: reports, keys without an end, silence.
func (s *Session) scan(now time.Duration) {
	s.report(now, false)
	s.watchOver(now)
	s.in.mu.Lock()
	key := s.in.keys.expire(now)
	silent := s.in.silentFor(s.opt.SilenceTimeout, now)
	s.in.mu.Unlock()
	if key.key != 0 {
		var h *hop
		p := s.path.Load()
		for i := range p.hops {
			if p.hops[i].event {
				h = &p.hops[i]
				break
			}
		}
		s.pressed(key, h)
	}
	if silent {
		s.post(Event{Type: Silent})
	}
}

// expect says from when on the party may be missed.
func (in *inStream) expect(talks bool, now time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case !talks:
		in.waitSince = 0
	case in.waitSince == 0:
		in.waitSince, in.silentPosted = max(now, 1), false
	}
}

// silentFor says, once per silence, that nothing came for so long. Called with mu held.
func (in *inStream) silentFor(limit, now time.Duration) bool {
	if limit <= 0 || in.waitSince == 0 || in.silentPosted || now-max(in.lastAt, in.waitSince) < limit {
		return false
	}
	in.silentPosted = true
	return true
}

// SendDigit sends an RFC 4733 event of so many milliseconds (40 to 8000; outside of it, the nearest). Several are sent
// one after another. False when the party negotiated no telephone-event.
func (s *Session) SendDigit(digit byte, millis int) bool {
	if !s.out.sendKey(digit, time.Duration(millis)*time.Millisecond) {
		return false
	}
	s.shard.activate(s)
	return true
}

// Stats are the figures up to now.
func (s *Session) Stats() Stats {
	st := Stats{SRTP: s.link.srtp()}
	var heard *codecInfo
	st.In, heard = s.in.stats()
	st.Out = s.out.stats()
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	switch {
	case heard != nil:
		st.Codec = heard.name
	case len(s.agreed.audio) > 0:
		st.Codec = s.agreed.audio[0].codec.name
	}
	s.rate(&st)
	return st
}

// Close leaves the bridge, says RTCP BYE and frees ports and goroutines. A recording in progress is completed in the
// background; RecordEnded is still posted. Closing twice is allowed.
func (s *Session) Close() {
	e := s.engine
	e.topology.Lock()
	if s.closed {
		e.topology.Unlock()
		return
	}
	s.closed = true
	s.player = nil
	rec := s.recorder
	s.recorder = nil
	s.untape()
	left := s.leave()
	s.rebuild()
	left.rebuild()
	if rec != nil {
		rec.finish("stopped")
	}
	delete(e.sessions, s)
	e.topology.Unlock()

	s.shard.remove(s)
	s.report(e.now(), true)
	s.out.shut()
	s.link.close()
}
