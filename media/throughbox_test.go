package media

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
	"strowger/media/playout"
)

// Speech through the box, under fake time: what a network does to it on the way in, and what is heard of it.

// network is what happens to packets on their way in.
type network struct {
	loss   float64 // share of packets
	burst  bool    // lost in rows of three on average
	jitter time.Duration
}

// way is what the box does with them.
type way struct {
	name     string
	from, to *codecInfo
	set      codec.OpusSettings
	over     string // bridge | conference | recorder
}

// heardThrough is what came of it.
type heardThrough struct {
	samples []int16         // 16 kHz, in step with the clock: sample 0 is that of the first packet's arrival on the quickest way
	lost    float64         // share of packets
	made    float64         // share of the sound that was concealed
	delay   time.Duration   // added, mean
	snr     float64         // segmental, dB
	gap     time.Duration   // longest that is 20 dB softer than what was said
	lags    []time.Duration // of the segments
}

// drops says which packets are lost.
func (n network) drops(packets int) []bool {
	r := rand.New(rand.NewPCG(21, uint64(n.loss*1000)))
	gone, bad := make([]bool, packets), false
	for i := range gone {
		switch {
		case !n.burst:
			bad = r.Float64() < n.loss
		case bad:
			bad = r.Float64() >= 1.0/3
		default:
			bad = r.Float64() < n.loss/(1-n.loss)/3
		}
		gone[i] = bad && i > 25
	}
	return gone
}

// deliver lets a leg say speech of 16 kHz over the network.
func (n network) deliver(l *fakeLeg, w way, speech []int16) (lost float64) {
	v := voice{rate: 16000, opus: l.engine.opus}
	if v.opus != nil {
		lib := *v.opus
		lib.Settings = w.set
		v.opus = &lib
	}
	type arrival struct {
		at  time.Duration
		pkt []byte
	}
	var list []arrival
	r := rand.New(rand.NewPCG(5, 6))
	gone := n.drops(len(speech) / 320)
	count := 0.0
	for i, lose := range gone {
		payload := v.encode(w.from, make([]byte, 640), speech[320*i:320*i+320])
		pkt := l.packet(w.from.payload, l.ts, payload)
		l.ts += w.from.clock / 50
		if lose {
			count++
			continue
		}
		at := time.Duration(i) * tickInterval
		if n.jitter > 0 {
			at += time.Duration(r.Int64N(int64(n.jitter)))
		}
		list = append(list, arrival{at, pkt})
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return int(a.at - b.at) })
	start := time.Now()
	for _, a := range list {
		time.Sleep(a.at - time.Since(start))
		l.received(a.pkt)
	}
	return count / float64(len(gone))
}

// through sends speech of 16 kHz through the box.
func through(t *testing.T, w way, n network, speech []int16) (h heardThrough) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a, b := newFakeLeg(t, e, Options{}, agreedOn(w.from)), newFakeLeg(t, e, Options{}, agreedOn(w.to))
		file := filepath.Join(t.TempDir(), "r.wav")
		switch w.over {
		case "bridge":
			mustBridge(t, a.Session, b.Session)
		case "recorder":
			if err := a.Record(Recording{File: file}); err != nil {
				t.Fatal(err)
			}
		case "conference":
			m := newTestMixer(t, e, MixerOptions{})
			for _, l := range []*fakeLeg{a, b, newFakeLeg(t, e, Options{}, agreedOn(codecPCMA))} {
				if err := m.Add(l.Session, MemberOptions{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(7 * time.Millisecond) // somewhere between two ticks
		start := time.Now()
		h.lost = n.deliver(a, w, speech)
		h.made = h.lost
		if a.listener != nil {
			if st := a.listener.stats(); st.Played > 0 {
				h.made = float64(st.Concealed) / float64(st.Played)
			}
		}
		time.Sleep(200 * time.Millisecond)
		switch {
		case w.over == "recorder":
			a.StopRecording()
			time.Sleep(time.Second)
			samples, rate, err := mediatest.ReadWAV(file)
			if err != nil {
				t.Fatal(err)
			}
			if rate == 8000 {
				var up codec.Upsampler
				samples = up.Convert(make([]int16, 2*len(samples)), samples)
			}
			h.samples = samples
		case w.from == w.to && w.over == "bridge":
			h.samples = ear(b, w.to, start)
		default:
			h.samples = b.inStep(w.to, start)
		}
	})
	h.compare(speech)
	return h
}

// inStep is what a leg was sent, each packet where its time is.
func (l *fakeLeg) inStep(c *codecInfo, start time.Time) []int16 {
	v := voice{rate: 16000, opus: l.engine.opus}
	var out []int16
	sent := l.link.packets()
	for _, p := range sent {
		at := int(sent[0].at.Sub(start)*16000/time.Second) + int(int32(p.ts-sent[0].ts))*16000/int(c.clock)
		if p.pt != c.payload || at < 0 {
			continue
		}
		if n := at - len(out); n > 0 { // the party was silent
			out = append(out, make([]int16, n)...)
		}
		out = append(out[:at], v.decode(c, p.payload)...)
	}
	return out
}

// ear is what a phone behind a relay makes of the packets: the delay is its own.
func ear(l *fakeLeg, c *codecInfo, start time.Time) []int16 {
	b := playout.New(16000, &voice{rate: 16000, opus: l.engine.opus}, 0)
	sent := l.link.packets()
	var out []int16
	frame := make([]int16, 320)
	for now := start; len(sent) > 0; now = now.Add(tickInterval) {
		for len(sent) > 0 && !sent[0].at.After(now) {
			p := sent[0]
			b.Push(playoutPacket(p.header, c, p.payload, 16000), p.at.Sub(start)+time.Second)
			sent = sent[1:]
		}
		b.Pull(frame, now.Sub(start)+time.Second)
		out = append(out, frame...)
	}
	return out
}

// compare measures delay and likeness, in segments of 200 ms, each at the shift at which it is most like what was said.
func (h *heardThrough) compare(speech []int16) {
	const segment, reach = 3200, 16 * 260
	heard := append(slices.Clone(h.samples), make([]int16, reach+segment)...)
	var lag, weight, snr, frames float64
	for at := 16000; at+segment <= len(speech)-reach && at+segment+reach <= len(heard); at += segment {
		said := speech[at : at+segment]
		if mediatest.Loudness(said) < -32 {
			continue
		}
		shift := bestShift(said, heard[at:], reach)
		lag += float64(shift)
		weight++
		h.lags = append(h.lags, time.Duration(shift)*time.Second/16000)
		gain := likeGain(said, heard[at+shift:])
		for f := 0; f < segment; f += 320 {
			s, o := said[f:f+320], heard[at+shift+f:at+shift+f+320]
			level := mediatest.Loudness(s)
			if level < -35 {
				continue
			}
			noise := make([]int16, 320)
			for i := range noise {
				noise[i] = int16(max(-32768, min(32767, int(float64(s[i])-gain*float64(o[i])))))
			}
			snr += min(35, max(-10, level-mediatest.Loudness(noise)))
			frames++
		}
	}
	if weight > 0 {
		h.delay = time.Duration(lag / weight * float64(time.Second) / 16000)
	}
	h.snr = snr / max(frames, 1)
	h.gap = longestGap(speech, heard, int(h.delay*16000/time.Second))
}

// likeGain is how much louder what is heard would have to be: a conference makes its members equally loud.
func likeGain(said, heard []int16) float64 {
	var ab, bb float64
	for i, v := range said {
		ab += float64(v) * float64(heard[i])
		bb += float64(heard[i]) * float64(heard[i])
	}
	return ab / (bb + 1)
}

// bestShift is the shift with the highest correlation, to 0.1 ms.
func bestShift(said, heard []int16, reach int) int {
	best, at := math.Inf(-1), 0
	try := func(shift, step int) {
		var ab, bb float64
		for i := 0; i < len(said); i += step {
			y := float64(heard[shift+i])
			ab += float64(said[i]) * y
			bb += y * y
		}
		if v := ab / math.Sqrt(bb+1e4); v > best {
			best, at = v, shift
		}
	}
	for shift := 0; shift < reach; shift += 4 {
		try(shift, 3)
	}
	coarse := at
	best = math.Inf(-1)
	for shift := max(0, coarse-4); shift <= min(reach-1, coarse+4); shift++ {
		try(shift, 1)
	}
	return at
}

// longestGap is for how long, at the most, 20 dB less is heard than was said around that time.
func longestGap(said, heard []int16, shift int) time.Duration {
	const step = 80 // 5 ms
	longest, run := 0, 0
	for at := 16000; at+shift+640 < min(len(said), len(heard)-640); at += step {
		loudest := math.Inf(1) // the softest that was said within 20 ms: what everybody should hear
		for d := -640; d <= 640; d += 160 {
			loudest = min(loudest, mediatest.Loudness(said[at+d:at+d+160]))
		}
		if loudest > -32 && mediatest.Loudness(heard[at+shift:at+shift+step]) < loudest-20 {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return time.Duration(longest) * 5 * time.Millisecond
}

// ways are those that are measured.
var ways = []way{
	{"relay PCMU", codecPCMU, codecPCMU, codec.OpusSettings{}, "bridge"},
	{"PCMU to G722", codecPCMU, codecG722, codec.OpusSettings{}, "bridge"},
	{"G722 to PCMU", codecG722, codecPCMU, codec.OpusSettings{}, "bridge"},
	{"PCMU to opus", codecPCMU, codecOpus, codec.OpusSettings{}, "bridge"},
	{"opus to PCMU", codecOpus, codecPCMU, codec.OpusSettings{}, "bridge"},
	{"opus+FEC to PCMU", codecOpus, codecPCMU, codec.OpusSettings{FEC: true}, "bridge"},
	{"conference, G722", codecG722, codecG722, codec.OpusSettings{}, "conference"},
	{"conference, PCMU to G722", codecPCMU, codecG722, codec.OpusSettings{}, "conference"},
	{"recorder, PCMU", codecPCMU, codecPCMU, codec.OpusSettings{}, "recorder"},
}

// narrow is speech without what telephone bandwidth does not carry, so that ways with and without it can be compared.
func narrow(speech []int16) []int16 {
	var down codec.Downsampler
	var up codec.Upsampler
	half := down.Convert(make([]int16, len(speech)/2), speech)
	return up.Convert(make([]int16, len(speech)), half)
}

// TestAddedDelay: on a clean network, sound that ends here leaves 25 ms later at the most, codecs' own delay aside.
func TestAddedDelay(t *testing.T) {
	speech := narrow(mediatest.Speech(16000, 16000*6, 12))
	for _, w := range ways {
		if w.over == "recorder" || w.from == w.to && w.over == "bridge" {
			continue
		}
		h := through(t, w, network{}, speech)
		coding := codecDelay(w.from) + codecDelay(w.to)
		t.Logf("%s: %v, of which codecs %v; SNR %.1f dB", w.name, h.delay, coding, h.snr)
		if h.delay-coding > 25*time.Millisecond {
			t.Errorf("%s adds %v, of which codecs %v", w.name, h.delay, coding)
		}
	}
}

// codecDelay is what a codec looks ahead and its filters take, one way: G.722's two filters 22 samples of 16 kHz each, half
// of them here; Opus' look-ahead at 16 kHz.
func codecDelay(c *codecInfo) time.Duration {
	switch c {
	case codecOpus:
		return 6500 * time.Microsecond
	case codecG722:
		return 700 * time.Microsecond
	}
	return 0
}

// TestLossIsNotHeardAsGaps: at 5 % loss, one by one, no gap longer than a packet is heard anywhere.
func TestLossIsNotHeardAsGaps(t *testing.T) {
	speech := narrow(mediatest.Speech(16000, 16000*20, 12))
	for _, w := range ways {
		h := through(t, w, network{loss: 0.05}, speech)
		t.Logf("%s: lost %.1f %%, concealed %.1f %%, gap %v, SNR %.1f dB, delay %v", w.name, 100*h.lost, 100*h.made, h.gap, h.snr, h.delay)
		if h.gap > tickInterval {
			t.Errorf("%s: a gap of %v", w.name, h.gap)
		}
	}
}

// TestGapsAreFound: the measure of gaps sees one, and none where there is none.
func TestGapsAreFound(t *testing.T) {
	speech := mediatest.Speech(16000, 16000*6, 12)
	heard := slices.Clone(speech)
	if got := longestGap(speech, heard, 0); got != 0 {
		t.Errorf("a gap of %v in what is untouched", got)
	}
	for at := 32000; at+8000 < len(heard); at += 8000 {
		clear(heard[at : at+640])
	}
	if got := longestGap(speech, heard, 0); got < 30*time.Millisecond || got > 45*time.Millisecond {
		t.Errorf("a gap of %v, want 40 ms", got)
	}
}
