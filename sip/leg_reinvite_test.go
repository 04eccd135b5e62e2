package sip

import (
	"strings"
	"testing"
	"time"

	"strowger/sip/call"
)

// Re-INVITEs, in either direction, and session timers.

func TestPeerReinvites(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.answered()
		d.Do("INVITE", holdSDP)
		if e := p.expect(call.Reoffered); string(e.SDP) != holdSDP {
			t.Errorf("reoffered %q", e.SDP)
		}
		d.Do("INVITE", offerSDP) // overlapping (RFC 3261 §14.2)
		refused := r.carrier.Expect("500")
		if refused.Get("Retry-After") == "" {
			t.Error("500 without Retry-After")
		}
		d.AckError(refused)
		d.Seq--
		p.leg.AnswerReinvite([]byte(answerSDP))
		if ok := r.carrier.Expect("200"); ok.Body != answerSDP || ok.ContactURI() == "" {
			t.Errorf("200: %+v", ok)
		}
		d.Ack("")
		p.quiet(time.Second)
		d.Seq++

		d.Do("INVITE", holdSDP) // says nothing new: answered without asking the call
		r.carrier.Expect("200")
		d.Ack("")
		p.quiet(time.Second)

		d.Do("INVITE", "") // wants our offer
		if e := p.expect(call.Reoffered); len(e.SDP) != 0 {
			t.Errorf("reoffered %q", e.SDP)
		}
		p.leg.AnswerReinvite([]byte(answerSDP))
		r.carrier.Expect("200")
		d.Ack(offerSDP)
		if e := p.expect(call.Acked); string(e.SDP) != offerSDP {
			t.Errorf("acked %q", e.SDP)
		}

		d.Do("UPDATE", holdSDP)
		p.expect(call.Reoffered)
		p.leg.RejectReinvite(488)
		r.carrier.Expect("488")
		d.Do("UPDATE", "")
		r.carrier.Expect("200")
		p.quiet(time.Minute)
	})
}

func TestWeReinvite(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking()
		p.leg.Reinvite([]byte(holdSDP))
		p.leg.Info("application/dtmf-relay", []byte("Signal=5\r\nDuration=100\r\n"))
		invite := r.phone.Expect("INVITE")
		info := r.phone.Expect("INFO")
		d.Reply(info, 200, "")
		d.Reply(invite, 200, offerSDP)
		r.phone.Expect("ACK")
		if e := p.expect(call.Reanswered); string(e.SDP) != offerSDP {
			t.Errorf("reanswered %q", e.SDP)
		}

		p.leg.Reinvite(nil) // the peer shall offer
		invite = r.phone.Expect("INVITE")
		d.Reply(invite, 200, holdSDP)
		if e := p.expect(call.Reanswered); string(e.SDP) != holdSDP {
			t.Errorf("reanswered %q", e.SDP)
		}
		r.phone.Silent(100 * time.Millisecond)
		p.leg.Ack([]byte(answerSDP))
		if ack := r.phone.Expect("ACK"); ack.Body != answerSDP {
			t.Errorf("ACK %q", ack.Body)
		}

		p.leg.Reinvite([]byte(holdSDP))
		invite = r.phone.Expect("INVITE")
		d.Reply(invite, 488, "")
		r.phone.Expect("ACK")
		if e := p.expect(call.ReinviteFailed); e.Code != 488 {
			t.Errorf("failed: %+v", e)
		}

		p.leg.Reinvite([]byte(holdSDP))
		invite = r.phone.Expect("INVITE")
		d.Reply(invite, 481, "")
		r.phone.Expect("ACK")
		d.Reply(r.phone.Expect("BYE"), 200, "")
		p.expect(call.Ended)
	})
}

func TestGlare(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking()
		p.leg.Reinvite([]byte(holdSDP))
		ours := r.phone.Expect("INVITE")
		d.Do("INVITE", holdSDP)
		refused := r.phone.Expect("491")
		d.AckError(refused)
		d.Reply(ours, 491, "")
		r.phone.Expect("ACK")
		start := time.Now()
		again := r.phone.Expect("INVITE")
		if took := time.Since(start); took < 2100*time.Millisecond || took > 4*time.Second {
			t.Errorf("tried again after %v; the owner of the Call-ID waits 2.1 to 4 s", took)
		}
		d.Reply(again, 200, offerSDP)
		r.phone.Expect("ACK")
		p.expect(call.Reanswered)
		p.quiet(time.Second)

		// The peer wins the second round: our offer is out of date.
		p.leg.Reinvite([]byte(holdSDP))
		d.Reply(r.phone.Expect("INVITE"), 491, "")
		r.phone.Expect("ACK")
		d.Do("INVITE", holdSDP)
		p.expect(call.Reoffered)
		p.leg.AnswerReinvite([]byte(answerSDP))
		r.phone.Expect("200")
		d.Ack("")
		if e := p.expect(call.ReinviteFailed); e.Code != 491 {
			t.Errorf("failed: %+v", e)
		}
	})
}

func TestSessionExpires(t *testing.T) {
	t.Run("the peer refreshes no more", func(t *testing.T) {
		story(t, func(r *rig) {
			d, p := r.calls(offerSDP, "Supported: timer", "Session-Expires: 120;refresher=uac")
			p.leg.Answer([]byte(answerSDP))
			ok := r.carrier.Expect("200")
			if ok.Get("Session-Expires") != "120;refresher=uac" || ok.Get("Require") != "timer" {
				t.Errorf("200: %+v", ok)
			}
			d.Confirm(ok)
			d.Ack("")
			p.expect(call.Acked)
			time.Sleep(60 * time.Second)
			d.Do("UPDATE", "", "Supported: timer", "Session-Expires: 120;refresher=uac")
			r.carrier.Expect("200")
			start := time.Now()
			d.Reply(r.carrier.NextWithin("BYE", 3*time.Minute), 200, "")
			if took := time.Since(start).Round(time.Second); took != 88*time.Second {
				t.Errorf("ended %v after the last refresh, want 120-32 s", took)
			}
			if e := p.expect(call.Ended); !strings.Contains(e.Reason.Text, "expired") {
				t.Errorf("ended: %+v", e)
			}
		})
	})
	t.Run("we refresh", func(t *testing.T) {
		story(t, func(r *rig) {
			d, p := r.talking("Session-Expires: 200;refresher=uac", "Supported: timer", "Allow: INVITE, UPDATE")
			start := time.Now()
			update := r.phone.NextWithin("UPDATE", 3*time.Minute)
			if took := time.Since(start).Round(time.Second); took != 100*time.Second || update.Get("Session-Expires") != "200;refresher=uac" {
				t.Errorf("refresh after %v: %+v", took, update)
			}
			d.Reply(update, 405, "") // changed its mind: by re-INVITE then, with the session as it is
			invite := r.phone.Expect("INVITE")
			if invite.Body != answerSDP {
				t.Errorf("refresh with %q", invite.Body)
			}
			d.Reply(invite, 200, offerSDP, "Session-Expires: 200;refresher=uac")
			r.phone.Expect("ACK")
			p.quiet(90 * time.Second)
			invite = r.phone.NextWithin("INVITE", 3*time.Minute)
			_ = invite // the peer is gone: no answer
			r.phone.NextWithin("BYE", 3*time.Minute)
			p.expect(call.Ended)
		})
	})
	t.Run("too short", func(t *testing.T) {
		story(t, func(r *rig) {
			d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:+12025550001@10.0.0.1")
			d.Do("INVITE", offerSDP, "Supported: timer", "Session-Expires: 60")
			refused := r.carrier.Expect("422")
			if refused.Get("Min-SE") != "90" {
				t.Errorf("422: %+v", refused)
			}
			d.AckError(refused)

			p := r.dials(answerSDP)
			invite := r.phone.Expect("INVITE")
			callee := r.phone.Accept(invite)
			callee.Reply(invite, 422, "", "Min-SE: 4000")
			r.phone.Expect("ACK")
			invite = r.phone.Expect("INVITE")
			if invite.Get("Session-Expires") != "4000" || invite.Get("Min-SE") != "4000" {
				t.Errorf("second try: %+v", invite)
			}
			callee.Reply(invite, 200, offerSDP)
			p.expect(call.Answered)
		})
	})
}

// A peer that takes our re-INVITE and never answers it.
func TestReinviteStuck(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.talking()
		p.leg.Reinvite([]byte(holdSDP))
		invite := r.phone.Expect("INVITE")
		d.Reply(invite, 183, "")
		cancel := r.phone.NextWithin("CANCEL", 2*time.Minute)
		d.Reply(cancel, 200, "")
		d.Reply(invite, 487, "")
		r.phone.Expect("ACK")
		if e := p.expect(call.ReinviteFailed); e.Code != 487 {
			t.Errorf("failed: %+v", e)
		}
		p.leg.Reinvite([]byte(holdSDP))
		d.Reply(r.phone.Expect("INVITE"), 200, offerSDP)
		p.expect(call.Reanswered)
	})
}

// A peer that is always busy when we refresh, and one that refuses to be refreshed: the call ends with its interval.
func TestRefreshRefused(t *testing.T) {
	for _, code := range []int{500, 403} {
		story(t, func(r *rig) {
			d, p := r.talking("Session-Expires: 100;refresher=uac", "Allow: UPDATE")
			start := time.Now()
			for {
				m := r.phone.Must(3 * time.Minute)
				if m.Method() == "BYE" {
					break
				}
				d.Reply(m, code, "")
			}
			if took := time.Since(start); took < 60*time.Second || took > 75*time.Second {
				t.Errorf("%d: ended after %v, want 100-32 s", code, took)
			}
			p.quiet(time.Second)
		})
	}
}

func TestByeDuringReinvite(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.answered()
		d.Do("INVITE", holdSDP)
		p.expect(call.Reoffered)
		d.Do("BYE", "")
		if a, b := r.carrier.ExpectAny("200", "487"), r.carrier.ExpectAny("200", "487"); a.Code() == b.Code() {
			t.Errorf("got %d twice", a.Code())
		}
		p.expect(call.Ended)
		p.leg.AnswerReinvite([]byte(answerSDP))
		p.quiet(time.Minute)
	})
}
