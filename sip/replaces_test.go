package sip

import (
	"strings"
	"testing"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// bobs is the address of bob's phone.
const bobs = "10.0.0.4:5062"

// asks sends a request that begins a dialog and answers the challenge; the response after that is returned.
func (r *rig) asks(phone *siptest.Phone, device, to, method, body string, headers ...string) (*siptest.Dialog, *siptest.Message) {
	r.Helper()
	d := phone.NewDialog("sip:"+device+"@"+testRealm, to)
	return d, r.proves(d, device, method, body, headers...)
}

// proves sends a request and answers the challenge.
func (r *rig) proves(d *siptest.Dialog, device, method, body string, headers ...string) *siptest.Message {
	r.Helper()
	d.Do(method, body, headers...)
	challenge := d.Expect("401")
	if method == "INVITE" {
		d.AckError(challenge)
	}
	auth := strings.TrimSpace(digest(challenge.Get("WWW-Authenticate"), method, d.Target, device, "secret-"+device, "00000001"))
	d.Do(method, body, append(headers, auth)...)
	if method == "INVITE" {
		return nil
	}
	return d.Must(siptest.Patience)
}

// taker is bob's phone.
func (r *rig) taker() *siptest.Phone {
	return siptest.NewPhone(r.T, r.net, bobs, serverAddr)
}

// comes is the call that takes over another.
func (r *rig) comes() call.Incoming {
	r.Helper()
	select {
	case in := <-r.incoming:
		in.Bind(func(call.LegEvent) {})
		return in
	case <-time.After(time.Second):
		r.Fatal("no call came in")
	}
	return call.Incoming{}
}

// A colleague picks up a call that rings (RFC 3891 §3), by the tags as either side writes them.
func TestPickup(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		ann := r.phone.Accept(invite)
		ann.Reply(invite, 180, "")
		p.expect(call.Progress)
		bob := r.taker()
		ours := invite.Get("Call-ID") + ";to-tag=" + invite.Tag("From") + ";from-tag=" + ann.LocalTag + ";early-only"
		theirs := invite.Get("Call-ID") + ";from-tag=" + invite.Tag("From") + ";to-tag=" + ann.LocalTag
		for _, replaces := range []string{ours, theirs} {
			d, _ := r.asks(bob, "bob-desk", "sip:201@10.0.0.1", "INVITE", offerSDP, "Require: replaces", "Replaces: "+replaces)
			in := r.comes()
			if in.Replaces != p.leg || in.User != "bob" || !in.EarlyOnly {
				t.Errorf("incoming: %+v", in)
			}
			in.Leg.Reject(603, "", call.Reason{})
			d.AckError(bob.Expect("603"))
		}
		for replaces, code := range map[string]string{
			invite.Get("Call-ID") + ";to-tag=" + invite.Tag("From") + ";from-tag=x": "481",
			"no;to-tag=a;from-tag=b":              "481",
			"no;to-tag=a":                         "400",
			ours + ", " + theirs:                  "400",
			ours + "\r\nReplaces: " + theirs:      "400",
			ours + "\r\nJoin: a;to-tag=b":         "400",
			strings.Repeat("x", 2000) + ";to-tag": "400",
		} {
			d, _ := r.asks(bob, "bob-desk", "sip:201@10.0.0.1", "INVITE", offerSDP, "Replaces: "+replaces)
			d.AckError(bob.Expect(code))
		}
		ann.Reply(invite, 200, offerSDP)
		r.phone.Expect("ACK")
		p.expect(call.Answered)
		// What is answered is nobody's to take, whoever is said to have handed it over: bob has known its tags since it rang.
		for _, header := range []string{"Replaces: " + theirs, "Replaces: " + ours, "Replaces: " + theirs + "\r\nReferred-By: <sip:ann-desk@10.0.0.1>"} {
			d, _ := r.asks(bob, "bob-desk", "sip:201@10.0.0.1", "INVITE", offerSDP, header)
			d.AckError(bob.Expect("403"))
		}
		// One's own call can be moved to another phone of one's own.
		d, _ := r.asks(bob, "ann-mobile", "sip:201@10.0.0.1", "INVITE", offerSDP, "Replaces: "+theirs)
		in := r.comes()
		in.Leg.Reject(603, "", call.Reason{})
		d.AckError(bob.Expect("603"))
		p.leg.Hangup(call.Reason{})
		bye := r.phone.Expect("BYE")
		d, _ = r.asks(bob, "ann-mobile", "sip:201@10.0.0.1", "INVITE", offerSDP, "Replaces: "+theirs)
		d.AckError(bob.Expect("603"))
		ann.Reply(bye, 200, "")
		p.expect(call.Ended)
		d, _ = r.asks(bob, "ann-mobile", "sip:201@10.0.0.1", "INVITE", offerSDP, "Replaces: "+theirs)
		d.AckError(bob.Expect("481"))
	})
}

// Whom a company does not let pick up may not; a carrier never may, nor may anybody take a carrier's leg.
func TestPickupForbidden(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		ann := r.phone.Accept(invite)
		ann.Reply(invite, 180, "")
		p.expect(call.Progress)
		replaces := "Replaces: " + invite.Get("Call-ID") + ";to-tag=" + invite.Tag("From") + ";from-tag=" + ann.LocalTag
		bob := r.taker()
		d, _ := r.asks(bob, "bob-desk", "sip:201@10.0.0.1", "INVITE", offerSDP, replaces)
		d.AckError(bob.Expect("403"))

		d = r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:+12025550001@10.0.0.1")
		d.Do("INVITE", offerSDP, replaces)
		d.AckError(r.carrier.Expect("403"))
		trunk, _ := r.answered()
		d, _ = r.asks(bob, "bob-desk", "sip:201@10.0.0.1", "INVITE", offerSDP, "Replaces: "+whole(trunk, trunk.Request("INFO", "")))
		d.AckError(bob.Expect("403"))
	}, func(c *Config) { c.MayPickUp = func(user, colleague string) bool { return false } })
}

// A call of ours that shall replace one says so (RFC 3891 §6.1).
func TestDialReplaces(t *testing.T) {
	story(t, func(r *rig) {
		r.dials(answerSDP, func(q *call.DialRequest) { q.Replaces = "a@b;to-tag=c;from-tag=d" })
		invite := r.phone.Expect("INVITE")
		if invite.Get("Replaces") != "a@b;to-tag=c;from-tag=d" || invite.Get("Require") != "replaces" {
			t.Errorf("INVITE: %+v", invite)
		}
	})
}

// A stranger's REFER is challenged, a phone's outside of a call declined.
func TestReferOutside(t *testing.T) {
	story(t, func(r *rig) {
		if _, res := r.asks(r.phone, "ann-desk", "sip:201@10.0.0.1", "REFER", "", "Refer-To: <sip:203@10.0.0.1>"); res.Code() != 603 {
			t.Errorf("REFER outside a call: %s", res.Start)
		}
	})
}

func FuzzReplaces(f *testing.F) {
	for _, s := range []string{"a@b;to-tag=c;from-tag=d;early-only", "a;to-tag=\"x;y\";from-tag=,", ";;", "a;to-tag"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseReplaces(s)
		if err == nil && (r.callID == "" || r.toTag == "" || r.fromTag == "" || len(r.callID) > maxReplaces) {
			t.Errorf("%q became %+v", s, r)
		}
		if again, bad := parseReplaces(r.String()); err == nil && (bad != nil || again != r) && len(r.String()) <= maxReplaces {
			t.Errorf("%q became %+v, which became %+v, %v", s, r, again, bad)
		}
	})
}

func FuzzReferTo(f *testing.F) {
	for _, s := range []string{"<sip:203@h?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>", "sip:a@h;method=INVITE", "<tel:+1-202>", "<sip:h?x&Replaces=&=>", "\"a\" <sip:%00@h>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		to, p := parseReferTo(s)
		if p == nil && (to.user == "" && to.replaces == "" || strings.ContainsAny(to.user+to.replaces, "\r\n\x00")) {
			t.Errorf("%q became %+v", s, to)
		}
	})
}
