package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// foreignSite serves a page of another origin with a phone over a library that is not ours.
func foreignSite(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(http.FileServer(http.Dir("browser")))
	t.Cleanup(site.Close)
	return strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
}

// foreignPhone is such a page, opened.
type foreignPhone struct{ *browser }

func openForeign(t *testing.T, b *browser, site, lib string, s *server, device string) foreignPhone {
	t.Helper()
	ask := url.Values{"lib": {lib}, "user": {device}, "password": {s.password(device)}, "domain": {"127.0.0.1"},
		"ws": {strings.Replace(s.ready.HTTP, "http:", "ws:", 1) + "/ws"}}
	b.open(site + "/phone.html?" + ask.Encode())
	p := foreignPhone{b}
	b.do("eval", map[string]any{"js": "until('the phone', () => window.phone).then(() => true)"})
	return p
}

// does runs phone.WHAT in the page and returns its value as text.
func (p foreignPhone) does(what string) string {
	p.t.Helper()
	var value any
	p.eval("phone."+what, &value)
	text, _ := json.Marshal(value)
	return strings.Trim(string(text), `"`)
}

// A page of another site registers with digest over SIP.js and over JsSIP, when the configuration names the site: it calls a
// desk phone, is called by one, holds, and presses keys that reach a carrier.
func TestForeignPages(t *testing.T) {
	site, port := foreignSite(t), freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""), "STROWGER_HTTP_ORIGINS="+site)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	carrierAnswered := carrierAnswers(t, carrierIP, port, carrierTone, 0, provisional(180, false))
	device := s.phone("ann", "browser")
	b := newBrowser(t, browserTone)
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	for _, lib := range []string{"jssip", "sipjs"} {
		t.Run(lib, func(t *testing.T) {
			calls := len(s.records())
			page := openForeign(t, b, site, lib, s, device)
			if got := page.does("register()"); got != "yes" {
				t.Fatalf("registering: %s", got)
			}
			s.hasPhone(device)

			mark := desk.mark()
			page.does(`call("202")`)
			desk.waitFor("CALL_INCOMING", mark, eventTimeout)
			desk.do("accept", "")
			page.does("up()")
			desk.hears(browserTone)
			page.hears(deskTone)
			page.does("hold()")
			desk.hears(musicTone)
			page.does("resume()")
			desk.hears(browserTone)
			page.hears(deskTone)
			page.does("hangup()")
			desk.waitFor("CALL_CLOSED", mark, eventTimeout)
			page.does("over()")
			r := s.record(calls + 1)
			if r.Disposition != store.Answered || r.FromUser != "ann" || r.EndedBy != "caller" || r.Legs[0].Media.SRTP != "dtls" {
				t.Errorf("record: %s from %q, ended by %s, %+v", r.Disposition, r.FromUser, r.EndedBy, r.Legs[0].Media)
			}

			mark = desk.mark()
			desk.do("dial", "201")
			if got := page.does("rings()"); got != "202" {
				t.Errorf("the page is called by %q, want 202", got)
			}
			page.does("answer()")
			page.does("up()")
			desk.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
			page.hears(deskTone)
			desk.hears(browserTone)
			desk.do("hangup", "")
			page.does("over()")
			if r := s.record(calls + 2); r.Disposition != store.Answered || r.AnsweredBy != "ann" {
				t.Errorf("record: %s by %q", r.Disposition, r.AnsweredBy)
			}

			carrierAnswered.rtp.forget()
			page.does(`call("+12025550177")`)
			page.does("up()")
			page.hears(carrierTone)
			carrierAnswered.hears(browserTone)
			page.does(`keys("12")`)
			carrierAnswered.gets("12")
			page.does(`keys("3#", "info")`)
			carrierAnswered.gets("123#")
			page.does("hangup()")
			s.record(calls + 3)
			s.noCalls()

			page.does("unregister()")
			s.noPhone(device)
		})
	}
}

// A page of a site that the configuration does not name gets no WebSocket, nor does one whose password is wrong get calls.
func TestForeignPagesAreRefused(t *testing.T) {
	site, stranger := foreignSite(t), foreignSite(t)
	s := serve(t, "", "STROWGER_HTTP_ORIGINS="+site)
	device := s.phone("ann", "browser")
	b := newBrowser(t, browserTone)
	for _, lib := range []string{"jssip", "sipjs"} {
		if got := openForeign(t, b, stranger, lib, s, device).does("connect()"); got != "refused" {
			t.Errorf("%s: the socket of an unnamed origin is %q", lib, got)
		}
	}
	s.passwords[device] = "wrong"
	for _, lib := range []string{"jssip", "sipjs"} {
		if got := openForeign(t, b, site, lib, s, device).does("register()"); !strings.HasPrefix(got, "failed") {
			t.Errorf("%s: a wrong password: %q", lib, got)
		}
	}
	if s.registered(device) {
		t.Error("the page is registered")
	}
}
