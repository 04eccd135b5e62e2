package media

import (
	"testing"

	"github.com/rs/zerolog"

	"strowger/media/codec"
)

// transcoding is a bridge between two codecs without clocks: each call of step is 20 ms of one party.
func transcoding(tb testing.TB, from, to *codecInfo) (step func()) {
	tb.Helper()
	e, err := NewEngine(Config{BindIP: loopback, Portable: true, Shards: 1, Log: zerolog.Nop()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	leg := func(c *codecInfo) *fakeLeg {
		l := &fakeLeg{link: &fakeLink{agreed: agreedOn(c, codecEvent8)}, ssrc: 7}
		if l.Session, err = e.newSession(Options{}, func(*Session) (link, error) { return deaf{l.link}, nil }); err != nil {
			tb.Fatal(err)
		}
		l.renegotiate(tb)
		return l
	}
	a, b := leg(from), leg(to)
	mustBridge(tb, a.Session, b.Session)
	v := voice{rate: from.rate, opus: e.opus}
	var packets [][]byte
	for range 50 {
		packets = append(packets, a.packet(from.payload, 0, v.encode(from, make([]byte, 640), toneOf(440, from.rate))))
	}
	now, seq := e.now(), uint16(0)
	p := a.path.Load()
	return func() {
		now += tickInterval
		pkt := packets[int(seq)%len(packets)]
		seq++
		putHeader(pkt, from.payload, false, seq, uint32(seq)*from.clock/50, 7)
		a.receivedAt(pkt, now)
		if p.coded != nil {
			p.coded.coder.tick(p.coded, 20, now)
		}
	}
}

var terminated = []*codecInfo{codecPCMU, codecPCMA, codecG722, codecOpus}

// BenchmarkTranscode is what a minute of a call costs in each pair of codecs, one way: jitter buffer, decoding, resampling,
// encoding and the outgoing stream, without sockets.
func BenchmarkTranscode(b *testing.B) {
	for _, from := range terminated {
		for _, to := range terminated {
			if from == to {
				continue
			}
			b.Run(from.name+"-"+to.name, func(b *testing.B) {
				step := transcoding(b, from, to)
				for range 100 {
					step()
				}
				b.ReportAllocs()
				for b.Loop() {
					step()
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N)*3000, "ms/call-minute")
			})
		}
	}
}

// TestTranscodeAllocatesNothing, in any pair of codecs.
func TestTranscodeAllocatesNothing(t *testing.T) {
	if _, err := codec.LoadOpus(); err != nil {
		t.Fatal(err)
	}
	for _, from := range terminated {
		for _, to := range terminated {
			step := transcoding(t, from, to)
			for range 200 {
				step()
			}
			if n := testing.AllocsPerRun(200, step); n != 0 {
				t.Errorf("%s to %s: %v allocations per packet", from.name, to.name, n)
			}
		}
	}
}
