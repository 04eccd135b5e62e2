package media

import (
	"fmt"
	"time"
)

// player sends a sound, packet by packet, on the shard's ticks.
type player struct {
	num     uint32 // names it as a source of packets
	samples []int16
	rate    int
	file    *sound // whose samples these are: held, so that others can share them; nil for tones
	loop    bool
	token   int // the Sound's
	s       *Session

	// Used by the shard's clock alone.
	at    int
	next  time.Duration // when the next packet is due; 0 = not started
	voice *voice
	codec *codecInfo
	h     header
	buf   [headerLen + maxFrame]byte
	frame [maxFrame]int16
}

// maxCatchUp is how late a packet may be and still be sent; what is later is given up, not sent in a burst.
const maxCatchUp = 200 * time.Millisecond

// Play sends a sound instead of what the bridge or the echo would. PlayEnded is posted when it is over; a new Play replaces
// the old one, and Stop ends it, without an event. It begins when SDP has been agreed. It fails when the sound cannot be
// read, or the party can only take codecs that cannot be encoded here (see Terminated).
func (s *Session) Play(sound Sound) error {
	p := &player{num: s.engine.newSource(), loop: sound.Loop, token: sound.Token, s: s}
	if sound.Tone != "" {
		samples, err := toneSamples(sound.Tone)
		if err != nil {
			return s.wrap(err)
		}
		p.samples, p.rate = samples, toneRate
	} else {
		file, err := s.engine.sounds.open(sound.File)
		if err != nil {
			return s.wrap(err)
		}
		p.samples, p.rate, p.file = file.samples, file.rate, file
	}
	if len(p.samples) == 0 {
		p.loop = false
	}
	p.at = int(min(max(sound.From, 0)*float64(p.rate), float64(len(p.samples))))
	e := s.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	if s.closed {
		return ErrClosed
	}
	if _, ok := s.agreed.codable(); !ok && len(s.agreed.audio) > 0 {
		return s.wrap(fmt.Errorf("cannot play in %s; answer with one of %v", s.agreed.audio[0].codec.name, Terminated()))
	}
	s.player = p
	s.rebuild()
	s.shard.activate(s)
	return nil
}

// Stop ends what is playing; the bridge or the echo is heard again.
func (s *Session) Stop() {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.player != nil {
		s.player = nil
		s.rebuild()
	}
}

// playEnded takes a player that came to its end away, unless another has replaced it.
func (s *Session) playEnded(p *player) {
	s.engine.topology.Lock()
	mine := s.player == p
	if mine {
		s.player = nil
		s.rebuild()
	}
	s.engine.topology.Unlock()
	if mine {
		s.post(Event{Type: PlayEnded, Token: p.token})
	}
}

// tick sends what is due; false at the end.
func (p *player) tick(now time.Duration, a agreement) bool {
	f, ok := a.codable()
	if !ok {
		return true // not agreed yet
	}
	if p.next == 0 || now-p.next > maxCatchUp {
		p.next = now
	}
	frame := f.codec.frame(a.ptime)
	for p.next <= now {
		if !p.send(f, frame, now) {
			return false
		}
		p.next += frame
	}
	return true
}

// send makes one packet.
func (p *player) send(f format, length time.Duration, now time.Duration) bool {
	if f.codec != p.codec {
		p.codec, p.voice = f.codec, &voice{rate: p.rate, opus: p.s.engine.opus}
	}
	samples := p.read(p.frame[:min(samplesIn(length, p.rate), maxFrame/2)])
	if samples == nil {
		return false
	}
	payload := p.voice.encode(f.codec, p.buf[headerLen:], samples)
	p.h.start, p.h.end = headerLen, headerLen+len(payload)
	if len(payload) > 0 {
		p.s.out.relay(p.num, p.h, f.send, f.codec.clock, p.buf[:], now)
		p.h.seq++
	}
	p.h.ts += uint32(len(samples)) * f.codec.clock / uint32(p.rate)
	return true
}

// read fills dst, with silence after the end; nil when the end was reached before.
func (p *player) read(dst []int16) []int16 {
	if p.at >= len(p.samples) && !p.loop {
		return nil
	}
	n := 0
	for n < len(dst) {
		c := copy(dst[n:], p.samples[p.at:])
		n, p.at = n+c, p.at+c
		if p.at < len(p.samples) {
			continue
		}
		if !p.loop {
			clear(dst[n:])
			break
		}
		p.at = 0
	}
	return dst
}
