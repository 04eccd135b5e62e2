package main

import (
	"net/netip"
	"strings"
	"testing"
)

// The load must understand what servers answer, compact forms and all, and copy into its own answers what belongs there.
func TestMessage(t *testing.T) {
	m := parse([]byte("SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 127.0.0.3;branch=z9hG4bK1\r\nRecord-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>\r\n" +
		"t: <sip:x@y>;tag=1\r\nCSeq: 1 INVITE\r\nm: \"X\" <sip:x@127.0.0.1:5060>;expires=5\r\n\r\n" + sdpOf("127.0.0.1", 20000)))
	if m.status() != 200 || m.method() != "INVITE" || addressIn(m.get("contact")) != "sip:x@127.0.0.1:5060" {
		t.Errorf("read %d %q %q", m.status(), m.method(), m.get("contact"))
	}
	if got := m.routeSet(); got != "Route: <sip:b;lr>\r\nRoute: <sip:a;lr>\r\n" {
		t.Errorf("route set %q", got)
	}
	if at, ok := mediaAddress(m.body); !ok || at != netip.MustParseAddrPort("127.0.0.1:20000") {
		t.Errorf("audio at %v", at)
	}

	m = parse([]byte("INVITE sip:callee@127.0.0.4 SIP/2.0\r\nVia: one\r\nVia: two\r\nFrom: <sip:a@b>;tag=2\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n\r\n"))
	answer := parse(m.answer("180 Ringing", "t", "callee@127.0.0.4", ""))
	if m.status() != 0 || m.method() != "INVITE" || answer.status() != 180 || answer.get("to") != "<sip:c@d>;tag=t" || answer.get("cseq") != "7 INVITE" {
		t.Errorf("%q is answered with %+v", m.start, answer)
	}
	if strings.Count(string(m.answer("200 OK", "", "c", "")), "via: ") != 2 {
		t.Error("a Via was lost")
	}
}

func TestQuantile(t *testing.T) {
	if quantile([]int(nil), 0.5) != 0 || quantile([]int{1, 2, 3}, 0.5) != 2 || quantile([]int{1, 2, 3}, 1) != 3 {
		t.Error("wrong")
	}
}
