package sip

import (
	"testing"
	"time"

	"strowger/sip/call"
)

// Calls that are given up before they are answered, or in that moment.

func TestCallerCancels(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Provisional(180, nil)
		ringing := r.carrier.Expect("180")
		d.Cancel("Reason: Q.850;cause=31")
		r.carrier.Expect("200")
		terminated := r.carrier.Expect("487")
		if terminated.Tag("To") != ringing.Tag("To") {
			t.Error("487 and 180 carry different tags")
		}
		if e := p.expect(call.Cancelled); e.Reason.Cause != 31 {
			t.Errorf("reason %+v", e.Reason)
		}
		// Whatever the call does now, the 487 is what is repeated.
		p.leg.Answer([]byte(answerSDP))
		p.leg.Provisional(183, []byte(answerSDP))
		r.carrier.Silent(3 * time.Second)
		d.AckError(terminated)
		r.carrier.Silent(time.Minute)
		p.quiet(time.Minute)
	})
}

// The 200 is in sipgo's hands when the CANCEL comes first: the 487 must win, also in retransmissions.
func TestCancelBeatsAnswer(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		l := p.leg.(*leg)
		ran := make(chan struct{})
		l.queue.post(func() { <-ran }) // the leg is busy: CANCEL is with sipgo, not with the leg yet
		p.leg.Answer([]byte(answerSDP))
		d.Cancel()
		r.carrier.Expect("200")
		terminated := r.carrier.Expect("487")
		close(ran)
		p.expect(call.Cancelled)
		r.carrier.Silent(10 * time.Second)
		if r.carrier.Repeat["200"] > 0 || r.carrier.Repeat["487"] == 0 {
			t.Errorf("repeated: %v", r.carrier.Repeat)
		}
		d.AckError(terminated)
		p.quiet(time.Minute)
	})
}

func TestHangupWhileRinging(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		d := r.phone.Accept(invite)
		p.leg.Hangup(call.AnsweredElsewhere) // before any response: CANCEL has to wait (RFC 3261 §9.1)
		r.phone.Silent(400 * time.Millisecond)
		d.Reply(invite, 180, "")
		cancel := r.phone.Expect("CANCEL")
		if cancel.Get("Reason") != elsewhere || cancel.Branch() != invite.Branch() {
			t.Errorf("CANCEL: %+v", cancel)
		}
		d.Reply(cancel, 200, "")
		d.Reply(invite, 487, "")
		r.phone.Expect("ACK")
		p.expect(call.Ended)
		p.quiet(time.Minute)
	})
}

func TestAnswerCrossesCancel(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		d := r.phone.Accept(invite)
		d.Reply(invite, 180, "")
		p.expect(call.Progress)
		p.leg.Hangup(call.AnsweredElsewhere)
		cancel := r.phone.Expect("CANCEL")
		d.Reply(invite, 200, offerSDP)
		d.Reply(cancel, 200, "")
		r.phone.Expect("ACK")
		bye := r.phone.Expect("BYE")
		if bye.Get("Reason") != elsewhere {
			t.Errorf("BYE: %+v", bye)
		}
		p.quiet(100 * time.Millisecond)
		d.Reply(bye, 200, "")
		p.expect(call.Ended)
		p.quiet(time.Minute)
	})
}

func TestCancelWithoutFinalResponse(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		d := r.phone.Accept(invite)
		d.Reply(invite, 180, "")
		p.expect(call.Progress)
		p.leg.Hangup(call.AnsweredElsewhere)
		start := time.Now()
		p.expect(call.Ended)
		if took := time.Since(start); took < 31*time.Second || took > 33*time.Second {
			t.Errorf("given up after %v, want 64*T1", took)
		}
		p.quiet(time.Minute)
	})
}

// The caller hangs up with BYE before the answer, which an early dialog allows.
func TestByeBeforeAnswer(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Provisional(180, nil)
		d.Confirm(r.carrier.Expect("180"))
		d.Do("UPDATE", offerSDP) // too early for another offer
		r.carrier.Expect("500")
		d.Do("BYE", "")
		if a, b := r.carrier.ExpectAny("200", "487"), r.carrier.ExpectAny("200", "487"); a.Code() == b.Code() {
			t.Errorf("got %d twice", a.Code())
		}
		p.expect(call.Cancelled)
		d.Do("BYE", "")
		r.carrier.Expect("481")
	})
}

// A call that cannot answer the phone's offer acknowledges it before it hangs up.
func TestHangupInsteadOfAck(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials("")
		invite := r.phone.Expect("INVITE")
		d := r.phone.Accept(invite)
		d.Reply(invite, 200, offerSDP)
		p.expect(call.Answered)
		p.leg.Hangup(call.Reason{Protocol: "SIP", Cause: 488})
		r.phone.Expect("ACK")
		d.Reply(r.phone.Expect("BYE"), 200, "")
		p.expect(call.Ended)
	})
}
