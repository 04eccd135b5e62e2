package media

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"strowger/media/codec"
)

// outStream makes one continuous RTP stream of everything that the party hears, whoever says it: one SSRC, sequence
// numbers without a gap of our making, timestamps that follow the clock on the wall when the source changes
// (RFC 3550 §7.1: to the party we are one synchronisation source).
//
// Exactly one source may send at a time, the one named by from: the bridged session, the session itself (echo) or a
// player. Keys that we send take its place while they last.
type outStream struct {
	mu   sync.Mutex
	link link
	open bool   // the party agreed to hear us, and the session is not closed
	from uint32 // the source that may send, 0 = none

	ssrc  uint32
	seq   uint16        // last one sent
	ts    uint32        // last one sent
	tsAt  time.Duration // when ts was first sent
	clock uint32        // of ts, Hz

	// The source whose packets are being sent, and how its numbers become ours.
	cur      uint32
	curSSRC  uint32
	joinSeq  uint16 // of the source, where it joined
	seqShift uint16
	tsShift  uint32
	rejoin   bool // the sequence numbers moved on (keys): shift them anew

	packets, bytes uint64
	startSeq       uint16 // for the extended highest sequence number in RRs
	keys           keySender
	report         remoteReport
	rtcp           rtcpSchedule
}

func (o *outStream) init(*Session) {
	var b [12]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	o.ssrc = binary.BigEndian.Uint32(b[0:])
	o.ts = binary.BigEndian.Uint32(b[4:])
	o.seq = binary.BigEndian.Uint16(b[8:]) & 0x7fff // RFC 3711 §3.3.1: far from the first roll-over
	o.startSeq = o.seq
	o.clock = 8000
}

// configure takes over what SDP agreed.
func (o *outStream) configure(l link, a agreement, opus *codec.OpusLibrary, now time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rejoin = o.rejoin || a.send && !o.open // what the party was spared while it held is not lost
	o.link, o.open = l, a.send
	o.keys.configure(a, opus)
	o.rtcp.begin(now)
}

// setSource names the source that may send from now on; packets of others are dropped.
func (o *outStream) setSource(src uint32) {
	o.mu.Lock()
	o.from = src
	o.mu.Unlock()
}

// shut stops the stream for good: nothing is given to the link any more.
func (o *outStream) shut() {
	o.mu.Lock()
	o.open, o.from = false, 0
	o.link = nil
	o.mu.Unlock()
}

// relay sends a packet of source src, described by h, with payload type pt. The header is written in front of the
// payload in place. It allocates nothing.
func (o *outStream) relay(src uint32, h header, pt uint8, clock uint32, pkt []byte, now time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if src != o.from || !o.open || o.keys.sending {
		return
	}
	if src != o.cur || h.ssrc != o.curSSRC || clock != o.clock || o.jumped(h.seq) {
		o.join(src, h, clock, now)
		h.marker = true
	} else if o.rejoin {
		if over := int32(o.ts - h.ts - o.tsShift); over >= 0 && over < int32(clock)/2 { // the key in the sound has its place
			return
		}
		o.seqShift, o.joinSeq, o.rejoin = o.seq+1-h.seq, h.seq, false
		h.marker = true
	}
	if int16(h.seq-o.joinSeq) < 0 { // from before the source joined: its number is taken
		return
	}
	if int16(h.seq-o.joinSeq) > 1<<14 { // keep the distance small, so that the comparison above never wraps
		o.joinSeq = h.seq - 1<<13
	}
	o.emit(pt, h.marker, h.seq+o.seqShift, h.ts+o.tsShift, pkt[h.start-headerLen:h.end], now)
}

// jumped says that a source restarted its numbers under the same SSRC.
func (o *outStream) jumped(seq uint16) bool {
	d := int16(seq + o.seqShift - o.seq)
	return !o.rejoin && (d > maxDropout || d < -maxMisorder)
}

// join lets a new source continue the stream: the next number, and a timestamp that advanced as the clock on the wall
// did, by a packet of 20 ms at least.
func (o *outStream) join(src uint32, h header, clock uint32, now time.Duration) {
	ts := o.tsNow(now, clock)
	o.cur, o.curSSRC, o.clock, o.rejoin = src, h.ssrc, clock, false
	o.joinSeq, o.seqShift, o.tsShift = h.seq, o.seq+1-h.seq, ts-h.ts
}

// tsNow is the timestamp of something that starts now.
func (o *outStream) tsNow(now time.Duration, clock uint32) uint32 {
	if o.packets == 0 {
		return o.ts
	}
	gap := max(now-o.tsAt, 20*time.Millisecond)
	return o.ts + uint32(uint64(gap)*uint64(clock)/uint64(time.Second))
}

// emit sends one packet and remembers it as the newest when it is. Called with mu held.
func (o *outStream) emit(pt uint8, marker bool, seq uint16, ts uint32, pkt []byte, now time.Duration) {
	putHeader(pkt, pt, marker, seq, ts, o.ssrc)
	if int16(seq-o.seq) > 0 || o.packets == 0 {
		o.seq = seq
		if ts != o.ts || o.packets == 0 {
			o.ts, o.tsAt = ts, now
		}
	}
	o.packets++
	o.bytes += uint64(len(pkt) - headerLen)
	o.link.sendRTP(pkt)
}

func (o *outStream) stats() StreamStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return StreamStats{
		Packets: o.packets, Bytes: o.bytes,
		Lost: o.report.lost, JitterMS: o.report.jitterMS(o.clock), RTTMS: o.report.rttMS,
	}
}

// sent is how many packets were sent.
func (o *outStream) sent() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.packets
}

// roundTrip is the last one measured, in milliseconds; 0 = none was.
func (o *outStream) roundTrip() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.report.rttMS
}
