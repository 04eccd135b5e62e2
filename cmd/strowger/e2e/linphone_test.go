package e2e

import (
	"strings"
	"testing"

	"strowger/store"
)

// linphone registers with SHA-256, and calls baresip and is called by it, over UDP, TCP and TLS with SDES.
func TestLinphone(t *testing.T) {
	s := serve(t, "")
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	for _, phone := range []struct {
		name    string
		options linphoneOptions
		srtp    string
	}{
		{"udp", linphoneOptions{Transport: "udp"}, ""},
		{"tcp", linphoneOptions{Transport: "tcp"}, ""},
		{"tls with SDES-SRTP", linphoneOptions{Transport: "tls", SRTP: true}, "sdes"},
	} {
		t.Run(phone.name, func(t *testing.T) {
			calls := len(s.records())
			p := newLinphone(t, s, s.phone("bob", "desk"), outsideTone, phone.options)
			mark := desk.mark()
			p.do("call 201")
			desk.waitFor("CALL_INCOMING", mark, eventTimeout)
			desk.do("accept", "")
			desk.hears(outsideTone)
			p.hears(deskTone)
			p.do("terminate")
			desk.waitFor("CALL_CLOSED", mark, eventTimeout)
			r := s.record(calls + 1)
			if r.FromUser != "bob" || r.AnsweredBy != "ann" || r.EndedBy != "caller" || r.Legs[0].Media.SRTP != phone.srtp {
				t.Errorf("record: %s by %q, ended by %s, %+v", r.Disposition, r.AnsweredBy, r.EndedBy, r.Legs[0].Media)
			}

			desk.do("dial", "202")
			p.sees("Receiving new incoming call")
			p.do("answer")
			p.hears(deskTone)
			desk.hears(outsideTone)
			desk.do("hangup", "")
			if r := s.record(calls + 2); r.Disposition != store.Answered || r.AnsweredBy != "bob" || r.EndedBy != "caller" {
				t.Errorf("record: %s by %q, ended by %s", r.Disposition, r.AnsweredBy, r.EndedBy)
			}
			s.noCalls()
			p.do("quit")
			s.noPhone(p.name)
			if !p.proc.ended(eventTimeout) || !strings.Contains(p.wire(), "algorithm=SHA-256, opaque") {
				t.Error("it did not register with SHA-256")
			}
		})
	}
}
