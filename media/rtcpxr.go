package media

import (
	"encoding/binary"
	"math"
	"strings"
	"sync"
	"time"
)

// RTCP XR (RFC 3611), for parties whose SDP has a=rtcp-xr: the VoIP metrics block, sent and read; and the round trip as one
// who only listens measures it, by our reference times (RRTR) and the party's answers (DLRR), and the other way about.

const (
	rtcpXR      = 207
	xrRRTR      = 4
	xrDLRR      = 5
	xrVoIP      = 7
	xrRRTRLen   = 12 // octets, with the block's header
	xrDLRRLen   = 12 // of a sub-block
	xrVoIPLen   = 36 // octets, with the block's header
	xrMax       = 8 + xrRRTRLen + 4 + xrDLRRLen + xrVoIPLen
	xrUnknown   = 127
	xrMaxMillis = 0xffff
	xrBestR     = 100 // §4.7.5
)

// xrTerms are the blocks that a party takes (§5.1).
type xrTerms struct {
	metrics bool // voip-metrics
	rtt     bool // rcvr-rtt: reference times, which are answered
}

// String is the attribute's value, "" = none.
func (t xrTerms) String() string {
	var list []string
	if t.rtt {
		list = append(list, "rcvr-rtt=all")
	}
	if t.metrics {
		list = append(list, "voip-metrics")
	}
	return strings.Join(list, " ")
}

// xrState is what a party says of our stream in XR.
type xrState struct {
	mu       sync.Mutex
	terms    xrTerms
	far      farMetrics
	lastRR   uint32 // middle 32 bits of the party's last reference time, 0 = none
	lastRRAt time.Duration
	rrSSRC   uint32 // who sent it
}

// farMetrics are a party's last VoIP metrics.
type farMetrics struct {
	known           bool
	lost, discarded float64 // shares of all packets
	burst           float64 // BurstR, 0 = not known
	rttMS           float64
}

func (x *xrState) agree(terms xrTerms) {
	x.mu.Lock()
	x.terms = terms
	x.mu.Unlock()
}

// takeXR reads one XR packet (§3, §4.4, §4.5, §4.7).
func (s *Session) takeXR(p []byte, now time.Duration) {
	if len(p) < 8 { // it has not even a source
		return
	}
	be := binary.BigEndian
	x, ours := &s.xr, s.out.ssrc
	for b := p[8:]; len(b) >= 4; {
		size := 4 * (int(be.Uint16(b[2:])) + 1)
		if size > len(b) {
			return
		}
		switch {
		case b[0] == xrRRTR && size == xrRRTRLen:
			x.mu.Lock()
			x.rrSSRC, x.lastRR, x.lastRRAt = be.Uint32(p[4:]), be.Uint32(b[6:]), now
			x.mu.Unlock()
		case b[0] == xrDLRR:
			for d := b[4:size]; len(d) >= xrDLRRLen; d = d[xrDLRRLen:] {
				if be.Uint32(d) == ours {
					s.out.answered(s.engine.ntp(now), be.Uint32(d[4:]), be.Uint32(d[8:]))
				}
			}
		case b[0] == xrVoIP && size == xrVoIPLen && be.Uint32(b[4:]) == ours:
			x.mu.Lock()
			x.far = readVoIP(b)
			x.mu.Unlock()
		}
		b = b[size:]
	}
}

func readVoIP(b []byte) farMetrics {
	m := farMetrics{
		known: true, lost: float64(b[8]) / 256, discarded: float64(b[9]) / 256,
		rttMS: float64(binary.BigEndian.Uint16(b[16:])), burst: 1,
	}
	if density, loss := float64(b[10])/256, m.lost+m.discarded; loss > 0 && density > loss {
		m.burst = 1 / (1 - min(density, 0.95)) * (1 - loss) // losses in a row within a burst, over those of random loss
	}
	return m
}

// appendXR adds an XR packet with what the party takes to a compound packet, if there is anything to say. heard says whether
// the party's stream is.
func (s *Session) appendXR(b []byte, now time.Duration, heard bool) []byte {
	be := binary.BigEndian
	at := len(b)
	b = append(b, 2<<6, rtcpXR, 0, 0)
	b = be.AppendUint32(b, s.out.ssrc)
	empty := len(b)
	x := &s.xr
	x.mu.Lock()
	terms, last, lastAt, source := x.terms, x.lastRR, x.lastRRAt, x.rrSSRC
	x.mu.Unlock()
	if terms.rtt && heard {
		b = append(b, xrRRTR, 0, 0, xrRRTRLen/4-1)
		b = be.AppendUint64(b, s.engine.ntp(now))
	}
	if terms.rtt && last != 0 {
		b = append(b, xrDLRR, 0, 0, xrDLRRLen/4)
		b = be.AppendUint32(b, source)
		b = be.AppendUint32(b, last)
		b = be.AppendUint32(b, uint32(uint64(now-lastAt)*65536/uint64(time.Second)))
	}
	if terms.metrics && heard {
		b = s.appendVoIP(b, s.out.roundTrip())
	}
	if len(b) == empty {
		return b[:at]
	}
	be.PutUint16(b[at+2:], uint16((len(b)-at)/4-1))
	return b
}

// appendVoIP adds our metrics of the party's stream. rtt is ours, in milliseconds.
func (s *Session) appendVoIP(b []byte, rtt float64) []byte {
	s.in.mu.Lock()
	st, source := s.in.figures(), s.in.ssrc
	burstDensity, gapDensity, burst, gap := s.in.arrivals.figures(packetTime)
	codec := s.in.codec
	s.in.mu.Unlock()
	if codec == nil {
		return b
	}
	st.score(codec.name, rtt)
	listening := st
	listening.JitterMS = 0
	listening.score(codec.name, 0)
	be := binary.BigEndian
	b = append(b, xrVoIP, 0, 0, xrVoIPLen/4-1)
	b = be.AppendUint32(b, source)
	total := float64(max(st.Packets+st.Lost, 1))
	b = append(b, eighth(float64(st.Lost)/total), eighth(float64(st.Late)/total), eighth(burstDensity), eighth(gapDensity))
	b = be.AppendUint16(b, millis(burst))
	b = be.AppendUint16(b, millis(gap))
	b = be.AppendUint16(b, uint16(min(rtt, xrMaxMillis)))
	b = be.AppendUint16(b, millis(deviceDelay))
	b = append(b, xrUnknown, xrUnknown, xrUnknown, gmin) // signal, noise, echo return loss
	b = append(b, byte(math.Round(min(st.R, xrBestR))), xrUnknown, byte(math.Round(10*listening.MOS)), byte(math.Round(10*st.MOS)))
	b = append(b, 2<<6|3<<4, 0) // enhanced concealment, adaptive buffer
	b = be.AppendUint16(b, uint16(min(bufferFactor*st.JitterMS, xrMaxMillis)))
	b = be.AppendUint16(b, millis(lateLimit))
	b = be.AppendUint16(b, millis(lateLimit))
	return b
}

// eighth is a share as a binary fraction of eight bits.
func eighth(v float64) byte { return byte(min(256*max(v, 0), 255)) }

func millis(d time.Duration) uint16 { return uint16(min(d/time.Millisecond, xrMaxMillis)) }
