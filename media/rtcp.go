package media

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	mrand "math/rand/v2"
	"time"
)

// RTCP of one session (RFC 3550 §6): we are an end system towards each party, with reports of our own; the reports of
// one party are never passed to the other.

const (
	rtcpSR   = 200
	rtcpRR   = 201
	rtcpSDES = 202
	rtcpBYE  = 203

	rtcpInterval = 5 * time.Second // RFC 3550 §6.2: the minimum; two members and no bandwidth limit never need more
	ntpEpoch     = 2208988800      // seconds from 1900 to 1970
)

// rtcpSchedule says when the next report is due.
type rtcpSchedule struct {
	started     bool
	due         time.Duration
	cname       string
	packetsThen uint64 // sent before the last report: nothing new since makes it an RR (§6.4)
	buf         [192]byte
}

func (r *rtcpSchedule) begin(now time.Duration) {
	if r.started {
		return
	}
	r.name()
	r.started, r.due = true, now+randomised(rtcpInterval/2)
}

// name is our CNAME towards the party (RFC 7022 §4.2: short-term persistent, tells nothing). WebRTC says it in SDP too.
func (r *rtcpSchedule) name() string {
	if r.cname == "" {
		var b [12]byte
		_, _ = rand.Read(b[:])
		r.cname = base64.StdEncoding.EncodeToString(b[:])
	}
	return r.cname
}

// randomised is RFC 3550 §6.3.1: between half and one and a half of the interval, corrected for reconsideration.
func randomised(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.5 + mrand.Float64()) / 1.21828)
}

// remoteReport is what the party's receiver reports say of our stream.
type remoteReport struct {
	lost   uint64
	jitter uint32 // timestamp units
	rttMS  float64
}

func (r remoteReport) jitterMS(clock uint32) float64 {
	if clock == 0 {
		return 0
	}
	return float64(r.jitter) * 1000 / float64(clock)
}

// ntp is the wall clock in NTP format at engine time now (§4).
func (e *Engine) ntp(now time.Duration) uint64 {
	t := e.start.Add(now)
	sec := uint64(t.Unix()) + ntpEpoch
	return sec<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// report sends the compound packet that is due: SR or RR, SDES, and BYE at the end. bye forces it.
func (s *Session) report(now time.Duration, bye bool) {
	if !bye && !s.out.reportDue(now) {
		return
	}
	var block [24]byte
	s.in.mu.Lock()
	has := s.in.reportBlock(block[:], now)
	s.in.mu.Unlock()
	var room [xrMax]byte
	extended := s.appendXR(room[:0], now, has)

	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link == nil || !o.rtcp.started || bye && o.packets == 0 && !has {
		return
	}
	ntp := s.engine.ntp(now)
	b := o.senderPart(o.rtcp.buf[:0], ntp, now)
	if has {
		b = append(b, block[:]...)
		b[0] |= 1
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	b = o.appendSDES(b)
	b = append(b, extended...)
	if bye {
		b = append(b, 2<<6|1, rtcpBYE, 0, 1)
		b = binary.BigEndian.AppendUint32(b, o.ssrc)
	}
	o.link.sendRTCP(b)
	o.rtcp.packetsThen = o.packets
	o.rtcp.due = now + randomised(rtcpInterval)
}

func (o *outStream) reportDue(now time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rtcp.started && o.link != nil && now >= o.rtcp.due
}

// senderPart begins an SR, or an RR when nothing was sent since the last report. The length is filled in later.
func (o *outStream) senderPart(b []byte, ntp uint64, now time.Duration) []byte {
	if o.packets == o.rtcp.packetsThen {
		b = append(b, 2<<6, rtcpRR, 0, 0)
		return binary.BigEndian.AppendUint32(b, o.ssrc)
	}
	b = append(b, 2<<6, rtcpSR, 0, 0)
	b = binary.BigEndian.AppendUint32(b, o.ssrc)
	b = binary.BigEndian.AppendUint64(b, ntp)
	ts := o.ts + uint32(uint64(now-o.tsAt)*uint64(o.clock)/uint64(time.Second))
	b = binary.BigEndian.AppendUint32(b, ts)
	b = binary.BigEndian.AppendUint32(b, uint32(o.packets))
	return binary.BigEndian.AppendUint32(b, uint32(o.bytes))
}

// appendSDES adds the CNAME (§6.5.1).
func (o *outStream) appendSDES(b []byte) []byte {
	text := 4 + 2 + len(o.rtcp.cname) // SSRC, item header, text
	words := text/4 + 1               // at least one zero octet ends the chunk
	b = append(b, 2<<6|1, rtcpSDES, 0, byte(words))
	b = binary.BigEndian.AppendUint32(b, o.ssrc)
	b = append(b, 1, byte(len(o.rtcp.cname)))
	b = append(b, o.rtcp.cname...)
	for range words*4 - text {
		b = append(b, 0)
	}
	return b
}

// reportBlock writes what we say of the party's stream (§6.4.1, A.3). Called with mu held.
func (in *inStream) reportBlock(b []byte, now time.Duration) bool {
	if !in.heard {
		return false
	}
	expected := in.expected()
	expectedNew, gotNew := expected-in.expectedPrior, in.got-in.gotPrior
	in.expectedPrior, in.gotPrior = expected, in.got
	var fraction byte
	if expectedNew > gotNew {
		fraction = byte((expectedNew - gotNew) << 8 / expectedNew)
	}
	lost := min(int64(expected)-int64(in.got), 0x7fffff)
	lost = max(lost, -0x800000)
	binary.BigEndian.PutUint32(b[0:], in.ssrc)
	binary.BigEndian.PutUint32(b[4:], uint32(lost)&0xffffff)
	b[4] = fraction
	binary.BigEndian.PutUint32(b[8:], in.cycles+uint32(in.maxSeq))
	binary.BigEndian.PutUint32(b[12:], uint32(in.jitter))
	binary.BigEndian.PutUint32(b[16:], 0)
	binary.BigEndian.PutUint32(b[20:], 0)
	if in.lastSR != 0 && in.peerSSRC == in.ssrc {
		binary.BigEndian.PutUint32(b[16:], in.lastSR)
		binary.BigEndian.PutUint32(b[20:], uint32(uint64(now-in.lastSRAt)*65536/uint64(time.Second)))
	}
	return true
}

// receivedRTCP takes one compound RTCP packet, decrypted. Any goroutine.
func (s *Session) receivedRTCP(pkt []byte) { s.receivedRTCPAt(pkt, s.engine.now()) }

func (s *Session) receivedRTCPAt(pkt []byte, now time.Duration) {
	for len(pkt) >= 8 && pkt[0]>>6 == 2 {
		size := 4 * (int(binary.BigEndian.Uint16(pkt[2:])) + 1)
		if size > len(pkt) {
			return
		}
		p := pkt[:size]
		pkt = pkt[size:]
		blocks := 8
		switch p[1] {
		case rtcpSR:
			if size < 28 {
				return
			}
			s.in.mu.Lock()
			s.in.peerSSRC = binary.BigEndian.Uint32(p[4:])
			s.in.lastSR, s.in.lastSRAt = binary.BigEndian.Uint32(p[10:]), now
			s.in.mu.Unlock()
			blocks = 28
		case rtcpRR:
		case rtcpXR:
			s.takeXR(p, now)
			continue
		default: // SDES, BYE (the end of the call is SIP's to say), APP, feedback
			continue
		}
		for n := int(p[0] & 0x1f); n > 0 && blocks+24 <= size; n-- {
			s.out.takeReport(p[blocks:blocks+24], s.engine.ntp(now))
			blocks += 24
		}
	}
}

// takeReport reads a report block about our stream.
func (o *outStream) takeReport(b []byte, ntp uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if binary.BigEndian.Uint32(b) != o.ssrc {
		return
	}
	lost := int32(binary.BigEndian.Uint32(b[4:])<<8) >> 8
	o.report.lost = uint64(max(lost, 0))
	o.report.jitter = binary.BigEndian.Uint32(b[12:])
	o.report.answered(ntp, binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:]))
}

// answered takes the answer to a reference time of ours (RFC 3611 §4.5).
func (o *outStream) answered(ntp uint64, last, delay uint32) {
	o.mu.Lock()
	o.report.answered(ntp, last, delay)
	o.mu.Unlock()
}

// answered computes the round trip (RFC 3550 §6.4.1: A - LSR - DLSR) from the time now and what the party sent back: the time
// that we had sent last, 0 = none, and how long it has had it.
func (r *remoteReport) answered(ntp uint64, last, delay uint32) {
	if last == 0 {
		return
	}
	if rtt := int32(uint32(ntp>>16) - last - delay); rtt >= 0 {
		r.rttMS = float64(rtt) * 1000 / 65536
	}
}
