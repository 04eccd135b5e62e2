package sip

import (
	"net/url"
	"strings"
	"testing"
	"time"

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
			"Refer-To: <sip:203@10.0.0.1?Replaces=a%3Bto-tag%3Db>": "400",
			"Refer-To: <sip:203@10.0.0.1?method=BYE>":              "400",
			"Refer-To: <sip:203@10.0.0.1;method=SUBSCRIBE>":        "400",
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
		d.Do("REFER", "", "Refer-To: <tel:+1-202-555-0177>", "Referred-By: <sip:bob@10.0.0.1>") // who refers is ann
		again := r.phone.Expect("202")
		notified("refer;id="+again.Get("CSeq")[:len(again.Get("CSeq"))-len(" REFER")], "active;expires=300", "SIP/2.0 100 Trying\r\n")
		if e := p.expect(call.Referred); e.Target != "+12025550177" || e.By != "" {
			t.Errorf("referred: %+v", e)
		}
	})
}

// whole is what a Replaces says of a dialog, as whoever is at our end of it would write it.
func whole(d *siptest.Dialog, m *siptest.Message) string {
	ours, theirs := m.Tag("From"), m.Tag("To")
	if ours == d.LocalTag {
		ours, theirs = theirs, ours
	}
	return d.CallID + ";to-tag=" + ours + ";from-tag=" + theirs
}

// An attended transfer names the transferor's other call (RFC 5589 §7).
func TestReferReplaces(t *testing.T) {
	story(t, func(r *rig) {
		first, p := r.talking()
		second, other := r.talking()
		r.phone.Silent(time.Second)
		refers := func(replaces, code string) {
			r.Helper()
			first.Do("REFER", "", "Refer-To: <sip:203@10.0.0.1?Replaces="+url.QueryEscape(replaces)+">")
			r.phone.Expect(code)
		}
		refers(whole(first, second.Request("INFO", "")), "202") // the tags are not of this call
		for _, code := range []string{"100", "481"} {
			n := r.phone.Expect("NOTIFY")
			if !strings.HasPrefix(n.Body, "SIP/2.0 "+code) {
				t.Errorf("told %q, want %s", n.Body, code)
			}
			first.Reply(n, 200, "")
		}
		refers(whole(first, first.Request("INFO", "")), "400")
		refers(whole(second, second.Request("INFO", "")), "202")
		first.Reply(r.phone.Expect("NOTIFY"), 200, "")
		if e := p.expect(call.Referred); e.Replaces != other.leg || e.Target != "203" || e.ReplacesHeader != "" {
			t.Errorf("referred: %+v", e)
		}
		p.leg.ReferProgress(200, "")
		first.Reply(r.phone.Expect("NOTIFY"), 200, "")

		// A dialog of ours is nobody's to give away, under whatever name and with whatever else is said of it.
		dialog := whole(second, second.Request("INFO", ""))
		for _, replaces := range []string{dialog + ";to-tag=x;from-tag=y", strings.Replace(dialog, ";to-tag=", ";to-tag=x", 1)} {
			first.Do("REFER", "", "Refer-To: <sip:203@192.0.2.9?Replaces="+url.QueryEscape(replaces)+">")
			r.phone.Expect("202")
			for _, code := range []string{"100", "481"} {
				n := r.phone.Expect("NOTIFY")
				if !strings.HasPrefix(n.Body, "SIP/2.0 "+code) {
					t.Errorf("told %q, want %s", n.Body, code)
				}
				first.Reply(n, 200, "")
			}
		}
		// Somebody else's dialog is the foreign phone's business.
		first.Do("REFER", "", "Refer-To: <sip:203@192.0.2.9?Replaces=a%40b%3Bto-tag%3Dc%3Bfrom-tag%3Dd>")
		r.phone.Expect("202")
		first.Reply(r.phone.Expect("NOTIFY"), 200, "")
		if e := p.expect(call.Referred); e.Replaces != nil || e.ReplacesHeader != "a@b;to-tag=c;from-tag=d" {
			t.Errorf("referred: %+v", e)
		}
	})
}

// A phone may leave out the subscription (RFC 4488), end it, or have it longer.
func TestReferSubscription(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking()
		d.Do("REFER", "", "Refer-To: <sip:203@10.0.0.1>", "Refer-Sub: false", "Require: norefersub")
		if res := r.phone.Expect("202"); res.Get("Refer-Sub") != "false" {
			t.Errorf("202: %+v", res)
		}
		p.expect(call.Referred)
		p.leg.ReferProgress(200, "")
		r.phone.Silent(time.Second)

		told := func(state, body string) {
			r.Helper()
			n := r.phone.Expect("NOTIFY")
			if n.Get("Subscription-State") != state || n.Body != "SIP/2.0 "+body+"\r\n" {
				r.Errorf("%s %q, want %s %q", n.Get("Subscription-State"), n.Body, state, body)
			}
			d.Reply(n, 200, "")
		}
		d.Do("REFER", "", "Refer-To: <sip:203@10.0.0.1>")
		r.phone.Expect("202")
		told("active;expires=300", "100 Trying")
		p.expect(call.Referred)
		p.leg.ReferProgress(180, "")
		told("active;expires=300", "180 Ringing")
		d.Do("SUBSCRIBE", "", "Event: dialog")
		r.phone.Expect("489")
		d.Do("SUBSCRIBE", "", "Event: refer", "Expires: 60")
		if res := r.phone.Expect("200"); res.Get("Expires") != "60" {
			t.Errorf("200: %+v", res)
		}
		told("active;expires=60", "180 Ringing")
		time.Sleep(61 * time.Second)
		told("terminated;reason=timeout", "180 Ringing")
		p.leg.ReferProgress(200, "")
		d.Do("SUBSCRIBE", "", "Event: refer")
		r.phone.Expect("481")
		r.phone.Silent(time.Minute)
	})
}
