package e2e

import (
	"strings"
	"testing"
	"time"
)

// challengedScript is a call whose INVITE is challenged and sent again with credentials. What follows is as in callScript.
var challengedScript = func() string {
	first, rest, _ := strings.Cut(callScript, `<recv response="100" optional="true"/>`)
	invite := first[strings.Index(first, "<send"):]
	ack := `<recv response="401" auth="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
`
	again := strings.Replace(invite, "CSeq: 1 INVITE", "CSeq: 2 INVITE\n[authentication username=roamer password=PASSWORD]", 1)
	return first + ack + again + "AFTER" + strings.ReplaceAll(`<recv response="100" optional="true"/>`+rest, "CSeq: 1 ACK", "CSeq: 2 ACK")
}()

// A carrier that calls from an address which nobody told us answers our challenge with its password, and is known by that:
// its call rings. With another password it is refused, and nothing rings.
func TestTrunkKnownByDigest(t *testing.T) {
	s := serve(t, `- {name: roaming, server: "127.0.0.9:5060", qualify: 0s, caller_username: roamer, caller_password: road-song}`+"\n")
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	wrong := newTrunkPeer(t, carrierIP, carrierTone)
	script, _, _ := strings.Cut(challengedScript, "AFTER")
	refused := `<recv response="100" optional="true"/>
<recv response="401" auth="true"/>
` + strings.Replace(script[strings.Index(script, "<send><![CDATA[\nACK"):strings.Index(script, "CSeq: 2 INVITE")], "CSeq: 1 ACK", "CSeq: 2 ACK", 1)
	refused = refused[:strings.Index(refused, "]]></send>")] + "]]></send>\n</scenario>"
	wrong.run(wrong.fill(strings.ReplaceAll(script, "PASSWORD", "guess")+refused, "+12025550900", ""), s.ready.SIPUDP, "-s", "+12025550001", "-m", "1")
	wrong.ends(15 * time.Second)
	if desk.saw("CALL_INCOMING", mark) {
		t.Fatal("the phone rang for a carrier with a wrong password")
	}

	right := newTrunkPeer(t, carrierIP, carrierTone)
	right.run(right.fill(strings.NewReplacer("PASSWORD", "road-song", "AFTER", "").Replace(challengedScript), "+12025550901", strings.Replace(byeAfter(6*time.Second), "CSeq: 2", "CSeq: 3", 1)), s.ready.SIPUDP, "-s", "+12025550001", "-m", "1")
	desk.waitFor("CALL_INCOMING", mark, 10*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	right.hears(deskTone)
	right.ends(15 * time.Second)
	r := s.record(1)
	if leg := r.Legs[0]; leg.Trunk != "roaming" {
		t.Errorf("the record says %+v", leg)
	}
	if log := s.log.String(); strings.Contains(log, "road-song") || strings.Contains(log, "guess") {
		t.Error("a password is in the log")
	}
	s.noCalls()
}
