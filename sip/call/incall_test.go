package call

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"strowger/routing"
	"strowger/store"
)

func TestHoldAndSilence(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		bob.reoffers("sendonly PCMU")
		bob.saw("reinvite answered")
		alice.hears("music.wav")
		if !w.m.Active()[0].Legs[1].Held {
			t.Error("bob's leg is not held")
		}
		alice.media().says(MediaEvent{Type: MediaSilent})
		alice.saw("180", "200") // nobody vanished: bob holds
		bob.reoffers("sendrecv PCMA")
		bob.saw("reinvite answered", "reinvite answered")
		alice.hears("")
		bob.reoffers("sendrecv G729,G722")
		bob.reoffers("")
		if bob.sdp != "sendrecv G729,G722 #1" {
			t.Errorf("bob was offered %q, want what was agreed", bob.sdp)
		}
		bob.acks("inactive G722")
		alice.media().says(MediaEvent{Type: MediaSilent})
		alice.saw("180", "200")
		bob.acks("not SDP")
		alice.reoffers("nonsense")
		alice.saw("180", "200", "reinvite 488")
		alice.talksTo(bob)
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

func TestDigits(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		alice.presses('5') // by INFO
		if got := bob.media().playing; got != "digit 5" {
			t.Errorf("bob's media plays %q", got)
		}
		bob.media().digits = false // he has neither telephone-event nor, for all we know, INFO
		alice.media().says(MediaEvent{Type: MediaDigit, Digit: '6', Millis: 90})
		if got := bob.media().playing; got != "tone 6" {
			t.Errorf("bob's media plays %q", got)
		}
		bob.presses('1')
		alice.media().says(MediaEvent{Type: MediaDigit, Digit: '7', Millis: 90})
		bob.saw("info Signal=7")
		alice.media().says(MediaEvent{Type: MediaDigit, Digit: '8', Relayed: true})
		bob.saw("info Signal=7")
		alice.media().says(MediaEvent{Type: MediaDigit, Digit: '9', Relayed: true, InSound: true}) // which bob does not look for there
		bob.saw("info Signal=7", "info Signal=9")
	})
}

func TestCallConnect(t *testing.T) {
	setting := func(w *world) (alice, carrier *phone) {
		w.plans(toHangup(), stage(20, routing.Target{Phone: "+12025550150", CallConnect: true}), stage(20, user("bob", store.Desk)))
		alice, carrier = w.calls("+12025550900"), w.line("trunk", "+12025550150")
		carrier.earlyMedia("sendrecv PCMU")
		alice.saw("180") // a carrier's tones are not for the caller: it may be a machine
		carrier.answers()
		alice.saw("180")
		carrier.hears("beep")
		return alice, carrier
	}
	t.Run("presses 1", func(t *testing.T) {
		story(t, func(w *world) {
			alice, carrier := setting(w)
			carrier.media().says(MediaEvent{Type: MediaDigit, Digit: '1'})
			alice.saw("180", "200")
			alice.talksTo(carrier)
			carrier.hears("")
			carrier.hangsUp()
			w.ends(store.Answered, "callee", 200)
		})
	})
	t.Run("presses 2", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Desk)
			alice, carrier := setting(w)
			carrier.presses('2')
			carrier.saw("hangup 480")
			bob.rings()
			alice.saw("180")
		})
	})
	t.Run("says nothing", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Desk)
			_, carrier := setting(w)
			w.after(21 * time.Second)
			carrier.saw("hangup 480")
			bob.rings()
		})
	})
	t.Run("the ring time does not take the phone from their hand", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(10, routing.Target{Phone: "+12025550150", CallConnect: true}), stage(20, user("bob", store.Desk)))
			alice, carrier := w.calls("+12025550900"), w.line("trunk", "+12025550150")
			carrier.rings()
			w.after(9 * time.Second)
			carrier.answers()
			w.after(5 * time.Second)
			bob.silent()
			carrier.presses('1')
			alice.saw("180", "200")
		})
	})
	t.Run("caller gives up meanwhile", func(t *testing.T) {
		story(t, func(w *world) {
			alice, carrier := setting(w)
			alice.cancels()
			carrier.saw("hangup 0")
			w.ends(store.Missed, "caller", 487)
		})
	})
	t.Run("another line answers meanwhile", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(20, routing.Target{Phone: "+12025550150", CallConnect: true}, user("bob", store.Desk)))
			alice, carrier := w.calls("+12025550900"), w.line("trunk", "+12025550150")
			carrier.answers()
			bob.rings()
			bob.answers()
			alice.acks()
			alice.talksTo(bob)
			carrier.saw("hangup 200")
		})
	})
}

func TestOriginate(t *testing.T) {
	setting := func(w *world) (desk, carrier *phone, id string) {
		desk, web := w.registers("ann", store.Desk), w.registers("ann", store.Browser)
		w.dialled = &Dialled{
			Plan:      routing.Plan{Stages: []routing.Stage{stage(60, outside("+12025559000"))}, End: toHangup()},
			Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"},
		}
		id, err := w.manager().Originate(OriginateRequest{User: "ann", To: "2025559000"})
		if err != nil {
			t.Fatal(err)
		}
		desk.rings()
		web.rings()
		if desk.req.From.Number != "+12025559000" {
			t.Errorf("desk was shown %+v", desk.req.From)
		}
		return desk, w.line("trunk", "+12025559000"), id
	}
	t.Run("answered", func(t *testing.T) {
		story(t, func(w *world) {
			desk, carrier, id := setting(w)
			carrier.silent()
			desk.answers("sendrecv PCMU")
			w.phone("ann-browser").saw("hangup 200")
			if got := string(carrier.req.SDP); got != "sendrecv PCMU,G722,PCMA #2" {
				t.Errorf("carrier was offered %q", got)
			}
			carrier.rings()
			desk.hears("ringback")
			carrier.answers()
			desk.hears("")
			desk.talksTo(carrier)
			desk.hangsUp()
			carrier.saw("hangup 0")
			if r := w.ends(store.Answered, "caller", 200); r.ID != id || r.FromUser != "ann" || r.AnsweredBy != "+12025559000" {
				t.Errorf("record %+v", r)
			}
		})
	})
	t.Run("carrier is busy", func(t *testing.T) {
		story(t, func(w *world) {
			desk, carrier, _ := setting(w)
			desk.answers()
			carrier.refuses(486)
			desk.saw("hangup 486")
			w.ends(store.Busy, "callee", 200)
		})
	})
	t.Run("by the user's own outside line", func(t *testing.T) {
		story(t, func(w *world) {
			_, _, _ = setting(w)
			if _, err := w.m.Originate(OriginateRequest{User: "ann", To: "2025559000", Phone: "+12025550111"}); err != nil {
				t.Fatal(err)
			}
			mobile, carrier := w.line("trunk", "+12025550111"), w.line("trunk", "+12025559000")
			mobile.rings()
			if mobile.req.From.Number != "+12025550001" || len(mobile.req.Diverted) != 0 {
				t.Errorf("mobile was shown %+v", mobile.req)
			}
			mobile.answers()
			carrier.silent()
			mobile.presses('1')
			carrier.rings()
			carrier.answers()
			mobile.talksTo(carrier)
		})
	})
	t.Run("nobody picks up", func(t *testing.T) {
		story(t, func(w *world) {
			desk, carrier, _ := setting(w)
			w.after(31 * time.Second)
			desk.saw("hangup 480")
			carrier.silent()
			w.ends(store.Missed, "caller", 480)
		})
	})
}

func TestInsideCall(t *testing.T) {
	story(t, func(w *world) {
		bob := w.registers("bob", store.Desk)
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)))
		ann := w.dials("ann", "202")
		bob.rings()
		if bob.req.From != (Party{Number: "201", Name: "Ann"}) {
			t.Errorf("bob was shown %+v", bob.req.From)
		}
		bob.answers()
		ann.saw("180", "200")
		bob.hangsUp()
		r := w.ends(store.Answered, "callee", 200)
		if r.Direction != store.Internal || r.FromUser != "ann" || !slices.Equal(r.Participants, []string{"ann", "bob"}) {
			t.Errorf("record %+v", r)
		}
	})
}

func TestRoutingKnowsWhoIsBusy(t *testing.T) {
	story(t, func(w *world) {
		talking(w)
		if len(w.live.Busy)+len(w.live.Active) != 0 {
			t.Errorf("the first call saw %+v", w.live)
		}
		w.dials("ann", "202")
		w.calls("+12025550901")
		if !slices.Equal(w.live.Busy, []string{"ann", "bob"}) || w.live.Active["+12025550001"] != 1 {
			t.Errorf("the third call saw %+v", w.live)
		}
	})
}

func TestPageSeesWhyItRings(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := bobRings(w)
		active := w.m.Active()
		if len(active) != 1 {
			t.Fatalf("%d active calls", len(active))
		}
		c := active[0]
		if c.Phase != "ringing" || c.From.Name != "Dee Poe" || c.Step != "number_user" || c.Match != "user_assigned" || len(c.Legs) != 2 {
			t.Errorf("snapshot %+v", c)
		}
		if l := c.Legs[1]; l.User != "bob" || l.State != "ringing" || l.Match != "user_assigned" || l.SIPCallID != "bob-desk@fake" {
			t.Errorf("leg %+v", l)
		}
		bob.answers()
		alice.acks()
		alice.hangsUp()
		var kinds []string
		for _, c := range w.changes {
			kinds = append(kinds, c.Kind+" "+c.Call.Phase)
		}
		want := []string{"started ringing", "changed ringing", "changed up", "changed up", "ended ended"}
		if !slices.Equal(kinds, want) {
			t.Errorf("subscribers saw %q, want %q", kinds, want)
		}
		if err := w.m.Hangup(c.ID); err != ErrNoCall {
			t.Errorf("hangup of an ended call: %v", err)
		}
	})
}

func TestDrainWaitsForCalls(t *testing.T) {
	story(t, func(w *world) {
		alice, _ := talking(w)
		short, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.m.Drain(short); err != context.DeadlineExceeded {
			t.Errorf("drain with a call in progress: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- w.m.Drain(context.Background()) }()
		synctest.Wait()
		alice.hangsUp()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		alice.stubborn, bob.stubborn = true, true
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.m.Close(ctx); err != context.DeadlineExceeded {
			t.Errorf("close: %v", err)
		}
		alice.saw("180", "200", "hangup 503")
		w.ends(store.Answered, "us", 200)
		late := &phone{w: w, uas: true}
		w.m.Incoming(Incoming{Leg: late, Bind: func(Post) {}})
		late.saw("503")
	})
}

func TestEndsInTheTrace(t *testing.T) {
	inner := []routing.Row{{Step: "number_user", Outcome: "stage", Reason: "default_rule"}}
	plan := routing.Plan{
		Trace: []routing.Row{
			{Step: "number_user", Outcome: "skipped", Reason: "no_user"},
			{Step: "forwarding", Outcome: "stage", Reason: "forward_to", Number: "+12025550002", Trace: inner},
		},
		Stages: []routing.Stage{{Step: "number_user", Number: "+12025550002"}, {Step: "forwarding"}, {Step: "unknown"}},
	}
	for i, want := range []string{"default_rule", "forward_to", ""} {
		if _, match := whyRings(&plan, i); match != want {
			t.Errorf("stage %d: %q, want %q", i, match, want)
		}
	}
	if step, _ := whyRings(&plan, 7); step != "" {
		t.Error("a stage that does not exist has a step")
	}
}
