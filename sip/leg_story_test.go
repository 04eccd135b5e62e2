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
