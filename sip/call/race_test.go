package call

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"strowger/store"
)

// bobRings is the setting of most races: a caller from the trunk, and bob's desk phone ringing.
func bobRings(w *world, change ...func(*Incoming)) (alice, bob *phone) {
	bob = w.registers("bob", store.Desk)
	w.plans(toHangup(), stage(20, user("bob", store.Desk, store.Browser)))
	alice = w.calls("+12025550900", change...)
	bob.rings()
	return alice, bob
}

// talking is an established call.
func talking(w *world, change ...func(*Incoming)) (alice, bob *phone) {
	alice, bob = bobRings(w, change...)
	bob.answers()
	alice.acks()
	alice.talksTo(bob)
	return alice, bob
}

var errStore = errors.New("no space left on device")

func TestRaces(t *testing.T) {
	delayed := func(in *Incoming) { in.SDP = nil }
	tests := []struct {
		name            string
		happens         func(w *world)
		disposition, by string
		code            int
	}{
		{"CANCEL before anything rings", func(w *world) {
			w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			w.calls("+12025550900").cancels()
		}, store.Missed, "caller", 487},

		{"CANCEL arrives with the INVITE", func(w *world) {
			bob := w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			p := &phone{w: w, name: "caller", uas: true, final: true, over: true}
			w.manager().Incoming(Incoming{Leg: p, To: "+12025550001", SDP: []byte(carrierOffer), Bind: func(post Post) { post(LegEvent{Type: Cancelled}) }})
			synctest.Wait()
			if bob.invited && !bob.over {
				w.t.Error("bob still rings")
			}
		}, store.Missed, "caller", 487},

		{"CANCEL crosses the answer", func(w *world) {
			alice, bob := bobRings(w)
			bob.post(LegEvent{Type: Answered, SDP: bob.req.SDP}) // our 200 will come too late: package sip has sent 487
			alice.leaves()
			alice.post(LegEvent{Type: Cancelled})
			synctest.Wait()
			bob.saw("hangup 0")
		}, store.Missed, "caller", 487},

		{"two phones answer at once", func(w *world) {
			browser := w.registers("bob", store.Browser)
			alice, desk := bobRings(w)
			browser.rings()
			desk.post(LegEvent{Type: Answered, SDP: desk.req.SDP})
			browser.post(LegEvent{Type: Answered, SDP: browser.req.SDP})
			synctest.Wait()
			alice.acks()
			alice.talksTo(desk)
			browser.saw("hangup 200")
			desk.hangsUp()
		}, store.Answered, "callee", 200},

		{"answer comes after the ring time", func(w *world) {
			alice, bob := bobRings(w)
			bob.stubborn = true // its 200 crosses our CANCEL; package sip ends it with BYE
			w.after(20 * time.Second)
			bob.saw("hangup 480")
			alice.saw("180", "480")
			bob.does(LegEvent{Type: Answered, SDP: bob.req.SDP})
			bob.does(LegEvent{Type: Ended})
		}, store.Missed, "us", 480},

		{"200 is never acknowledged", func(w *world) {
			alice, bob := bobRings(w)
			bob.answers()
			alice.leaves()
			alice.does(LegEvent{Type: Failed, Code: 408})
			bob.saw("hangup 0")
		}, store.Failed, "carrier", 200},

		{"BYE before the ACK", func(w *world) {
			alice, bob := bobRings(w)
			bob.answers()
			bob.hangsUp()
			alice.saw("180", "200", "hangup 0")
		}, store.Answered, "callee", 200},

		{"offer in our 200", func(w *world) {
			alice, bob := bobRings(w, delayed)
			bob.answers("sendrecv G722,PCMU")
			if alice.sdp != "sendrecv G722,PCMU #0" {
				w.t.Errorf("offered %q", alice.sdp)
			}
			alice.acks("sendrecv PCMU")
			alice.talksTo(bob)
			alice.hangsUp()
		}, store.Answered, "caller", 200},

		{"ACK without the answer it owes", func(w *world) {
			alice, bob := bobRings(w, delayed)
			bob.answers()
			alice.acks()
			alice.saw("180", "200", "hangup 488")
			bob.saw("hangup 0")
		}, store.Failed, "caller", 200},

		{"answer with nothing in common", func(w *world) {
			alice, bob := bobRings(w)
			bob.answers("sendrecv G729")
			bob.saw("hangup 488")
			alice.saw("180", "480")
		}, store.Missed, "us", 480},

		{"both hang up at once", func(w *world) {
			alice, bob := talking(w)
			bob.leaves()
			alice.leaves()
			bob.post(LegEvent{Type: Ended})
			alice.post(LegEvent{Type: Ended})
			synctest.Wait()
		}, store.Answered, "callee", 200},

		{"the carrier vanishes", func(w *world) {
			alice, bob := talking(w)
			alice.media().says(MediaEvent{Type: MediaSilent})
			alice.saw("180", "200", "hangup 408")
			bob.saw("hangup 408")
		}, store.Answered, "carrier", 200},

		{"session timer", func(w *world) {
			alice, bob := talking(w)
			alice.leaves()
			alice.does(LegEvent{Type: Ended, Reason: Reason{"SIP", 408, "Session expired"}})
			bob.saw("hangup 408")
		}, store.Answered, "carrier", 200},

		{"media is lost", func(w *world) {
			alice, bob := talking(w)
			bob.media().says(MediaEvent{Type: MediaLost, Why: "ICE failed"})
			alice.saw("180", "200", "hangup 408")
		}, store.Answered, "callee", 200},

		{"nobody confirms the hang-up", func(w *world) {
			alice, bob := talking(w)
			alice.stubborn, bob.stubborn = true, true
			if err := w.m.Hangup(w.m.Active()[0].ID); err != nil {
				w.t.Error(err)
			}
			w.after(39 * time.Second)
			w.after(2 * time.Second)
			if len(w.m.calls) != 0 {
				w.t.Error("the watchdog did not release the call")
			}
		}, store.Answered, "us", 200},

		{"routing panics", func(w *world) {
			w.panics = true
			w.calls("+12025550900").saw("500")
		}, store.Failed, "us", 500},

		{"the store is broken", func(w *world) {
			w.broken = errStore
			alice, bob := talking(w)
			alice.hangsUp()
			bob.saw("hangup 0")
		}, store.Answered, "caller", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(w *world) {
				tt.happens(w)
				w.ends(tt.disposition, tt.by, tt.code)
			})
		})
	}
}
