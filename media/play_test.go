package media

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// heard decodes what a party was sent.
func (l *fakeLeg) heard() (samples []int16) {
	dec := codec.NewG722Decoder()
	for _, p := range l.link.packets() {
		buf := make([]int16, 2*len(p.payload))
		switch p.pt {
		case 0:
			samples = append(samples, codec.DecodeMu(buf, p.payload)...)
		case 8:
			samples = append(samples, codec.DecodeA(buf, p.payload)...)
		case 9:
			samples = append(samples, dec.Decode(buf, p.payload)...)
		}
	}
	return samples
}

func TestPlayFile(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, c := range []*codecInfo{codecPCMU, codecPCMA, codecG722} {
			file := filepath.Join(t.TempDir(), "prompt.wav")
			if err := mediatest.WriteWAV(file, mediatest.Tone(500, rate, rate/2+50), rate); err != nil {
				t.Fatal(err)
			}
			fakeTime(t, func(t *testing.T, e *Engine) {
				a := newFakeLeg(t, e, Options{}, agreedOn(c))
				if err := a.Play(Sound{File: file}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				got := a.link.packets()
				if len(got) != 26 { // half a second and a bit more
					t.Errorf("%s from %d Hz: %d packets, want 26", c.name, rate, len(got))
				}
				if !mediatest.Hears(a.heard(), c.rate, 500) {
					t.Errorf("%s from %d Hz: the prompt is not heard", c.name, rate)
				}
				if len(a.events.of(PlayEnded)) != 1 {
					t.Error("PlayEnded was not posted once")
				}
				checkContinuous(t, got, 26)
			})
		}
	}
}

func TestPlayTakesTheBridgesPlace(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		mustBridge(t, a.Session, b.Session)
		if err := a.Play(Sound{Tone: "busy", Loop: true}); err != nil {
			t.Fatal(err)
		}
		b.talks(2*time.Second, loud)
		if h := a.heard(); !mediatest.Hears(h, 8000, 480) || mediatest.Hears(h, 8000, 1000) {
			t.Error("the bridge is heard with or instead of the tone")
		}
		a.Stop()
		b.talks(time.Second, loud)
		if !mediatest.Hears(a.heard(), 8000, 1000) {
			t.Error("after Stop the bridge is not heard")
		}
		if len(a.events.of(PlayEnded)) != 0 {
			t.Error("Stop posted PlayEnded")
		}
	})
}

// TestPlayWaitsForSDP: a sound that was started early begins with the agreement.
func TestPlayWaitsForSDP(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		fake := &fakeLink{agreed: agreedOn(codecPCMA)}
		s, err := e.newSession(Options{}, func(*Session) (link, error) { return fake, nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Play(Sound{Tone: "beep"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := s.RemoteAnswer(nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n := len(fake.packets()); n != 20 {
			t.Errorf("%d packets of a beep of 400 ms", n)
		}
	})
}

func TestPlayErrors(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.wav")
	if err := os.WriteFile(junk, []byte("RIFF....WAVEjunk"), 0o600); err != nil {
		t.Fatal(err)
	}
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		for _, s := range []Sound{{File: "/nowhere.wav"}, {File: junk}, {Tone: "siren"}} {
			if err := a.Play(s); err == nil {
				t.Errorf("%+v is played", s)
			}
		}
	})
}

// TestPtime: packets have the length that the party asked for.
func TestPtime(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := agreedOn(codecPCMU)
		a.ptime = 30
		l := newFakeLeg(t, e, Options{}, a)
		if err := l.Play(Sound{Tone: "ringback"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		got := l.link.packets()
		if n := len(got); n < 99 || n > 101 || len(got[0].payload) != 240 {
			t.Errorf("%d packets of %d octets in 3 s", n, len(got[0].payload))
		}
		checkContinuous(t, got, 99)
	})
}

func FuzzWAV(f *testing.F) {
	f.Add(append(wavHeader(8000, 4), 1, 2, 3, 4))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _, _ = parseWAV(b) })
}

// TestPlayFrom: a file begins where it shall, and beyond its end it is over at once.
func TestPlayFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message.wav")
	samples := append(mediatest.Tone(500, 8000, 8000), mediatest.Tone(1500, 8000, 8000)...)
	if err := mediatest.WriteWAV(file, samples, 8000); err != nil {
		t.Fatal(err)
	}
	fakeTime(t, func(t *testing.T, e *Engine) {
		for _, c := range []struct {
			from    float64
			packets int
		}{{1.2, 40}, {2, 0}, {99, 0}, {-1, 100}} {
			a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
			if err := a.Play(Sound{File: file, From: c.from}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			if got := len(a.link.packets()); got != c.packets || len(a.events.of(PlayEnded)) != 1 {
				t.Errorf("from %.1f s: %d packets, want %d; ended %v", c.from, got, c.packets, a.events.of(PlayEnded))
			}
			if c.packets == 40 && (!mediatest.Hears(a.heard(), 8000, 1500) || mediatest.Hears(a.heard(), 8000, 500)) {
				t.Error("the wrong part is heard")
			}
		}
	})
}
