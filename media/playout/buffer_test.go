package playout

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// raw is a codec whose payload is the samples.
type raw struct{ buf [5760]int16 }

func (r *raw) Decode(_ uint8, payload []byte) []int16 {
	for i := range len(payload) / 2 {
		r.buf[i] = int16(binary.LittleEndian.Uint16(payload[2*i:]))
	}
	return r.buf[:len(payload)/2]
}

// line is a party, a network and a listener under one clock: packets of 20 ms at 8 kHz, each with a way of its own.
type line struct {
	t       testing.TB
	b       *Buffer
	in      []int16
	heard   []int16
	kinds   [3]int
	phase   time.Duration                                // between the party's clock and the listener's
	ppm     float64                                      // by which the party's clock is fast
	way     func(i int) (delay time.Duration, lost bool) // of packet i
	stamp   func(i int, p *Packet)                       // changes packet i
	payload func(i int) []byte                           // instead of its voice; nil: its voice
	delay   [4]time.Duration                             // sum, number, largest, of the last second
}

const frame20 = 20 * time.Millisecond

type arrival struct {
	at time.Duration
	p  Packet
}

// run plays packets until the party's voice ends. The voice is said once; after its end it begins anew.
func (l *line) run(packets int) {
	if l.b == nil {
		l.b = New(8000, &raw{}, 0)
	}
	var way []arrival // on the way, by time
	next := 0
	pull := l.phase
	out := make([]int16, 160)
	for next < packets || len(way) > 0 {
		sent := time.Duration(float64(next) * float64(frame20) / (1 + l.ppm/1e6))
		switch {
		case next < packets && sent <= pull && (len(way) == 0 || sent <= way[0].at):
			d, lost := time.Duration(0), false
			if l.way != nil {
				d, lost = l.way(next)
			}
			if !lost {
				way = l.send(way, next, sent+d)
			}
			next++
		case len(way) > 0 && way[0].at <= pull:
			l.b.Push(way[0].p, way[0].at)
			way = way[1:]
		default:
			l.kinds[l.b.Pull(out, pull)]++
			if l.heard != nil {
				l.heard = append(l.heard, out...)
			}
			l.measure(pull)
			pull += frame20
		}
	}
}

// send puts a packet among those that are on the way.
func (l *line) send(way []arrival, i int, at time.Duration) []arrival {
	p := Packet{SSRC: 1, Seq: uint16(i), TS: uint32(160 * i), Clock: 8000, Samples: 160, Payload: make([]byte, 320)}
	if l.stamp != nil {
		l.stamp(i, &p)
	}
	for k := range 160 {
		binary.LittleEndian.PutUint16(p.Payload[2*k:], uint16(l.in[(160*i+k)%len(l.in)]))
	}
	if l.payload != nil {
		if b := l.payload(i); b != nil {
			p.Payload = b
		}
	}
	k := len(way)
	way = append(way, arrival{})
	for k > 0 && way[k-1].at > at {
		way[k] = way[k-1]
		k--
	}
	way[k] = arrival{at, p}
	return way
}

// measure takes the delay of what was just played: from the arrival of a packet on the quickest way to the moment at
// which its samples leave, as the mean over a frame.
func (l *line) measure(now time.Duration) {
	if !l.b.started {
		return
	}
	first := l.b.tail - int64(len(l.b.pcm)) - 160
	arrived := float64(first) / 8000 * float64(time.Second) / (1 + l.ppm/1e6)
	d := now - time.Duration(arrived)
	l.delay[0] += d
	l.delay[1]++
	l.delay[2] = max(l.delay[2], d)
	l.delay[3] = d
}

func (l *line) mean() time.Duration { return l.delay[0] / max(l.delay[1], 1) }

// TestCleanNetwork: nothing is changed, and the delay is what the two clocks are apart.
func TestCleanNetwork(t *testing.T) {
	in := mediatest.Speech(8000, 80000, 1)
	for phase := time.Duration(0); phase < frame20; phase += 2500 * time.Microsecond {
		l := &line{t: t, in: in, phase: phase, heard: []int16{}}
		l.run(500)
		for i, v := range in[:79000] {
			if l.heard[i] != v && phase > time.Millisecond { // or else a millisecond of distance is made first
				t.Fatalf("phase %v: sample %d is %d, want %d", phase, i, l.heard[i], v)
			}
		}
		if l.delay[2] > 25*time.Millisecond || l.b.Stats().Concealed+l.b.Stats().Late != 0 {
			t.Errorf("phase %v: delay %v, %+v", phase, l.delay[2], l.b.Stats())
		}
	}
}

// TestAlmostCleanNetwork: with jitter of up to 2 ms and any phase, the delay stays below 25 ms on average.
func TestAlmostCleanNetwork(t *testing.T) {
	in := mediatest.Speech(8000, 80000, 1)
	for phase := time.Duration(0); phase < frame20; phase += 2500 * time.Microsecond {
		r := rand.New(rand.NewPCG(1, 2))
		l := &line{t: t, in: in, phase: phase, way: func(int) (time.Duration, bool) {
			return time.Duration(r.IntN(2000)) * time.Microsecond, false
		}}
		l.run(3000)
		st := l.b.Stats()
		t.Logf("phase %v: delay %v on average, %v at most; %+v", phase, l.mean(), l.delay[2], st)
		if l.mean() > 25*time.Millisecond || st.Concealed > st.Played/200 {
			t.Errorf("phase %v: delay %v on average, %v at most; %+v", phase, l.mean(), l.delay[2], st)
		}
	}
}

// TestJitter: packets of a network with jitter are heard, after the first second, but for a few.
func TestJitter(t *testing.T) {
	in := mediatest.Speech(8000, 80000, 1)
	for _, c := range []struct {
		jitter    time.Duration
		concealed float64 // share, at most
		delay     time.Duration
	}{
		{10 * time.Millisecond, 0.01, 35 * time.Millisecond},
		{20 * time.Millisecond, 0.02, 45 * time.Millisecond},
		{40 * time.Millisecond, 0.04, 65 * time.Millisecond},
		{80 * time.Millisecond, 0.04, 105 * time.Millisecond},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		l := &line{t: t, in: in, phase: 7 * time.Millisecond, way: func(int) (time.Duration, bool) {
			return time.Duration(r.Int64N(int64(c.jitter))), false
		}}
		l.run(3000)
		st := l.b.Stats()
		t.Logf("jitter %v: delay %v on average, %v at most; %+v", c.jitter, l.mean(), l.delay[2], st)
		if share := float64(st.Concealed) / float64(st.Played); share > c.concealed || l.mean() > c.delay {
			t.Errorf("jitter %v: %.1f%% concealed, delay %v; want at most %.1f%%, %v",
				c.jitter, 100*share, l.mean(), 100*c.concealed, c.delay)
		}
	}
}

// TestSpike: after one delay of 150 ms, the delay is back where it was within ten seconds.
func TestSpike(t *testing.T) {
	l := &line{t: t, in: mediatest.Speech(8000, 80000, 1), phase: time.Millisecond, way: func(i int) (time.Duration, bool) {
		if i >= 200 && i < 208 { // all of them come at once
			return 160*time.Millisecond - time.Duration(i-200)*frame20, false
		}
		return 0, false
	}}
	l.run(1000)
	if l.delay[2] < 100*time.Millisecond || l.delay[3] > 25*time.Millisecond {
		t.Errorf("delay %v at most, %v at the end; %+v", l.delay[2], l.delay[3], l.b.Stats())
	}
}

// TestLoss: what is lost is concealed, and nothing else; the delay does not grow.
func TestLoss(t *testing.T) {
	for _, percent := range []int{1, 5, 20} {
		r := rand.New(rand.NewPCG(5, 6))
		lost := 0
		l := &line{t: t, in: mediatest.Speech(8000, 80000, 1), phase: 3 * time.Millisecond, way: func(i int) (time.Duration, bool) {
			gone := i > 0 && r.IntN(100) < percent
			if gone {
				lost++
			}
			return 0, gone
		}}
		l.run(3000)
		st := l.b.Stats()
		if got := float64(st.Concealed) / 160 / float64(lost); got < 0.9 || got > 1.02 || st.Late != 0 || l.delay[2] > 25*time.Millisecond {
			t.Errorf("%d%%: %.2f of the lost are concealed; delay %v; %+v", percent, got, l.delay[2], st)
		}
	}
}

// TestReordered: packets that swap places are all heard, once the delay has learned of it.
func TestReordered(t *testing.T) {
	l := &line{t: t, in: mediatest.Speech(8000, 80000, 1), phase: 3 * time.Millisecond, way: func(i int) (time.Duration, bool) {
		if i%10 == 9 {
			return 25 * time.Millisecond, false // the next one overtakes it
		}
		return 0, false
	}}
	l.run(3000)
	if st := l.b.Stats(); st.Late > 4 || l.mean() > 60*time.Millisecond {
		t.Errorf("%+v, delay %v", st, l.mean())
	}
}

// TestDrift lets two clocks run apart by 200 ppm for a day, both ways.
func TestDrift(t *testing.T) {
	in := mediatest.Speech(8000, 80000, 1)
	for _, ppm := range []float64{200, -200} {
		l := &line{t: t, in: in, phase: time.Millisecond, ppm: ppm}
		l.run(24 * 3600 * 50)
		st := l.b.Stats()
		t.Logf("%v ppm: delay %v on average, %v at most, %v at the end; %+v", ppm, l.mean(), l.delay[2], l.delay[3], st)
		moved := int64(st.Cut) - int64(st.Stretched)
		if want := int64(ppm * 24 * 3600 * 8000 / 1e6); moved-want > 800 || want-moved > 800 {
			t.Errorf("%v ppm: %d samples were cut, want %d", ppm, moved, want)
		}
		if st.Concealed > 0 || st.Late+st.Skipped+st.Restarts > 0 || l.delay[2] > 60*time.Millisecond || l.mean() > 25*time.Millisecond {
			t.Errorf("%v ppm: delay %v on average, %v at most; %+v", ppm, l.mean(), l.delay[2], st)
		}
	}
}
