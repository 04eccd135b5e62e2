package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// notifies tells how the transfer goes that the carrier was asked for. $f is the From of the REFER.
func notifies(seq int, state, status string) string {
	return send(` retrans="500"`, fmt.Sprintf(`NOTIFY [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To:[$f]
Call-ID: [call_id]
CSeq: %d NOTIFY
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
Event: refer
Subscription-State: %s
Content-Type: message/sipfrag
Content-Length: [len]

SIP/2.0 %s

`, seq, state, status)) + gets(200, "")
}

// transfersItself is a carrier that is asked to transfer, answers so, and goes on.
func transfersItself(code int, rest string) string {
	return `<recv request="REFER" timeout="60000"><action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="f"/></action></recv>` +
		send("", fmt.Sprintf(`SIP/2.0 %d Answer
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
Content-Length: 0

`, code)) + rest + `<Reference variables="f"/>`
}

// A trunk that transfers by itself: a caller is sent on to an outside number of its own. When it will not, the call goes on over
// us; when the target is busy, the transferor has the call back.
func TestCarrierTransfers(t *testing.T) {
	done := transfersItself(202, notifies(2, "active;expires=60", "180 Ringing")+notifies(3, "terminated;reason=noresource", "200 OK")+waitBye)
	for _, test := range []struct {
		name, script, tells string
		answers             bool // we ring the target
	}{
		{"done", done, "went on at the carrier", false},
		{"it will not", transfersItself(405, waitBye), "the carrier does not transfer it: 405", true},
		{"the target is busy", transfersItself(202, notifies(2, "terminated;reason=noresource", "486 Busy Here")+waitBye), "it has the call back", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			port := freePort(t, "udp")
			s := serve(t, carrierTrunk("acme", carrierIP, port, ", transfer: refer"))
			bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
			dee := carrierAnswers(t, carrierIP, port, outsideTone, 0, provisional(180, false))
			mark := bob.mark()
			sipp := carrierCalls(t, s, "+12025550004", "+12025550999", test.script)
			bob.waitFor("CALL_INCOMING", mark, eventTimeout)
			bob.do("accept", "")
			sipp.hears(deskTone)
			mark = bob.mark()
			bob.do("transfer", "+12025550177")
			if test.tells == "it has the call back" {
				bob.waitFor("TRANSFER_FAILED", mark, eventTimeout) // this phone hangs up then
			} else {
				bob.waitFor("CALL_CLOSED", mark, eventTimeout)
			}
			if test.answers {
				sipp.hears(outsideTone)
				dee.hears(carrierTone)
				s.api("DELETE", "/api/active/"+s.active()["+12025550999"], nil)
			}
			sipp.ends(eventTimeout)
			if !strings.Contains(sipp.messages(), "Refer-To: <sip:+12025550177@") {
				t.Error("the carrier was not asked")
			}
			if rang := strings.Contains(dee.messages(), "INVITE sip:"); rang != test.answers {
				t.Errorf("we rang the target: %v", rang)
			}
			tells(t, s.record(1), "acme is asked to transfer it to +12025550177", test.tells)
			s.noCalls()
		})
	}
}

// A trunk that transfers by itself joins a caller with the outside party whom the user has asked first.
func TestCarrierJoins(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ", transfer: refer"))
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	dee := carrierAnswers(t, carrierIP, port, outsideTone, 0, provisional(180, false))
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999",
		transfersItself(202, pause(5*time.Second)+notifies(2, "terminated;reason=noresource", "200 OK")+waitBye))
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	sipp.hears(deskTone)
	bob.keysIn("*22025550177#")
	bob.hears(outsideTone)
	sipp.hears(musicTone)
	dee.hears(deskTone)
	bob.do("hangup", "")
	sipp.hears(outsideTone) // over us, until the carrier has done it
	dee.hears(carrierTone)
	sipp.ends(15 * time.Second)
	if !strings.Contains(sipp.messages(), "?Replaces=") || !strings.Contains(sipp.messages(), "to-tag%3D") {
		t.Error("the carrier was not told whom to replace")
	}
	tells(t, s.record(1), "acme is asked to join it with +12025550177", "went on at the carrier")
	s.noCalls()
}
