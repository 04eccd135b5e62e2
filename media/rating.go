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

// playedOut is what went through jitter buffers here, which know what became of each packet. A leg may be relayed, then
// recorded, then relayed again: what is not in here is estimated from what came.
type playedOut struct {
	late        uint64
	concealedMS float64
	// The same time as counted on arrival, which is not to be counted twice.
	lostSeen, lateSeen uint64
}

// add takes the figures of a jitter buffer through which went what came from since to now.
func (t *playedOut) add(l *listener, since, now StreamStats) {
	b := l.stats()
	if b.Played == 0 {
		return
	}
	t.late += b.Late
	t.concealedMS += float64(b.Concealed) * 1000 / float64(l.rate)
	t.lostSeen += less(now.Lost, since.Lost)
	t.lateSeen += less(now.Late, since.Late)
}

// less is a-b, and no less than 0: late packets make good what was lost.
func less(a, b uint64) uint64 {
	if a < b {
		return 0
	}
	return a - b
}

// heardHere takes the figures of the jitter buffers that the party's sound went through, and estimates the rest.
func (s *Session) heardHere(in *StreamStats) {
	t := s.playedOut
	if s.listener != nil {
		t.add(s.listener, s.listenSince, *in)
	}
	late := less(in.Late, t.lateSeen)
	in.ConcealedMS = t.concealedMS + float64((less(in.Lost, t.lostSeen)+late)*uint64(packetTime/time.Millisecond))
	in.Late = t.late + late
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
