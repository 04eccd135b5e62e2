package media

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// TestEverythingAtOnce: parties talk while others bridge, play, record, press keys, renegotiate and close, in any order.
// What must hold: no race, no deadlock, no leak, every recording ended once, and a bridge made at the end carries voice.
func TestEverythingAtOnce(t *testing.T) {
	e := newTestEngine(t, false)
	dir := t.TempDir()
	codecs := []string{"PCMU", "G722", "PCMA", "PCMU"}
	var phones []*mediatest.Party
	var sessions []*Session
	var posted []*events
	for i, c := range codecs {
		p := newPhone(t, fmt.Sprintf("phone%d", i), c, float64(500+200*i))
		ev := &events{}
		s := join(t, e, p, Options{SilenceTimeout: time.Millisecond, OnEvent: ev.post})
		p.Talk()
		phones, sessions, posted = append(phones, p), append(sessions, s), append(posted, ev)
	}
	var started [4]int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 1))
			for step := range 150 {
				i := r.IntN(4)
				s, other := sessions[i], sessions[r.IntN(4)]
				switch r.IntN(9) {
				case 0, 1:
					_ = s.Bridge(other) // with itself it fails
				case 2:
					_ = s.Bridge(nil)
				case 3:
					_ = s.Echo()
				case 4:
					_ = s.Play(Sound{Tone: "beep", Loop: r.IntN(2) == 0})
				case 5:
					s.Stop()
					s.SendDigit('5', 40)
				case 6:
					if s.Record(Recording{File: filepath.Join(dir, fmt.Sprintf("%d-%d.wav", worker, step)), MaxSeconds: 1}) == nil {
						mu.Lock()
						started[i]++
						mu.Unlock()
					}
				case 7:
					s.StopRecording()
					_ = s.Stats()
				case 8:
					if _, err := s.RemoteOffer(phones[i].Offer()); err == nil {
						_, _ = s.Answer(nil)
					}
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
	for _, s := range sessions {
		s.Stop()
		s.StopRecording()
	}
	mustBridge(t, sessions[0], sessions[1])
	phones[1].Forget()
	if !phones[1].Hears(phones[0].Freq, patience) {
		t.Error("after all that a bridge is silent")
	}
	for i := range sessions {
		if !mediatest.Eventually(patience, func() bool { return len(posted[i].of(RecordEnded)) == started[i] }) {
			t.Errorf("session %d: %d recordings began, %d ended", i, started[i], len(posted[i].of(RecordEnded)))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
