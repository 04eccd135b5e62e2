package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestDemo is a new user's first minute: the sign-in link, "Call me", the browser rings and says why, the carrier speaks and
// is spoken to, and the record with its trace is on the page.
func TestDemo(t *testing.T) {
	s := demo(t)
	b := newBrowser(t, browserTone)
	b.open(raw(s.ready.SigninURL))
	b.sees(`[data-testid=phone-status][data-registered=true]`, 15*time.Second)
	b.screenshot("signed-in")
	b.click(`[data-testid=tab-demo]`)
	b.screenshot("demo")
	b.click(`[data-testid=call-me]`)
	b.sees(`[data-testid=incoming]`, 10*time.Second)
	if why := b.text(`[data-testid=incoming-why]`); !strings.Contains(why, "Dee Poe") {
		t.Errorf("the pop-up says %q; it should say that Dee Poe is a contact of the user", why)
	}
	b.screenshot("incoming")
	b.click(`[data-testid=incoming-answer]`)
	b.sees(`[data-testid=call-panel][data-phase=up]`, 10*time.Second)
	b.hears(browserTone) // the carrier's greeting is over and it echoes
	b.screenshot("up")
	b.click(`[data-testid=call-hangup]`)
	b.gone(`[data-testid=call-panel]`, 10*time.Second)
	b.click(`[data-testid=tab-recent]`)
	b.sees(`[data-testid=recent]`, 10*time.Second)
	b.click(`[data-testid=recent-open]`)
	b.sees(`[data-testid=trace]`, 10*time.Second)
	b.screenshot("record")
	r := s.record(1)
	if r.Disposition != "answered" || r.AnsweredBy != "ann" || len(r.Plan) == 0 {
		t.Errorf("record: %s by %q, %d bytes of plan", r.Disposition, r.AnsweredBy, len(r.Plan))
	}
	s.noCalls()
	s.stop()
}

// raw switches the browser's voice processing off: it takes tones for noise.
func raw(signin string) string { return strings.Replace(signin, "/signin#", "/signin?media=raw#", 1) }
