package media

import (
	"math"
	"time"
)

// The figures of a session, and what they are worth to those who listen.

const (
	packetTime   = 20 * time.Millisecond // of parties, unless their packets say otherwise
	deviceDelay  = 40 * time.Millisecond // microphone to packet and back: one packet, and as much look-ahead and buffer at least
	bufferFactor = 2                     // a jitter buffer keeps so much of the mean jitter
)

// loss is the share of packets that were not there in time.
func (s *StreamStats) loss() float64 {
	expected := s.Packets + s.Lost
	if expected == 0 {
		return 0
	}
	return min(float64(s.Lost+s.Late)/float64(expected), 1)
}

// rate completes both directions: what was concealed, and the scores. Called with topology held.
func (s *Session) rate(st *Stats) {
	s.heardHere(&st.In)
	s.xr.mu.Lock()
	far := s.xr.far
	s.xr.mu.Unlock()
	st.In.RTTMS = far.rttMS
	if far.known {
		st.Out.Late, st.Out.Burst = uint64(far.discarded*float64(st.Out.Packets)), far.burst
	}
	rtt := st.Out.RTTMS
	if rtt == 0 {
		rtt = st.In.RTTMS
	}
	st.In.score(st.Codec, rtt)
	out := st.Out
	if far.known { // of all packets that we sent; a receiver report counts from where the party began to listen
		out.Lost, out.Late = 0, uint64((far.lost+far.discarded)*float64(out.Packets))
	}
	out.score(st.Codec, rtt)
	st.Out.R, st.Out.MOS = out.R, out.MOS
}

// heardHere takes the figures of the jitter buffer that the party's sound goes through, if it does, and estimates them
// otherwise.
func (s *Session) heardHere(in *StreamStats) {
	if l := s.listener; l != nil {
		if b := l.stats(); b.Played > 0 {
			in.Late, in.ConcealedMS = b.Late, float64(b.Concealed)*1000/float64(l.rate)
			return
		}
	}
	in.ConcealedMS = float64((in.Lost + in.Late) * uint64(packetTime/time.Millisecond))
}

// score computes R and MOS of what was heard, over a way with this round trip.
func (s *StreamStats) score(codec string, rttMS float64) {
	if s.Packets == 0 {
		return
	}
	ms := rttMS/2 + bufferFactor*s.JitterMS
	r := Rating(Conditions{Codec: codec, Loss: s.loss(), Burst: s.Burst,
		Delay: deviceDelay + time.Duration(ms*float64(time.Millisecond))})
	s.R, s.MOS = math.Round(10*r)/10, math.Round(100*MOS(r))/100
}
