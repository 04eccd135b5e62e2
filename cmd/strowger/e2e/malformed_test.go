package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// nonsense is an INVITE of a carrier, with one thing wrong.
type nonsense struct {
	name    string
	replace []string // old, new, ... in invite
	want    string   // status; "" = there is nobody to answer
}

// invite has a place for what each request must have of its own.
const invite = "INVITE sip:+12025550001@host SIP/2.0\r\nVia: SIP/2.0/UDP LOCAL;branch=z9hG4bKn%[1]d;rport\r\nTo: <sip:x@host>\r\n" +
	"From: <sip:+12025550900@host>;tag=n%[1]d\r\nCall-ID: nonsense-%[1]d\r\nCSeq: 1 INVITE\r\nContact: <sip:c@LOCAL>\r\nMax-Forwards: 70\r\n" +
	"Content-Type: application/sdp\r\nContent-Length: LENGTH\r\n\r\n" +
	"v=0\r\no=- 1 1 IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 127.0.0.3\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

// What arrives from a carrier's address may be nonsense all the same: each is answered as RFC 3261 says, or dropped where
// there is nobody to answer; no phone rings, and the server goes on.
func TestNonsenseFromACarrier(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	x := newCarrierSocket(t, s)
	for n, c := range []nonsense{
		{"another version", []string{"host SIP/2.0", "host SIP/3.0"}, "505"},
		{"no To", []string{"To: <sip:x@host>\r\n", ""}, "400"},
		{"two From", []string{"To:", "From: <sip:y@host>;tag=y\r\nTo:"}, "400"},
		{"no tag", []string{";tag", ";gat"}, "400"},
		{"a CSeq of another method", []string{"1 INVITE", "1 OPTIONS"}, "400"},
		{"a CSeq too large", []string{"1 INVITE", "99999999999 INVITE"}, "400"},
		{"no hops left", []string{"Forwards: 70", "Forwards: 0"}, "483"},
		{"a web address", []string{"INVITE sip:+12025550001@host", "INVITE http://host/"}, "416"},
		{"an extension that must be known", []string{"Contact:", "Require: time-travel\r\nContact:"}, "420"},
		{"a body that is no SDP", []string{"application/sdp", "text/plain"}, "415"},
		{"SDP without media", []string{"m=audio 40000 RTP/AVP 0\r\n", ""}, "488"},
		{"no codec of ours", []string{"AVP 0", "AVP 18"}, "488"},
		{"a number that is not ours", []string{"+12025550001", "+12025559999"}, "404"},
		{"a method that nobody has", []string{"INVITE", "DANCE"}, "501"},
		{"a BYE of no dialog", []string{"INVITE", "BYE", "To: <sip:x@host>", "To: <sip:x@host>;tag=z"}, "481"},
		{"a CANCEL of nothing", []string{"INVITE", "CANCEL"}, "481"},
		{"an ACK of nothing", []string{"INVITE", "ACK"}, ""},
		{"a response to nothing", []string{"INVITE sip:+12025550001@host SIP/2.0", "SIP/2.0 200 OK"}, ""},
		{"bytes", []string{"INVITE sip:+12025550001@host SIP/2.0", "\x00\xff SIP/2.0 \x01"}, "400"},
	} {
		if got := x.ask(n, strings.NewReplacer(c.replace...).Replace(invite), c.want == ""); got != c.want {
			t.Errorf("%s: answered %q, want %q", c.name, got, c.want)
		}
	}
	if desk.saw("CALL_INCOMING", mark) {
		t.Error("a phone rang")
	}
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye) // all is as before
	desk.waitFor("CALL_INCOMING", mark, eventTimeout)
	desk.do("accept", "")
	desk.hears(carrierTone)
	desk.do("hangup", "")
	sipp.ends(eventTimeout)
	s.noCalls()
}

// carrierSocket sends what it likes from the carrier's address.
type carrierSocket struct {
	t    *testing.T
	conn *net.UDPConn
}

func newCarrierSocket(t *testing.T, s *server) carrierSocket {
	t.Helper()
	to, err := net.ResolveUDPAddr("udp", s.ready.SIPUDP)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(carrierIP)}, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return carrierSocket{t, conn}
}

// ask sends the n-th request and returns the status of its final response. When none is expected an OPTIONS follows, and ""
// is returned once that is answered.
func (x carrierSocket) ask(n int, text string, probed bool) string {
	x.t.Helper()
	x.send(fmt.Sprintf(text, n))
	if probed {
		x.send(strings.NewReplacer("INVITE", "OPTIONS", "Call-ID: nonsense", "Call-ID: probe", "bKn", "bKp", "%[1]d", fmt.Sprint(n)).Replace(invite))
	}
	buf := make([]byte, 65535)
	x.conn.SetReadDeadline(time.Now().Add(eventTimeout))
	for {
		size, err := x.conn.Read(buf)
		if err != nil {
			x.t.Fatalf("request %d: no answer: %v", n, err)
		}
		answer := string(buf[:size])
		final := !strings.HasPrefix(answer, "SIP/2.0 1")
		if final && strings.Contains(answer, fmt.Sprintf("Call-ID: nonsense-%d\r\n", n)) {
			return status(answer)
		}
		if final && strings.Contains(answer, fmt.Sprintf("Call-ID: probe-%d\r\n", n)) {
			return ""
		}
	}
}

func (x carrierSocket) send(text string) {
	x.t.Helper()
	_, body, _ := strings.Cut(text, "\r\n\r\n")
	text = strings.NewReplacer("LOCAL", x.conn.LocalAddr().String(), "LENGTH", fmt.Sprint(len(body))).Replace(text)
	if _, err := x.conn.Write([]byte(text)); err != nil {
		x.t.Fatal(err)
	}
}
