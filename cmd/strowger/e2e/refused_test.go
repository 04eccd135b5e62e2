package e2e

import (
	"crypto/md5"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// stranger is somebody with a UDP socket and bad intentions.
type stranger struct {
	t    *testing.T
	conn net.Conn
	n    int
}

func newStranger(t *testing.T, s *server) *stranger {
	t.Helper()
	conn, err := net.Dial("udp", s.ready.SIPUDP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &stranger{t: t, conn: conn}
}

// ask sends a request and returns the final response.
func (x *stranger) ask(method, user, headers string) string {
	x.t.Helper()
	x.n++
	body := ""
	if method == "INVITE" {
		body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
		headers += "Content-Type: application/sdp\r\n"
	}
	local := x.conn.LocalAddr().String()
	fmt.Fprintf(x.conn, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKx%d;rport\r\nFrom: <sip:ann@%s>;tag=x%d\r\nTo: <sip:%s@%s>\r\n"+
		"Call-ID: stranger-%d-%s\r\nCSeq: %d %s\r\nContact: <sip:x@%s>\r\nMax-Forwards: 70\r\n%sContent-Length: %d\r\n\r\n%s",
		method, user, x.conn.RemoteAddr(), local, x.n, x.conn.RemoteAddr(), x.n, user, x.conn.RemoteAddr(), x.n, local, x.n, method, local, headers, len(body), body)
	buf := make([]byte, 65535)
	x.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		n, err := x.conn.Read(buf)
		if err != nil {
			x.t.Fatalf("%s: no final response: %v", method, err)
		}
		if answer := string(buf[:n]); !strings.HasPrefix(answer, "SIP/2.0 1") && strings.Contains(answer, fmt.Sprintf("CSeq: %d %s", x.n, method)) {
			return answer
		}
	}
}

func status(answer string) string { return strings.Fields(answer)[1] }

var nonceOf = regexp.MustCompile(`nonce="([^"]+)"[^\r\n]*algorithm=MD5`)

// authorization answers an MD5 challenge.
func authorization(challenge, method, uri, user, password string, nc int) string {
	found := nonceOf.FindStringSubmatch(challenge)
	if found == nil {
		return ""
	}
	h := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	count := fmt.Sprintf("%08x", nc)
	response := h(h(user+":strowger:"+password) + ":" + found[1] + ":" + count + ":cafe:auth:" + h(method+":"+uri))
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="strowger", nonce="%s", uri="%s", response="%s", algorithm=MD5, qop=auth, nc=%s, cnonce="cafe"`+"\r\n",
		user, found[1], uri, response, count)
}

// Wrong password, unknown user, replayed nonce, a call to the outside without credentials: refused, nothing rings, nothing
// tells a stranger what exists.
func TestStrangersAreRefused(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""))
	trunk := carrierAnswers(t, carrierIP, port, carrierTone, time.Second, provisional(180, false))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()

	x := newStranger(t, s)
	uri := "sip:ann-desk@" + s.ready.SIPUDP
	challenge := x.ask("REGISTER", "ann-desk", "")
	wrong := x.ask("REGISTER", "ann-desk", authorization(challenge, "REGISTER", uri, "ann-desk", "wrong", 1))
	unknown := x.ask("REGISTER", "nobody", authorization(challenge, "REGISTER", "sip:nobody@"+s.ready.SIPUDP, "nobody", "wrong", 2))
	if status(challenge) != "401" || status(wrong) != "401" || status(unknown) != "401" {
		t.Errorf("REGISTER: without password %s, wrong %s, unknown user %s; want 401 each", status(challenge), status(wrong), status(unknown))
	}
	if a, b := shape(wrong), shape(unknown); a != b {
		t.Errorf("a wrong password and an unknown user get different answers:\n%s\n%s", a, b)
	}
	good := authorization(x.ask("REGISTER", "ann-desk", ""), "REGISTER", uri, "ann-desk", s.password("ann-desk"), 1)
	if got := status(x.ask("REGISTER", "ann-desk", good)); got != "200" {
		t.Errorf("the right password: %s", got)
	}
	if got := status(x.ask("REGISTER", "ann-desk", good)); got == "200" {
		t.Error("the same nonce and count were accepted twice")
	}
	for _, to := range []string{"+12025550177", "+12025550001", "201", "ann", "00441632960000"} {
		if got := status(x.ask("INVITE", to, "")); got != "401" && got != "403" && got != "407" {
			t.Errorf("an INVITE to %s without credentials: %s", to, got)
		}
	}
	if got := status(x.ask("OPTIONS", "ann", "")); got != "200" {
		t.Errorf("OPTIONS: %s", got)
	}

	time.Sleep(300 * time.Millisecond) // long enough for a phone to ring, if it were to
	if desk.saw("CALL_INCOMING", mark) {
		t.Error("a phone rang")
	}
	if m := trunk.messages(); strings.Contains(m, "INVITE") {
		t.Error("a call went out over the trunk")
	}
	if n := len(s.records()); n != 0 {
		t.Errorf("%d call records of refused strangers", n)
	}
	if log := s.log.String(); strings.Contains(log, s.password("ann-desk")) || strings.Contains(log, "response=") {
		t.Error("the log holds secrets")
	}
}

// shape is an answer without what must differ.
func shape(answer string) string {
	answer = regexp.MustCompile(`(?m)^(Via|To|From|Call-ID|CSeq):.*$`).ReplaceAllString(answer, "$1")
	return regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(answer, "nonce")
}
