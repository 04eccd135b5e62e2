package e2e

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// A user calls out from the browser: the chosen caller ID is shown, early media is heard before the answer, and keys reach
// the other side as RFC 4733 digits.
func TestOutboundFromBrowser(t *testing.T) {
	port := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""))
	page := signIn(t, s, "ann", browserTone)
	callee := carrierAnswers(t, carrierIP, port, carrierTone, 3*time.Second, provisional(183, true))
	page.fill(`[data-testid=dial-input]`, "202 555 0177")
	page.click(`[data-testid=dial-call]`)
	page.hears(carrierTone) // early media
	if state := page.text(`[data-testid=call-state]`); strings.Contains(strings.ToLower(state), "connected") {
		t.Errorf("the page says %q before the answer", state)
	}
	page.sees(`[data-testid=call-panel][data-phase=up]`, 10*time.Second)
	callee.hears(browserTone)
	page.click(`[data-testid=call-keypad]`)
	for _, key := range []string{"1", "2", "hash"} {
		page.click(`[data-testid=call-panel] [data-testid="key-` + key + `"]`)
		time.Sleep(300 * time.Millisecond)
	}
	eventually(t, "the carrier should receive the keys", 8*time.Second, func() bool { return callee.rtp.keys() == "12#" })
	page.screenshot("keypad")
	m := callee.messages()
	for _, want := range []string{"INVITE sip:+12025550177@", "P-Asserted-Identity:", "+12025550001"} {
		if !strings.Contains(m, want) {
			t.Errorf("the INVITE lacks %q", want)
		}
	}
	page.click(`[data-testid=call-hangup]`)
	r := s.record(1)
	if r.Direction != store.Outbound || r.Disposition != store.Answered || r.FromUser != "ann" || r.To != "+12025550177" {
		t.Errorf("record: %+v", r)
	}
	s.noCalls()
}

// Desk phone to browser by extension, and back by user name.
func TestDeskToBrowserAndBack(t *testing.T) {
	s := serve(t, "")
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	page := signIn(t, s, "ann", browserTone)

	desk.do("dial", "201")
	page.sees(`[data-testid=incoming]`, 5*time.Second)
	page.click(`[data-testid=incoming-answer]`)
	page.hears(deskTone)
	desk.hears(browserTone)
	desk.do("hangup", "")
	page.gone(`[data-testid=call-panel]`, 5*time.Second)
	s.record(1)

	mark := desk.mark()
	page.fill(`[data-testid=dial-input]`, "202")
	page.click(`[data-testid=dial-call]`)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(browserTone)
	page.hears(deskTone)
	page.click(`[data-testid=call-hangup]`)
	desk.waitFor("CALL_CLOSED", mark, 5*time.Second)
	if r := s.record(2); r.Direction != store.Internal || r.AnsweredBy != "bob" {
		t.Errorf("record: %s by %q", r.Direction, r.AnsweredBy)
	}
	s.noCalls()
}
