package sip

import (
	"context"
	"net"
	"strings"
	"testing"

	"strowger/sip/call"
	"strowger/sip/siptest"
	"strowger/store"
)

// BenchmarkCall takes a call from a carrier to a phone and back down, INVITE to BYE, through two legs over loopback UDP.
// The time includes what the scripted carrier and phone need.
func BenchmarkCall(b *testing.B) {
	carrier, phone := freePort(b), freePort(b)
	cfg := newOffice().config()
	cfg.TCP = ""
	cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: carrier, Qualify: -1}}
	var s *Server
	cfg.OnCall = func(in call.Incoming) { bridgeLegs(b, s, in, phone) }
	s = startEdge(b, cfg)
	server := s.Addrs().UDP
	a := siptest.NewPhone(b, nil, carrier, server)
	p := siptest.NewPhone(b, nil, phone, server)
	b.ReportAllocs()
	for b.Loop() {
		d := a.NewDialog("sip:+12025550900@"+carrier, "sip:+12025550001@"+server)
		d.Do("INVITE", offerSDP)
		invite := p.Expect("INVITE")
		callee := p.Accept(invite)
		callee.Reply(invite, 180, "")
		a.Expect("180")
		callee.Reply(invite, 200, answerSDP)
		p.Expect("ACK")
		d.Confirm(a.Expect("200"))
		d.Ack("")
		d.Do("BYE", "")
		a.Expect("200")
		callee.Reply(p.Expect("BYE"), 200, "")
	}
}

// bridgeLegs is a call without a call: what one leg says the other does.
func bridgeLegs(b *testing.B, s *Server, in call.Incoming, phone string) {
	to := &store.Binding{User: "ann", Device: "ann-desk", Transport: "udp", Source: phone, Contact: "sip:ann@" + phone}
	out, err := s.Dial(context.Background(), call.DialRequest{To: call.Endpoint{Binding: to}, From: in.From, SDP: in.SDP, Called: in.To},
		func(e call.LegEvent) {
			switch e.Type {
			case call.Progress:
				in.Leg.Provisional(e.Code, e.SDP)
			case call.Answered:
				in.Leg.Answer(e.SDP)
			}
		})
	if err != nil {
		b.Error(err)
		return
	}
	in.Bind(func(e call.LegEvent) {
		if e.Type == call.Ended {
			out.Hangup(e.Reason)
		}
	})
}

// freePort is a loopback address that nobody listens on.
func freePort(b *testing.B) string {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	return strings.Clone(c.LocalAddr().String())
}
