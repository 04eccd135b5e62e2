package e2e

import (
	"strings"
	"testing"
	"time"
)

// A carrier of IPv6 calls a desk phone of IPv4: each is spoken to in its own family, and each hears the other. And a call
// goes out to that carrier.
func TestCarrierOfIPv6(t *testing.T) {
	port := freePort(t, "udp")
	s := serveBoth(t, carrierTrunk("six", "::1", port, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Server: at("127.0.0.1", s.ready.SIPUDP)})
	mark := desk.mark()
	sipp := carrierCalls6(t, s, "+12025550001", "+12025550900", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	desk.do("hangup", "")
	sipp.ends(5 * time.Second)
	answer := sipp.messages()
	if !strings.Contains(answer, "c=IN IP6 ::1") || !strings.Contains(answer, "Contact: <sip:+12025550001@[::1]") {
		t.Error("the carrier was not answered with our IPv6 address")
	}
	s.record(1)

	callee := carrierAnswers(t, "::1", port, outsideTone, 300*time.Millisecond, provisional(180, false))
	mark = desk.mark()
	desk.do("dial", "+12025550177")
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	desk.hears(outsideTone)
	callee.hears(deskTone)
	desk.do("hangup", "")
	s.record(2)
	s.noCalls()
}

// A carrier of IPv4 calls a desk phone of IPv6, which then calls another one.
func TestPhoneOfIPv6(t *testing.T) {
	s := serveBoth(t, carrierTrunk("four", carrierIP, 5060, ""))
	six := func(user string, hz float64) *baresip {
		return newBaresip(t, s, s.phone(user, "desk"), hz, baresipOptions{Local: "::1", Server: at("::1", s.ready.SIPUDP)})
	}
	desk := six("ann", deskTone)
	mark := desk.mark()
	sipp := newTrunkPeer(t, carrierIP, carrierTone)
	sipp.run(sipp.fill(callScript, "+12025550900", waitBye), at("127.0.0.1", s.ready.SIPUDP), "-s", "+12025550001", "-m", "1")
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	desk.do("hangup", "")
	sipp.ends(5 * time.Second)
	s.record(1)
	if !strings.Contains(desk.log.String(), "c=IN IP6 ::1") {
		t.Error("the phone was not offered our IPv6 address")
	}

	other := six("bob", outsideTone)
	mark = other.mark()
	desk.do("dial", "202")
	other.waitFor("CALL_INCOMING", mark, 5*time.Second)
	other.do("accept", "")
	other.hears(deskTone)
	desk.hears(outsideTone)
	other.do("hangup", "")
	s.record(2)
	s.noCalls()
}

// A carrier with both families signals over IPv4 and wants its voice over IPv6.
func TestVoiceOfAnotherFamily(t *testing.T) {
	s := serveBoth(t, carrierTrunk("four", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Server: at("127.0.0.1", s.ready.SIPUDP)})
	mark := desk.mark()
	sipp := newTrunkPeer(t, "::1", carrierTone)
	sipp.ip = carrierIP
	sipp.run(sipp.fill(callScript, "+12025550900", waitBye), at("127.0.0.1", s.ready.SIPUDP), "-s", "+12025550001", "-m", "1")
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	desk.do("hangup", "")
	sipp.ends(5 * time.Second)
	s.noCalls()
}
