package call

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// TestTroublesAreTold: what is wrong with a party's sound stands in the story once as it begins and once as it ends, and in
// the live picture while it lasts; a party that holds, or is held, need not send.
func TestTroublesAreTold(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		judged := func(p *phone, trouble Trouble, on bool, value float64) {
			p.media().says(MediaEvent{Type: MediaQuality, Trouble: trouble, On: on, Value: value})
		}
		judged(bob, HighLoss, true, 12.4)
		judged(bob, HighLoss, true, 0) // still
		judged(bob, OneWay, true, 0)
		if got := w.m.Active()[0].Legs[1].Troubles; !slices.Equal(got, []Trouble{HighLoss, OneWay}) {
			t.Errorf("live: %q", got)
		}
		judged(bob, HighLoss, false, 0.4)
		judged(bob, OneWay, false, 0)
		if got := w.m.Active()[0].Legs[1].Troubles; len(got) != 0 {
			t.Errorf("live, when all is well: %q", got)
		}
		bob.reoffers("sendonly PCMU")
		judged(alice, OneWay, true, 0) // music is played to it
		judged(bob, OneWay, true, 0)
		judged(alice, HighJitter, true, 45)
		alice.hangsUp()
		r := w.ends(store.Answered, "caller", 200)
		var told []string
		for _, e := range r.Events {
			if strings.Contains(e.What, "audio") || strings.Contains(e.What, "high") {
				told = append(told, e.What)
			}
		}
		want := []string{"high packet loss: 12 %", "one-way audio: nothing is received from " + r.Legs[1].Peer,
			"high packet loss is over", "one-way audio is over", "high jitter: 45 ms"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// TestMeasure: the figures of calls in progress are there for the asking, by leg.
func TestMeasure(t *testing.T) {
	story(t, func(w *world) {
		alice, _ := talking(w)
		got := w.m.Measure()
		if len(got) != 1 || got[0].Call.ID != w.m.Active()[0].ID || len(got[0].Legs) != 2 || got[0].Legs[1].Leg != 1 {
			t.Fatalf("measured %+v", got)
		}
		alice.hangsUp()
		w.after(time.Second)
		if got := w.m.Measure(); len(got) != 0 {
			t.Errorf("after the call: %+v", got)
		}
	})
}
