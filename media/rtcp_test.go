package media

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// TestReports: SR and RR of our own to each party about every 5 s, with SDES, as a compound that others can read.
func TestReports(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		for i := range 3000 { // a minute, every tenth packet lost
			if i%10 == 5 {
				a.seq++
				a.ts += 160
			}
			a.talks(tickInterval, loud)
		}
		got := b.link.reports()
		if n := len(got); n < 8 || n > 25 {
			t.Fatalf("%d reports in a minute", n)
		}
		sr := compound(t, got[len(got)-1])[0].(*rtcp.SenderReport)
		sent := b.link.packets()
		if sr.SSRC != sent[0].ssrc || int(sr.PacketCount) < len(sent)-600 || len(sr.Reports) != 0 {
			t.Errorf("sender report %+v", sr)
		}
		rr := compound(t, a.link.reports()[3])[0].(*rtcp.ReceiverReport)
		if len(rr.Reports) != 1 || rr.Reports[0].SSRC != a.ssrc {
			t.Fatalf("receiver report %+v", rr)
		}
		if f := rr.Reports[0].FractionLost; f < 15 || f > 35 { // 1/11 of 256
			t.Errorf("fraction lost %d of 256", f)
		}
		if lost := a.Stats().In.Lost; lost != 300 {
			t.Errorf("%d lost, want 300", lost)
		}
		b.Close()
		last := b.link.reports()
		if all := compound(t, last[len(last)-1]); len(all) != 3 {
			t.Errorf("at the end: %+v, want a BYE", all)
		} else if _, ok := all[2].(*rtcp.Goodbye); !ok {
			t.Errorf("at the end: %+v", all[2])
		}
	})
}

func compound(t *testing.T, b []byte) []rtcp.Packet {
	t.Helper()
	list, err := rtcp.Unmarshal(b)
	if err != nil {
		t.Fatalf("% x: %v", b, err)
	}
	if err := rtcp.CompoundPacket(list).Validate(); err != nil {
		t.Fatalf("%+v: %v", list, err)
	}
	return list
}

// TestRoundTrip: the party's receiver report gives loss, jitter and round-trip time of what we send.
func TestRoundTrip(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		b.talks(10*time.Second, loud)
		reports := a.link.reports()
		sr := compound(t, reports[len(reports)-1])[0].(*rtcp.SenderReport)
		now := e.ntp(e.now())
		ago := uint32(now>>16) - uint32(sr.NTPTime>>16)
		rr := rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{
			SSRC: sr.SSRC, TotalLost: 3, Jitter: 80, LastSenderReport: uint32(sr.NTPTime >> 16), Delay: ago - 65536/10,
		}}}
		raw, err := rr.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		a.receivedRTCP(raw)
		out := a.Stats().Out
		if out.Lost != 3 || out.JitterMS != 10 || out.RTTMS < 99 || out.RTTMS > 101 {
			t.Errorf("stats %+v, want 3 lost, 10 ms jitter, 100 ms round trip", out)
		}
		binary.BigEndian.PutUint32(raw[8:], 12345) // about somebody else's stream
		raw[15] = 99
		a.receivedRTCP(raw)
		if a.Stats().Out.Lost != 3 {
			t.Error("a report about another stream was taken")
		}
	})
}

// TestJitter: packets that come alternately 10 ms early and late have the jitter that the formula converges to.
func TestJitter(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		for range 200 {
			a.says(loud)
			time.Sleep(30 * time.Millisecond)
			a.says(loud)
			time.Sleep(10 * time.Millisecond)
		}
		if j := a.Stats().In.JitterMS; j < 9 || j > 11 {
			t.Errorf("jitter %v ms, want 10", j)
		}
	})
}

func TestSilentIsPostedOncePerSilence(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{SilenceTimeout: 10 * time.Second}, agreedOn(codecPCMU))
		a.talks(time.Second, loud)
		time.Sleep(9 * time.Second)
		if len(a.events.of(Silent)) != 0 {
			t.Fatal("posted too early")
		}
		time.Sleep(30 * time.Second)
		if n := len(a.events.of(Silent)); n != 1 {
			t.Fatalf("posted %d times", n)
		}
		a.talks(time.Second, loud)
		time.Sleep(20 * time.Second)
		if n := len(a.events.of(Silent)); n != 2 {
			t.Fatalf("after a second silence: %d", n)
		}
		a.talks(time.Second, loud)
		a.link.agreed.recv = false // the party holds the call: it will not talk
		a.renegotiate(t)
		time.Sleep(60 * time.Second)
		if n := len(a.events.of(Silent)); n != 2 {
			t.Errorf("posted for a party on hold")
		}
	})
}
