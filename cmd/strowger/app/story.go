package app

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/carrier"
	"strowger/sip/call"
	"strowger/store"
)

// story merges what the carrier sees of a call with what happens inside, for `strowger call`.
type story struct {
	to string

	mu     sync.Mutex
	report func(admin.CarrierStep)
	id     string // our call's id, once it is known
	told   map[string]bool
	ended  chan struct{} // closed when our call is over
}

func newStory(report func(admin.CarrierStep), to string) *story {
	return &story{report: report, to: to, told: map[string]bool{}, ended: make(chan struct{})}
}

func (s *story) tell(step admin.CarrierStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report(step)
}

// carrier takes a step of the carrier's.
func (s *story) carrier(step carrier.Step) {
	s.tell(admin.CarrierStep{At: step.At, Who: "carrier", What: step.What, Detail: step.Detail, Code: step.Code})
}

// change takes a change of a call of ours; the first one to the called number is this call.
func (s *story) change(c call.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == "" && c.Call.To == s.to && c.Kind == call.CallStarted {
		s.id = c.Call.ID
	}
	if s.id != c.Call.ID {
		return
	}
	for i, l := range c.Call.Legs {
		if l.Caller || s.told[fmt.Sprint(i, l.State)] {
			continue
		}
		s.told[fmt.Sprint(i, l.State)] = true
		detail := strings.TrimSpace(fmt.Sprintf("%s (%s) because %s %s", l.Peer, l.Kind, l.Step, l.Match))
		switch l.State {
		case "ringing":
			s.report(admin.CarrierStep{At: time.Now(), Who: "strowger", What: "rings", Detail: detail})
		case "up":
			s.report(admin.CarrierStep{At: time.Now(), Who: "strowger", What: "picked up", Detail: detail})
		case "ended":
			s.report(admin.CarrierStep{At: time.Now(), Who: "strowger", What: "stops", Detail: fmt.Sprintf("%s: %s", l.Peer, l.Reason)})
		}
	}
	if c.Call.Voicemail && !s.told["voicemail"] {
		s.told["voicemail"] = true
		s.report(admin.CarrierStep{At: time.Now(), Who: "strowger", What: "voicemail", Detail: "nobody answered"})
	}
	if c.Kind == call.CallEnded {
		close(s.ended)
	}
}

// record tells the call's record as it was kept: a call that ends in a mailbox is no missed one when a message was left.
func (s *story) record(ctx context.Context, find func(id string) (store.CallRecord, error)) {
	s.mu.Lock()
	id := s.id
	s.mu.Unlock()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if rec, err := find(id); err == nil && !rec.End.IsZero() {
			s.tell(admin.CarrierStep{At: rec.End, Who: "strowger", What: "record", Detail: fmt.Sprintf("%s: %s, %s", id, rec.Disposition, rec.Reason)})
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// heard sums up what reached the caller's ear.
func (s *story) heard(h carrier.Heard, keep bool) {
	detail := "nothing"
	if n := len(h.Samples); n > 0 {
		detail = fmt.Sprintf("%.1f s of audio, loudest second %.0f dB", float64(n)/8000, loudest(h.Samples))
	}
	if h.Keys != "" {
		detail += ", keys " + h.Keys
	}
	step := admin.CarrierStep{At: time.Now(), Who: "carrier", What: "heard", Detail: detail, Code: h.Code}
	if keep {
		step.Heard = h.Samples
	}
	s.tell(step)
}

// loudest is the level of the loudest second, decibels below full scale.
func loudest(samples []int16) float64 {
	best := 0.0
	for at := 0; at < len(samples); at += 8000 {
		second := samples[at:min(at+8000, len(samples))]
		sum := 0.0
		for _, v := range second {
			sum += float64(v) * float64(v)
		}
		best = max(best, sum/float64(len(second)))
	}
	return 10 * math.Log10(max(best, 1)/(32768*32768))
}
