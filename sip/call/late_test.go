package call

import (
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// TestDeviceAppearsDuringLookup: a phone that registers between the look-up of a stage's devices and its result rings too,
// once.
func TestDeviceAppearsDuringLookup(t *testing.T) {
	phone := Endpoint{Binding: &store.Binding{User: "bob", Device: "bob-desk", Kind: store.Desk, Contact: "sip:bob@10.0.0.7"}}
	for _, test := range []struct {
		name  string
		lines []Line
	}{
		{"after it was looked up", nil},
		{"before it was looked up", []Line{{Target: 0, To: []Endpoint{phone}}}},
	} {
		plan := routing.Plan{Stages: []routing.Stage{{RingSeconds: 20, Targets: []routing.Target{{User: "bob", Via: []string{store.Desk}}}}}}
		s, dialled := State{}, 0
		for _, e := range []Event{
			{Leg: noLeg, What: Started{ID: "x", From: Party{Number: "+12025550900"}, To: "+12025550001"}},
			{Leg: noLeg, What: Planned{Plan: plan, Direction: store.Inbound, To: "+12025550001"}},
			{Leg: 0, What: OfferTaken{Codecs: []string{"PCMU"}}},
			{Leg: noLeg, What: Registered{"bob", phone}},
			{Leg: noLeg, What: Found{Stage: 0, Lines: test.lines}},
		} {
			var effects []Effect
			e.At = time.Unix(1, 0)
			s, effects = Step(s, e)
			for _, effect := range effects {
				if _, ok := effect.(Dial); ok {
					dialled++
				}
			}
		}
		if dialled != 1 || s.Phase != Ringing || s.RingTimer == 0 {
			t.Errorf("%s: %d phones ring, phase %v, ring timer %d", test.name, dialled, s.Phase, s.RingTimer)
		}
	}
}

// TestLateEndOfASound: the end of the greeting, which # cut short, arrives when the beep plays already and does not cut that.
func TestLateEndOfASound(t *testing.T) {
	story(t, func(w *world) {
		w.plans(toVoicemail("bob"))
		alice := w.calls("+12025550900")
		w.after(time.Second)
		alice.acks()
		s := alice.media()
		alice.hears("greeting.wav")
		greeting := s.token
		alice.presses('#')
		alice.hears("beep")
		s.says(MediaEvent{Type: PlayEnded, Token: greeting})
		if s.record != nil {
			t.Fatal("the message is recorded before the beep is over")
		}
		s.played()
		if s.record == nil {
			t.Fatal("no message is recorded")
		}
	})
}
