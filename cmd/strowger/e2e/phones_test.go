package e2e

import (
	"testing"

	"strowger/store"
)

// Desk phones over every transport, and the codecs that they may have: a carrier that has G.711 alone calls each, both sides
// hear each other, and the record says by which codec and cipher.
func TestDeskPhonesOfEveryKind(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	for i, phone := range []struct {
		name        string
		options     baresipOptions
		codec, srtp string
	}{
		{"tcp", baresipOptions{Transport: "tcp"}, "PCMU", ""},
		{"tls with SDES-SRTP", baresipOptions{Transport: "tls", SRTP: true}, "PCMU", "sdes"},
		{"wideband, but the carrier has none", baresipOptions{Codecs: "PCMU/8000/1,G722/16000/1"}, "PCMU", ""},
		{"a codec that the carrier lacks", baresipOptions{Codecs: "G722/16000/1"}, "G722", ""},
		{"Opus alone", baresipOptions{Codecs: "opus/48000/2"}, "opus", ""},
	} {
		t.Run(phone.name, func(t *testing.T) {
			desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, phone.options)
			mark := desk.mark()
			sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
			desk.waitFor("CALL_INCOMING", mark, eventTimeout)
			desk.do("accept", "")
			desk.hears(carrierTone)
			sipp.hears(deskTone)
			desk.do("hangup", "")
			sipp.ends(eventTimeout)
			if m := leg(t, s.record(i+1), store.Desk).Media; m.Codec != phone.codec || m.SRTP != phone.srtp {
				t.Errorf("the record says codec %s, SRTP %q; want %s, %q", m.Codec, m.SRTP, phone.codec, phone.srtp)
			}
			if m := leg(t, s.record(i+1), store.Desk).Media; m.In.Packets == 0 || m.Out.Packets == 0 {
				t.Errorf("the record counts no media: %+v", m)
			}
			s.noCalls()
			desk.leaves(s)
		})
	}
}

// Two phones that both have G.722 hear each other beyond the telephone's 4 kHz.
func TestWidebandStaysWide(t *testing.T) {
	const high, higher = 5230.0, 6110.0
	s := serve(t, "")
	options := baresipOptions{Codecs: "G722/16000/1,PCMU/8000/1"}
	ann := newBaresip(t, s, s.phone("ann", "desk"), high, options)
	bob := newBaresip(t, s, s.phone("bob", "desk"), higher, options)
	mark := bob.mark()
	ann.do("dial", "202")
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	bob.hears(high)
	ann.hears(higher)
	ann.do("hangup", "")
	bob.waitFor("CALL_CLOSED", mark, eventTimeout)
	for _, l := range s.record(1).Legs {
		if l.Media.Codec != "G722" {
			t.Errorf("the leg of %s has codec %s", l.Peer, l.Media.Codec)
		}
	}
	s.noCalls()
}

// A phone that insists on SDES and one that knows nothing of it talk to each other: the server speaks to each as it can.
func TestEncryptedPhoneCallsPlainPhone(t *testing.T) {
	s := serve(t, "")
	safe := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Transport: "tls", SRTP: true})
	plain := newBaresip(t, s, s.phone("bob", "desk"), outsideTone, baresipOptions{Transport: "tcp"})
	mark := plain.mark()
	safe.do("dial", "202")
	plain.waitFor("CALL_INCOMING", mark, eventTimeout)
	plain.do("accept", "")
	plain.hears(deskTone)
	safe.hears(outsideTone)
	plain.do("hangup", "")
	if r := s.record(1); r.Legs[0].Media.SRTP != "sdes" || r.Legs[1].Media.SRTP != "" {
		t.Errorf("the record says SRTP %q for the one and %q for the other", r.Legs[0].Media.SRTP, r.Legs[1].Media.SRTP)
	}
	s.noCalls()
}
