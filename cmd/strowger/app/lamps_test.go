package app

import (
	"slices"
	"testing"

	"strowger/sip"
	"strowger/sip/call"
	"strowger/store"
)

// A call is shown on the lamp of each user in it, with what each watcher may know, and no longer than it lasts.
func TestLamps(t *testing.T) {
	a := demo(t)
	users := a.org.Users()
	ann, bob, cyd := users[0].ID, users[1].ID, users[2].ID
	var told []string
	l := newLamps(a.org, func() map[string][]string { return map[string][]string{bob: {"desk"}} }, func(keys ...string) { told = keys })
	shot := call.Snapshot{ID: "c1", From: call.Party{Number: "+12025550900"}, Legs: []call.LegSnapshot{
		{Trunk: "carrier", Caller: true, State: "ringing"},
		{User: bob, State: "dialling", SIPCallID: "x"}, {User: bob, State: "ringing", SIPCallID: "y"}, {User: ann, State: "ringing", SIPCallID: "z"},
	}}
	key, ok := l.Lamp(cyd, users[1].Extension)
	if !ok || key != userLamp(bob) {
		t.Fatalf("lamp of %s: %q, %v", users[1].Extension, key, ok)
	}
	see := func(watcher string) sip.LampState {
		t.Helper()
		s, ok := l.LampState(watcher, key)
		if !ok {
			t.Fatal("no lamp")
		}
		return s
	}
	l.change(call.Change{Kind: call.CallStarted, Call: shot})
	if slices.Sort(told); !slices.Equal(told, []string{userLamp(ann), userLamp(bob)}) && !slices.Equal(told, []string{userLamp(bob), userLamp(ann)}) {
		t.Errorf("told %v", told)
	}
	ringing := sip.LampCall{ID: "c1", Stage: sip.LampEarly, Incoming: true, Remote: shot.From, SIPCallID: "y"}
	for _, watcher := range []string{bob, cyd} { // who may pick it up sees it all
		if s := see(watcher); !s.Open || s.Name != users[1].Name || !slices.Equal(s.Calls, []sip.LampCall{ringing}) {
			t.Errorf("%s sees %+v", watcher, s)
		}
	}
	view := *a.org.view()
	view.dir.Features.Pickup = []store.Group{{Users: []string{ann, bob}}}
	a.org.now.Store(&view)
	if s := see(cyd); s.Calls[0].SIPCallID != "" || s.Calls[0].Remote.Number != "" {
		t.Errorf("who may not pick up sees %+v", s)
	}
	if s := see(ann); !slices.Equal(s.Calls, []sip.LampCall{ringing}) {
		t.Errorf("who may pick up sees %+v", s)
	}
	shot.Legs = slices.Clone(shot.Legs)
	shot.Legs[2].State, shot.Legs[1].State, shot.Legs[3].State = "up", "ended", "ended"
	l.change(call.Change{Kind: call.CallChanged, Call: shot})
	if !slices.Contains(told, userLamp(ann)) {
		t.Errorf("the lamp of who rings no longer is not told: %v", told)
	}
	if s := see(cyd); !slices.Equal(s.Calls, []sip.LampCall{{ID: "c1", Stage: sip.LampConfirmed, Incoming: true}}) {
		t.Errorf("a colleague sees %+v", s)
	}
	if s := see(bob); len(s.Calls) != 1 || s.Calls[0].Remote != shot.From || s.Calls[0].SIPCallID != "y" {
		t.Errorf("the user sees %+v", s)
	}
	l.change(call.Change{Kind: call.CallEnded, Call: shot})
	if s := see(cyd); len(s.Calls) != 0 || len(l.calls) != 0 || len(l.on) != 0 {
		t.Errorf("after the call: %+v, kept %v, %v", s, l.calls, l.on)
	}
	l.change(call.Change{Kind: call.CallChanged, Call: call.Snapshot{ID: "c2", Orbit: "701"}})
	if s, _ := l.LampState(cyd, extensionLamp("701")); !slices.Equal(s.Calls, []sip.LampCall{{ID: "c2", Stage: sip.LampConfirmed, Incoming: true}}) {
		t.Errorf("a taken orbit: %+v", s)
	}
	if key, ok := l.Lamp(cyd, "701"); !ok || key != extensionLamp("701") {
		t.Errorf("an orbit's lamp: %q, %v", key, ok)
	}
	if _, ok := l.Lamp(cyd, "nobody"); ok {
		t.Error("a lamp of nobody")
	}
}
