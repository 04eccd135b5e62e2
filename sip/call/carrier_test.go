package call

import (
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// transferring is a trunk that transfers by itself.
func transferring(in *Incoming) { in.Refer = true }

// sendsOut makes bob transfer alice, who called over the trunk, to an outside number, which goes by the same trunk.
func sendsOut(w *world) (alice, bob, dee *phone) {
	w.refer = true
	dee = w.line("trunk", "+12025559000")
	bob = w.registers("bob", store.Desk)
	w.plans(toHangup(), stage(20, user("bob", store.Desk)))
	alice = w.calls("+12025550900", transferring)
	bob.rings()
	bob.answers()
	alice.acks()
	w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(30, outside("+12025559000"))}, End: toHangup()},
		Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"}}
	bob.refers("2025559000")
	return alice, bob, dee
}

func (p *phone) told(code int) { p.does(LegEvent{Type: ReferTold, Code: code}) }

func TestCarrierTransfers(t *testing.T) {
	t.Run("done", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, dee := sendsOut(w)
			alice.hears("ringback")
			alice.told(100)
			alice.told(180)
			alice.told(200)
			alice.saw("180", "200", "asked to transfer to +12025559000", "hangup 200")
			bob.saw("refer 180", "refer 200", "hangup 200")
			dee.silent()
			w.tells(w.ends(store.Answered, "callee", 200), "trunk is asked to transfer it to +12025559000", "went on at the carrier")
		})
	})
	for name, refused := range map[string]int{"it will not: we ring the target": 405, "it says nothing": 408} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				alice, bob, dee := sendsOut(w)
				alice.told(refused)
				dee.rings()
				dee.answers()
				alice.talksTo(dee)
				bob.saw("refer 180", "refer 200", "hangup 200")
				alice.saw("180", "200", "asked to transfer to +12025559000") // and not again
				dee.hangsUp()
				w.tells(w.ends(store.Answered, "callee", 200), "the carrier does not transfer it")
			})
		})
	}
	t.Run("the target is busy: the transferor has the call back", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, dee := sendsOut(w)
			alice.told(100)
			alice.told(486)
			dee.silent()
			alice.talksTo(bob)
			bob.saw("refer 180", "refer 486")
			alice.hangsUp()
			w.ends(store.Answered, "caller", 200)
		})
	})
	t.Run("no news for the ring time", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, dee := sendsOut(w)
			alice.told(180)
			w.after(31 * time.Second)
			dee.silent()
			alice.talksTo(bob)
			bob.saw("refer 180", "refer 408")
			alice.told(200) // too late
			alice.talksTo(bob)
			bob.hangsUp()
			w.ends(store.Answered, "callee", 200)
		})
	})
	t.Run("the transferred party hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, dee := sendsOut(w)
			alice.told(100)
			alice.hangsUp()
			dee.silent()
			bob.saw("refer 180", "refer 487", "hangup 0")
			w.ends(store.Answered, "caller", 200)
		})
	})
	t.Run("the transferor hangs up, and the carrier will not", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, dee := sendsOut(w)
			bob.hangsUp()
			alice.told(501)
			dee.answers()
			alice.talksTo(dee)
			dee.hangsUp()
			w.ends(store.Answered, "callee", 200)
		})
	})
	t.Run("a trunk that is not configured so", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := talking(w)
			dee := w.line("trunk", "+12025559000")
			w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(30, outside("+12025559000"))}, End: toHangup()}, Direction: store.Outbound}
			w.phone("bob-desk").refers("2025559000")
			dee.answers()
			alice.talksTo(dee)
			alice.saw("180", "200")
			alice.hangsUp()
			w.ends(store.Answered, "caller", 200)
		})
	})
}

// TestCarrierJoins: bob has asked dee, over the trunk, and joins her with alice, who is on that trunk too.
func TestCarrierJoins(t *testing.T) {
	joins := func(w *world) (alice, dee *phone) {
		w.refer = true
		bob := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice, dee = w.calls("+12025550900", transferring), w.line("trunk", "+12025559000")
		bob.rings()
		bob.answers()
		alice.acks()
		bob.reoffers("sendonly PCMU")
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(30, outside("+12025559000"))}, End: toHangup()},
			Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"}}
		ask := w.dials("bob", "+12025559000")
		dee.rings()
		dee.answers()
		ask.acks()
		bob.attends(ask)
		alice.talksTo(dee) // until the carrier has done it
		alice.saw("180", "200", "asked to transfer to +12025559000 with trunk:+12025559000")
		return alice, dee
	}
	t.Run("done", func(t *testing.T) {
		story(t, func(w *world) {
			alice, dee := joins(w)
			alice.told(100)
			alice.told(200)
			alice.saw("180", "200", "asked to transfer to +12025559000 with trunk:+12025559000", "hangup 200")
			dee.saw("hangup 200")
			w.tells(w.records(2)["+12025559000"], "went on at the carrier")
		})
	})
	t.Run("it ends the replaced dialog first", func(t *testing.T) {
		story(t, func(w *world) {
			alice, dee := joins(w)
			alice.told(100)
			dee.hangsUp()
			alice.saw("180", "200", "asked to transfer to +12025559000 with trunk:+12025559000", "hangup 200")
			w.tells(w.records(2)["+12025559000"], "went on at the carrier")
		})
	})
	for name, code := range map[string]int{"it will not": 403, "it says nothing": 0} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				alice, dee := joins(w)
				if code != 0 {
					alice.told(code)
				}
				w.after(joinTime + time.Second)
				alice.talksTo(dee)
				dee.hangsUp()
				w.tells(w.records(2)["+12025559000"], "the carrier does not transfer it", "callee hung up")
			})
		})
	}
}
