package sip

import (
	"net/url"
	"strings"
	"testing"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// onTrunk is a call from the carrier that we have answered.
func (r *rig) onTrunk() (*siptest.Dialog, *party) {
	r.Helper()
	d, p := r.calls(offerSDP)
	p.leg.Answer([]byte(answerSDP))
	d.Confirm(r.carrier.Expect("200"))
	d.Ack("")
	p.expect(call.Acked)
	return d, p
}

// The carrier is asked to send its party on to a number, and tells how that goes.
func TestReferToCarrier(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.onTrunk()
		p.leg.Refer("+12025550177", nil)
		req := r.carrier.Expect("REFER")
		if req.Get("Refer-To") != "<sip:+12025550177@10.0.0.2:5060>" || !strings.Contains(req.Get("Allow"), "NOTIFY") || req.Get("Referred-By") == "" {
			t.Errorf("REFER: %+v", req)
		}
		d.Reply(req, 202, "")
		if e := p.expect(call.ReferTold); e.Code != 100 {
			t.Errorf("after 202: %+v", e)
		}
		told := func(body, state, answer string, extra ...string) {
			r.Helper()
			d.Do("NOTIFY", body, append([]string{"Event: refer", "Subscription-State: " + state, "Content-Type: message/sipfrag"}, extra...)...)
			r.carrier.Expect(answer)
		}
		told("SIP/2.0 180 Ringing\r\n", "active;expires=60", "200")
		if e := p.expect(call.ReferTold); e.Code != 180 {
			t.Errorf("180: %+v", e)
		}
		told("nonsense", "active;expires=60", "200")
		told("SIP/2.0 200 OK\r\nTo: x\r\n", "terminated;reason=noresource", "200")
		if e := p.expect(call.ReferTold); e.Code != 200 {
			t.Errorf("200: %+v", e)
		}
		told("SIP/2.0 200 OK\r\n", "terminated", "481") // there is no subscription any more

		p.leg.Refer("+12025550177", nil) // and once more: the carrier says no more how it ended
		d.Reply(r.carrier.Expect("REFER"), 202, "")
		p.expect(call.ReferTold)
		told("SIP/2.0 100 Trying\r\n", "terminated;reason=timeout", "200")
		if e := p.expect(call.ReferTold); e.Code != 480 {
			t.Errorf("ended: %+v", e)
		}
		p.leg.Refer("+12025550177", nil)
		d.Reply(r.carrier.Expect("REFER"), 405, "")
		if e := p.expect(call.ReferTold); e.Code != 405 {
			t.Errorf("refused: %+v", e)
		}
	})
}

// The carrier is asked to join two of its parties: Replaces names the dialog with the second as that one knows it.
func TestReferToCarrierReplaces(t *testing.T) {
	story(t, func(r *rig) {
		first, p := r.onTrunk()
		second, other := r.onTrunk()
		p.leg.Refer("+12025550177", other.leg)
		req := r.carrier.Expect("REFER")
		_, value, _ := strings.Cut(strings.Trim(req.Get("Refer-To"), "<>"), "?Replaces=")
		value, err := url.QueryUnescape(value)
		if ours := second.Request("INFO", "").Tag("To"); err != nil || value != second.CallID+";to-tag="+second.LocalTag+";from-tag="+ours {
			t.Errorf("Refer-To: %s", req.Get("Refer-To"))
		}
		first.Reply(req, 202, "")
		p.expect(call.ReferTold)
		p.leg.Refer("+12025550177", other.leg) // one is under way
		if e := p.expect(call.ReferTold); e.Code != 491 {
			t.Errorf("a second one: %+v", e)
		}
	})
}

// A phone is asked for no transfer, and a call that is over neither.
func TestReferToNobody(t *testing.T) {
	story(t, func(r *rig) {
		_, p := r.talking()
		p.leg.Refer("+12025550177", nil)
		if e := p.expect(call.ReferTold); e.Code < 400 {
			t.Errorf("told: %+v", e)
		}
		_, q := r.onTrunk()
		gone, over := r.onTrunk()
		gone.Do("BYE", "")
		r.carrier.Expect("200")
		over.expect(call.Ended)
		q.leg.Refer("+12025550177", over.leg)
		if e := q.expect(call.ReferTold); e.Code != 481 {
			t.Errorf("told: %+v", e)
		}
	})
}

func FuzzSipfrag(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 OK\r\n"))
	f.Add([]byte("SIP/2.0 2"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if code := sipfragCode(body); code != 0 && (code < 100 || code > 699) {
			t.Errorf("%q: %d", body, code)
		}
	})
}
