package call

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/routing"
	"strowger/store"
)

// orders gives a command to the oldest call and waits for the answer.
func (w *world) orders(c Command) error {
	synctest.Wait()
	active := w.m.Active()
	if len(active) == 0 {
		return ErrNoCall
	}
	return w.ordersOf(active[0].ID, c)
}

func (w *world) ordersOf(id string, c Command) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := w.m.Control(ctx, id, c)
	synctest.Wait()
	return err
}

// must is a command that is obeyed.
func (w *world) must(c Command) {
	w.t.Helper()
	if err := w.orders(c); err != nil {
		w.t.Errorf("%T: %v", c, err)
	}
}

func (w *world) toPhone(user, ext string) {
	w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(20, routing.Target{User: user, Via: []string{store.Desk}})}, End: toHangup()},
		Direction: store.Internal, To: ext, Caller: Party{Number: "202", Name: "Bob"}}
}

// toService makes all that is dialled end in a service.
func (w *world) toService(end routing.End) {
	end.Action = routing.EndService
	w.dialled = &Dialled{Plan: routing.Plan{End: &end}, Direction: store.Internal, To: end.Arg, Caller: Party{Number: "202", Name: "Bob"}}
}

func TestHoldByCommand(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		w.must(Hold{"bob"})
		alice.hears("music.wav")
		bob.hears("silence")
		bob.saw() // nothing was signalled
		if l := w.m.Active()[0].Legs; !l[1].Held || l[1].HeldBy != "us" || !l[0].Music {
			t.Errorf("legs %+v", l)
		}
		bob.reoffers("sendonly PCMU") // now its phone holds too
		alice.hears("music.wav")
		w.must(Resume{"bob"})
		alice.hears("music.wav")
		var now ErrNotNow
		if err := w.orders(Resume{"bob"}); !errors.As(err, &now) || !strings.Contains(err.Error(), "phone itself") {
			t.Errorf("resume while the phone holds: %v", err)
		}
		bob.reoffers("sendrecv PCMU")
		alice.hears("")
		bob.hears("")
		alice.reoffers("sendonly PCMU") // the other side holds, and then both
		bob.hears("music.wav")
		w.must(Hold{})
		bob.hears("silence")
		alice.hears("")
		w.must(Resume{})
		bob.hears("music.wav")
		if err := w.orders(Hold{"eve"}); err != ErrNotInCall {
			t.Errorf("hold by a stranger: %v", err)
		}
		alice.hangsUp()
		if err := w.orders(Hold{"bob"}); err != ErrNoCall {
			t.Errorf("hold in an ended call: %v", err)
		}
	})
}

func TestKeysAndSoundsByCommand(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		alice.media().digits = false
		alice.presses('1') // she presses keys by INFO
		w.must(SendDigits{"bob", "1#"})
		alice.saw("180", "200", "info Signal=1", "info Signal=#")
		if w.orders(SendDigits{"bob", "12x"}) == nil || w.orders(SendDigits{"bob", strings.Repeat("1", 65)}) == nil {
			t.Error("keys that are none are sent")
		}
		legs := w.m.Active()[0].Legs
		if err := w.orders(PlayTo{Leg: legs[1].ID, Prompt: "nothing"}); err == nil {
			t.Error("a prompt is played that does not exist")
		}
		w.must(PlayTo{Leg: legs[1].ID, Prompt: "hello.wav"})
		bob.hears("prompts/hello.wav")
		bob.media().played()
		alice.talksTo(bob)
		w.must(HangupLeg{legs[0].ID})
		bob.saw("hangup 480")
	})
}

func TestHangupOfARingingLeg(t *testing.T) {
	story(t, func(w *world) {
		web := w.registers("bob", store.Browser)
		alice, desk := bobRings(w)
		for _, l := range w.m.Active()[0].Legs {
			if l.Device == "bob-desk" {
				w.must(HangupLeg{l.ID})
			}
		}
		desk.saw("hangup 480")
		web.rings()
		web.answers()
		alice.saw("180", "200")
	})
}

// A desk phone that rings is asked to answer; a page is not.
func TestAnswerByCommand(t *testing.T) {
	story(t, func(w *world) {
		web := w.registers("bob", store.Browser)
		_, desk := bobRings(w)
		desk.saw() // rings
		w.must(Answer{User: "bob"})
		desk.saw("asked to pick up")
		web.saw()
		if err := w.orders(Answer{User: "cyd"}); !errors.Is(err, ErrNotInCall) {
			t.Errorf("cyd answered: %v", err)
		}
		desk.answers()
		var now ErrNotNow
		if err := w.orders(Answer{User: "bob"}); !errors.As(err, &now) {
			t.Errorf("answered twice: %v", err)
		}
	})
}

func TestTransferByCommand(t *testing.T) {
	story(t, func(w *world) {
		cyd := w.registers("cyd", store.Desk)
		alice, bob := talking(w)
		w.toPhone("cyd", "203")
		w.must(TransferTo{"bob", "203"})
		if tr := w.m.Active()[0].Transfer; tr == nil || tr.Step != "ringing" || tr.By != "bob" || tr.Target != "203" {
			t.Errorf("transfer %+v", tr)
		}
		if err := w.orders(TransferTo{"bob", "204"}); err == nil {
			t.Error("two transfers at once")
		}
		alice.hears("ringback")
		cyd.answers()
		alice.talksTo(cyd)
		bob.saw("hangup 200")
		w.must(TransferTo{"cyd", "203"}) // the transferred call is transferred again
		cyd.refuses(486)
		w.dialled = &Dialled{Plan: routing.Plan{End: &routing.End{Action: routing.EndRefuse, Code: 404}}}
		if err := w.orders(TransferTo{"cyd", "nobody"}); err == nil {
			t.Error("a transfer to nobody is begun")
		}
		alice.hangsUp()
	})
}

func TestCompleteByCommand(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, ask, cyd := consults(w, true)
		calls := w.m.Active()
		if err := w.ordersOf(calls[0].ID, Complete{"bob", "nothing"}); !errors.Is(err, ErrNoCall) {
			t.Errorf("joined with a call that does not exist: %v", err)
		}
		if err := w.ordersOf(calls[0].ID, Complete{"bob", calls[1].ID}); err != nil {
			t.Error(err)
		}
		alice.talksTo(cyd)
		bob.saw("reinvite answered", "hangup 200")
		ask.saw("180", "200", "hangup 200")
		if w.ordersOf(calls[1].ID, Complete{"cyd", calls[0].ID}) == nil {
			t.Error("joined with a call that is over")
		}
		alice.talksTo(cyd)
		alice.hangsUp()
		w.records(2)
	})
}

func TestPark(t *testing.T) {
	parked := func(w *world) (alice, bob *phone) {
		alice, bob = talking(w)
		w.toService(routing.End{Service: routing.ServiceOrbit, Arg: "701"})
		w.must(ParkOn{"bob", "701"})
		alice.hears("music.wav")
		bob.saw("hangup 200")
		if s := w.m.Active()[0]; s.Orbit != "701" || s.Transfer != nil {
			t.Errorf("snapshot %+v", s)
		}
		if live := w.m.counts.busyUsers; len(live) != 0 {
			t.Errorf("busy: %v", live)
		}
		return alice, bob
	}
	t.Run("retrieved", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := parked(w)
			cyd := w.dials("cyd", "701")
			cyd.saw("200")
			cyd.acks()
			cyd.saw("200", "shown +12025550900")
			alice.talksTo(cyd)
			alice.hears("")
			w.dials("eve", "701").saw("480") // the orbit is empty
			alice.saw("180", "200")
			alice.hangsUp()
			r := w.records(3)["701"]
			if !slices.ContainsFunc(w.closed, func(c store.CallRecord) bool { return slices.Contains(c.Participants, "cyd") }) {
				t.Errorf("record %+v", r)
			}
		})
	})
	t.Run("too long: the parker is rung", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := parked(w)
			w.after(parkTime + time.Second)
			bob.rings()
			alice.hears("ringback")
			bob.answers()
			alice.talksTo(bob)
			w.dials("cyd", "701").saw("480")
		})
	})
	t.Run("the parker does not answer: back to the orbit, and to the mailbox in the end", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := parked(w)
			for turn := range parkTurns {
				alice.hears("music.wav")
				w.after(parkTime + time.Second)
				bob.rings()
				if turn == 1 {
					bob.refuses(486)
				} else {
					w.after(recallTime - time.Second)
				}
				w.after(time.Second)
			}
			alice.hears("greeting.wav")
			if len(w.m.orbits) != 0 {
				t.Error("the orbit is taken for ever")
			}
			alice.hangsUp()
			w.tells(w.records(1)["+12025550001"], "bob does not answer; the party goes back to 701", "voicemail of bob")
		})
	})
	t.Run("meanwhile the orbit was taken: to the mailbox", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := parked(w)
			w.after(parkTime + time.Second)
			bob.rings()
			w.m.claimOrbit("701", "another call")
			bob.refuses(486)
			w.after(time.Second)
			alice.hears("greeting.wav")
		})
	})
	t.Run("retrieved at last", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := parked(w)
			w.after(parkTime + time.Second)
			bob.refuses(480)
			alice.hears("music.wav")
			cyd := w.dials("cyd", "701")
			cyd.acks()
			cyd.talksTo(alice)
		})
	})
	t.Run("the parked party hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := parked(w)
			alice.hangsUp()
			w.records(1)
			if len(w.m.orbits) != 0 {
				t.Error("the orbit is taken for ever")
			}
		})
	})
	t.Run("the orbit is taken", func(t *testing.T) {
		story(t, func(w *world) {
			parked(w)
			w.dialled = nil
			bob := w.phone("bob-desk")
			dee := w.calls("+12025550901")
			bob.rings()
			bob.answers()
			dee.acks()
			w.toService(routing.End{Service: routing.ServiceOrbit, Arg: "701"})
			if err := w.ordersOf(w.m.Active()[1].ID, ParkOn{"bob", "701"}); err == nil {
				t.Error("two are parked on one orbit")
			}
			dee.talksTo(bob)
			bob.refers("701")
			bob.saw("refer 180", "refer 486")
			w.toPhone("cyd", "203")
			if err := w.ordersOf(w.m.Active()[1].ID, ParkOn{"bob", "203"}); err == nil {
				t.Error("parked on what is no orbit")
			}
		})
	})
	t.Run("two retrieve at once", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := parked(w)
			ids := []*phone{}
			for _, who := range []string{"cyd", "eve"} {
				p := &phone{w: w, name: who, uas: true, invited: true, offer: webOffer + who}
				w.m.Incoming(Incoming{User: who, Kind: store.Desk, From: Party{Number: who}, To: "701", SDP: []byte(p.offer), Leg: p,
					Bind: func(post Post) { p.post = post }})
				ids = append(ids, p)
			}
			synctest.Wait()
			won := 0
			for _, p := range ids {
				if p.log[len(p.log)-1] == "200" {
					won++
					p.acks()
					alice.talksTo(p)
				}
			}
			if won != 1 {
				t.Errorf("%d have the call", won)
			}
		})
	})
}

func TestPickup(t *testing.T) {
	story(t, func(w *world) {
		web := w.registers("bob", store.Browser)
		alice, bob := bobRings(w)
		w.toService(routing.End{Service: routing.ServicePickup, Arg: "202", Users: []string{"ann", "bob"}})
		cyd := w.dials("cyd", "**202")
		bob.saw("hangup 200")
		web.saw("hangup 200")
		if bob.reason != AnsweredElsewhere {
			t.Errorf("bob was told %+v", bob.reason)
		}
		cyd.saw("200")
		alice.saw("180", "200")
		alice.acks()
		cyd.acks()
		alice.talksTo(cyd)
		w.dials("eve", "**202").saw("480") // nothing rings any more
		cyd.hangsUp()
		r := w.records(3)["+12025550001"]
		if r.AnsweredBy != "cyd" || r.EndedBy != "callee" || len(r.Related) != 1 {
			t.Errorf("record %+v", r)
		}
	})
}
