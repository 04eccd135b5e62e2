package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// reliableCall is a carrier that demands reliable responses (RFC 3262): it acknowledges the one with early media by PRACK.
var reliableCall = func() string {
	script := strings.Replace(callScript, "Allow: INVITE,", "Require: 100rel\nAllow: PRACK, INVITE,", 1)
	progress := `<recv response="100" optional="true"/>
<recv response="183" rrs="true"><action>
<ereg regexp="([0-9]+)" search_in="hdr" header="RSeq:" check_it="true" assign_to="r"/>
<ereg regexp="100rel" search_in="hdr" header="Require:" check_it="true" assign_to="q"/>
</action></recv>
<send retrans="500"><![CDATA[
PRACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 PRACK
RAck: [$r] 1 INVITE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
`
	from, to := strings.Index(script, `<recv response="100"`), strings.Index(script, `<recv response="200"`)
	script = script[:from] + progress + strings.Replace(script[to:], ">LEARN", ">", 1)
	script = strings.Replace(script, `<recv response="183" rrs="true"><action>`, `<recv response="183" rrs="true"><action>LEARNED`, 1)
	return strings.Replace(script, `variables="m,p"`, `variables="m,p,q"`, 1)
}()

// A carrier demands reliable ringing, hears our ringback early, and then the phone that answers.
func TestReliableProgressToTheCarrier(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ", early_media: true"))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	p := newTrunkPeer(t, carrierIP, carrierTone)
	learned := strings.TrimSuffix(strings.TrimPrefix(learnPort, "<action>"), "</action>")
	p.run(p.fill(strings.Replace(reliableCall, "LEARNED", learned, 1), "+12025550900", strings.Replace(byeAfter(6*time.Second), "CSeq: 2", "CSeq: 3", 1)),
		s.ready.SIPUDP, "-s", "+12025550001", "-m", "1")
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	p.hears(deskTone)
	p.ends(15 * time.Second)
	s.noCalls()
}

// reliableProgress is a 183 of a callee with its voice, which wants a PRACK before it goes on.
const reliableProgress = `<send retrans="500"><![CDATA[
SIP/2.0 183 Progress
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
Require: 100rel
RSeq: 4711
Content-Type: application/sdp
Content-Length: [len]

SDP
]]></send>
<recv request="PRACK"><action>
<ereg regexp="4711 [0-9]+ INVITE" search_in="hdr" header="RAck:" check_it="true" assign_to="k"/>
</action></recv>
<Reference variables="k"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
`

// A phone calls out; the carrier's early media comes reliably and is acknowledged, and the call is answered.
func TestReliableProgressOfTheCarrier(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	// After the PRACK the INVITE is not the last request any more: its Via and CSeq are kept for the 200.
	kept := strings.Replace(learnPort, "</action>", `<ereg regexp=".+" search_in="hdr" header="Via:" assign_to="v"/>`+
		`<ereg regexp=".+" search_in="hdr" header="CSeq:" assign_to="c"/></action>`, 1)
	before, after, _ := strings.Cut(answerScript, "PROGRESS")
	after = strings.NewReplacer("[last_Via:]", "Via:[$v]", "[last_To:];tag=[pid]s[call_number]", "[last_To:]", "[last_CSeq:]", "CSeq:[$c]").Replace(after[:strings.Index(after, "ACK")]) +
		after[strings.Index(after, "ACK"):]
	script := strings.NewReplacer("LEARN", kept, "RING", "1500").Replace(before + reliableProgress + after)
	callee := newTrunkPeer(t, carrierIP, carrierTone)
	callee.port = port
	callee.run(callee.fill(script, "", ""), net.JoinHostPort("127.0.0.1", "9"), "-m", "10")
	mark := desk.mark()
	desk.do("dial", "+12025550177")
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	desk.hears(carrierTone)
	callee.hears(deskTone)
	desk.do("hangup", "")
	s.noCalls()
}

// redirectingPhone registers as a device and answers every call with 302 to these.
func redirectingPhone(t *testing.T, s *server, device, to string) {
	t.Helper()
	x := newStranger(t, s)
	challenge := x.ask("REGISTER", device, "")
	uri := fmt.Sprintf("sip:%s@%s", device, x.conn.RemoteAddr())
	if got := x.ask("REGISTER", device, "Expires: 300\r\n"+authorization(challenge, "REGISTER", uri, device, s.password(device), 1)); status(got) != "200" {
		t.Fatalf("REGISTER: %s", got)
	}
	go func() {
		buf := make([]byte, 65535)
		for {
			_ = x.conn.SetReadDeadline(time.Time{})
			n, err := x.conn.Read(buf)
			if err != nil {
				return
			}
			if msg := string(buf[:n]); strings.HasPrefix(msg, "INVITE ") {
				answer := "SIP/2.0 302 Moved Temporarily\r\n"
				for line := range strings.SplitSeq(msg, "\r\n") {
					name, _, _ := strings.Cut(line, ":")
					switch name {
					case "Via", "From", "Call-ID", "CSeq":
						answer += line + "\r\n"
					case "To":
						answer += line + ";tag=forward\r\n"
					}
				}
				_, _ = fmt.Fprintf(x.conn, "%sContact: <sip:%s@%s>\r\nContent-Length: 0\r\n\r\n", answer, to, x.conn.RemoteAddr())
			}
		}
	}()
}

// Ann's desk phone sends its calls to Bob, whose phone rings and answers.
func TestDeskPhoneForwards(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	redirectingPhone(t, s, s.phone("ann", "desk"), "202")
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("accept", "")
	bob.hears(carrierTone)
	sipp.hears(deskTone)
	bob.do("hangup", "")
	sipp.ends(5 * time.Second)
	r := s.record(1)
	if r.AnsweredBy != "bob" || len(r.Legs) != 3 || r.Legs[1].Code != 302 {
		t.Errorf("record: by %q, %+v", r.AnsweredBy, r.Legs)
	}
	s.noCalls()
}

// The carrier's first server sends the call on to another place of the carrier's.
func TestCarrierRedirects(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	callee := newTrunkPeer(t, carrierIP, carrierTone)
	callee.port = port
	moved := strings.NewReplacer("CODE Refused", "302 Moved", "Content-Length: 0", "Contact: <sip:gateway@[local_ip]:[local_port]>\nContent-Length: 0").Replace(refuseScript)
	moved = moved[strings.Index(moved, "<recv"):strings.Index(moved, "</scenario>")]
	script := strings.NewReplacer("PROGRESS", "", "RING", "500").Replace(answerScript)
	callee.run(callee.fill(strings.Replace(script, "<recv", moved+"<recv", 1), "", ""), "127.0.0.1:9", "-m", "10")
	mark := desk.mark()
	desk.do("dial", "+12025550177")
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	desk.hears(carrierTone)
	callee.hears(deskTone)
	if !strings.Contains(callee.messages(), "INVITE sip:gateway@"+carrierIP) {
		t.Error("the redirection was not followed")
	}
	desk.do("hangup", "")
	s.noCalls()
}
