package media

import (
	"encoding/binary"
	"math"
	"sync"
	"time"
)

// RTCP XR (RFC 3611): the VoIP metrics block, sent to and read from parties whose SDP has a=rtcp-xr:voip-metrics.

const (
	rtcpXR      = 207
	xrVoIP      = 7
	xrVoIPLen   = 36 // octets, with the block's header
	xrUnknown   = 127
	xrMaxMillis = 0xffff
	xrBestR     = 100 // §4.7.5
)

// xrState is what a party says of our stream in XR.
type xrState struct {
	mu   sync.Mutex
	send bool
	far  farMetrics
}

// farMetrics are a party's last VoIP metrics.
type farMetrics struct {
	known           bool
	lost, discarded float64 // shares of all packets
	burst           float64 // BurstR, 0 = not known
	rttMS           float64
}

// wants says whether the party takes our metrics.
func (x *xrState) wants() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.send
}

func (x *xrState) agree(on bool) {
	x.mu.Lock()
	x.send = on
	x.mu.Unlock()
}

// take reads one XR packet (§3, §4.7).
func (x *xrState) take(p []byte, ours uint32) {
	if len(p) < 8 {
		return
	}
	for b := p[8:]; len(b) >= 4; {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) {
			return
		}
		if b[0] == xrVoIP && size == xrVoIPLen && binary.BigEndian.Uint32(b[4:]) == ours {
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

// appendXR adds our metrics of the party's stream to a compound packet. rtt is ours, in milliseconds.
func (s *Session) appendXR(b []byte, ssrc uint32, rtt float64) []byte {
	s.in.mu.Lock()
	st, heard, source := s.in.figures(), s.in.heard, s.in.ssrc
	burstDensity, gapDensity, burst, gap := s.in.arrivals.figures(packetTime)
	codec := s.in.codec
	s.in.mu.Unlock()
	if !heard || codec == nil {
		return b
	}
	st.score(codec.name, rtt)
	listening := st
	listening.JitterMS = 0
	listening.score(codec.name, 0)
	be := binary.BigEndian
	at := len(b)
	b = append(b, 2<<6, rtcpXR, 0, 0)
	b = be.AppendUint32(b, ssrc)
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
	be.PutUint16(b[at+2:], uint16((len(b)-at)/4-1))
	return b
}

// eighth is a share as a binary fraction of eight bits.
func eighth(v float64) byte { return byte(min(256*max(v, 0), 255)) }

func millis(d time.Duration) uint16 { return uint16(min(d/time.Millisecond, xrMaxMillis)) }
