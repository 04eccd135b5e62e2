package sip

import (
	"strings"
	"testing"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

const cyd = `"Cyd" <sip:203@`

func displayed(t *testing.T, m *siptest.Message, want, party string) {
	t.Helper()
	if got := m.Get("P-Asserted-Identity"); !strings.HasPrefix(got, want) {
		t.Errorf("%s shows %q, want %s", m.Start, got, want)
	}
	if got := m.Get("Remote-Party-ID"); !strings.HasPrefix(got, want) || !strings.Contains(got, ";party="+party+";screen=yes;privacy=off") {
		t.Errorf("%s: Remote-Party-ID %q", m.Start, got)
	}
}

// A phone that takes UPDATE is told by it: at once, then no more often than twice a second, the latest only.
func TestShowByUpdate(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking("Allow: INVITE, ACK, BYE, UPDATE")
		p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
		first := r.phone.Expect("UPDATE")
		displayed(t, first, cyd, "calling")
		if first.Body != "" || first.Get("Session-Expires") == "" {
			t.Errorf("UPDATE: %+v", first)
		}
		for _, n := range []string{"204", "205", "206"} {
			p.leg.Show(call.Party{Number: n})
		}
		d.Reply(first, 200, "")
		second := r.phone.Expect("UPDATE")
		displayed(t, second, "<sip:206@", "calling")
		d.Reply(second, 200, "")
		p.leg.Show(call.Party{Number: "206"})
		r.phone.Silent(10 * time.Second)
		p.quiet(time.Minute)
	})
}

// One that does not gets a re-INVITE that changes nothing else; the call hears nothing of it.
func TestShowByReinvite(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking("Allow: INVITE, ACK, BYE")
		p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
		again := r.phone.Expect("INVITE")
		displayed(t, again, cyd, "calling")
		if again.Body != answerSDP {
			t.Errorf("re-INVITE has SDP %q", again.Body)
		}
		d.Reply(again, 200, offerSDP)
		r.phone.Expect("ACK")
		r.phone.Silent(10 * time.Second)
		p.quiet(time.Minute)
	})
}

// A display that cannot be updated is no reason to disturb the call.
func TestShowRefused(t *testing.T) {
	for _, allow := range []string{"INVITE, ACK, BYE", "INVITE, ACK, BYE, UPDATE"} {
		story(t, func(r *rig) {
			d, p := r.talking("Allow: " + allow)
			p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
			for range 4 { // a busy peer is asked again
				m := r.phone.ExpectAny("INVITE", "UPDATE")
				d.Reply(m, 491, "")
				if m.Method() == "INVITE" {
					r.phone.Expect("ACK")
				}
			}
			for {
				m := r.phone.Next(5 * time.Second)
				if m == nil {
					break
				}
				if m.Method() != "ACK" {
					d.Reply(m, 403, "")
				}
			}
			p.quiet(time.Minute)
			p.leg.Hangup(call.Reason{})
			d.Reply(r.phone.Expect("BYE"), 200, "")
			p.expect(call.Ended)
		})
	}
}

// UPDATE that was promised but is not allowed is replaced by a re-INVITE.
func TestShowFallsBack(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking("Allow: INVITE, ACK, BYE, UPDATE")
		p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
		d.Reply(r.phone.Expect("UPDATE"), 501, "")
		again := r.phone.Expect("INVITE")
		displayed(t, again, cyd, "calling")
		d.Reply(again, 200, offerSDP)
		r.phone.Expect("ACK")
		p.quiet(time.Minute)
	})
}

// What is to be shown goes along with what the call sends anyway, and waits for what the peer has begun.
func TestShowWaits(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking("Allow: INVITE, ACK, BYE, UPDATE")
		p.leg.Reinvite([]byte(holdSDP))
		held := r.phone.Expect("INVITE")
		p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
		r.phone.Silent(time.Second)
		d.Reply(held, 200, offerSDP)
		r.phone.Expect("ACK")
		p.expect(call.Reanswered)
		m := r.phone.Expect("UPDATE")
		displayed(t, m, cyd, "calling")
		d.Reply(m, 200, "")

		d.Do("INVITE", holdSDP)
		p.expect(call.Reoffered)
		p.leg.Show(call.Party{Number: "204"})
		r.phone.Silent(time.Second)
		p.leg.AnswerReinvite([]byte(answerSDP))
		displayed(t, r.phone.Expect("200"), "<sip:204@", "calling")
		d.Ack("")
		r.phone.Silent(time.Minute)
	})
}

// A carrier never learns who is behind us.
func TestShowNotToTrunk(t *testing.T) {
	story(t, func(r *rig) {
		_, p := r.answered("Allow: INVITE, ACK, BYE, UPDATE")
		p.leg.Show(call.Party{Number: "203", Name: "Cyd"})
		r.carrier.Silent(time.Minute)
	})
}
