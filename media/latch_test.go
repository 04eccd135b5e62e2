package media

import (
	"net/netip"
	"testing"
	"time"
)

// The sources of these stories.
var (
	signalled = netip.MustParseAddrPort("10.0.0.5:4000") // in the SDP
	natted    = netip.MustParseAddrPort("198.51.100.7:61000")
	attacker  = netip.MustParseAddrPort("203.0.113.66:1234")
)

// talker sends valid packets from one address.
type talker struct {
	from netip.AddrPort
	ssrc uint32
	seq  uint16
}

func (k *talker) say(l *latch, now time.Duration) verdict {
	k.seq++
	b := make([]byte, headerLen)
	putHeader(b, 0, false, k.seq, 0, k.ssrc)
	if !l.candidate(k.from) {
		return drop
	}
	return l.judge(b, k.from, false, now)
}

func newLatch() *latch {
	l := &latch{}
	l.signal(signalled)
	return l
}

// ms is a time in these stories: packets come every 20.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func TestLatchTakesSignalledAtOnce(t *testing.T) {
	l := newLatch()
	phone := talker{from: signalled, ssrc: 1}
	if l.target() != signalled {
		t.Error("before anyone talks, packets do not go to the signalled address")
	}
	if got := phone.say(l, ms(0)); got != settle {
		t.Fatalf("first packet of the signalled address: %v", got)
	}
	if got := phone.say(l, ms(20)); got != hear {
		t.Fatalf("second packet: %v", got)
	}
}

// TestLatchExpectsThePartysHost: who signals from a host is expected to talk from there; others must be patient.
func TestLatchExpectsThePartysHost(t *testing.T) {
	l := newLatch()
	l.party = natted.Addr()
	stranger := talker{from: netip.MustParseAddrPort("192.0.2.66:4000"), ssrc: 66}
	phone := talker{from: natted, ssrc: 1}
	for i := range latchPackets * 3 {
		if got := stranger.say(l, ms(20*i)); got != drop {
			t.Fatalf("packet %d of a stranger who was quicker: %v", i, got)
		}
	}
	for i := 1; i < latchPackets; i++ {
		phone.say(l, ms(400+20*i))
	}
	if got := phone.say(l, ms(400+20*latchPackets)); got != settle {
		t.Fatalf("the party: %v", got)
	}
	lonely := newLatch()
	lonely.party = natted.Addr()
	for i := 1; i < latchDoubted; i++ {
		stranger.say(lonely, ms(20*i))
	}
	if got := stranger.say(lonely, ms(20*latchDoubted)); got != settle {
		t.Errorf("a party whose media comes from a third host is never heard: %v", got)
	}
}

func TestLatchFollowsNAT(t *testing.T) {
	l := newLatch()
	phone := talker{from: natted, ssrc: 1}
	for i := 1; i < latchPackets; i++ {
		if got := phone.say(l, ms(20*i)); got != drop {
			t.Fatalf("packet %d of the unknown source: %v", i, got)
		}
	}
	if got := phone.say(l, ms(100)); got != settle || l.target() != natted {
		t.Fatalf("packet %d: %v, sent to %v", latchPackets, got, l.target())
	}
}

func TestLatchKeepsInjectionOut(t *testing.T) {
	for _, source := range []netip.AddrPort{signalled, natted} {
		l := newLatch()
		phone, evil := talker{from: source, ssrc: 1}, talker{from: attacker, ssrc: 1}
		for i := range 10 {
			phone.say(l, ms(20*i))
		}
		for i := range 1000 {
			if got := evil.say(l, ms(1000+i)); got != drop {
				t.Fatalf("phone at %v: packet %d of the spray is heard", source, i)
			}
		}
		if got := phone.say(l, ms(5000)); got != hear || l.target() != source {
			t.Fatalf("phone at %v: after the spray %v, sent to %v", source, got, l.target())
		}
	}
}

// TestLatchSprayFirst: a spray that begins before the phone talks. At the signalled address the phone always wins; what
// the spray got until then ends.
func TestLatchSprayFirst(t *testing.T) {
	l := newLatch()
	phone, evil := talker{from: signalled, ssrc: 1}, talker{from: attacker, ssrc: 9}
	for i := range 50 {
		evil.say(l, ms(i))
	}
	for i := range latchPackets {
		phone.say(l, ms(100+20*i))
	}
	if l.target() != signalled {
		t.Fatal("the spray kept the phone out")
	}
	for i := range 50 {
		if evil.say(l, ms(300+i)) != drop {
			t.Fatal("the spray is still heard")
		}
	}
}

// TestLatchBlindSpray: garbage from many addresses, without a sequence, neither gets the leg nor keeps a phone behind
// NAT out.
func TestLatchBlindSpray(t *testing.T) {
	l := newLatch()
	phone := talker{from: natted, ssrc: 1}
	for i := range 100 {
		for j := range 10 {
			evil := talker{from: netip.AddrPortFrom(attacker.Addr(), uint16(2000+j)), ssrc: uint32(i), seq: uint16(i * 7)}
			if evil.say(l, ms(20*i+j)) != drop {
				t.Fatal("garbage settled the leg")
			}
		}
		if phone.say(l, ms(20*i+15)) == settle {
			return
		}
	}
	t.Fatal("the phone never got through the spray")
}

func TestLatchReinvite(t *testing.T) {
	l := newLatch()
	phone := talker{from: natted, ssrc: 1}
	for i := range 10 {
		phone.say(l, ms(20*i))
	}
	l.signal(signalled) // hold and resume: the same private address
	if evil := (&talker{from: attacker, ssrc: 2}); evil.say(l, ms(300)) != drop || !l.settled {
		t.Fatal("a re-INVITE without a change opened the leg")
	}

	moved := netip.MustParseAddrPort("10.0.0.5:4002")
	l.signal(moved)
	if l.target() != moved {
		t.Error("packets do not go to the new address")
	}
	if got := phone.say(l, ms(320)); got != hear {
		t.Errorf("the old source makes a gap: %v", got)
	}
	evil := talker{from: attacker, ssrc: 2}
	for i := range 20 {
		phone.say(l, ms(340+20*i))
		if evil.say(l, ms(341+20*i)) != drop {
			t.Fatal("somebody settled on the leg while the phone talked")
		}
	}
	next := talker{from: netip.MustParseAddrPort("198.51.100.7:61002"), ssrc: 3}
	var got verdict
	for i := range 2 * latchPackets {
		if got = next.say(l, ms(1000+20*i)); got == settle {
			break
		}
	}
	if got != settle || l.target() != next.from {
		t.Fatalf("the phone's new source: %v, sent to %v", got, l.target())
	}
	if phone.say(l, ms(2000)) != drop {
		t.Error("the old source is still heard")
	}
}

// TestLatchOldSourceStays: a new SDP with an address that never talks (a phone that learned its public address).
func TestLatchOldSourceStays(t *testing.T) {
	l := newLatch()
	phone := talker{from: natted, ssrc: 1}
	for i := range 10 {
		phone.say(l, ms(20*i))
	}
	l.signal(netip.MustParseAddrPort("198.51.100.7:4000"))
	for i := range latchRenew {
		if got := phone.say(l, ms(300+20*i)); got == drop {
			t.Fatal("the phone is not heard")
		}
	}
	if !l.settled || l.target() != natted {
		t.Error("the leg did not settle on its old source again")
	}
}

// TestLatchBeforeSDP: without an address from signalling nobody is heard.
func TestLatchBeforeSDP(t *testing.T) {
	l := &latch{}
	evil := talker{from: attacker}
	for i := range 50 {
		if evil.say(l, ms(i)) != drop {
			t.Fatal("a packet was heard before any SDP")
		}
	}
}

// TestSSRCInjection: packets with a forged address but another SSRC do not interrupt a running stream; a party whose
// source changes is taken after a pause, and with SRTP at once.
func TestSSRCInjection(t *testing.T) {
	var in inStream
	in.init(nil)
	at := func(ssrc uint32, seq uint16, now int, genuine bool) bool {
		return in.accept(header{ssrc: ssrc, seq: seq, start: 12, end: 172}, codecPCMU, false, genuine, ms(now))
	}
	for i := range 50 {
		if !at(1, uint16(i), 20*i, false) {
			t.Fatal("the stream is not heard")
		}
		if at(2, uint16(i), 20*i+10, false) {
			t.Fatal("another SSRC is heard while the stream runs")
		}
	}
	if !at(2, 100, 1100, false) {
		t.Error("the new source is not heard after the old one ended")
	}
	if !at(3, 7, 1101, true) {
		t.Error("a genuine new source is not heard at once")
	}
}
