package media

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// TestFiguresOutliveTheListener: what a jitter buffer concealed is told after the tape has ended and the leg is only relayed
// again, and when the session has been closed; what was lost meanwhile is added, and nothing is counted twice.
func TestFiguresOutliveTheListener(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		talk := func(losses int) {
			for range losses {
				a.talks(280*time.Millisecond, loud)
				a.loses(1)
				time.Sleep(tickInterval)
			}
			a.talks(200*time.Millisecond, loud)
		}
		talk(5) // relayed: estimated
		if st := a.Stats().In; st.Lost != 5 || st.ConcealedMS != 100 {
			t.Fatalf("relayed: %+v", st)
		}
		for range 2 {
			before := a.Stats().In.ConcealedMS
			tape, _, _ := newTestTape(t, e, false)
			if err := tape.Add(a.Session, 0); err != nil {
				t.Fatal(err)
			}
			talk(10)
			during := a.Stats().In
			if got := during.ConcealedMS - before; got < 150 || got > 300 {
				t.Errorf("recorded: %.0f ms more are concealed, %d packets lost", got, during.Lost)
			}
			tape.Close()
			if after := a.Stats().In; math.Abs(after.ConcealedMS-during.ConcealedMS) > 25 || after.Late != during.Late {
				t.Errorf("when it has ended: %+v, before %+v", after, during)
			}
		}
		before := a.Stats().In
		talk(5)
		st := a.Stats().In
		if got := st.ConcealedMS - before.ConcealedMS; st.Lost != 30 || got != 100 {
			t.Errorf("relayed again: %.0f ms more, %d lost", got, st.Lost)
		}
		a.Close()
		if end := a.Stats().In; end.ConcealedMS != st.ConcealedMS || end.Late != st.Late {
			t.Errorf("closed: %+v, want %+v", end, st)
		}
	})
}

// xrBlocks are the blocks of the last report to the party.
func (l *fakeLeg) xrBlocks(t *testing.T) (list []rtcp.ReportBlock) {
	t.Helper()
	sent := l.link.reports()
	if len(sent) == 0 {
		t.Fatal("nothing was reported")
	}
	for _, p := range compound(t, sent[len(sent)-1]) {
		if x, ok := p.(*rtcp.ExtendedReport); ok {
			list = append(list, x.Reports...)
		}
	}
	return list
}

// TestReceiversRoundTrip: a party that only talks has its round trip measured by our reference times, and its own are
// answered (RFC 3611 §4.4, §4.5).
func TestReceiversRoundTrip(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		agreed := agreedOn(codecPCMU)
		agreed.xr.rtt = true
		a := newFakeLeg(t, e, Options{}, agreed)
		a.talks(12*time.Second, loud)
		if st := a.Stats(); st.Out.RTTMS != 0 {
			t.Fatalf("a round trip from nowhere: %v ms", st.Out.RTTMS)
		}
		var ref *rtcp.ReceiverReferenceTimeReportBlock
		for _, b := range a.xrBlocks(t) {
			switch b := b.(type) {
			case *rtcp.ReceiverReferenceTimeReportBlock:
				ref = b
			default:
				t.Errorf("sent %T to a party that did not ask", b)
			}
		}
		if ref == nil {
			t.Fatal("no reference time was sent")
		}
		sends := func(blocks ...rtcp.ReportBlock) {
			t.Helper()
			raw, err := rtcp.ExtendedReport{SenderSSRC: a.ssrc, Reports: blocks}.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			a.receivedRTCP(raw)
		}
		now := uint32(e.ntp(e.now()) >> 16)
		last := now - 2*65536 // as if we had sent it two seconds ago
		answer := func(ssrc uint32) {
			t.Helper()
			sends(&rtcp.DLRRReportBlock{Reports: []rtcp.DLRRReport{{SSRC: ssrc, LastRR: last, DLRR: 65536 * 7 / 4}}})
		}
		answer(a.out.ssrc + 1)
		if got := a.Stats().Out.RTTMS; got != 0 {
			t.Errorf("an answer to somebody else counts: %v ms", got)
		}
		answer(a.out.ssrc)
		if got := a.Stats().Out.RTTMS; math.Abs(got-250) > 1 {
			t.Errorf("the round trip is %.1f ms, want 250", got)
		}

		theirs := uint64(0x1234567890abcdef)
		sends(&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: theirs})
		at := time.Now()
		a.talks(8*time.Second, loud)
		var got *rtcp.DLRRReportBlock
		for _, b := range a.xrBlocks(t) {
			if d, ok := b.(*rtcp.DLRRReportBlock); ok {
				got = d
			}
		}
		if got == nil || len(got.Reports) != 1 || got.Reports[0].SSRC != a.ssrc || got.Reports[0].LastRR != uint32(theirs>>16) ||
			float64(got.Reports[0].DLRR)/65536 > time.Since(at).Seconds() || got.Reports[0].DLRR == 0 {
			t.Errorf("answered %+v", got)
		}
	})
}

// TestExtendedReportsAreBounded: blocks that are cut off or lie about their length do no harm.
func TestExtendedReportsAreBounded(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		for size := 4; size <= 40; size += 4 {
			for kind := range byte(9) {
				for _, says := range []uint16{0, 1, 2, 3, 9, 0xffff} {
					p := make([]byte, size, size+8)
					p[0], p[1] = 2<<6, rtcpXR
					binary.BigEndian.PutUint16(p[2:], uint16(size/4-1))
					if size > 8 {
						p[8] = kind
						binary.BigEndian.PutUint16(p[10:], says)
					}
					a.receivedRTCP(append(p, 0, 0, 0, 0, 0, 0, 0, 0)) // the next packet is none
				}
			}
		}
	})
}
