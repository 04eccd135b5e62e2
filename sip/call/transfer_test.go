package call

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// asksFor makes bob transfer alice, who called from outside, to cyd's desk phone.
func asksFor(w *world) (alice, bob, cyd *phone) {
	cyd = w.registers("cyd", store.Desk)
	alice, bob = talking(w)
	w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(20, user("cyd", store.Desk))}, End: toHangup()},
		Direction: store.Internal, To: "203", Caller: Party{Number: "202", Name: "Bob"}}
	bob.reoffers("sendonly PCMU")
	alice.hears("music.wav")
	bob.refers("203")
	alice.hears("ringback")
	bob.saw("reinvite answered", "refer 180")
	return alice, bob, cyd
}

func (w *world) tells(r store.CallRecord, lines ...string) {
	w.t.Helper()
	for _, want := range lines {
		if !slices.ContainsFunc(r.Events, func(e store.RecordEvent) bool { return strings.Contains(e.What, want) }) {
			w.t.Errorf("the record does not tell %q:\n%s", want, tale(r))
		}
	}
}

func TestTransfer(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, cyd := asksFor(w)
		cyd.rings()
		if cyd.req.From.Number != "+12025550900" || cyd.req.From.Name != "Dee Poe" || !slices.Contains(cyd.req.Headers, Header{"Referred-By", "<sip:bob-desk>"}) {
			t.Errorf("cyd was shown %+v", cyd.req)
		}
		cyd.answers()
		alice.hears("")
		alice.talksTo(cyd)
		bob.saw("reinvite answered", "refer 180", "refer 200", "hangup 200")
		alice.saw("180", "200") // her session was left alone
		cyd.hangsUp()
		r := w.ends(store.Answered, "callee", 200)
		w.tells(r, "transfers +12025550900 to 203", "the transfer to 203 is done")
		if r.AnsweredBy != "bob" || r.To != "+12025550001" || r.Direction != store.Inbound || !slices.Equal(r.Participants, []string{"bob", "cyd"}) {
			t.Errorf("record %+v", r)
		}
	})
}

// TestIntercom: a phone that answers by itself says so to who sits there; nobody is sent to one by others.
func TestIntercom(t *testing.T) {
	story(t, func(w *world) {
		cyd := w.registers("cyd", store.Desk)
		intercom := stage(20, user("cyd", store.Desk))
		intercom.AutoAnswer = true
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{intercom}, End: toHangup()}, Direction: store.Internal, To: "203"}
		alice, bob := talking(w)
		bob.refers("**203")
		cyd.rings()
		if slices.ContainsFunc(cyd.req.Headers, func(h Header) bool { return h.Name == "Answer-Mode" }) {
			t.Error("a caller from outside is heard in the room")
		}
		cyd.answers()
		cyd.hears("")
		alice.talksTo(cyd)
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
	story(t, func(w *world) {
		cyd := w.registers("cyd", store.Desk)
		intercom := stage(20, user("cyd", store.Desk))
		intercom.AutoAnswer = true
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{intercom}, End: toHangup()}, Direction: store.Internal, To: "203"}
		bob := w.dials("bob", "**203")
		cyd.rings()
		cyd.answers()
		cyd.hears("beep")
		bob.talksTo(cyd)
		bob.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

func TestTransferFails(t *testing.T) {
	t.Run("busy: the transferor has the call back", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := asksFor(w)
			cyd.refuses(486)
			bob.saw("reinvite answered", "refer 180", "refer 486")
			alice.hears("music.wav") // bob still holds
			bob.reoffers("sendrecv PCMU")
			alice.talksTo(bob)
			alice.hangsUp()
			w.tells(w.ends(store.Answered, "caller", 200), "failed: 486 Busy Here; it has the call back")
		})
	})
	t.Run("a number that is none", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			w.dialled = &Dialled{Plan: routing.Plan{End: &routing.End{Action: routing.EndRefuse, Code: 404}}, Direction: store.Outbound}
			bob.refers("nobody")
			bob.saw("refer 404")
			alice.talksTo(bob)
		})
	})
	t.Run("to what belongs to the other party", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			var refused []string
			for _, service := range []string{routing.ServiceForwardOn, routing.ServiceForwardOff, routing.ServiceDNDOn, routing.ServiceDNDOff, routing.ServiceRedial} {
				w.dialled = &Dialled{Plan: routing.Plan{End: &routing.End{Action: routing.EndService, Service: service, Arg: "+12025550900"}}, Direction: store.Internal}
				bob.refers("*72+12025550900")
				refused = append(refused, "refer 403")
				bob.saw(refused...)
				alice.talksTo(bob)
			}
		})
	})
	t.Run("the transferor has hung up: it is rung", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := asksFor(w)
			bob.hangsUp()
			cyd.refuses(486)
			bob.rings()
			alice.hears("ringback")
			bob.answers()
			alice.talksTo(bob)
			alice.hangsUp()
			w.tells(w.ends(store.Answered, "caller", 200), "the transfer goes on", "bob, who made it, is rung")
		})
	})
	t.Run("nobody at all", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := asksFor(w)
			bob.hangsUp()
			cyd.refuses(486)
			w.after(31 * time.Second)
			alice.saw("180", "200", "hangup 486") // the reason of the first failure
			w.ends(store.Answered, "us", 200)
		})
	})
}

func TestTransferRaces(t *testing.T) {
	t.Run("the transferred party hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := asksFor(w)
			cyd.rings()
			alice.hangsUp()
			cyd.saw("hangup 0")
			bob.saw("reinvite answered", "refer 180", "refer 487", "hangup 0")
			w.ends(store.Answered, "caller", 200)
		})
	})
	t.Run("the transferor's media is lost", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := asksFor(w)
			bob.media().says(MediaEvent{Type: MediaLost, Why: "ICE"})
			cyd.answers()
			alice.talksTo(cyd)
		})
	})
	t.Run("a REFER of the other side's, and one before anybody answered", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := bobRings(w)
			alice.refers("203")
			bob.answers()
			alice.acks()
			alice.refers("203") // an outside caller transfers nobody
			alice.saw("180", "refer 480", "200", "refer 480")
		})
	})
	t.Run("into a mailbox", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			w.dialled = &Dialled{Plan: routing.Plan{End: toVoicemail("cyd")}, Direction: store.Internal, To: "+12025550002"}
			bob.refers("+12025550002")
			w.after(time.Second)
			bob.saw("refer 180", "refer 200", "hangup 200")
			alice.hears("greeting.wav")
			alice.hangsUp()
			w.ends(store.Answered, "caller", 200)
		})
	})
}

// TestTransferByTheCaller: ann, who called bob, sends him on to an outside line, and from there the call is passed on again.
func TestTransferByTheCaller(t *testing.T) {
	story(t, func(w *world) {
		bob, cyd := w.registers("bob", store.Desk), w.registers("cyd", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		ann := w.dials("ann", "202")
		bob.rings()
		bob.answers()
		ann.acks()
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(60, outside("+12025559000"))}, End: toHangup()},
			Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"}}
		carrier := w.line("trunk", "+12025559000")
		ann.refers("2025559000")
		carrier.rings()
		bob.hears("ringback")
		carrier.answers()
		bob.talksTo(carrier)
		ann.saw("180", "200", "refer 180", "refer 200", "hangup 200")
		if live := w.m.counts.busyUsers; !slices.Equal(live, []string{"bob"}) {
			t.Errorf("busy: %v", live)
		}
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(20, user("cyd", store.Desk))}, End: toHangup()}, Direction: store.Internal, To: "203"}
		bob.refers("203")
		cyd.answers()
		carrier.talksTo(cyd)
		bob.saw("shown +12025559000", "refer 180", "refer 200", "hangup 200")
		carrier.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}
