package media

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// TestNonsense: whatever a party sends, in whatever codec, of whatever length and with whatever numbers, those who listen to
// it (another codec, a conference, a recording of the call, a recorder) survive. No goroutine of the media recovers.
func TestNonsense(t *testing.T) {
	everything := agreedOn(codecPCMU, codecPCMA, codecG722, codecOpus, codecNoise, codecEvent8, codecEvent48)
	for seed := range uint64(4) {
		fakeTime(t, func(t *testing.T, e *Engine) {
			r := rand.New(rand.NewPCG(seed, 7))
			everything.opus = e.opus != nil
			a := newFakeLeg(t, e, Options{}, everything)
			b := newFakeLeg(t, e, Options{}, agreedOn([]*codecInfo{codecPCMA, codecG722}[r.IntN(2)]))
			m, err := e.NewMixer(MixerOptions{Tones: true})
			if err != nil {
				t.Fatal(err)
			}
			tape, err := e.NewTape(TapeOptions{File: filepath.Join(t.TempDir(), "tape.wav")})
			if err != nil {
				t.Fatal(err)
			}
			if err := tape.Add(a.Session, 0); err != nil {
				t.Fatal(err)
			}
			for i := range 4000 {
				switch r.IntN(200) {
				case 0:
					err = a.Bridge(b.Session)
				case 1:
					err = m.Add(a.Session, MemberOptions{})
				case 2:
					err = a.Echo()
				case 3:
					_ = a.Record(Recording{File: filepath.Join(t.TempDir(), "voice.wav"), MaxSeconds: 5, SilenceSeconds: 2})
				case 4:
					a.StopRecording()
				}
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				a.sendsNonsense(r, everything)
				if r.IntN(3) == 0 {
					time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
				}
			}
		})
	}
}

// sendsNonsense sends one packet, or one RTCP packet, of which only the first octets make sense.
func (l *fakeLeg) sendsNonsense(r *rand.Rand, agreed agreement) {
	payload := make([]byte, []int{0, 1, 2, 4, 160, r.IntN(1400)}[r.IntN(6)])
	for i := range payload {
		payload[i] = byte(r.Uint32())
	}
	formats := append(agreed.audio, agreed.events...)
	f := formats[r.IntN(len(formats))]
	switch r.IntN(30) {
	case 0:
		l.ssrc = r.Uint32()
	case 1:
		l.seq = uint16(r.Uint32())
	case 2:
		l.ts = r.Uint32()
	case 3:
		if len(payload) > 1 {
			payload[0], payload[1] = 0x80|payload[0]&0x3f, 200+payload[1]%8
		}
		l.receivedRTCP(payload)
		return
	}
	l.received(l.packet(f.recv, l.ts, payload))
	l.ts += uint32(r.IntN(1000))
}
