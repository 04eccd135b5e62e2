package sip

import (
	"slices"
	"testing"
	"time"

	"strowger/sip/call"
)

// TestPhoneRedirects: the call is told what the phone asks for at this server, best first, and of nothing elsewhere.
func TestPhoneRedirects(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		d := r.phone.Accept(invite)
		res := d.Response(invite, 302, "")
		for i := range res.Headers {
			if res.Headers[i].Name == "Contact" {
				res.Headers[i].Value = `<sip:203@10.0.0.1>;q=0.2, "Dee" <sip:%2B12025550177@10.0.0.1:5060;user=phone?Subject=x>;q=0.7, <sip:eve@evil.example>, <tel:+12025550178>, <sip:203@10.0.0.1>;q=0.1, <sip:204@10.0.0.1>`
			}
		}
		r.phone.Send(res)
		r.phone.Expect("ACK")
		e := p.expect(call.Failed)
		if want := []string{"+12025550178", "+12025550177", "203"}; e.Code != 302 || !slices.Equal(e.Contacts, want) {
			t.Errorf("failed: %+v, want %v", e, want)
		}
	})
}

// TestTrunkRedirects: a carrier's redirection is followed within the carrier, contact by contact, and not in circles.
func TestTrunkRedirects(t *testing.T) {
	redirect := func(r *rig, code int, contact string) string {
		invite := r.carrier.Expect("INVITE")
		d := r.carrier.Accept(invite)
		res := d.Response(invite, code, "")
		for i := range res.Headers {
			if res.Headers[i].Name == "Contact" && contact != "" {
				res.Headers[i].Value = contact
			}
		}
		r.carrier.Send(res)
		r.carrier.Expect("ACK")
		return invite.URI()
	}
	story(t, func(r *rig) {
		p := r.dials(answerSDP, byTrunk)
		redirect(r, 302, "<sip:gw2@10.0.0.2;transport=udp>;q=0.5, <sip:gw1@10.0.0.2>, <sip:+1900@evil.example>")
		if uri := redirect(r, 404, ""); uri != "sip:gw1@10.0.0.2" {
			t.Errorf("went to %s", uri)
		}
		invite := r.carrier.Expect("INVITE")
		if invite.URI() != "sip:gw2@10.0.0.2;transport=udp" || invite.Body != answerSDP {
			t.Errorf("then to %s", invite.URI())
		}
		r.carrier.Accept(invite).Reply(invite, 200, offerSDP)
		p.expect(call.Answered)
		r.carrier.Expect("ACK")
	})
	for name, contacts := range map[string][]string{
		"a circle":        {"<sip:a@10.0.0.2>", "<sip:b@10.0.0.2>", "<sip:a@10.0.0.2>"},
		"without end":     {"<sip:a@10.0.0.2>", "<sip:b@10.0.0.2>", "<sip:c@10.0.0.2>", "<sip:d@10.0.0.2>"},
		"another network": {"<sip:a@198.51.100.7>"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(r *rig) {
				p := r.dials(answerSDP, byTrunk)
				for _, contact := range contacts {
					redirect(r, 302, contact)
				}
				r.carrier.Silent(time.Second)
				if e := p.expect(call.Failed); e.Code != 302 || len(e.Contacts) != 0 {
					t.Errorf("failed: %+v", e)
				}
			})
		})
	}
}

// TestPhoneIsToldWhoSentTheCall: by Diversion (RFC 5806).
func TestPhoneIsToldWhoSentTheCall(t *testing.T) {
	story(t, func(r *rig) {
		r.dials(answerSDP, func(d *call.DialRequest) { d.Diverted = []call.Party{{Number: "bob", Name: "Bob Ray"}} })
		if got := r.phone.Expect("INVITE").Get("Diversion"); got != `"Bob Ray" <sip:bob@10.0.0.1>;reason=unconditional` {
			t.Errorf("Diversion: %s", got)
		}
	})
}
