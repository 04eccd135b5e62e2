package sip

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
	"strowger/store"
)

const (
	serverAddr  = "10.0.0.1:5060"
	carrierAddr = "10.0.0.2:5060"
	phoneAddr   = "10.0.0.3:5062"

	offerSDP  = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	answerSDP = "v=0\r\no=- 2 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
	holdSDP   = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"
)

// rig is a server in a network in memory, with a carrier as trunk "carrier" and a phone that may be rung. It runs in fake
// time.
type rig struct {
	*testing.T
	net      *siptest.Network
	srv      *Server
	carrier  *siptest.Phone
	phone    *siptest.Phone
	incoming chan call.Incoming
}

// story runs f against a rig.
func story(t *testing.T, f func(*rig), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, net: new(siptest.Network), incoming: make(chan call.Incoming, 10)}
		cfg := newOffice().config()
		cfg.UDP, cfg.TCP = serverAddr, ""
		cfg.ListenPacket = r.net.ListenPacket
		cfg.OnCall = func(in call.Incoming) { r.incoming <- in }
		cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: carrierAddr, Qualify: -1}}
		for _, c := range change {
			c(&cfg)
		}
		r.carrier = siptest.NewPhone(t, r.net, carrierAddr, serverAddr)
		r.phone = siptest.NewPhone(t, r.net, phoneAddr, serverAddr)
		r.srv = startEdge(t, cfg)
		f(r)
		synctest.Wait() // what the parties sent last is handled before the server closes
	})
}

// party is a leg with what it posted.
type party struct {
	t      *testing.T
	leg    call.Leg
	events chan call.LegEvent
}

func newParty(t *testing.T) *party { return &party{t: t, events: make(chan call.LegEvent, 100)} }

func (p *party) post(e call.LegEvent) { p.events <- e }

// expect returns the next event, which must be of this type.
func (p *party) expect(want call.LegEventType) call.LegEvent {
	p.t.Helper()
	select {
	case e := <-p.events:
		if e.Type != want {
			p.t.Fatalf("leg posted %+v, want type %d", e, want)
		}
		return e
	case <-time.After(2 * time.Hour):
		p.t.Fatalf("leg posted nothing, want type %d", want)
	}
	return call.LegEvent{}
}

// quiet fails when the leg posts something within d.
func (p *party) quiet(d time.Duration) {
	p.t.Helper()
	select {
	case e := <-p.events:
		p.t.Fatalf("leg posted %+v, want nothing", e)
	case <-time.After(d):
	}
}

// calls makes the carrier call us; the leg waits for its final response.
func (r *rig) calls(sdp string, headers ...string) (*siptest.Dialog, *party) {
	r.Helper()
	d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:+12025550001@10.0.0.1")
	d.Do("INVITE", sdp, headers...)
	return d, r.taken()
}

// taken is the leg of the call that just came in.
func (r *rig) taken() *party {
	r.Helper()
	select {
	case in := <-r.incoming:
		p := newParty(r.T)
		p.leg = in.Leg
		in.Bind(p.post)
		return p
	case <-time.After(time.Second):
		r.Fatal("no call came in")
	}
	return nil
}

// answered is calls with 200 and ACK.
func (r *rig) answered(headers ...string) (*siptest.Dialog, *party) {
	r.Helper()
	d, p := r.calls(offerSDP, headers...)
	p.leg.Answer([]byte(answerSDP))
	d.Confirm(r.carrier.Expect("200"))
	d.Ack("")
	p.expect(call.Acked)
	return d, p
}

// dials rings the phone.
func (r *rig) dials(sdp string, change ...func(*call.DialRequest)) *party {
	r.Helper()
	p := newParty(r.T)
	req := call.DialRequest{CallID: "c1", SDP: []byte(sdp), From: call.Party{Number: "+12025550900", Name: "Dee \"D\" Poe"}, Called: "+12025550001",
		To: call.Endpoint{Binding: &store.Binding{User: "ann", Device: "ann-desk", Transport: "udp", Source: phoneAddr, Contact: "sip:ann@" + phoneAddr + ";x=y"}}}
	for _, c := range change {
		c(&req)
	}
	leg, err := r.srv.Dial(r.Context(), req, p.post)
	if err != nil {
		r.Fatal(err)
	}
	p.leg = leg
	return p
}

// talking is dials with 200 and ACK; the phone's side of the dialog is returned.
func (r *rig) talking(headers ...string) (*siptest.Dialog, *party) {
	r.Helper()
	p := r.dials(answerSDP)
	invite := r.phone.Expect("INVITE")
	d := r.phone.Accept(invite)
	d.Reply(invite, 200, offerSDP, headers...)
	r.phone.Expect("ACK")
	p.expect(call.Answered)
	return d, p
}

func TestInboundCall(t *testing.T) {
	story(t, func(r *rig) {
		d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:%2B12025550001;npdi@10.0.0.1")
		d.Do("INVITE", offerSDP, "P-Asserted-Identity: \"Dee, Poe\" <sip:+12025550999@10.0.0.2>, <tel:+12025550999>")
		in := <-r.incoming
		if in.Trunk != "carrier" || in.Kind != "trunk" || in.To != "+12025550001" || string(in.SDP) != offerSDP ||
			in.From != (call.Party{Number: "+12025550999", Name: "Dee, Poe"}) {
			t.Fatalf("incoming: %+v", in)
		}
		p := newParty(t)
		in.Bind(p.post)
		in.Leg.Provisional(180, nil)
		ringing := r.carrier.Expect("180")
		if ringing.Tag("To") == "" || ringing.ContactURI() == "" {
			t.Error("180 without tag or Contact makes no dialog")
		}
		in.Leg.Answer([]byte(answerSDP))
		ok := r.carrier.Expect("200")
		if ok.Body != answerSDP || ok.Tag("To") != ringing.Tag("To") {
			t.Errorf("200: %v", ok)
		}
		d.Confirm(ok)
		d.Ack("")
		p.expect(call.Acked)
		d.Do("BYE", "", `Reason: Q.850;cause=16;text="Bye; now"`)
		r.carrier.Expect("200")
		if e := p.expect(call.Ended); e.Reason != (call.Reason{Protocol: "Q.850", Cause: 16, Text: "Bye; now"}) {
			t.Errorf("reason %+v", e.Reason)
		}
		d.Do("INFO", "")
		r.carrier.Expect("481")
		in.Leg.Hangup(call.Reason{})
		p.quiet(time.Minute)
	})
}

func TestOutboundCall(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP)
		invite := r.phone.Expect("INVITE")
		if invite.URI() != "sip:ann@"+phoneAddr+";x=y" || invite.Body != answerSDP {
			t.Errorf("INVITE: %+v", invite)
		}
		if got := invite.Get("Diversion"); got != "" {
			t.Errorf("Diversion: %s", got)
		}
		if from := invite.Get("From"); !strings.HasPrefix(from, `"Dee \"D\" Poe" <sip:+12025550900@`) {
			t.Errorf("From: %s", from)
		}
		d := r.phone.Accept(invite)
		d.Reply(invite, 180, "")
		if e := p.expect(call.Progress); e.Code != 180 || e.ToTag != d.LocalTag {
			t.Errorf("progress: %+v", e)
		}
		d.Reply(invite, 200, offerSDP, "Record-Route: <sip:10.0.0.3:5062;lr;id=2>, <sip:10.9.9.9;lr;id=1>")
		if e := p.expect(call.Answered); string(e.SDP) != offerSDP {
			t.Errorf("answered: %+v", e)
		}
		ack := r.phone.Expect("ACK")
		if got := ack.All("Route"); len(got) != 2 || !strings.Contains(got[0], "id=1") || !strings.Contains(got[1], "id=2") {
			t.Errorf("route set %v", got)
		}
		if n, _ := ack.CSeq(); ack.URI() != "sip:phone@"+phoneAddr || ack.Tag("To") != d.LocalTag || n == 0 {
			t.Errorf("ACK: %+v", ack)
		}
		p.leg.Hangup(call.Reason{Protocol: "Q.850", Cause: 16})
		bye := r.phone.Expect("BYE")
		if bye.Get("Reason") != "Q.850;cause=16" {
			t.Errorf("BYE: %+v", bye)
		}
		d.Reply(bye, 200, "")
		p.expect(call.Ended)
	})
}
