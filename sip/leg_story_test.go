package sip

import (
	"errors"
	"strings"
	"testing"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
	"strowger/store"
)

// elsewhere is the Reason header of a fork that lost (RFC 3326 §2).
const elsewhere = `SIP;cause=200;text="Call completed elsewhere"`

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

func TestAnswerWithoutAck(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Answer([]byte(answerSDP))
		start := time.Now()
		d.Confirm(r.carrier.Expect("200"))
		bye := r.carrier.Expect("BYE")
		if took := time.Since(start); took < 31*time.Second || took > 36*time.Second {
			t.Errorf("gave up after %v, want 64*T1", took)
		}
		if n := r.carrier.Repeat["200"]; n != 10 { // 0.5 1.5 3.5 7.5 11.5 ... 31.5 s (RFC 3261 §13.3.1.4)
			t.Errorf("200 was repeated %d times, want 10", n)
		}
		d.Reply(bye, 200, "")
		if e := p.expect(call.Failed); e.Code != 408 {
			t.Errorf("failed with %d, want 408", e.Code)
		}
		p.quiet(time.Minute)
	})
}

func TestHangupWaitsForAck(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Answer([]byte(answerSDP))
		d.Confirm(r.carrier.Expect("200"))
		p.leg.Hangup(call.Reason{Protocol: "SIP", Cause: 480})
		r.carrier.Silent(2 * time.Second)
		d.Ack("")
		d.Reply(r.carrier.Expect("BYE"), 200, "")
		p.expect(call.Ended)
	})
}

func TestDelayedOfferIn(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls("")
		p.leg.Answer([]byte(answerSDP))
		ok := r.carrier.Expect("200")
		if ok.Body != answerSDP {
			t.Error("200 without our offer")
		}
		d.Confirm(ok)
		d.Ack(offerSDP)
		if e := p.expect(call.Acked); string(e.SDP) != offerSDP {
			t.Errorf("acked with %q", e.SDP)
		}
	})
}

func TestDelayedOfferOut(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials("")
		invite := r.phone.Expect("INVITE")
		if invite.Body != "" {
			t.Errorf("INVITE has a body: %q", invite.Body)
		}
		d := r.phone.Accept(invite)
		ok := d.Response(invite, 200, offerSDP)
		d.Send(ok)
		if e := p.expect(call.Answered); string(e.SDP) != offerSDP {
			t.Errorf("answered with %q", e.SDP)
		}
		r.phone.Silent(time.Second)
		d.Send(ok) // not acknowledged yet: repeated, and not answered either
		r.phone.Silent(time.Second)
		p.leg.Ack([]byte(answerSDP))
		if ack := r.phone.Expect("ACK"); ack.Body != answerSDP {
			t.Errorf("ACK with %q", ack.Body)
		}
		d.Send(ok)
		r.phone.Silent(time.Second)
		if r.phone.Repeat["ACK"] != 1 {
			t.Errorf("the repeated 200 got %d ACKs, want 1", r.phone.Repeat["ACK"])
		}
		p.quiet(time.Second)
	})
}

func TestRejections(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Reject(486, "", call.Reason{Protocol: "Q.850", Cause: 17, Text: "User busy"})
		busy := r.carrier.Expect("486")
		if busy.Get("Reason") != `Q.850;cause=17;text="User busy"` {
			t.Errorf("486: %+v", busy)
		}
		d.AckError(busy)
		p.expect(call.Ended)

		d, p = r.calls(offerSDP)
		p.leg.Hangup(call.Reason{})
		d.AckError(r.carrier.Expect("480"))
		p.expect(call.Ended)

		p = r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		callee := r.phone.Accept(invite)
		callee.Reply(invite, 603, "", "Reason: Q.850;cause=21;text=\"Call rejected\"")
		r.phone.Expect("ACK")
		if e := p.expect(call.Failed); e.Code != 603 || e.Reason.Cause != 21 {
			t.Errorf("failed: %+v", e)
		}
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

func TestSilentPhone(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		if e := p.expect(call.Failed); e.Code != 408 {
			t.Errorf("failed with %d, want 408", e.Code)
		}
		r.phone.Expect("INVITE")
		p.quiet(time.Minute)
	})
}

// A proxy behind the contact forks: the first 2xx wins, the other fork's call is taken down.
func TestForkedAnswers(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		a, b := r.phone.Accept(invite), r.phone.Accept(invite)
		a.Reply(invite, 180, "")
		ea := p.expect(call.Progress)
		b.Reply(invite, 183, offerSDP)
		if eb := p.expect(call.Progress); ea.ToTag == eb.ToTag || string(eb.SDP) != offerSDP {
			t.Errorf("forks: %+v, %+v", ea, eb)
		}
		b.Reply(invite, 200, "") // its answer came in the 183
		r.phone.Expect("ACK")
		if e := p.expect(call.Answered); string(e.SDP) != offerSDP || e.ToTag != b.LocalTag {
			t.Errorf("answered: %+v", e)
		}
		second := a.Response(invite, 200, offerSDP)
		a.Send(second)
		if ack := r.phone.Expect("ACK"); ack.Tag("To") != a.LocalTag {
			t.Errorf("ACK to %s, want the second fork", ack.Tag("To"))
		}
		bye := r.phone.Expect("BYE")
		if bye.Tag("To") != a.LocalTag || bye.Get("Reason") != elsewhere {
			t.Errorf("BYE: %+v", bye)
		}
		a.Send(second)
		a.Reply(bye, 200, "")
		r.phone.Silent(time.Second)
		if r.phone.Repeat["ACK"] != 1 {
			t.Errorf("%d more ACKs, want 1", r.phone.Repeat["ACK"])
		}
		p.quiet(time.Second)
		p.leg.Hangup(call.Reason{})
		if bye := r.phone.Expect("BYE"); bye.Tag("To") != b.LocalTag {
			t.Errorf("BYE to %s, want the winner", bye.Tag("To"))
		}
	})
}

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

func TestInDialogRequests(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.answered()
		d.Do("INFO", "Signal=#\r\nDuration=200\r\n", "Content-Type: application/dtmf-relay")
		r.carrier.Expect("200")
		if e := p.expect(call.Digit); e.Digit != '#' || e.Millis != 200 {
			t.Errorf("digit: %+v", e)
		}
		d.Do("INFO", "<x/>", "Content-Type: application/media_control+xml")
		r.carrier.Expect("415")
		d.Do("OPTIONS", "")
		if ok := r.carrier.Expect("200"); ok.Get("Allow") != legAllow {
			t.Errorf("OPTIONS: %+v", ok)
		}
		d.Do("REFER", "", "Refer-To: <sip:x@y>")
		if no := r.carrier.Expect("403"); no.Get("Contact") != "" {
			t.Errorf("REFER: %+v", no)
		}
		d.Do("NOTIFY", "", "Event: talk")
		r.carrier.Expect("481")
		stranger := *d
		stranger.From = "<sip:+12025550900@10.0.0.2>;tag=other"
		stranger.Do("BYE", "")
		r.carrier.Expect("481")
		d.Seq -= 3
		d.Do("OPTIONS", "")
		r.carrier.Expect("500")
		p.quiet(time.Minute)
	})
}

// A lost message is repeated, whoever loses it: a call goes through a network that drops every third datagram.
func TestLossyNetwork(t *testing.T) {
	n := 0
	story(t, func(r *rig) {
		r.net.Deliver = siptest.LoseEvery(3)
		p := r.dials(answerSDP)
		d := r.phone.Accept(&siptest.Message{})
		for {
			m := r.phone.Next(time.Minute)
			if m == nil {
				t.Fatal("nothing came")
			}
			switch m.Method() {
			case "INVITE":
				d = r.phone.Accept(m)
				ok := d.Response(m, 200, offerSDP)
				for range 6 { // the phone repeats its 200 until the ACK is here
					d.Send(ok)
				}
			case "ACK":
				p.expect(call.Answered)
				p.leg.Hangup(call.Reason{})
			case "BYE":
				n++
				for range 3 {
					d.Reply(m, 200, "")
				}
				p.expect(call.Ended)
				return
			}
		}
	})
	if n != 1 {
		t.Errorf("%d BYEs, want 1", n)
	}
}

// A server that ends takes its calls down.
func TestCloseHangsUp(t *testing.T) {
	story(t, func(r *rig) {
		_, talking := r.talking()
		ringing := r.dials(answerSDP)
		r.phone.Expect("INVITE")
		d, waiting := r.calls(offerSDP)
		r.srv.stopTrunks()
		for _, p := range []*party{talking, ringing, waiting} {
			p.expect(call.Ended)
		}
		r.phone.Expect("BYE")
		d.AckError(r.carrier.Expect("503"))
	})
}

// The phone's connection breaks while it rings, and while it waits for an answer to its call.
func TestConnectionLost(t *testing.T) {
	s := startEdge(t, newOffice().config())
	w := dialWire(t, "tcp", s.Addrs().TCP)
	from := w.conn.LocalAddr().String()
	var f *flow
	for f == nil {
		f = s.flows.find("tcp", from)
		time.Sleep(time.Millisecond)
	}
	p := newParty(t)
	binding := &store.Binding{User: "ann", Device: "ann-desk", Transport: "tcp", Source: from, Flow: f.id, Contact: "sip:ann@" + from + ";transport=tcp"}
	if _, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Binding: binding}, SDP: []byte(answerSDP)}, p.post); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := w.conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "INVITE sip:ann@"+from+";transport=tcp SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:") {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	_ = w.conn.Close()
	if e := p.expect(call.Failed); e.Code != 503 {
		t.Errorf("failed: %+v", e)
	}
	eventually(t, "the connection is forgotten", func() bool { return s.flows.find("tcp", from) == nil })
	if _, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Binding: binding}}, p.post); !errors.Is(err, errFlowGone) {
		t.Errorf("dialled a phone without connection: %v", err)
	}
}

// A caller's phone vanishes with its connection before anybody answered.
func TestCallerConnectionLost(t *testing.T) {
	cfg := newOffice().config()
	incoming := make(chan call.Incoming, 1)
	cfg.OnCall = func(in call.Incoming) { incoming <- in }
	s := startEdge(t, cfg)
	w := dialWire(t, "tcp", s.Addrs().TCP)
	const target = "sip:202@" + testRealm
	extra := "To: <" + target + ">\nP-Preferred-Identity: <sip:+12025550001@x>\n" + w.contact(";transport=tcp")
	w.send(w.request("INVITE", target, "ann-desk", extra))
	challenge := w.read()
	w.send(w.request("INVITE", target, "ann-desk", extra+digest(challenge.header("WWW-Authenticate"), "INVITE", target, "ann-desk", "secret-ann-desk", "00000001")))
	in := <-incoming
	if in.User != "ann" || in.Kind != store.Desk || in.To != "202" || in.CallerID != "+12025550001" || in.Trunk != "" || len(in.SDP) != 0 {
		t.Errorf("incoming: %+v", in)
	}
	p := newParty(t)
	in.Bind(p.post)
	in.Leg.Provisional(180, nil)
	_ = w.conn.Close()
	p.expect(call.Cancelled)
	in.Leg.Answer([]byte(answerSDP))
	p.quiet(10 * time.Millisecond)
}

func TestRingingIsRepeated(t *testing.T) {
	story(t, func(r *rig) {
		d, p := r.calls(offerSDP)
		p.leg.Provisional(180, nil)
		r.carrier.Expect("180")
		r.carrier.Silent(3*time.Minute + time.Second)
		if n := r.carrier.Repeat["180"]; n != 3 { // RFC 3261 §13.3.1.1: every minute
			t.Errorf("180 was repeated %d times in three minutes, want 3", n)
		}
		p.leg.Answer([]byte(answerSDP))
		d.Confirm(r.carrier.Expect("200"))
		d.Ack("")
		p.expect(call.Acked)
		r.carrier.Silent(2 * time.Minute)
		if n := r.carrier.Repeat["180"]; n != 3 {
			t.Error("it still rings after the answer")
		}
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
