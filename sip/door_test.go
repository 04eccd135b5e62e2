package sip

import (
	"strings"
	"testing"
)

func TestDoor(t *testing.T) {
	office := newOffice()
	s := startEdge(t, office.config())
	const invite = "sip:201@" + testRealm
	sdp := "Content-Type: application/sdp\nContent-Length: 5\n\nv=0\r\n"
	tests := []struct {
		name              string
		method, uri       string
		extra             string
		replace           [2]string // in the finished text
		status            int
		phrase            string
		header, headerHas string
	}{
		{name: "options", method: "OPTIONS", uri: testURI, status: 200, header: "Allow", headerHas: "INVITE"},
		{name: "options to nobody", method: "OPTIONS", uri: "sip:nobody@" + testRealm, status: 200, header: "Accept", headerHas: "application/sdp"},
		{name: "invite from nobody", method: "INVITE", uri: invite, extra: sdp, status: 401, header: "WWW-Authenticate", headerHas: "SHA-256"},
		{name: "invite to an outside number", method: "INVITE", uri: "sip:+12025550199@" + testRealm, extra: sdp, status: 401},
		{name: "no From", method: "OPTIONS", uri: testURI, extra: "From:\n", status: 400, phrase: "From"},
		{name: "no From tag", method: "OPTIONS", uri: testURI, extra: "From: <sip:a@b>\n", status: 400, phrase: "From Tag"},
		{name: "two Froms", method: "OPTIONS", uri: testURI, extra: "From:+ <sip:a@b>;tag=1\n", status: 400, phrase: "From"},
		{name: "bad From", method: "OPTIONS", uri: testURI, extra: "From: \"open <sip:a@b>;tag=1\n", status: 400, phrase: "From"},
		{name: "no To", method: "OPTIONS", uri: testURI, extra: "To:\n", status: 400, phrase: "To"},
		{name: "no Call-ID", method: "OPTIONS", uri: testURI, extra: "Call-ID:\n", status: 400, phrase: "Call-ID"},
		{name: "two Call-IDs", method: "OPTIONS", uri: testURI, extra: "Call-ID:+ other\n", status: 400, phrase: "Call-ID"},
		{name: "no CSeq", method: "OPTIONS", uri: testURI, extra: "CSeq:\n", status: 400},
		{name: "two CSeqs", method: "OPTIONS", uri: testURI, extra: "CSeq:+ 9 OPTIONS\n", status: 400, phrase: "CSeq"},
		{name: "CSeq of another method", method: "OPTIONS", uri: testURI, extra: "CSeq: 9 INFO\n", status: 400, phrase: "CSeq"},
		{name: "CSeq too large", method: "OPTIONS", uri: testURI, extra: "CSeq: 4294967296 OPTIONS\n", status: 400},
		{name: "bad Max-Forwards", method: "OPTIONS", uri: testURI, extra: "Max-Forwards: many\n", status: 400, phrase: "Max-Forwards"},
		{name: "bad Contact", method: "INVITE", uri: invite, extra: "Contact: <sip:a@b\n", status: 400, phrase: "Contact"},
		{name: "two Contacts", method: "INVITE", uri: invite, extra: "Contact: <sip:a@b>, <sip:c@d>\n", status: 400, phrase: "Contact"},
		{name: "body shorter than said", method: "INVITE", uri: invite, extra: "Content-Type: application/sdp\nContent-Length: 500\n\nv=0\r\n", status: 400, phrase: "Content-Length"},
		{name: "negative length", method: "OPTIONS", uri: testURI, extra: "Content-Length: -1\n", status: 400, phrase: "Content-Length"},
		{name: "header without a colon", method: "OPTIONS", uri: testURI, extra: "Subject: x\n", replace: [2]string{"Subject: x", "Subject"}, status: 400, phrase: "Header"},
		{name: "request URI in brackets", method: "OPTIONS", uri: "<sip:a@b>", status: 400, phrase: "Request-URI"},
		{name: "request URI without a host", method: "OPTIONS", uri: "sip:", status: 400, phrase: "Request-URI"},
		{name: "request URI with a bad port", method: "OPTIONS", uri: "sip:a@b:x", status: 400, phrase: "Request-URI"},
		{name: "blanks in the request line", method: "OPTIONS", uri: "sip:a@b  ", status: 400},
		{name: "unknown method", method: "DANCE", uri: testURI, status: 501, header: "Allow", headerHas: "BYE"},
		{name: "publish", method: "PUBLISH", uri: testURI, status: 405, header: "Allow", headerHas: "BYE"},
		{name: "refer outside a dialog", method: "REFER", uri: testURI, status: 401},
		{name: "reliable", method: "INVITE", uri: invite, extra: "Require: 100rel\n", status: 401},
		{name: "replaces", method: "INVITE", uri: invite, extra: "Require: replaces\n", status: 401},
		{name: "scheme", method: "INVITE", uri: "mailto:ann@example.org", status: 416},
		{name: "hops", method: "INVITE", uri: invite, extra: "Max-Forwards: 0\n", status: 483},
		{name: "hops of options", method: "OPTIONS", uri: testURI, extra: "Max-Forwards: 0\n", status: 200},
		{name: "require", method: "INVITE", uri: invite, extra: "Require: timer, teleport\nRequire:+ beam\n", status: 420, header: "Unsupported", headerHas: "teleport, beam"},
		{name: "proxy-require", method: "INVITE", uri: invite, extra: "Proxy-Require: sec-agree\n", status: 420, header: "Unsupported", headerHas: "sec-agree"},
		{name: "body type", method: "INVITE", uri: invite, extra: "Content-Type: text/plain\nContent-Length: 2\n\nhi", status: 415, header: "Accept", headerHas: "application/sdp"},
		{name: "body encoding", method: "INVITE", uri: invite, extra: "Content-Encoding: gzip\nContent-Type: application/sdp\nContent-Length: 2\n\nhi", status: 415, header: "Accept-Encoding", headerHas: "identity"},
		{name: "optional body", method: "INVITE", uri: invite, extra: "Content-Disposition: icon;handling=optional\nContent-Type: image/png\nContent-Length: 2\n\nhi", status: 401},
		{name: "body without a type", method: "INVITE", uri: invite, extra: "Content-Length: 2\n\nhi", status: 400, phrase: "Content-Type"},
		{name: "body too large", method: "INVITE", uri: invite, extra: "Content-Type: application/sdp\nContent-Length: 40000\n\n" + strings.Repeat("a", 40000), status: 413},
		{name: "version", method: "OPTIONS", uri: testURI, replace: [2]string{" SIP/2.0\r\nVia", " SIP/7.0\r\nVia"}, status: 505},
		{name: "bye outside a dialog", method: "BYE", uri: testURI, status: 481},
		{name: "cancel of nothing", method: "CANCEL", uri: testURI, status: 481},
		{name: "bye of an unknown dialog", method: "BYE", uri: testURI, extra: "To: <sip:a@b>;tag=x\n", status: 481},
		{name: "loop", method: "INVITE", uri: invite, extra: "Via:+ SIP/2.0/UDP 127.0.0.1;branch=" + s.newBranch() + "\n", status: 482},
		{name: "compact forms", method: "OPTIONS", uri: testURI, extra: "From:\nTo:\nCall-ID:\nf: <sip:a@b>;tag=1\nt: <sip:c@d>\ni: x\nk: path\nl: 0\nContent-Length:\n", status: 200},
		{name: "quoted semicolon", method: "OPTIONS", uri: testURI, extra: "From: \"a;b\" <sip:a@b>;x=\"1;2\";tag=1\n", status: 200},
		{name: "upper-case TAG", method: "OPTIONS", uri: testURI, extra: "From: <sip:a@b>;TAG=1\n", status: 200},
		{name: "folded header", method: "OPTIONS", uri: testURI, extra: "Subject: one\n", replace: [2]string{"Subject: one", "Subject: one\r\n two"}, status: 200},
		{name: "LF alone", method: "OPTIONS", uri: testURI, replace: [2]string{"\r\n", "\n"}, status: 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := dialWire(t, "udp", s.Addrs().UDP)
			text := strings.ReplaceAll(w.request(test.method, test.uri, "stranger", test.extra), "\n", "\r\n")
			text = strings.ReplaceAll(text, "\r\r\n", "\r\n")
			if test.replace[0] != "" {
				text = strings.ReplaceAll(text, test.replace[0], test.replace[1])
			}
			w.raw(text)
			a := w.read()
			if a.status != test.status || !strings.Contains(a.line, test.phrase) {
				t.Fatalf("answered %q, want %d %s", a.line, test.status, test.phrase)
			}
			if test.header != "" && !strings.Contains(strings.Join(a.all(test.header), "\n"), test.headerHas) {
				t.Errorf("%s: %q, want %q in it", test.header, a.all(test.header), test.headerHas)
			}
			if via := a.header("Via"); !strings.Contains(via, "received=127.0.0.1") || !strings.Contains(via, "rport=") {
				t.Errorf("Via %q lacks where the request came from", via)
			}
			if to := a.header("To"); to != "" && !strings.Contains(to, "tag=") {
				t.Errorf("To %q has no tag", to)
			}
		})
	}
	if n := office.calls.Load(); n != 0 {
		t.Errorf("%d calls came through the door", n)
	}
}

// A refusal leaves no state: the same request gets the same words again, and its ACK vanishes.
func TestRefusalWithoutState(t *testing.T) {
	s := startEdge(t, newOffice().config())
	w := dialWire(t, "udp", s.Addrs().UDP)
	invite := w.request("INVITE", "sip:201@"+testRealm, "stranger", "")
	w.send(invite)
	first := w.read()
	w.send(invite)
	second := w.read()
	if first.status != 401 || first.header("To") != second.header("To") {
		t.Fatalf("answered %q to %q, then %q to %q", first.line, first.header("To"), second.line, second.header("To"))
	}
	ack := strings.Replace(strings.ReplaceAll(invite, "INVITE", "ACK"), "To: <sip:stranger@"+testRealm+">", "To: "+first.header("To"), 1)
	w.send(ack)
	w.silent()
}

// Requests that arrive in pieces, or several at once, over TCP.
func TestDoorTCP(t *testing.T) {
	s := startEdge(t, newOffice().config())
	w := dialWire(t, "tcp", s.Addrs().TCP)
	one := strings.ReplaceAll(w.request("OPTIONS", testURI, "x", ""), "\n", "\r\n")
	w.raw(one[:20])
	w.raw(one[20:50])
	w.raw(one[50:])
	if a := w.read(); a.status != 200 {
		t.Fatalf("answered %q", a.line)
	}
	w.raw("\r\n\r\n")
	buf := make([]byte, 8)
	if n, err := w.conn.Read(buf); err != nil || string(buf[:n]) != "\r\n" {
		t.Fatalf("keep-alive answered with %q (%v), want CRLF", buf[:n], err)
	}
}

func TestDraining(t *testing.T) {
	s := startEdge(t, newOffice().config())
	s.SetDraining(true)
	w := dialWire(t, "udp", s.Addrs().UDP)
	w.send(w.request("INVITE", "sip:201@"+testRealm, "x", ""))
	if a := w.read(); a.status != 503 || a.header("Retry-After") == "" {
		t.Errorf("answered %q, Retry-After %q", a.line, a.header("Retry-After"))
	}
	w.send(w.request("OPTIONS", testURI, "x", ""))
	if a := w.read(); a.status != 503 { // as the INVITE (RFC 3261 §11.2)
		t.Errorf("OPTIONS answered %q", a.line)
	}
	if a := w.register("ann-desk", w.contact("")); a.status != 200 {
		t.Errorf("REGISTER answered %q", a.line)
	}
}
