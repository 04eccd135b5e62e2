package e2e

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// again is a re-INVITE with this body, its ACK, and a BYE some seconds later.
func again(body string, seconds int) string {
	request := func(method, seq, body string) string {
		content := "Content-Length: 0\n\n"
		if body != "" {
			content = "Contact: <sip:carrier@[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n" + body + "\n"
		}
		return `<send><![CDATA[
` + method + ` [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: ` + seq + ` ` + method + `
Max-Forwards: 70
` + content + `]]></send>
`
	}
	return `<pause milliseconds="3000"/>` + request("INVITE", "2", body) + `<recv response="100" optional="true"/>
<recv response="200"/>
` + request("ACK", "2", "") + `<pause milliseconds="` + strconv.Itoa(seconds*1000) + `"/>` + request("BYE", "3", "") + `<recv response="200"/>`
}

// The carrier changes its codec in the call to one that the phone does not have: both hear each other before and after.
func TestCodecChangesInTheCall(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Codecs: "PCMU/8000/1"})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", again("SDP:alaw", 6))
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	eventually(t, "the re-INVITE should be answered with PCMA", eventTimeout, func() bool {
		return strings.Contains(sipp.messages(), "RTP/AVP 8 101") && strings.Count(sipp.messages(), "SIP/2.0 200") > 1
	})
	sipp.rtp.alaw()
	sipp.rtp.forget()
	time.Sleep(500 * time.Millisecond) // what was under way before
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	sipp.ends(15 * time.Second)
	s.noCalls()
}

// A carrier calls without an offer: ours is in the 200, its answer in the ACK.
func TestCallWithoutAnOffer(t *testing.T) {
	const body = "Content-Type: application/sdp\nContent-Length: [len]\n\nSDP\n"
	script := strings.Replace(callScript, body, "Content-Length: 0\n\n", 1)
	at := strings.Index(script, "ACK [next_url]")
	script = script[:at] + strings.Replace(script[at:], "Content-Length: 0\n\n", body, 1)
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	p := newTrunkPeer(t, carrierIP, carrierTone)
	p.run(p.fill(script, "+12025550900", byeAfter(5*time.Second)), s.ready.SIPUDP, "-s", "+12025550001", "-m", "1")
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	p.hears(deskTone)
	p.ends(15 * time.Second)
	s.noCalls()
}

// A carrier forks: early media of one branch, then of another, and the first one answers. The caller hears the branch that
// spoke up last, and in the end the one that answered.
func TestForkedEarlyMedia(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	callee := newTrunkPeer(t, carrierIP, carrierTone)
	callee.port = port
	other := newRTPParty(t, netip.MustParseAddr(carrierIP), outsideTone)
	pause := `<pause milliseconds="3500"/>` + "\n"
	fork := strings.Replace(provisional(183, true), "tag=[pid]s[call_number]", "tag=other[call_number]", 1)
	second := strings.ReplaceAll(strings.ReplaceAll(sdpBody, "MEDIA", strconv.Itoa(int(other.local().Port()))), "o=carrier 1", "o=carrier 2")
	fork = strings.Replace(fork, "SDP\n", second, 1)
	script := strings.NewReplacer("PROGRESS", provisional(183, true)+pause+fork, "RING", "3500").Replace(answerScript)
	callee.run(callee.fill(script, "", ""), "127.0.0.1:9", "-m", "10")
	mark := desk.mark()
	desk.do("dial", "+12025550177")
	desk.hears(carrierTone)
	callee.rtp.mu.Lock()
	to := callee.rtp.to
	callee.rtp.mu.Unlock()
	other.connect(to)
	desk.hears(outsideTone)
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	desk.hears(carrierTone)
	callee.hears(deskTone)
	desk.do("hangup", "")
	s.noCalls()
}
