package media

import "fmt"

// Offer makes a local offer with these codecs in this order (nil = all; unknown names are left out). A second Offer makes
// the offer of a re-INVITE.
func (s *Session) Offer(codecs []string) ([]byte, error) {
	s.nego.Lock()
	defer s.nego.Unlock()
	sdp, err := s.link.offer(codecsByName(codecs))
	return sdp, s.wrap(err)
}

// RemoteOffer takes the peer's offer and returns the codecs that both sides have, in the peer's order. The error names
// what in the SDP is wrong.
func (s *Session) RemoteOffer(sdp []byte) ([]string, error) {
	s.nego.Lock()
	defer s.nego.Unlock()
	common, err := s.link.remoteOffer(sdp)
	if err != nil {
		return nil, s.wrap(err)
	}
	return codecNames(common), nil
}

// Answer answers the last RemoteOffer with those of codecs that it had (nil = all common ones, in the peer's order),
// first one preferred.
func (s *Session) Answer(codecs []string) ([]byte, error) {
	s.nego.Lock()
	defer s.nego.Unlock()
	list := codecsByName(codecs)
	if codecs == nil {
		list = nil
	}
	sdp, a, err := s.link.answer(list)
	if err != nil {
		return nil, s.wrap(err)
	}
	return sdp, s.agree(a)
}

// RemoteAnswer takes the peer's answer to our Offer and returns the negotiated codecs, the peer's preference first. It may
// be called again for the same offer, with the answer of another fork or of the final response.
func (s *Session) RemoteAnswer(sdp []byte) ([]string, error) {
	s.nego.Lock()
	defer s.nego.Unlock()
	a, err := s.link.remoteAnswer(sdp)
	if err != nil {
		return nil, s.wrap(err)
	}
	names := make([]string, len(a.audio))
	for i, f := range a.audio {
		names[i] = f.codec.name
	}
	return names, s.agree(a)
}

// RemoteDirection is what the peer's last SDP says of itself: sendrecv, sendonly, recvonly or inactive (also for
// c=0.0.0.0).
func (s *Session) RemoteDirection() string {
	s.nego.Lock()
	defer s.nego.Unlock()
	return s.link.remoteDirection()
}

// agree puts an agreement into force.
func (s *Session) agree(a agreement) error {
	now := s.engine.now()
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.closed {
		return ErrClosed
	}
	a.opus = s.engine.opus != nil
	s.agreed = a
	s.xr.agree(a.xr)
	s.out.configure(s.link, a, s.engine.opus, now)
	s.in.expect(a.recv, now)
	s.rebuild()
	s.peer.rebuild()
	return nil
}

func (s *Session) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("media session %s: %w", s.opt.ID, err)
}
