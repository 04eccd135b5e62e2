package media

import (
	"bytes"
	"math"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// TestNoisePasses: comfort noise is relayed to a party that has agreed to it, and to no other; where the sound is
// transcoded, it is made here.
func TestNoisePasses(t *testing.T) {
	for _, c := range []struct {
		name    string
		codec   *codecInfo
		agreed  uint8
		passed  int
		decoded float64 // dBov of what is heard meanwhile
	}{
		{"agreed", codecPCMU, 13, 1, 0},
		{"not agreed", codecPCMU, 0, 0, 0},
		{"other codec", codecG722, 0, 0, -50},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeTime(t, func(t *testing.T, e *Engine) {
				a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
				to := agreedOn(c.codec)
				to.noise = c.agreed
				b := newFakeLeg(t, e, Options{}, to)
				mustBridge(t, a.Session, b.Session)
				a.talks(500*time.Millisecond, loud)
				a.received(a.packet(13, a.ts, []byte{50}))
				time.Sleep(time.Second)
				a.ts += 8000
				noise, v := 0, voice{rate: 8000}
				var heard []int16
				for _, p := range b.link.packets() {
					if p.pt == 13 {
						noise++
						continue
					}
					heard = append(heard, v.decode(c.codec, p.payload)...)
				}
				if noise != c.passed {
					t.Errorf("%d packets of comfort noise passed, want %d", noise, c.passed)
				}
				if c.decoded != 0 {
					if got := mediatest.Loudness(heard[len(heard)-4000:]) - 10*math.Log10(2); len(heard) < 10000 || math.Abs(got-c.decoded) > 3 {
						t.Errorf("%d samples, the last of %.1f dBov; want %.1f", len(heard), got, c.decoded)
					}
				}
			})
		})
	}
}

// TestNoiseSent: a party that has agreed to comfort noise is sent it when the other one, who is transcoded, falls silent.
func TestNoiseSent(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		to := agreedOn(codecPCMA)
		to.noise = 13
		b := newFakeLeg(t, e, Options{}, to)
		mustBridge(t, a.Session, b.Session)
		a.talks(500*time.Millisecond, loud)
		time.Sleep(time.Second)
		sent := b.link.packets()
		if last := sent[len(sent)-1]; last.pt != 13 || len(last.payload) != 1 {
			t.Errorf("the last packet is %+v", last)
		}
		a.ts += 8000
		a.talks(100*time.Millisecond, loud)
		if sent = b.link.packets(); sent[len(sent)-1].pt != codecPCMA.payload {
			t.Error("the voice does not come back")
		}
		checkContinuous(t, sent, 30)
	})
}

// TestNoiseAnswered: who offers comfort noise beside G.711 gets it in the answer.
func TestNoiseAnswered(t *testing.T) {
	e := newTestEngine(t, true)
	for _, c := range []struct {
		offer string
		want  bool
	}{{"0 13 101", true}, {"0 101", false}, {"9 13 101", false}} {
		s, err := e.NewSession(Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.RemoteOffer([]byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP " + c.offer + "\r\na=rtpmap:101 telephone-event/8000\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := s.Answer(nil)
		if err != nil || bytes.Contains(answer, []byte("a=rtpmap:13 CN/8000\r\n")) != c.want {
			t.Errorf("%s: answered %s, %v", c.offer, answer, err)
		}
		s.Close()
	}
}
