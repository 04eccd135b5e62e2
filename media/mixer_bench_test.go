package media

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// bench is a conference without clocks: its frames are made by hand.
func bench(tb testing.TB, codec *codecInfo, n, talking int) (frame func()) {
	tb.Helper()
	e, err := NewEngine(Config{BindIP: loopback, Portable: true, Shards: 1, Log: zerolog.Nop()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	m := &Mixer{engine: e, stop: make(chan struct{})}
	var list []*speaker
	var packets [][]byte
	for i := range n {
		l := &speaker{fakeLeg: &fakeLeg{link: &fakeLink{agreed: agreedOn(codec)}}, codec: codec, freq: 300 + 20*float64(i), voice: voice{rate: codec.rate, opus: e.opus}, level: 1}
		s, err := e.newSession(Options{}, func(*Session) (link, error) { return deaf{l.link}, nil })
		if err != nil {
			tb.Fatal(err)
		}
		l.Session, l.silent, l.ssrc = s, i >= talking, uint32(i+1)
		l.renegotiate(tb)
		list = append(list, l)
		packets = append(packets, nil)
		if err := m.Add(s, MemberOptions{}); err != nil {
			tb.Fatal(err)
		}
		samples := make([]int16, codec.rate/50)
		if !l.silent {
			copy(samples, toneOf(l.freq, codec.rate))
		}
		packets[i] = l.packet(codec.payload, 0, l.voice.encode(codec, make([]byte, 640), samples))
	}
	now := e.now()
	seq := uint16(0)
	return func() {
		now += tickInterval
		seq++
		for i, l := range list {
			p := packets[i]
			putHeader(p, codec.payload, false, seq, uint32(seq)*codec.clock/50, l.ssrc)
			l.receivedAt(p, now)
		}
		m.frame(now, now)
	}
}

func toneOf(hz float64, rate int) []int16 {
	t := tone{low: hz, on: time.Second}
	s := t.samples()
	out := make([]int16, rate/50)
	for i := range out {
		out[i] = s[400+i*8000/rate]
	}
	return out
}

// deaf is a link that keeps nothing.
type deaf struct{ link }

func (deaf) sendRTP([]byte)  {}
func (deaf) sendRTCP([]byte) {}

// BenchmarkMixer is one frame of 20 ms of a conference in which three talk, per member: decoding, mixing, encoding and
// sending, without the sockets.
func BenchmarkMixer(b *testing.B) {
	for _, codec := range []*codecInfo{codecPCMU, codecG722, codecOpus} {
		for _, n := range []int{3, 10, 30, 100} {
			b.Run(fmt.Sprintf("%s/%d", codec.name, n), func(b *testing.B) {
				frame := bench(b, codec, n, 3)
				for range 200 {
					frame()
				}
				b.ReportAllocs()
				for b.Loop() {
					frame()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
			})
		}
	}
}

// TestMixerAllocatesNothing, whoever talks.
func TestMixerAllocatesNothing(t *testing.T) {
	for _, codec := range []*codecInfo{codecPCMU, codecG722, codecOpus} {
		frame := bench(t, codec, 6, 3)
		for range 300 {
			frame()
		}
		if n := testing.AllocsPerRun(200, frame); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations per frame of 20 ms", codec.name, n)
		}
	}
}
