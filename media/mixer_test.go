package media

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// speaker is a fakeLeg in a conference, with a tone of its own.
type speaker struct {
	*fakeLeg
	codec  *codecInfo
	freq   float64
	voice  voice
	at     int
	silent bool
	level  float64 // of the tone, 1 = -10 dBFS
}

func newSpeaker(t testing.TB, e *Engine, c *codecInfo, freq float64) *speaker {
	return &speaker{fakeLeg: newFakeLeg(t, e, Options{ID: fmt.Sprint(freq)}, agreedOn(c)), codec: c, freq: freq,
		voice: voice{rate: c.rate, opus: e.opus}, level: 1}
}

// says lets it say 20 ms of its tone; lost keeps them on the way.
func (l *speaker) says(lost bool) {
	samples := make([]int16, l.codec.rate/50)
	for i := range samples {
		if !l.silent {
			samples[i] = int16(l.level * 10362 * math.Sin(2*math.Pi*l.freq*float64(l.at+i)/float64(l.codec.rate)))
		}
	}
	l.at += len(samples)
	pkt := l.packet(l.codec.payload, l.ts, l.voice.encode(l.codec, make([]byte, 640), samples))
	l.ts += l.codec.clock / 50
	if !lost {
		l.received(pkt)
	}
}

// talk lets all say something for a while; lost says whose packets are not delivered.
func talk(talkers []*speaker, d time.Duration, lost func(l *speaker) bool) {
	for range d / tickInterval {
		for _, l := range talkers {
			l.says(lost != nil && lost(l))
		}
		time.Sleep(tickInterval)
	}
}

// hears says which of the others' tones are in what it was sent in the last so many packets, and whether its own is.
func (l *speaker) hears(all []*speaker, packets int) (others []float64, itself bool) {
	v := voice{rate: 16000}
	var samples []int16
	sent := l.link.packets()
	for i, p := range sent {
		s := v.decode(l.codec, p.payload)
		if i >= len(sent)-packets {
			samples = append(samples, s...)
		}
	}
	for _, o := range all {
		level := mediatest.Level(samples, 16000, o.freq)
		switch {
		case o == l:
			itself = level > -50
		case level > -30:
			others = append(others, o.freq)
		}
	}
	return others, itself
}

func newTestMixer(t testing.TB, e *Engine, opt MixerOptions) *Mixer {
	t.Helper()
	m, err := e.NewMixer(opt)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustAdd(t testing.TB, m *Mixer, list ...*speaker) {
	t.Helper()
	for i, l := range list {
		if err := m.Add(l.Session, MemberOptions{Member: i}); err != nil {
			t.Fatal(err)
		}
	}
}

func checkHears(t *testing.T, l *speaker, all []*speaker, want ...float64) {
	t.Helper()
	got, itself := l.hears(all, 40)
	if itself {
		t.Errorf("%v Hz (%s) hears itself", l.freq, l.codec.name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v Hz (%s) hears %v, want %v", l.freq, l.codec.name, got, want)
	}
}

func without(list []*speaker, l *speaker) (freqs []float64) {
	for _, o := range list {
		if o != l {
			freqs = append(freqs, o.freq)
		}
	}
	return freqs
}

// TestMixerEachHearsTheOthers: five parties with all codecs; each hears the four others, and never itself.
func TestMixerEachHearsTheOthers(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		list := []*speaker{
			newSpeaker(t, e, codecPCMU, 500), newSpeaker(t, e, codecG722, 700), newSpeaker(t, e, codecOpus, 1100),
			newSpeaker(t, e, codecPCMA, 1700), newSpeaker(t, e, codecG722, 2300),
		}
		mustAdd(t, m, list...)
		talk(list, 2*time.Second, nil)
		for _, l := range list {
			checkHears(t, l, list, without(list, l)...)
		}
	})
}

// TestMixerWideband: what has more than telephone bandwidth keeps it among those who have it.
func TestMixerWideband(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		a, b, c, d := newSpeaker(t, e, codecG722, 5500), newSpeaker(t, e, codecOpus, 600), newSpeaker(t, e, codecPCMU, 900), newSpeaker(t, e, codecG722, 1300)
		list := []*speaker{a, b, c, d}
		mustAdd(t, m, list...)
		talk(list, 2*time.Second, nil)
		checkHears(t, b, list, 5500, 900, 1300)
		checkHears(t, d, list, 5500, 600, 900)
		checkHears(t, c, list, 600, 1300) // and no alias: 5500 Hz would be heard at 2500
		v := voice{rate: 8000}
		var samples []int16
		for _, p := range c.link.packets() {
			samples = append(samples, v.decode(c.codec, p.payload)...)
		}
		if got := mediatest.Level(samples[len(samples)-4000:], 8000, 2500); got > -55 {
			t.Errorf("an alias of %.1f dBFS", got)
		}
	})
}

// TestMixerAnyRoom: whoever joins, leaves, is muted and falls silent, in any order: each hears exactly those who talk.
func TestMixerAnyRoom(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			fakeTime(t, func(t *testing.T, e *Engine) {
				r := rand.New(rand.NewPCG(seed, 1))
				m := newTestMixer(t, e, MixerOptions{})
				codecs := []*codecInfo{codecPCMU, codecPCMA, codecG722, codecOpus}
				var all, in []*speaker
				muted := map[*speaker]bool{}
				for i := range 8 {
					all = append(all, newSpeaker(t, e, codecs[r.IntN(len(codecs))], 400+float64(i)*330))
				}
				for range 6 {
					for _, l := range all {
						at := slices.Index(in, l)
						switch n := r.IntN(6); {
						case n < 2 && at < 0:
							muted[l] = r.IntN(4) == 0
							if err := m.Add(l.Session, MemberOptions{Muted: muted[l]}); err != nil {
								t.Fatal(err)
							}
							in = append(in, l)
						case n == 2 && at >= 0:
							m.Remove(l.Session)
							in = slices.Delete(in, at, at+1)
						case n == 3 && at >= 0:
							muted[l] = !muted[l]
							m.Mute(l.Session, muted[l])
						case n == 4:
							l.silent = !l.silent
						}
					}
					talk(all, 2*time.Second, nil)
					for _, l := range in {
						var want []float64
						for _, o := range all {
							if o != l && slices.Contains(in, o) && !muted[o] && !o.silent {
								want = append(want, o.freq)
							}
						}
						checkHears(t, l, all, want...)
					}
				}
			})
		})
	}
}

// TestMixerDeadNetwork: a member whose packets are lost, all or many, is the only one who is heard badly.
func TestMixerDeadNetwork(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		list := []*speaker{newSpeaker(t, e, codecPCMU, 500), newSpeaker(t, e, codecG722, 700), newSpeaker(t, e, codecPCMA, 1100), newSpeaker(t, e, codecPCMU, 1700)}
		mustAdd(t, m, list...)
		talk(list, time.Second, nil)
		r := rand.New(rand.NewPCG(1, 2))
		talk(list, 3*time.Second, func(l *speaker) bool { return l == list[0] || l == list[1] && r.IntN(3) == 0 })
		checkHears(t, list[2], list, 700, 1700)
		checkHears(t, list[3], list, 700, 1100)
		for _, l := range list[2:] {
			sent := l.link.packets()
			for i := 1; i < len(sent); i++ {
				if sent[i].at.Sub(sent[i-1].at) != tickInterval || sent[i].seq != sent[i-1].seq+1 || sent[i].ts != sent[i-1].ts+160 {
					t.Fatalf("packet %d: %+v after %+v", i, sent[i].header, sent[i-1].header)
				}
			}
		}
		list[0].Close()
		talk(list[1:], time.Second, nil)
		checkHears(t, list[2], list, 700, 1700)
	})
}

// TestMixerLimits: ten that shout at once are not clipped, and leave no distortion.
func TestMixerLimits(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		var list []*speaker
		for i := range 10 {
			l := newSpeaker(t, e, codecG722, 300+float64(i)*200)
			l.level = 2.5
			list = append(list, l)
		}
		ear := newSpeaker(t, e, codecG722, 6000)
		ear.silent = true
		list = append(list, ear)
		mustAdd(t, m, list...)
		talk(list, 3*time.Second, nil)
		v := voice{rate: 16000}
		var samples []int16
		for _, p := range ear.link.packets() {
			samples = append(samples, v.decode(codecG722, p.payload)...)
		}
		samples = samples[len(samples)-16000:]
		for _, hz := range []float64{200, 400, 2400, 2600, 4100, 5000} {
			if got := mediatest.Level(samples, 16000, hz); got > -40 {
				t.Errorf("%v Hz that nobody says: %.1f dBFS", hz, got)
			}
		}
	})
}

// TestLimiterNeverClips: whatever comes, what goes out is below full scale, and close to it while it is too loud.
func TestLimiterNeverClips(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, rate := range []int{8000, 16000} {
		l, frame, out := newLimiter(rate), make([]float32, rate/50), make([]int16, rate/50)
		for n := range 2000 {
			scale := math.Pow(10, 6*r.Float64())
			for i := range frame {
				frame[i] = float32(scale * r.NormFloat64())
			}
			if n%7 == 0 {
				clear(frame)
			}
			l.take(out, frame)
			for _, v := range out {
				if v > limiterPeak+1 || v < -limiterPeak-1 {
					t.Fatalf("sample %d", v)
				}
			}
		}
	}
}

// TestLevelerDoesNotPump: the gain comes to rest near the target, and does not follow syllables, pauses or noise.
func TestLevelerDoesNotPump(t *testing.T) {
	for _, loudness := range []float64{0.1, 0.3, 1, 3} {
		l, out := newLeveler(8000), make([]float32, 160)
		speech := mediatest.Speech(8000, 8000*60, 3)
		var gains []float32
		for at := 0; at < len(speech); at += 160 {
			frame := make([]int16, 160)
			for i, v := range speech[at : at+160] {
				frame[i] = int16(max(-32768, min(32767, loudness*float64(v))))
			}
			l.take(out, frame, true, true)
			gains = append(gains, l.agc)
		}
		settled := gains[len(gains)/2:]
		if lo, hi := slices.Min(settled), slices.Max(settled); hi/lo > 1.6 {
			t.Errorf("loudness %v: the gain wanders from %.2f to %.2f", loudness, lo, hi)
		}
		for i := 50; i < len(gains); i++ {
			if change := gains[i] / gains[i-50]; change > 1.12 || change < 0.8 {
				t.Errorf("loudness %v: the gain changes by %.2f in a second", loudness, change)
			}
		}
		if loudness <= 0.1 && gains[len(gains)-1] < 2 || loudness >= 3 && gains[len(gains)-1] > 0.8 {
			t.Errorf("loudness %v: a gain of %.2f", loudness, gains[len(gains)-1])
		}
	}
}

// TestMixerNoClicks: who joins, leaves, and is muted, leaves no step in what the others hear.
func TestMixerNoClicks(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		ear, steady, guest := newSpeaker(t, e, codecPCMU, 3000), newSpeaker(t, e, codecPCMU, 200), newSpeaker(t, e, codecPCMU, 250)
		ear.silent = true
		list := []*speaker{ear, steady, guest}
		mustAdd(t, m, ear, steady)
		talk(list, time.Second, nil)
		for range 3 {
			mustAdd(t, m, guest)
			talk(list, 330*time.Millisecond, nil)
			m.Mute(guest.Session, true)
			talk(list, 110*time.Millisecond, nil)
			m.Mute(guest.Session, false)
			talk(list, 350*time.Millisecond, nil)
			m.Remove(guest.Session)
			talk(list, 300*time.Millisecond, nil)
		}
		v := voice{rate: 8000}
		var samples []int16
		for _, p := range ear.link.packets() {
			samples = append(samples, v.decode(codecPCMU, p.payload)...)
		}
		// The steepest that two such tones may be: their slopes at zero, and some quantisation.
		limit := 10362 * 2 * math.Pi * (200 + 250) / 8000 * 1.3
		for i := 1; i < len(samples); i++ {
			if d := math.Abs(float64(samples[i]) - float64(samples[i-1])); d > limit {
				t.Fatalf("a step of %.0f at %d ms", d, i/8)
			}
		}
	})
}

// TestMixerEvents: who talks is told, muted or not; and a sound that all hear ends with its token.
func TestMixerEvents(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		var mu sync.Mutex
		var got []MixerEvent
		m := newTestMixer(t, e, MixerOptions{Tones: true, OnEvent: func(ev MixerEvent) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, ev)
		}})
		a, b := newSpeaker(t, e, codecPCMU, 500), newSpeaker(t, e, codecG722, 700)
		a.silent, b.silent = true, true
		list := []*speaker{a, b}
		mustAdd(t, m, list...)
		talk(list, 320*time.Millisecond, nil)
		if hz, _ := a.hears([]*speaker{a, {freq: 520}, {freq: 660}}, 15); len(hz) != 2 {
			t.Errorf("of the tone for who joins, %v is heard", hz)
		}
		m.Mute(b.Session, true)
		b.silent = false
		talk(list, 500*time.Millisecond, nil)
		b.silent = true
		talk(list, 2*time.Second, nil)
		if err := m.Play(Sound{Tone: "beep", Token: 7}); err != nil {
			t.Fatal(err)
		}
		talk(list, time.Second, nil)
		want := []MixerEvent{{Type: Speaking, Member: 1}, {Type: Quiet, Member: 1}, {Type: MixerPlayEnded, Token: 7}}
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(got, want) {
			t.Errorf("posted %+v, want %+v", got, want)
		}
		for _, l := range list {
			if hz, _ := l.hears([]*speaker{l, {freq: 1000}}, 50); len(hz) != 1 {
				t.Errorf("%s does not hear the beep", l.codec.name)
			}
		}
	})
}

// TestMixerMembership: a session is in one bridge or mixer, and leaves it by itself.
func TestMixerMembership(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m, other := newTestMixer(t, e, MixerOptions{}), newTestMixer(t, e, MixerOptions{})
		list := []*speaker{newSpeaker(t, e, codecPCMU, 500), newSpeaker(t, e, codecPCMU, 700), newSpeaker(t, e, codecPCMU, 1100)}
		mustBridge(t, list[0].Session, list[1].Session)
		mustAdd(t, m, list[0], list[2])
		talk(list, time.Second, nil)
		checkHears(t, list[0], list, 1100)
		checkHears(t, list[2], list, 500)
		n := len(list[1].link.packets())
		mustAdd(t, other, list[0], list[1])
		talk(list, time.Second, nil)
		checkHears(t, list[0], list, 700)
		checkHears(t, list[1], list, 500)
		checkHears(t, list[2], list)
		mustBridge(t, list[0].Session, list[2].Session)
		talk(list, time.Second, nil)
		checkHears(t, list[0], list, 1100)
		checkHears(t, list[2], list, 500)
		if len(list[1].link.packets()) <= n {
			t.Error("who is alone in a conference is sent nothing")
		}
		m.Close()
		m.Close()
		if err := m.Add(list[0].Session, MemberOptions{}); err == nil {
			t.Error("joined a closed mixer")
		}
		other.Close()
		time.Sleep(time.Second)
		for _, l := range list {
			e.topology.Lock()
			if l.member != nil || l.listener != nil {
				t.Errorf("%v Hz is still listened to", l.freq)
			}
			e.topology.Unlock()
		}
	})
}
