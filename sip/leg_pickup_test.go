package sip

import (
	"testing"
	"time"

	"strowger/sip/call"
)

// A phone that rings is asked to answer within the early dialog; before it rings, and once it talks, nothing is asked.
func TestPickUp(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(offerSDP)
		invite := r.phone.Expect("INVITE")
		p.leg.PickUp()
		r.phone.Silent(time.Second)
		d := r.phone.Accept(invite)
		d.Send(d.Response(invite, 180, ""))
		p.expect(call.Progress)
		p.leg.PickUp()
		n := r.phone.Expect("NOTIFY")
		if n.Get("Event") != "talk" || n.Get("Subscription-State") != "active" {
			t.Errorf("NOTIFY: %+v", n)
		}
		d.Reply(n, 200, "")
		ok := d.Response(invite, 200, answerSDP)
		d.Send(ok)
		p.expect(call.Answered)
		r.phone.Expect("ACK")
		p.leg.PickUp()
		r.phone.Silent(time.Second)
	})
}
