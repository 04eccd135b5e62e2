package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplay: what was decided in the running system is decided again from its records, as it was and under a draft, while
// the server runs and after it.
func TestReplay(t *testing.T) {
	s := demo(t)
	for _, call := range [][2]string{
		{"+12025550004", "+12025550900"}, // bob's, forwarded: he has no phone here
		{"+12025550001", "+12025550900"}, // ann's contact
		{"+12025550005", "anonymous"},    // straight to voicemail
		{"+12025550404", "+12025550900"}, // not ours
	} {
		s.try("call", "--to", call[0], "--from", call[1], "--for", "1s")
	}
	s.record(4)
	// Since then the contact has another owner, and a number another line.
	change := filepath.Join(t.TempDir(), "change.yaml")
	text := `numbers: [{number: "+12025550004", kind: company, label: On the road, user: bob, forward_to: "+12025550191"}]
contacts: [{id: dee, name: Dee Poe, phones: ["+12025550900"], owner: bob, created: 2026-01-05T10:00:00Z}]
`
	if err := os.WriteFile(change, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	draft := s.exits(2, "route", "replay", "--since", "1d", "--org", change)
	if !strings.Contains(draft, "2 would have gone elsewhere") || !strings.Contains(draft, "+12025550191 > +12025550100 > voicemail of bob") {
		t.Errorf("under a draft:\n%s", draft)
	}
	s.cli("apply", "-f", change, "--yes")
	asRecorded := func() {
		t.Helper()
		if all := s.cli("route", "replay", "--since", "1d"); !strings.Contains(all, "4 decided as recorded, 0 otherwise") {
			t.Errorf("all:\n%s", all)
		}
		for _, r := range s.records() {
			if one := s.cli("route", "replay", r.ID); !strings.Contains(one, "as recorded") {
				t.Errorf("%s:\n%s", r.ID, one)
			}
		}
	}
	asRecorded()
	s.stop()
	asRecorded()
}

// exits runs a command that ends with this code.
func (s *server) exits(code int, args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		s.t.Errorf("strowger %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, out)
	}
	return out
}
