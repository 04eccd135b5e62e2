package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/store"
)

// TestMisbehavingNumbers calls in to numbers of ours that lead to the demo carrier's numbers that misbehave, all at once, with
// `strowger call` as a person would.
func TestMisbehavingNumbers(t *testing.T) {
	calls := []struct {
		name, line, policy string // line is the carrier's number
		stay               time.Duration
		answered           bool // by a person or a mailbox
		disposition        string
		code               int // of the outside line's leg; 0 = we gave up on it
		endedBy            string
		output             string // what the caller is told
	}{
		{"echo", "+12025550190", "through", 3 * time.Second, true, store.Answered, 200, "caller", "answered"},
		{"busy", "+12025550191", "through", 3 * time.Second, false, store.Missed, 486, "us", "refused"},
		{"busy, then a mailbox", "+12025550191", "message", 12 * time.Second, true, store.VoicemailOK, 486, "caller", "voicemail"},
		{"no answer, then a mailbox", "+12025550192", "message", 12 * time.Second, true, store.VoicemailOK, 0, "caller", "voicemail"},
		{"not in service", "+12025550193", "through", 3 * time.Second, false, store.Missed, 404, "us", "refused"},
		{"congestion", "+12025550194", "through", 3 * time.Second, false, store.Missed, 503, "us", "refused"},
		{"silence", "+12025550195", "through", 3 * time.Second, true, store.Answered, 200, "caller", "answered"},
		{"hangs up", "+12025550196", "through", 9 * time.Second, true, store.Answered, 200, "callee", "answered"},
		{"digits", "+12025550197", "through", 4 * time.Second, true, store.Answered, 200, "caller", "1234#"},
		{"announcement", "+12025550198", "through", 3 * time.Second, true, store.Answered, 200, "caller", "early media"},
		{"declines", "+12025550199", "through", 3 * time.Second, false, store.Missed, 603, "us", "refused"},
	}
	org := "company: {name: Test, timezone: America/New_York, region: US, ring_seconds: 20}\n" +
		"users: [{id: ann, name: Ann Lee, role: owner, extension: \"201\"}]\n" +
		"policies:\n  through: {mode: cascade, steps: [forwarding, hangup]}\n  message: {mode: cascade, steps: [forwarding, voicemail]}\nnumbers:\n"
	number := func(i int) string { return fmt.Sprintf("+120255500%02d", i+1) }
	for i, c := range calls {
		org += fmt.Sprintf("  - {number: %q, kind: company, label: %q, policy: %s, forward_to: %q, ring_seconds: 8}\n", number(i), c.name, c.policy, c.line)
	}
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), passwords: map[string]string{}}
	file := filepath.Join(t.TempDir(), "org.yaml")
	if err := os.WriteFile(file, []byte(org), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	s.cli("apply", "-f", file, "--yes")
	s.args = []string{"--data", s.data, "demo", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "-v"}
	s.start()

	said, failed := make([]string, len(calls)), make([]error, len(calls))
	caller := func(i int) string { return fmt.Sprintf("+120255509%02d", i) }
	var all sync.WaitGroup
	for i, c := range calls {
		all.Go(func() {
			said[i], failed[i] = s.try("call", "--to", number(i), "--from", caller(i), "--for", c.stay.String())
		})
	}
	all.Wait()
	for i, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			if (failed[i] == nil) != c.answered || !strings.Contains(said[i], c.output) {
				t.Errorf("`strowger call`: %v, should say %q:\n%s", failed[i], c.output, said[i])
			}
			r := s.recordOf(caller(i), eventTimeout)
			if r.Disposition != c.disposition || r.EndedBy != c.endedBy {
				t.Errorf("record: %s, ended by %s (%s); want %s, by %s", r.Disposition, r.EndedBy, r.Reason, c.disposition, c.endedBy)
			}
			if l := leg(t, r, store.Phone); l.Code != c.code {
				t.Errorf("the outside line's leg: %d %s, want %d", l.Code, l.Reason, c.code)
			}
		})
	}
	s.noCalls()
}
