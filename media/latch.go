package media

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	latchPackets = 5                      // packets in a row that another source needs
	latchDoubted = 50                     // that many when the party is known to be elsewhere
	latchRivals  = 16                     // sources that are watched at a time
	latchQuiet   = 200 * time.Millisecond // the source that is heard must have been quiet for so long
	latchRenew   = 250                    // packets after which the old source is believed again
)

// latch decides whose packets a leg hears and where its own go: symmetric RTP (RFC 4961) for phones behind NAT, without
// opening the leg to whoever finds the port (RTP bleed) or talks into it (injection).
//
// The leg is open at first, and again when an SDP changes the signalled address. While it is open:
//
//  1. A valid RTP packet from the signalled address settles the leg on it, at once.
//  2. Another source settles the leg when latchPackets valid packets of it come in a row, with one SSRC and consecutive
//     sequence numbers, while nothing comes from the signalled address, and the source that was heard before the change (if
//     any) has been quiet for latchQuiet. When it is known where the party signals from, a source on another host needs
//     latchDoubted packets: a stranger who is quicker than a phone behind NAT would have to be a second quicker. A packet that authenticates under the leg's SRTP keys counts as many: one is
//     enough.
//  3. The source that was heard before the change stays heard, so that a change of address makes no gap. When it goes on for
//     latchRenew packets, it settles the leg again.
//  4. Everything else is dropped.
//
// Once settled, only that source is heard, whatever others send. One way back is left: a leg that settled by rule 2 gives
// way to the signalled address when valid packets with consecutive numbers come from there (a stray source that was
// quicker cannot keep the party out; one that could forge the signalled address had won by rule 1).
//
// Valid means: RTP version 2, an agreed payload type. Our packets go to the source that is heard since the last SDP,
// before there is one to the signalled address.
type latch struct {
	party     netip.Addr // host that the party signals from; zero = not known
	signalled netip.AddrPort
	heard     netip.AddrPort // the source that is heard; zero: none yet
	settled   bool
	lastHeard time.Duration
	renewed   int

	rivals []rival // only while somebody else tries
}

// rival is a source that may become heard: it has sent run packets in a row.
type rival struct {
	from     netip.AddrPort
	ssrc     uint32
	seq      uint16
	run      int
	lastSeen time.Duration
}

// signal takes the address of a new SDP. The same address as before changes nothing: a phone behind NAT repeats its
// private one whenever it holds or resumes.
func (l *latch) signal(a netip.AddrPort) {
	if a == l.signalled {
		return
	}
	l.signalled, l.settled, l.renewed, l.rivals = a, l.settled && l.heard == a, 0, nil
}

// verdict of a packet.
type verdict int

const (
	drop verdict = iota
	hear
	settle // hear it, and the leg has just settled on its source
)

// candidate says whether a packet from this source can matter at all: nothing else is worth decrypting.
func (l *latch) candidate(from netip.AddrPort) bool {
	return !l.settled || from == l.heard || from == l.signalled
}

// judge is asked for every valid RTP packet. genuine: it authenticated under the leg's keys.
func (l *latch) judge(pkt []byte, from netip.AddrPort, genuine bool, now time.Duration) verdict {
	switch {
	case from == l.heard && l.settled:
		l.lastHeard = now
		return hear
	case from == l.signalled && (!l.settled || l.inRow(pkt, from, genuine, now)):
		return l.settleOn(from, now)
	case l.settled || !l.signalled.IsValid():
		return drop
	case from == l.heard:
		l.lastHeard = now
		l.renewed++
		if l.renewed >= latchRenew {
			return l.settleOn(from, now)
		}
		return hear
	}
	if !l.inRow(pkt, from, genuine, now) || l.heard.IsValid() && now-l.lastHeard < latchQuiet {
		return drop
	}
	return l.settleOn(from, now)
}

func (l *latch) settleOn(from netip.AddrPort, now time.Duration) verdict {
	l.heard, l.settled, l.lastHeard, l.rivals = from, true, now, nil
	return settle
}

// inRow counts packets of a rival source; true when it has shown enough of them.
func (l *latch) inRow(pkt []byte, from netip.AddrPort, genuine bool, now time.Duration) bool {
	if genuine {
		return true
	}
	seq, ssrc := binary.BigEndian.Uint16(pkt[2:]), binary.BigEndian.Uint32(pkt[8:])
	r := l.rival(from)
	switch {
	case r.lastSeen == 0:
		r.run = 1
	case ssrc == r.ssrc && seq == r.seq+1:
		r.run++
	default:
		r.run = 0 // out of order: anybody new is more promising
	}
	r.ssrc, r.seq, r.lastSeen = ssrc, seq, max(now, 1)
	if l.party.IsValid() && from.Addr() != l.party {
		return r.run >= latchDoubted
	}
	return r.run >= latchPackets
}

// rival finds the source among those that are watched, or gives it the place of the least promising one: a spray from
// many addresses must not push out the one that sends in order.
func (l *latch) rival(from netip.AddrPort) *rival {
	if l.rivals == nil {
		l.rivals = make([]rival, latchRivals)
	}
	worst := &l.rivals[0]
	for i := range l.rivals {
		r := &l.rivals[i]
		if r.from == from {
			return r
		}
		if r.run < worst.run || r.run == worst.run && r.lastSeen < worst.lastSeen {
			worst = r
		}
	}
	*worst = rival{from: from}
	return worst
}

// target is where our packets go.
func (l *latch) target() netip.AddrPort {
	if l.settled {
		return l.heard
	}
	return l.signalled
}
