package sip

import (
	"strings"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

func FuzzReason(f *testing.F) {
	for _, s := range []string{`SIP;cause=200;text="Call completed elsewhere"`, `Q.850 ; cause=16`, `SIP;text="a;b\"c`, ";;;", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := parseReason(s)
		if r.Cause < 0 || r.Cause > 999 {
			t.Errorf("cause %d", r.Cause)
		}
		if h := reasonHeader(r); h != nil && !strings.ContainsAny(s, "\r\n") {
			again := parseReason(h.Value())
			if again.Cause != r.Cause {
				t.Errorf("%q came back as %+v", h.Value(), again)
			}
		}
	})
}

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{askMD5[18:], askSHA[18:], `Digest nonce="a", qop="auth-int"`, `Basic realm="x"`, `digest realm="a\"b",nonce=x,stale=TRUE`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ch, ok := parseChallenge(s)
		if !ok {
			return
		}
		c := &credentials{username: "u", password: "p"}
		if value := c.response(&ch, "INVITE", "sip:x@y"); !strings.ContainsAny(s, "\r\n\x00") {
			if a, ok := parseAuthorization(value); !ok || a.nonce != ch.nonce || a.realm != ch.realm {
				t.Errorf("%q answered by %q", s, value)
			}
		}
	})
}

func FuzzParty(f *testing.F) {
	for _, s := range []string{`"Dee, \"D\" Poe" <sip:+12025550900;npdi@h>`, "<tel:7042;phone-context=+1-201>", "sip:%2B1@h;x=y", "<sip:anonymous@anonymous.invalid>", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := readNameAddr(s)
		if err != nil {
			return
		}
		user := uriUser(&a.uri)
		if strings.ContainsAny(user, "\r\n\x00") {
			t.Errorf("control characters in %q", user)
		}
		if e := escapeUser(user); unescapeURI(e) != user {
			t.Errorf("%q became %q", user, unescapeURI(e))
		}
		if q := quoteAddr(a.name, "sip:x@y"); strings.ContainsAny(q, "\r\n") {
			t.Errorf("line end in %q", q)
		}
	})
}

func FuzzDTMF(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal=5\r\nDuration=160\r\n"))
	f.Add("application/dtmf", []byte("*"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		digit, millis, ok := parseDTMF(kind, body)
		if ok && (strings.IndexByte("0123456789*#ABCD", digit) < 0 || millis < minDigitMillis || millis > maxDigitMillis) {
			t.Errorf("digit %q for %d ms", digit, millis)
		}
	})
}

func FuzzSessionSDP(f *testing.F) {
	f.Add([]byte(offerSDP), []byte(answerSDP))
	f.Fuzz(func(_ *testing.T, a, b []byte) {
		sameSession(a, b)
		securityOf(a)
	})
}

func TestParties(t *testing.T) {
	for _, tc := range []struct {
		from    string
		headers []string
		trusted bool
		want    call.Party
	}{
		{`"Dee" <sip:+12025550900@h>`, nil, true, call.Party{Number: "+12025550900", Name: "Dee"}},
		{`<sip:2025550900@h;user=phone>`, []string{"P-Asserted-Identity: <tel:+1-202-555-0901>"}, true, call.Party{Number: "+12025550901"}},
		{`<sip:2025550900@h>`, []string{"P-Asserted-Identity: <sip:+12025550901@h>"}, false, call.Party{Number: "2025550900"}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, []string{"P-Asserted-Identity: <sip:+12025550901@h>", "Privacy: id"}, true, call.Party{Number: anonymous}},
		{`"Anonymous" <sip:anonymous@anonymous.invalid>`, []string{"P-Asserted-Identity: <sip:+12025550901@h>"}, true, call.Party{Number: anonymous}},
		{`<sip:1@h>`, []string{`Remote-Party-ID: "D" <sip:+12025550902@h>;party=calling;privacy=off`}, true, call.Party{Number: "+12025550902", Name: "D"}},
		{`<sip:1@h>`, []string{`Remote-Party-ID: <sip:+12025550902@h>;privacy=full`}, true, call.Party{Number: anonymous}},
		{`<sip:7042%3Bphone-context=x@h>`, nil, false, call.Party{Number: "7042;phone-context=x"}},
		{`<sip:7042;phone-context=+1202555@h>`, nil, false, call.Party{Number: "+12025557042"}},
		{`<sip:(202)%20555-0900@h>`, nil, false, call.Party{Number: "2025550900"}},
		{`<sip:ann-marie@h>`, nil, false, call.Party{Number: "ann-marie"}},
		{`<sip:h>`, nil, true, call.Party{Number: anonymous}},
	} {
		req := sipmsg.NewRequest(sipmsg.INVITE, sipmsg.Uri{})
		h, _ := parseFrom(nil, tc.from)
		req.AppendHeader(h)
		for _, line := range tc.headers {
			name, value, _ := strings.Cut(line, ": ")
			req.AppendHeader(sipmsg.NewHeader(name, value))
		}
		if got := callerOf(req, tc.trusted); got != tc.want {
			t.Errorf("%s %v: %+v, want %+v", tc.from, tc.headers, got, tc.want)
		}
	}
}
