package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a SIPp script is made of. SDP stands for the party's description on a line of its own; SDP:sendonly, SDP:inactive and
// the like for one with that direction, SDP:voice for one without telephone-event.

// script is a whole scenario. SIPp wants every variable named that is only written, and no other.
func script(steps ...string) string {
	body := strings.Join(steps, "\n")
	for mark, variables := range map[string]string{"LEARN": "m,p", `assign_to="x"`: "x"} {
		if strings.Contains(body, mark) {
			body += "\n<Reference variables=\"" + variables + "\"/>"
		}
	}
	return `<?xml version="1.0" encoding="ISO-8859-1" ?>` + "\n<scenario name=\"call\">\n" + body + "\n</scenario>"
}

// message is a request. Its Content-Length stands behind the headers, CRLFs are SIPp's.
func message(start, headers, body string) string {
	length := "Content-Length: 0\n\n"
	if body != "" {
		if !strings.Contains(headers, "Content-Type") {
			headers += "Content-Type: application/sdp\n"
		}
		length = "Content-Length: [len]\n\n" + body + "\n"
	}
	return start + headers + length
}

func send(attributes, text string) string {
	return "<send" + attributes + "><![CDATA[\n" + text + "]]></send>"
}

// invites begins a call. CANCEL and the ACK of a refusal belong to the same transaction: see ofInvite.
func invites(seq int, headers, body string) string {
	return send(` retrans="500"`, message(fmt.Sprintf(`INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bKi[pid]c[call_number]s%[1]d
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: %[1]d INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE
`, seq), headers, body))
}

// ofInvite is a CANCEL of the INVITE of that number, or the ACK of its refusal (RFC 3261 §9.1, §17.1.1.3).
func ofInvite(method string, seq int) string {
	to := "To: <sip:[service]@[remote_ip]:[remote_port]>"
	if method == "ACK" {
		to = "[last_To:]"
	}
	return send("", message(fmt.Sprintf(`%[1]s sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bKi[pid]c[call_number]s%[2]d
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
%[3]s
Call-ID: [call_id]
CSeq: %[2]d %[1]s
Max-Forwards: 70
`, method, seq, to), "", ""))
}

// within is a request in the dialog; it may follow a response only.
func within(method string, seq int, headers, body string) string {
	attributes := ` retrans="500"`
	if method == "ACK" {
		attributes = ""
	}
	return send(attributes, message(fmt.Sprintf(`%[1]s [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: %[2]d %[1]s
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
`, method, seq), headers, body))
}

// ringing waits for a 180.
const ringing = `<recv response="100" optional="true"/><recv response="180"/>`

// answered waits for the 200 of a new call and learns where to send the voice.
const answered = `<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true" timeout="20000">LEARN</recv>`

// gets waits for a response, in which a regular expression must match unless it is empty.
func gets(code int, pattern string) string {
	if pattern == "" {
		return fmt.Sprintf(`<recv response="100" optional="true"/><recv response="%d" timeout="60000"/>`, code)
	}
	return fmt.Sprintf(`<recv response="100" optional="true"/><recv response="%d" timeout="60000">`+
		`<action><ereg regexp="%s" search_in="msg" check_it="true" assign_to="x"/></action></recv>`, code, pattern)
}

// asked waits for a request that matches and accepts it.
func asked(method, pattern, headers string) string {
	check := ""
	if pattern != "" {
		check = fmt.Sprintf(`<action><ereg regexp="%s" search_in="msg" check_it="true" assign_to="x"/></action>`, pattern)
	}
	return fmt.Sprintf(`<recv request="%s" timeout="60000">%s</recv>`, method, check) + send("", message(`SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
`, headers, ""))
}

func pause(d time.Duration) string {
	return fmt.Sprintf(`<pause milliseconds="%d"/>`, d.Milliseconds())
}

// carrierPlays makes SIPp call a number of ours by a script.
func carrierPlays(t *testing.T, s *server, to, from, script string) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, carrierIP, carrierTone)
	p.run(p.fill(script, from, ""), s.ready.SIPUDP, "-s", to, "-m", "1")
	return p
}
