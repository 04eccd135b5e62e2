package media

import "errors"

type path struct{}
type inStream struct{}
type outStream struct{}

func (i *inStream) init(s *Session)  {}
func (o *outStream) init(s *Session) {}

type portRange struct{}

func newPortRange(lo, hi int) *portRange { return &portRange{} }
func newRTPLink(s *Session) (link, error) { return nil, errors.New("not yet") }

// received takes one RTP packet from the link: decrypted, authentic as far as the link can tell. The slice is free to be
// overwritten during the call and is not kept. now is the engine's clock. Any goroutine, one at a time per session.
func (s *Session) received(pkt []byte) {}

// receivedRTCP takes one compound RTCP packet, decrypted.
func (s *Session) receivedRTCP(pkt []byte) {}

// Close frees ports and goroutines; a running recording is completed first.
func (s *Session) Close() {}
