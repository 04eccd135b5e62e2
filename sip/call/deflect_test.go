package call

import (
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// leadsTo is what routing says of what a user dials.
func (w *world) leadsTo(outsideNumber string, targets ...routing.Target) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := Dialled{Direction: store.Internal, To: "203", Caller: Party{Number: "202", Name: "Bob"}, Outside: outsideNumber}
	if len(targets) > 0 {
		d.Plan.Stages = []routing.Stage{stage(20, targets...)}
	} else {
		d.Plan.End = &routing.End{Action: routing.EndRefuse, Code: 403}
	}
	w.dialled = &d
}

func (p *phone) deflects(to ...string) {
	p.leaves()
	p.does(LegEvent{Type: Failed, Code: 302, Reason: Reason{"SIP", 302, "Moved Temporarily"}, Contacts: to})
}

// TestPhoneForwards: a desk phone sends the call to a colleague, whose phone rings and answers, while the user's other
// phones go on.
func TestPhoneForwards(t *testing.T) {
	story(t, func(w *world) {
		desk, web, cyd := w.registers("bob", store.Desk), w.registers("bob", store.Browser), w.registers("cyd", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		web.rings()
		w.leadsTo("", user("cyd", store.Desk))
		desk.deflects("203")
		cyd.rings()
		if d := cyd.req.Diverted; len(d) != 1 || d[0] != (Party{Number: "bob", Name: "BOB"}) {
			t.Errorf("cyd's phone is told %+v", d)
		}
		cyd.answers()
		web.saw("hangup 200")
		alice.saw("180", "200")
		alice.acks()
		alice.talksTo(cyd)
	})
}

// TestPhoneForwardsOutside: to an outside number, by the line and in the name of the phone's user; and where he may not
// dial, nobody gets by his phone: the plan goes on.
func TestPhoneForwardsOutside(t *testing.T) {
	story(t, func(w *world) {
		desk := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		w.leadsTo("+12025550004", outside("+12025550177"))
		carrier := w.line("trunk", "+12025550177")
		desk.deflects("+12025550177")
		carrier.rings()
		d := carrier.req
		if n := len(d.Diverted); n == 0 || d.Diverted[n-1].Number != "+12025550004" || d.Asserted.Number != "+12025550004" || d.From.Number != "+12025550900" {
			t.Errorf("the outside line is asked with %+v", d)
		}
		carrier.answers()
		alice.acks()
		alice.talksTo(carrier)
	})
	story(t, func(w *world) {
		desk := w.registers("bob", store.Desk)
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		w.leadsTo("")
		desk.deflects("+19005550100")
		alice.saw("180", "200")
		w.after(time.Second)
		alice.acks()
		alice.hears("greeting.wav")
	})
}

// TestPhonesForwardInACircle: phones that send the call to each other, and a chain that is too long, end by themselves.
func TestPhonesForwardInACircle(t *testing.T) {
	story(t, func(w *world) {
		bob, cyd := w.registers("bob", store.Desk), w.registers("cyd", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		w.leadsTo("", user("cyd", store.Desk))
		bob.deflects("203")
		cyd.rings()
		w.leadsTo("", user("bob", store.Desk))
		cyd.deflects("202")
		if bob.count != 1 {
			t.Error("bob's phone was rung again")
		}
		alice.saw("180", "480")
		w.ends(store.Missed, "us", 480)
	})
	story(t, func(w *world) {
		chain := []string{"bob", "cyd", "dan", "eve", "fay"}
		var phones []*phone
		for _, u := range chain {
			phones = append(phones, w.registers(u, store.Desk))
		}
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		for n := range maxDeflections {
			w.leadsTo("", user(chain[n+1], store.Desk))
			phones[n].deflects("2")
		}
		w.leadsTo("", user("fay", store.Desk))
		phones[maxDeflections].deflects("2")
		if phones[4].count != 0 {
			t.Error("the chain goes on for ever")
		}
		alice.saw("480")
		w.ends(store.Missed, "us", 480)
	})
}
