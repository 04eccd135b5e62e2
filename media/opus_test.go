package media

import (
	"path/filepath"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// saysOpus lets a leg say 16 kHz samples in Opus, 20 ms at a time; every lose-th packet is lost, 0 = none.
func (l *fakeLeg) saysOpus(t *testing.T, samples []int16, lose int) {
	t.Helper()
	enc, err := l.engine.opus.NewEncoder(codec.OpusSettings{})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 400)
	for i := range len(samples) / 320 {
		pkt := l.packet(codecOpus.payload, l.ts, enc.Encode(buf, samples[320*i:320*i+320]))
		l.ts += 960
		if lose == 0 || i%lose != lose-1 {
			l.received(pkt)
		}
		time.Sleep(tickInterval)
	}
}

// decoded is what the party of a leg hears, with the rate of it.
func (l *fakeLeg) decoded() (samples []int16, rate int) {
	v := voice{rate: 16000}
	for _, p := range l.link.packets() {
		samples = append(samples, v.decode(l.agreed.audio[0].codec, p.payload)...)
	}
	return samples, v.rate
}

// TestOpusBridged: a leg with Opus and one without hear each other.
func TestOpusBridged(t *testing.T) {
	for _, other := range []*codecInfo{codecPCMU, codecPCMA, codecG722} {
		t.Run(other.name, func(t *testing.T) {
			fakeTime(t, func(t *testing.T, e *Engine) {
				a := newFakeLeg(t, e, Options{}, agreedOn(codecOpus))
				b := newFakeLeg(t, e, Options{}, agreedOn(other))
				mustBridge(t, a.Session, b.Session)
				a.saysOpus(t, mediatest.Tone(600, 16000, 32000), 20)
				if samples, rate := b.decoded(); len(samples) < 31000 || !mediatest.Hears(samples[len(samples)-8000:], rate, 600) {
					t.Errorf("%s hears nothing of Opus: %d samples", other.name, len(samples))
				}
				enc := voice{rate: 8000}
				tone := mediatest.Tone(1000, 8000, 16000)
				for i := range 100 {
					b.received(b.packet(other.payload, b.ts, enc.encode(other, make([]byte, 400), tone[160*i:160*i+160])))
					b.ts += 160
					time.Sleep(tickInterval)
				}
				samples, rate := a.decoded()
				if len(samples) < 31000 || !mediatest.Hears(samples[len(samples)-8000:], rate, 1000) {
					t.Errorf("Opus hears nothing of %s: %d samples", other.name, len(samples))
				}
				sent := a.link.packets()
				for i := 1; i < len(sent); i++ {
					if sent[i].ts-sent[i-1].ts != 960 || codec.OpusSamples(sent[i].payload) != 320 {
						t.Fatalf("packet %d: %d units after the last one, %d samples", i, sent[i].ts-sent[i-1].ts, codec.OpusSamples(sent[i].payload))
					}
				}
			})
		})
	}
}

// TestOpusPassesWhereShared: two legs that share Opus, or G.711, get it as it is.
func TestOpusPassesWhereShared(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecOpus, codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU, codecOpus))
		mustBridge(t, a.Session, b.Session)
		if a.path.Load().coded != nil || b.path.Load().coded != nil {
			t.Error("legs that share both codecs are transcoded")
		}
		c := newFakeLeg(t, e, Options{}, agreedOn(codecOpus, codecPCMA))
		mustBridge(t, b.Session, c.Session)
		if coded := b.path.Load().coded; coded == nil || coded.codec != codecPCMU || coded.coder.to != codecPCMA {
			t.Errorf("G.711 of one law is turned into %+v, want the other law", coded)
		}
	})
}

// TestOpusPromptAndRecording: a leg with Opus alone hears a prompt and is recorded.
func TestOpusPromptAndRecording(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.wav")
	fakeTime(t, func(t *testing.T, e *Engine) {
		l := newFakeLeg(t, e, Options{}, agreedOn(codecOpus))
		if err := l.Play(Sound{Tone: "beep"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if samples, rate := l.decoded(); len(l.events.of(PlayEnded)) != 1 || !mediatest.Hears(samples, rate, 1000) {
			t.Errorf("the beep is not heard in %d samples", len(samples))
		}
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		l.saysOpus(t, mediatest.Tone(440, 16000, 32000), 0)
		l.StopRecording()
	})
	samples, rate, err := mediatest.ReadWAV(file)
	if err != nil || rate != 16000 || len(samples) < 31000 || !mediatest.Hears(samples, rate, 440) {
		t.Errorf("recorded %d samples at %d Hz: %v", len(samples), rate, err)
	}
}
