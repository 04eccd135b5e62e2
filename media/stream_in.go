package media

import (
	"math"
	"sync"
	"time"
)

const (
	maxDropout   = 3000 // RFC 3550 A.1
	maxMisorder  = 100
	ssrcHandover = 60 * time.Millisecond
)

// inStream judges what arrives from the party: which source is heard, and how well (RFC 3550 §6.4.1, A.1, A.3, A.8).
//
// A packet with another SSRC than the one that is heard is a party that changed its source (a transfer behind its own
// PBX, music on hold) or somebody who forges its address. On a link with keys it is genuine and taken at once. On plain
// RTP it is taken once the old source has been quiet for ssrcHandover: nobody can talk into a running stream.
type inStream struct {
	mu sync.Mutex

	heard   bool
	ssrc    uint32
	codec   *codecInfo // of the last audio packet
	lastAt  time.Duration
	maxSeq  uint16
	cycles  uint32
	baseSeq uint32
	badSeq  uint32 // the next sequence number that would prove a restart, 1<<16 when there is none
	got     uint64 // packets of this SSRC

	transit   float64 // RTP timestamp units, of the last audio packet
	jitter    float64 // RTP timestamp units
	jitterClk uint32

	arrivals arrivals
	sample   sample

	// of earlier SSRCs
	lostBefore uint64

	packets, bytes uint64 // all SSRCs

	// for our receiver reports
	expectedPrior, gotPrior uint64
	lastSR                  uint32 // middle 32 bits of the NTP time in the last SR
	lastSRAt                time.Duration
	peerSSRC                uint32 // who sent that SR

	keys keyReceiver

	silentPosted bool
	waitSince    time.Duration // when the party was first allowed to talk; 0 = not yet
}

func (in *inStream) init(*Session) { in.badSeq = 1 << 16 }

// accept counts the packet and says whether it is to be used. Called with mu held.
func (in *inStream) accept(h header, c *codecInfo, event, genuine bool, now time.Duration) bool {
	switch {
	case !in.heard:
		in.start(h)
	case h.ssrc != in.ssrc:
		if !genuine && now-in.lastAt < ssrcHandover {
			return false
		}
		in.lostBefore += in.lostNow()
		in.start(h)
	default:
		if !in.sequence(h.seq) {
			return false
		}
	}
	in.lastAt, in.silentPosted = now, false
	in.got++
	in.packets++
	in.bytes += uint64(h.end - h.start)
	if !event {
		in.measureJitter(h, c, now)
	}
	return true
}

func (in *inStream) start(h header) {
	in.heard, in.ssrc = true, h.ssrc
	in.maxSeq, in.baseSeq, in.cycles, in.badSeq = h.seq, uint32(h.seq), 0, 1<<16
	in.got, in.expectedPrior, in.gotPrior = 0, 0, 0
	in.arrivals.begin()
	in.jitter, in.jitterClk = 0, 0
	in.lastSR = 0
}

// sequence is update_seq of RFC 3550 A.1, without its probation: the latch has taken care of that. A repetition of a recent
// packet is refused too.
func (in *inStream) sequence(seq uint16) bool {
	delta := seq - in.maxSeq
	switch {
	case delta == 0:
		return in.arrivals.behind(0)
	case delta < maxDropout:
		in.arrivals.ahead(delta)
		if seq < in.maxSeq {
			in.cycles += 1 << 16
		}
		in.maxSeq = seq
	case int(delta) <= 1<<16-maxMisorder:
		// A jump: two packets in a row prove that the source restarted without a new SSRC.
		if uint32(seq) != in.badSeq {
			in.badSeq = uint32(seq+1) & 0xffff
			return false
		}
		in.lostBefore += in.lostNow()
		in.maxSeq, in.baseSeq, in.cycles, in.badSeq = seq, uint32(seq), 0, 1<<16
		in.got, in.expectedPrior, in.gotPrior = 0, 0, 0
		in.arrivals.begin()
	default:
		return in.arrivals.behind(-delta)
	}
	return true
}

func (in *inStream) measureJitter(h header, c *codecInfo, now time.Duration) {
	transit := float64(now)*float64(c.clock)/float64(time.Second) - float64(h.ts)
	d := math.Abs(transit - in.transit)
	jumped := in.jitterClk != c.clock || d >= float64(c.clock) // by a second: a new timeline or a wrapped timestamp, not jitter
	if !jumped {
		in.jitter += (d - in.jitter) / 16
	}
	in.arrivals.timed(transit, c.clock, jumped)
	in.transit, in.jitterClk, in.codec = transit, c.clock, c
}

func (in *inStream) expected() uint64 {
	if !in.heard {
		return 0
	}
	return uint64(in.cycles) + uint64(in.maxSeq) - uint64(in.baseSeq) + 1
}

// lostNow is the loss of the present SSRC; duplicates and late packets make it no less than zero.
func (in *inStream) lostNow() uint64 {
	if e := in.expected(); e > in.got {
		return e - in.got
	}
	return 0
}

func (in *inStream) jitterMS() float64 {
	if in.jitterClk == 0 {
		return 0
	}
	return in.jitter * 1000 / float64(in.jitterClk)
}

func (in *inStream) stats() (StreamStats, *codecInfo) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.figures(), in.codec
}

// figures are the counts up to now. Called with mu held.
func (in *inStream) figures() StreamStats {
	a := &in.arrivals
	st := StreamStats{
		Packets: in.packets, Bytes: in.bytes, Lost: in.lostBefore + in.lostNow(), JitterMS: in.jitterMS(),
		Late: a.late, Reordered: a.reordered, Duplicates: a.duplicates,
	}
	st.Burst = a.burstRatio(st.loss())
	return st
}
