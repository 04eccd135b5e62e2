package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"

	"strowger/media/codec"
)

// troubles are what was posted, on and off, without repetitions.
func (l *fakeLeg) troubles() (list []Event) {
	on := map[Trouble]bool{}
	for _, e := range l.events.of(Quality) {
		if e.On != on[e.Trouble] {
			on[e.Trouble] = e.On
			list = append(list, e)
		}
	}
	return list
}

func (l *fakeLeg) wantTroubles(t *testing.T, want ...Event) {
	t.Helper()
	got := l.troubles()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i].Trouble == want[i].Trouble && got[i].On == want[i].On
	}
	if !same {
		t.Errorf("posted %+v, want %+v", got, want)
	}
}

func begins(t Trouble) Event { return Event{Trouble: t, On: true} }
func ends(t Trouble) Event   { return Event{Trouble: t} }

// loses lets n packets of the party be lost.
func (l *fakeLeg) loses(n int) { l.seq += uint16(n); l.ts += uint32(160 * n) }

// TestLossIsRated: a tenth of the packets lost shows in the figures, is posted once, and its end too.
func TestLossIsRated(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		a.talks(10*time.Second, loud)
		if st := a.Stats().In; math.Abs(st.MOS-4.41) > 0.01 || st.ConcealedMS != 0 || st.Late != 0 {
			t.Errorf("clean: %+v", st)
		}
		a.wantTroubles(t)
		for range 60 { // 12 s
			a.talks(180*time.Millisecond, loud)
			a.loses(1)
			time.Sleep(tickInterval)
		}
		a.wantTroubles(t, begins(HighLoss))
		if v := a.troubles()[0].Value; v < 5 || v > 15 {
			t.Errorf("loss of %.1f %% was posted", v)
		}
		st := a.Stats().In
		if st.Lost < 59 || st.Lost > 60 || st.ConcealedMS != 20*float64(st.Lost) || st.Burst > 1.01 || st.MOS > 4.2 || st.MOS < 3 {
			t.Errorf("with loss: %+v", st)
		}
		a.talks(20*time.Second, loud)
		a.wantTroubles(t, begins(HighLoss), ends(HighLoss))
		b.wantTroubles(t, begins(OneWay)) // nobody spoke there
	})
}

// TestJitterIsPosted: packets that come in heaps of five are uneven, and for the party at the other end partly too late.
func TestJitterIsPosted(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		for range 50 {
			time.Sleep(200 * time.Millisecond)
			for range 10 {
				a.says(loud)
			}
		}
		a.wantTroubles(t, begins(HighLoss), begins(HighJitter))
		if st := a.Stats().In; st.Late == 0 || st.Lost != 0 || st.MOS > 4 {
			t.Errorf("%+v", st)
		}
		a.talks(20*time.Second, loud)
		a.wantTroubles(t, begins(HighLoss), begins(HighJitter), ends(HighJitter), ends(HighLoss))
	})
}

// TestOneWay: a party that is talked to and sends nothing is missed; one that holds is not.
func TestOneWay(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		a.talks(4*time.Second, loud)
		b.wantTroubles(t)
		a.talks(4*time.Second, loud)
		b.wantTroubles(t, begins(OneWay))
		b.talks(2*time.Second, loud)
		b.wantTroubles(t, begins(OneWay), ends(OneWay))
		a.talks(8*time.Second, loud) // silence suppression is no fault
		b.wantTroubles(t, begins(OneWay), ends(OneWay))
		a.talks(4*time.Second, loud)
		b.wantTroubles(t, begins(OneWay), ends(OneWay), begins(OneWay))
		a.wantTroubles(t)
	})
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		held := agreedOn(codecPCMU)
		held.recv = false
		b := newFakeLeg(t, e, Options{}, held)
		mustBridge(t, a.Session, b.Session)
		a.talks(30*time.Second, loud)
		b.wantTroubles(t)
	})
}

// TestSilentMic: packets without sound are a microphone that is off; a room's noise is none.
func TestSilentMic(t *testing.T) {
	hiss := make([]int16, 160)
	for i := range hiss {
		hiss[i] = int16(rand.IntN(61) - 30)
	}
	for _, c := range []*codecInfo{codecPCMU, codecPCMA, codecG722, codecOpus} {
		t.Run(c.name, func(t *testing.T) {
			fakeTime(t, func(t *testing.T, e *Engine) {
				if c == codecOpus && !e.Opus() {
					t.Skip("libopus is not installed here")
				}
				a := newFakeLeg(t, e, Options{}, agreedOn(c))
				v := voice{rate: 8000, opus: e.opus}
				speaks := func(d time.Duration, samples []int16) {
					for range d / tickInterval {
						var b [1000]byte
						a.received(a.packet(c.payload, a.ts, v.encode(c, b[:], samples)))
						a.ts += c.clock / 50
						time.Sleep(tickInterval)
					}
				}
				speaks(5*time.Second, loud)
				speaks(19*time.Second, quiet)
				a.wantTroubles(t)
				speaks(4*time.Second, quiet)
				a.wantTroubles(t, begins(SilentMic))
				speaks(30*time.Second, hiss)
				a.wantTroubles(t, begins(SilentMic), ends(SilentMic))
			})
		})
	}
}

// TestOrder: the counts of lost, reordered and repeated packets are those of any stream that is thrown about.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in inStream
		in.init(nil)
		first := rapid.Uint16().Draw(t, "first")
		n := rapid.IntRange(2, 400).Draw(t, "n")
		var list []uint16
		lost, again := 0, 0
		for i := range n {
			if i > 0 && i < n-1 && rapid.IntRange(0, 9).Draw(t, "lose") == 0 {
				lost++
				continue
			}
			list = append(list, first+uint16(i))
			if rapid.IntRange(0, 9).Draw(t, "repeat") == 0 {
				again++
				list = append(list, first+uint16(i))
			}
		}
		swapped := 0
		for i := 2; i+1 < len(list); i++ {
			if list[i] != list[i-1] && list[i] != list[i+1] && list[i-1] != list[i-2] && rapid.IntRange(0, 9).Draw(t, "swap") == 0 {
				list[i-1], list[i] = list[i], list[i-1]
				swapped++
				i += 2
			}
		}
		for i, seq := range list {
			in.accept(header{ssrc: 1, seq: seq, ts: uint32(seq) * 160, start: 12, end: 172}, codecPCMU, false, true, time.Duration(i)*tickInterval)
		}
		st := in.figures()
		if st.Lost != uint64(lost) || st.Duplicates != uint64(again) || st.Reordered != uint64(swapped) || st.Packets != uint64(n-lost) {
			t.Fatalf("%+v; want %d of %d lost, %d twice, %d swapped", st, lost, n, again, swapped)
		}
	})
}

// TestBurstRatio: the same loss in bursts of four is four times as bursty.
func TestBurstRatio(t *testing.T) {
	for _, burst := range []int{1, 4} {
		var in inStream
		in.init(nil)
		seq := uint16(0)
		for i := range 2000 {
			in.accept(header{ssrc: 1, seq: seq, start: 12, end: 172}, codecPCMU, false, true, time.Duration(i)*tickInterval)
			if seq++; i%(20*burst) == 17 {
				seq += uint16(burst)
			}
		}
		st := in.figures()
		if want := float64(burst) * (1 - st.loss()); math.Abs(st.Burst-max(1, want)) > 0.05 {
			t.Errorf("bursts of %d: ratio %.2f, want %.2f", burst, st.Burst, want)
		}
		density, gaps, long, _ := in.arrivals.figures(packetTime)
		if burst == 4 && (density < 0.8 || gaps > 0.01 || long < 60*time.Millisecond || long > 100*time.Millisecond) {
			t.Errorf("bursts: density %.2f, %v long; gaps: density %.3f", density, long, gaps)
		}
		if burst == 1 && (density != 0 || gaps < 0.04 || gaps > 0.06) {
			t.Errorf("no bursts: density %.2f; gaps: density %.3f", density, gaps)
		}
	}
}

// TestExtendedReports: a party that wants VoIP metrics gets them, and those that it sends are taken.
func TestExtendedReports(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		agreed := agreedOn(codecPCMU)
		agreed.xr.metrics = true
		a := newFakeLeg(t, e, Options{}, agreed)
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		for range 60 {
			a.talks(180*time.Millisecond, loud)
			a.loses(1)
			time.Sleep(tickInterval)
			b.says(loud)
		}
		got := a.link.reports()
		var block *rtcp.VoIPMetricsReportBlock
		for _, p := range compound(t, got[len(got)-1]) {
			if x, ok := p.(*rtcp.ExtendedReport); ok {
				block = x.Reports[0].(*rtcp.VoIPMetricsReportBlock)
			}
		}
		if block == nil {
			t.Fatal("no VoIP metrics were sent")
		}
		if loss := float64(block.LossRate) / 256; block.SSRC != a.ssrc || math.Abs(loss-0.1) > 0.02 || block.RFactor < 60 || block.RFactor > 80 ||
			block.MOSCQ < 30 || block.MOSCQ > 41 || block.MOSLQ < block.MOSCQ || block.Gmin != 16 {
			t.Errorf("sent %+v", block)
		}
		x := rtcp.ExtendedReport{SenderSSRC: a.ssrc, Reports: []rtcp.ReportBlock{&rtcp.VoIPMetricsReportBlock{
			SSRC: a.link.packets()[0].ssrc, LossRate: 13, DiscardRate: 26, RoundTripDelay: 250, Gmin: 16}}}
		raw, err := x.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		a.receivedRTCP(raw)
		st := a.Stats()
		if st.In.RTTMS != 250 || math.Abs(float64(st.Out.Late)/float64(st.Out.Packets)-0.1) > 0.02 || st.Out.MOS > 3.7 || st.Out.MOS < 2 {
			t.Errorf("taken as %+v", st)
		}
		for _, r := range b.link.reports() {
			for _, p := range compound(t, r) {
				if _, ok := p.(*rtcp.ExtendedReport); ok {
					t.Fatal("metrics for a party that did not ask")
				}
			}
		}
	})
}

// TestWatchAllocatesNothing: neither the packets nor the second's look at them.
func TestWatchAllocatesNothing(t *testing.T) {
	e := newTestEngine(t, true)
	a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
	payload := codec.EncodeMu(make([]byte, 160), loud)
	pkt := a.packet(0, 0, payload)
	now := e.now()
	got := testing.AllocsPerRun(500, func() {
		a.seq++
		a.ts += 160
		now += tickInterval
		putHeader(pkt, 0, false, a.seq, a.ts, a.ssrc)
		a.receivedAt(pkt, now)
		a.watchOver(now)
	})
	if got != 0 {
		t.Errorf("%v allocations per packet", got)
	}
}
