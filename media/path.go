package media

import (
	"fmt"
	"time"
)

// hop says what becomes of one payload type of a session.
type hop struct {
	codec *codecInfo
	out   *outStream  // nil: nobody hears it
	coder *transcoder // nil: as it is; or else one for all hops of the path
	noise uint8       // payload type of comfort noise there, for the coder; 0 = none
	src   uint32      // our name at out
	clock uint32      // RTP clock there
	recv  uint8       // payload type of what comes
	pt    uint8       // payload type at out
	event bool
	// regen presses the key anew at the other side, whose telephone-event has another clock.
	regen *Session
}

// path is where the packets of a session go, by payload type. It is immutable: a change makes a new one.
type path struct {
	hops     []hop           // the preferred codec, which most packets have, first
	room     [4]hop          // of hops, unless there are more: beside their header, so that the search waits for memory once
	coded    *hop            // a hop with a transcoder: where its packets go; nil: none has
	ptime    int             // of these packets, milliseconds
	listener *listener       // nil: the party is not listened to here
	all      bool            // to every packet, not only those that are transcoded
	inband   *inbandListener // of a party without telephone-event; nil: it has it
	presses  *Session        // who is told of its keys by telephone-event; nil: nobody
	genuine  bool            // the link authenticates packets
}

func (p *path) hop(pt uint8) *hop {
	for i := range p.hops {
		if p.hops[i].recv == pt {
			return &p.hops[i]
		}
	}
	return nil
}

func (p *path) add(pt uint8, h hop) {
	if p.hops == nil {
		p.hops = p.room[:0]
	}
	h.recv = pt
	p.hops = append(p.hops, h)
}

// expects says whether pt was agreed: the link's latch asks before it believes a packet.
func (s *Session) expects(pt uint8) bool { return s.path.Load().hop(pt) != nil }

// received takes one RTP packet from the link, decrypted. The slice may be overwritten during the call and is not kept.
// Calls for one session must not overlap.
func (s *Session) received(pkt []byte) { s.receivedAt(pkt, s.engine.now()) }

func (s *Session) receivedAt(pkt []byte, now time.Duration) {
	h, ok := parseRTP(pkt)
	if !ok {
		return
	}
	p := s.path.Load()
	hop := p.hop(h.pt)
	if hop == nil {
		return
	}
	var keys [2]press
	s.in.mu.Lock()
	quiet := hop.codec == codecNoise
	ok = s.in.accept(h, hop.codec, hop.event || quiet, p.genuine, now)
	if ok && !hop.event && !quiet {
		s.in.sample.take(hop.codec, pkt[h.start:h.end], now)
	}
	if ok && hop.event {
		keys = s.in.keys.take(h, pkt[h.start:h.end], hop.codec.clock, now)
	}
	s.in.mu.Unlock()
	if !ok {
		return
	}
	if hop.event {
		s.pressed(keys[0], hop)
		s.pressed(keys[1], hop)
	} else {
		if p.listener != nil && (p.all || hop.coder != nil) {
			p.listener.take(h, hop.codec, pkt[h.start:h.end], now)
		}
		if p.inband != nil && !quiet {
			s.heardKey(p, p.inband.take(hop.codec, pkt[h.start:h.end]), hop, now)
		}
	}
	switch {
	case hop.out == nil:
	case hop.coder == nil:
		if p.coded != nil && !hop.event {
			p.coded.coder.hush()
		}
		hop.out.relay(hop.src, h, hop.pt, hop.clock, pkt, now)
	case hop.coder.wake():
		s.shard.activate(s)
	}
}

// pressed posts a key and, where its packets cannot pass as they are, presses it at the other side.
func (s *Session) pressed(p press, h *hop) {
	if p.key == 0 {
		return
	}
	relayed := h != nil && h.out != nil
	if h != nil && h.regen != nil {
		relayed = h.regen.SendDigit(p.key, p.millis)
	}
	s.post(Event{Type: Digit, Digit: p.key, Millis: p.millis, Relayed: relayed})
}

// heardKey posts a key that was in the sound, which the other party hears too. One with telephone-event is told by it while
// the key is down, and hears nothing else: to a network behind it, what it heard before and what it makes of the event are
// one press.
func (s *Session) heardKey(p *path, ended press, h *hop, now time.Duration) {
	if p.presses != nil {
		if down := p.inband.detect.down(); down != 0 && p.presses.out.holdKey(down, now) {
			p.presses.shard.activate(p.presses)
		}
		if ended.key != 0 {
			p.presses.out.releaseKey()
		}
	}
	if ended.key != 0 {
		s.post(Event{Type: Digit, Digit: ended.key, Millis: ended.millis, Relayed: h.out != nil, InSound: p.presses == nil})
	}
}

// Bridge joins two sessions both ways, leaving their earlier bridges; nil leaves the bridge, or ends the echo. It fails,
// and changes nothing, when both sides have agreed on codecs and there is no way to turn one's into the other's (Opus and
// no Opus).
func (s *Session) Bridge(other *Session) error {
	e := s.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	switch {
	case s.closed || other != nil && other.closed:
		return ErrClosed
	case other == s:
		return fmt.Errorf("media session %s: cannot be bridged to itself; use Echo", s.opt.ID)
	case other != nil && !s.agreed.meets(other.agreed):
		return fmt.Errorf("media session %s: no codec in common with %s: %s and %s cannot be converted",
			s.opt.ID, other.opt.ID, s.agreed.audio[0].codec.name, other.agreed.audio[0].codec.name)
	}
	left := s.leave()
	s.echo = false
	if other != nil {
		otherLeft := other.leave()
		s.peer, other.peer = other, s
		other.echo = false
		other.rebuild()
		otherLeft.rebuild()
	}
	s.rebuild()
	left.rebuild()
	return nil
}

// leave forgets the bridge, or the mixer, and returns the former peer. Called with topology held.
func (s *Session) leave() *Session {
	s.leaveMixer()
	p := s.peer
	if p != nil {
		s.peer, p.peer = nil, nil
	}
	return p
}

// Echo sends back what the party says, until Bridge. A Play takes its place while it lasts.
func (s *Session) Echo() error {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.closed {
		return ErrClosed
	}
	left := s.leave()
	s.echo = true
	s.rebuild()
	left.rebuild()
	return nil
}

// rebuild makes the path anew from what was agreed and who listens. Called with topology held; nil does nothing.
func (s *Session) rebuild() {
	if s == nil {
		return
	}
	dst := s.peer
	if s.echo {
		dst = s
	}
	p := &path{genuine: s.link.srtp() != "", all: s.recorder != nil || s.lane != nil || s.member != nil}
	coder := s.lastCoder
	if !s.closed {
		for _, f := range s.agreed.audio {
			p.add(f.recv, s.audioHop(f, dst))
		}
		for _, f := range s.agreed.events {
			p.add(f.recv, s.eventHop(f, dst))
		}
		s.addNoise(p, dst)
	}
	if len(s.agreed.audio) > 0 && len(s.agreed.events) == 0 {
		if s.inband == nil {
			s.inband = newInbandListener()
		}
		p.inband = s.inband
		if dst != nil && len(dst.agreed.events) > 0 {
			p.presses = dst
		}
	}
	for i := range p.hops {
		if p.hops[i].coder != nil && p.hops[i].codec != codecNoise {
			p.coded, p.ptime = &p.hops[i], dst.agreed.ptime
			s.shard.activate(s)
		}
	}
	if p.coded == nil && coder != nil {
		s.unlisten(coder.tap)
		s.lastCoder = nil
	}
	if s.member != nil {
		s.member.agreed(s.agreed)
	}
	if p.listener = s.listener; p.listener != nil {
		p.listener.retune(s.listenRate())
	}
	s.path.Store(p)
	s.out.setSource(s.source())
}

// source is who may talk to this party. Called with topology held.
func (s *Session) source() uint32 {
	switch {
	case s.closed:
		return 0
	case s.player != nil:
		return s.player.num
	case s.echo:
		return s.num
	case s.peer != nil:
		return s.peer.num
	case s.member != nil:
		return s.member.num
	}
	return 0
}

func (s *Session) audioHop(f format, dst *Session) hop {
	h := hop{codec: f.codec, src: s.num, clock: f.codec.clock}
	if dst == nil || len(dst.agreed.audio) == 0 {
		return h
	}
	if to, ok := dst.agreed.format(f.codec); ok {
		h.out, h.pt = &dst.out, to.send
		return h
	}
	to, ok := dst.agreed.codable()
	if ok && s.agreed.encodes(f.codec) {
		h.out, h.pt, h.clock, h.coder = &dst.out, to.send, to.codec.clock, s.coder(to.codec)
		if to.codec.clock == codecNoise.clock {
			h.noise = dst.agreed.noise
		}
	}
	return h
}

// addNoise takes comfort noise beside G.711: many send it without having asked. Only who has agreed to it is sent it.
func (s *Session) addNoise(p *path, dst *Session) {
	g711 := p.hop(codecPCMU.payload)
	if g711 == nil {
		g711 = p.hop(codecPCMA.payload)
	}
	if g711 == nil || g711.codec.clock != codecNoise.clock || p.hop(codecNoise.payload) != nil {
		return
	}
	h := hop{codec: codecNoise, src: s.num, clock: codecNoise.clock, coder: g711.coder}
	switch {
	case h.coder != nil:
		h.out, h.pt, h.clock = g711.out, g711.pt, g711.clock
	case dst != nil && dst.agreed.noise != 0 && g711.out != nil:
		h.out, h.pt = g711.out, dst.agreed.noise
	}
	p.add(codecNoise.payload, h)
}

func (s *Session) eventHop(f format, dst *Session) hop {
	h := hop{codec: f.codec, event: true, src: s.num, clock: f.codec.clock}
	if dst == nil || len(dst.agreed.events) == 0 {
		return h
	}
	for _, to := range dst.agreed.events {
		if to.codec == f.codec {
			h.out, h.pt = &dst.out, to.send
			return h
		}
	}
	h.regen = dst
	return h
}

// coder keeps the transcoder to a codec, so that it runs on when the path is rebuilt.
func (s *Session) coder(to *codecInfo) *transcoder {
	if s.lastCoder == nil || s.lastCoder.to != to {
		if s.lastCoder != nil {
			s.unlisten(s.lastCoder.tap)
		}
		s.lastCoder = newTranscoder(to, s.engine.opus, s.listenTo(true))
	}
	return s.lastCoder
}

// format finds a codec in what was agreed.
func (a agreement) format(c *codecInfo) (format, bool) {
	for _, f := range a.audio {
		if f.codec == c {
			return f, true
		}
	}
	return format{}, false
}

// codable is the agreed codec that we would encode: the first that every machine can, or else Opus, which takes ten times
// the work.
func (a agreement) codable() (format, bool) {
	for _, f := range a.audio {
		if f.codec.transcode {
			return f, true
		}
	}
	for _, f := range a.audio {
		if a.encodes(f.codec) {
			return f, true
		}
	}
	return format{}, false
}

// encodes says whether we can encode, and decode, the codec.
func (a agreement) encodes(c *codecInfo) bool { return c.transcode || c == codecOpus && a.opus }

// meets says whether what one party may send can be made audible to the other. Parties that have not agreed on anything
// yet are given the benefit of the doubt.
func (a agreement) meets(b agreement) bool {
	if len(a.audio) == 0 || len(b.audio) == 0 {
		return true
	}
	for _, f := range a.audio {
		if _, ok := b.format(f.codec); ok {
			return true
		}
	}
	_, okA := a.codable()
	_, okB := b.codable()
	return okA && okB
}

// g711 says whether G.711 was agreed, of either law.
func (a agreement) g711() bool {
	_, mu := a.format(codecPCMU)
	_, law := a.format(codecPCMA)
	return mu || law
}
