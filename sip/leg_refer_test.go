package sip

import (
	"testing"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

func TestRefer(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking()
		notified := func(event, state, body string) {
			r.Helper()
			n := r.phone.Expect("NOTIFY")
			if n.Get("Event") != event || n.Get("Subscription-State") != state || n.Body != body || n.Get("Content-Type") != "message/sipfrag;version=2.0" {
				r.Errorf("NOTIFY: %+v, want %s, %s, %q", n, event, state, body)
			}
			d.Reply(n, 200, "")
		}
		d.Do("REFER", "", "Refer-To: <sip:203@10.0.0.1>", "Referred-By: <sip:ann@10.0.0.1>")
		r.phone.Expect("202")
		notified("refer", "active;expires=300", "SIP/2.0 100 Trying\r\n")
		if e := p.expect(call.Referred); e.Target != "203" || e.By != "<sip:ann@10.0.0.1>" {
			t.Errorf("referred: %+v", e)
		}
		d.Do("REFER", "", "Refer-To: <sip:204@10.0.0.1>")
		r.phone.Expect("491")
		p.leg.ReferProgress(180, "Ringing")
		notified("refer", "active;expires=300", "SIP/2.0 180 Ringing\r\n")
		p.leg.ReferProgress(486, "")
		notified("refer", "terminated;reason=noresource", "SIP/2.0 486 Busy Here\r\n")
		p.leg.ReferProgress(200, "OK") // there is nobody to tell any more

		for target, code := range map[string]string{
			"":                             "400",
			"Refer-To: nonsense":           "400",
			"Refer-To: <sip:10.0.0.1>":     "400",
			"Refer-To: <http://x.example>": "416",
			"Refer-To: <sip:203@10.0.0.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>": "501",
		} {
			var headers []string
			if target != "" {
				headers = []string{target}
			}
			d.Do("REFER", "", headers...)
			if got := r.phone.Expect(code); got == (*siptest.Message)(nil) {
				t.Errorf("%s: no %s", target, code)
			}
		}
		d.Do("REFER", "", "Refer-To: <tel:+1-202-555-0177>")
		again := r.phone.Expect("202")
		notified("refer;id="+again.Get("CSeq")[:len(again.Get("CSeq"))-len(" REFER")], "active;expires=300", "SIP/2.0 100 Trying\r\n")
		if e := p.expect(call.Referred); e.Target != "+12025550177" {
			t.Errorf("referred: %+v", e)
		}
	})
}
