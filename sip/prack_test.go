package sip

import (
	"strconv"
	"testing"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// rack is the PRACK header for a reliable response.
func rack(t *testing.T, res *siptest.Message) string {
	t.Helper()
	seq, _ := res.CSeq()
	if res.Get("Require") != "100rel" || res.Get("RSeq") == "" {
		t.Fatalf("%s is not reliable: %v", res.Start, res.Headers)
	}
	return "RAck: " + res.Get("RSeq") + " " + strconv.Itoa(int(seq)) + " INVITE"
}

// ackFirst acknowledges the 2xx of the dialog's INVITE, which other requests have followed.
func ackFirst(d *siptest.Dialog) {
	last := d.Seq
	first, _ := d.Invite.CSeq()
	d.Seq = int(first)
	d.Ack("")
	d.Seq = last
}

// TestReliableProgress: ringing and early media are repeated until PRACK, one after the other, and the 2xx waits for the one
// that has SDP.
func TestReliableProgress(t *testing.T) {
	for _, header := range []string{"Require: 100rel", "Supported: timer, 100rel"} {
		story(t, func(r *rig) {
			d, p := r.calls(offerSDP, header)
			p.leg.Provisional(180, nil)
			p.leg.Provisional(183, []byte(answerSDP))
			ringing := r.carrier.Expect("180")
			d.Confirm(ringing)
			r.carrier.Silent(4 * time.Second)
			if n := r.carrier.Repeat["180"]; n != 3 {
				t.Errorf("the 180 was repeated %d times in four seconds", n)
			}
			d.Do("PRACK", "", "RAck: 1 1 INVITE")
			r.carrier.Expect("481")
			d.Do("PRACK", "", rack(t, ringing))
			r.carrier.Expect("200")
			early := r.carrier.Expect("183")
			if early.Body != answerSDP {
				t.Errorf("the 183 has %q", early.Body)
			}
			p.leg.Answer([]byte(answerSDP))
			r.carrier.Silent(time.Second) // the 200 waits
			d.Do("PRACK", "", rack(t, early))
			for range 2 {
				res := r.carrier.Expect("200")
				if _, method := res.CSeq(); method == "INVITE" && res.Body != "" {
					t.Errorf("the 200 repeats the answer: %q", res.Body)
				}
			}
			ackFirst(d)
			p.expect(call.Acked)
		})
	}
}

// TestReliableProgressNeverAcknowledged: a caller who demands the extension and does not use it gets no call; one who only
// claims to know it is answered all the same.
func TestReliableProgressNeverAcknowledged(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP, "Require: 100rel")
		p.leg.Provisional(183, []byte(answerSDP))
		d.Confirm(r.carrier.Expect("183"))
		d.AckError(r.carrier.Expect("504"))
		p.expect(call.Cancelled)
	})
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP, "Supported: 100rel")
		p.leg.Provisional(183, []byte(answerSDP))
		p.leg.Answer([]byte(answerSDP))
		r.carrier.Expect("183")
		d.Confirm(r.carrier.Expect("200"))
		d.Ack("")
		p.expect(call.Acked)
	})
}

// TestReliableWithoutOffer: our offer is made with the answer; who demands reliability hears nothing before, who only knows
// it hears the ringing.
func TestReliableWithoutOffer(t *testing.T) {
	for header, ringing := range map[string]bool{"Require: 100rel": false, "Supported: 100rel": true} {
		story(t, func(r *rig) {
			d, p := r.calls("", header)
			p.leg.Provisional(180, nil)
			if ringing {
				if res := r.carrier.Expect("180"); res.Get("Require") != "" {
					t.Error("the 180 to an INVITE without an offer is reliable")
				}
			}
			p.leg.Answer([]byte(answerSDP))
			ok := r.carrier.Expect("200")
			d.Confirm(ok)
			d.Ack(offerSDP)
			if e := p.expect(call.Acked); ok.Body != answerSDP || string(e.SDP) != offerSDP {
				t.Errorf("offer %q, answer %q", ok.Body, e.SDP)
			}
		})
	}
}

// TestOfferBeforeTheAnswer: with the first offer answered in a 183, another one comes in its PRACK, and one in an UPDATE; the
// 200 then has no SDP.
func TestOfferBeforeTheAnswer(t *testing.T) {
	const third = "v=0\r\no=- 2 4 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n"
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP, "Supported: 100rel")
		p.leg.Provisional(180, nil)
		ringing := r.carrier.Expect("180")
		d.Confirm(ringing)
		d.Do("PRACK", holdSDP, rack(t, ringing))
		r.carrier.Expect("491")
		d.Do("UPDATE", holdSDP)
		if res := r.carrier.Expect("500"); res.Get("Retry-After") == "" { // RFC 3311 §5.2
			t.Error("an offer before the first is answered: no Retry-After")
		}
		p.leg.Provisional(183, []byte(answerSDP))
		early := r.carrier.Expect("183")
		d.Confirm(early)
		d.Do("PRACK", holdSDP, rack(t, early))
		if e := p.expect(call.Reoffered); string(e.SDP) != holdSDP {
			t.Errorf("offered %q", e.SDP)
		}
		p.leg.AnswerReinvite([]byte(answerSDP))
		if res := r.carrier.Expect("200"); res.Body != answerSDP {
			t.Errorf("the PRACK is answered with %q", res.Body)
		}
		d.Do("UPDATE", offerSDP)
		p.expect(call.Reoffered)
		p.leg.AnswerReinvite([]byte(third))
		if res := r.carrier.Expect("200"); res.Body != third {
			t.Errorf("the UPDATE is answered with %q", res.Body)
		}
		d.Do("UPDATE", "") // without an offer it is a refresh
		r.carrier.Expect("200")
		p.leg.Answer([]byte(third))
		if res := r.carrier.Expect("200"); res.Body != "" {
			t.Errorf("the 200 repeats the answer: %q", res.Body)
		}
		ackFirst(d)
		p.expect(call.Acked)
	})
}

// TestOfferCrossesTheAnswer: an offer in a PRACK or an UPDATE that the call has not answered yet when somebody picks up is
// answered before the 200 goes out, and further offers are taken.
func TestOfferCrossesTheAnswer(t *testing.T) {
	for _, method := range []string{"PRACK", "UPDATE"} {
		for _, refused := range []bool{false, true} {
			story(t, func(r *rig) {
				d, p := r.calls(offerSDP, "Supported: 100rel")
				p.leg.Provisional(183, []byte(answerSDP))
				early := r.carrier.Expect("183")
				d.Confirm(early)
				if method == "UPDATE" {
					d.Do("PRACK", "", rack(t, early))
					r.carrier.Expect("200")
					d.Do("UPDATE", holdSDP)
				} else {
					d.Do("PRACK", holdSDP, rack(t, early))
				}
				p.expect(call.Reoffered)
				p.leg.Answer([]byte(answerSDP))
				r.carrier.Silent(100 * time.Millisecond)
				code := "200"
				if refused {
					code = "488"
					p.leg.RejectReinvite(488)
				} else {
					p.leg.AnswerReinvite([]byte(offerSDP))
				}
				res := r.carrier.Expect(code)
				if _, got := res.CSeq(); got != method {
					t.Errorf("%s is answered first, want %s", got, method)
				}
				res = r.carrier.Expect("200")
				if _, got := res.CSeq(); got != "INVITE" || res.Body != "" {
					t.Errorf("then %s, with %q", got, res.Body)
				}
				ackFirst(d)
				p.expect(call.Acked)
				d.Do("UPDATE", answerSDP) // neither of those before
				p.expect(call.Reoffered)
				p.leg.AnswerReinvite([]byte(answerSDP))
				r.carrier.Expect("200")
			})
		}
	}
}

// TestPrackIsSent: a callee's reliable responses are acknowledged once each, in its dialog, in order, and for each fork.
func TestPrackIsSent(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(offerSDP, byTrunk)
		invite := r.carrier.Expect("INVITE")
		if !hasOption(invite.Get("Supported"), "100rel") {
			t.Error("our INVITE does not say that we take reliable responses")
		}
		invited, _ := invite.CSeq()
		d := r.carrier.Accept(invite)
		reply := func(code int, rseq, sdp string) { d.Reply(invite, code, sdp, "Require: 100rel", "RSeq: "+rseq) }
		prack := func(rseq, tag string) {
			t.Helper()
			m := r.carrier.Expect("PRACK")
			if want := rseq + " " + strconv.Itoa(int(invited)) + " INVITE"; m.Get("RAck") != want || m.Tag("To") != tag {
				t.Errorf("PRACK %q to %s, want %q to %s", m.Get("RAck"), m.Tag("To"), want, tag)
			}
			if seq, _ := m.CSeq(); seq <= invited {
				t.Errorf("PRACK has the number %d, the INVITE %d", seq, invited)
			}
			d.Reply(m, 200, "")
		}
		reply(180, "7", "")
		p.expect(call.Progress)
		prack("7", d.LocalTag)
		reply(180, "7", "") // again: our PRACK is on its way
		reply(183, "9", answerSDP)
		r.carrier.Silent(time.Second) // out of order
		p.quiet(time.Second)
		reply(183, "8", answerSDP)
		if e := p.expect(call.Progress); string(e.SDP) != answerSDP {
			t.Errorf("progress: %+v", e)
		}
		prack("8", d.LocalTag)
		d = r.carrier.Accept(invite) // another fork
		reply(180, "1", "")
		p.expect(call.Progress)
		prack("1", d.LocalTag)
		d.Reply(invite, 200, answerSDP)
		p.expect(call.Answered)
		if seq, _ := r.carrier.Expect("ACK").CSeq(); seq != invited {
			t.Errorf("ACK has the number %d, the INVITE %d", seq, invited)
		}
	})
}

// TestCalleeOffersBeforeItsAnswer: with our offer answered in a reliable 183, the callee makes another one by UPDATE; before
// that it may not. The 200 that repeats the first answer says nothing new.
func TestCalleeOffersBeforeItsAnswer(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(offerSDP, byTrunk)
		invite := r.carrier.Expect("INVITE")
		d := r.carrier.Accept(invite)
		d.Reply(invite, 180, "")
		p.expect(call.Progress)
		d.Do("UPDATE", holdSDP)
		r.carrier.Expect("491")
		d.Reply(invite, 183, answerSDP, "Require: 100rel", "RSeq: 1")
		p.expect(call.Progress)
		d.Reply(r.carrier.Expect("PRACK"), 200, "")
		d.Do("UPDATE", holdSDP)
		if e := p.expect(call.Reoffered); string(e.SDP) != holdSDP {
			t.Errorf("offered %q", e.SDP)
		}
		p.leg.AnswerReinvite([]byte(offerSDP))
		if res := r.carrier.Expect("200"); res.Body != offerSDP {
			t.Errorf("answered with %q", res.Body)
		}
		d.Reply(invite, 200, answerSDP)
		if e := p.expect(call.Answered); string(e.SDP) != holdSDP {
			t.Errorf("answered: %q, want what the UPDATE said", e.SDP)
		}
		r.carrier.Expect("ACK")
	})
}
