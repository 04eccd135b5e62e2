package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/store/directory"
)

const replayOrg = `company: {name: Test, timezone: America/New_York, region: US}
users:
  - {id: ann, name: Ann Lee, role: owner, extension: "201"}
  - {id: bob, name: Bob Ray, extension: "202"}
numbers:
  - {number: "+12025550001", kind: company, ring: [ann], ring_seconds: 15}
  - {number: "+12025550002", kind: company, ring: [bob], forward_to: "+12025550150"}
contacts:
  - {id: dee, name: Dee Poe, phones: ["+12025550900"], owner: bob, created: 2026-01-05T10:00:00Z}
`

// replayStore is a data folder with the organisation above; each call is recorded as the router records it.
type replayStore struct {
	t    *testing.T
	data string
	n    int
}

func newReplayStore(t *testing.T) *replayStore {
	s := &replayStore{t: t, data: t.TempDir()}
	s.open(func(db *bolt.DB) error {
		dir, err := directory.Parse("org.yaml", []byte(replayOrg))
		if err == nil {
			_, err = db.Apply(dir)
		}
		return err
	})
	return s
}

func (s *replayStore) open(f func(db *bolt.DB) error) {
	s.t.Helper()
	db, err := bolt.Open(filepath.Join(s.data, admin.StoreName), bolt.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if err := f(db); err != nil {
		s.t.Fatal(err)
	}
}

// call records a call that is decided now, and changes the record before it is kept.
func (s *replayStore) call(to, from string, edit func(*store.CallRecord)) string {
	s.t.Helper()
	s.n++
	id := fmt.Sprintf("call-%04d", s.n)
	s.open(func(db *bolt.DB) error {
		dir, version := db.Directory()
		ix, err := routing.NewIndex(dir)
		if err != nil {
			return err
		}
		ix = ix.WithContacts(func(e164 string) (found []*store.Contact) {
			list, err := db.ContactsByPhone(e164)
			for i := range list {
				found = append(found, &list[i])
			}
			if err != nil {
				s.t.Error(err)
			}
			return found
		})
		asked := routing.Asked{Request: &routing.Request{To: to, From: from}, At: time.Now(), Version: version,
			Live: routing.Live{Registered: map[string][]string{"ann": {"desk"}, "bob": {"desk"}}}}
		rec := store.CallRecord{ID: id, Start: time.Now().Add(-time.Hour).Add(time.Duration(s.n) * time.Second), From: from, To: to,
			Disposition: store.Missed, Plan: rawJSON(s.t, asked.Decide(ix).Plan), Request: rawJSON(s.t, asked)}
		if edit != nil {
			edit(&rec)
		}
		return db.CloseCall(rec)
	})
	return id
}

func rawJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// replay runs the command; code is its exit code.
func (s *replayStore) replay(args ...string) (out string, code int) {
	s.t.Helper()
	out, err := routeIn(s.t, s.data, "", append([]string{"replay"}, args...)...)
	var exit exitCode
	switch {
	case errors.As(err, &exit):
		return out, int(exit)
	case err != nil:
		return err.Error(), 1
	}
	return out, 0
}

func (s *replayStore) draft(text string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "draft.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *replayStore) wants(args []string, code int, parts ...string) {
	s.t.Helper()
	out, got := s.replay(args...)
	if got != code {
		s.t.Errorf("%v: exit %d, want %d:\n%s", args, got, code, out)
	}
	for _, part := range parts {
		if !strings.Contains(out, part) {
			s.t.Errorf("%v: want %q in\n%s", args, part, out)
		}
	}
}

func TestReplayAsRecorded(t *testing.T) {
	s := newReplayStore(t)
	id := s.call("+12025550001", "+12025550900", nil)
	s.call("+12025550002", "anonymous", nil)
	s.call("+12025550404", "+12025550900", nil)
	// Neither a new version nor changed contacts change what was decided.
	s.open(func(db *bolt.DB) error {
		if err := db.PutContact(store.Contact{ID: "dee", Phones: []string{"+12025550900"}, Owner: "ann"}); err != nil {
			return err
		}
		dir, _ := db.Directory()
		dir.Numbers = dir.Numbers[1:]
		_, err := db.ApplyChange(bolt.Change{Directory: dir})
		return err
	})
	s.wants([]string{id}, 0, "as recorded", "the contact of bob", "1. ring bob for 15 s")
	s.wants([]string{"--since", "7d"}, 0, "3 calls since", "3 decided as recorded, 0 otherwise")
}

func TestReplayDiffers(t *testing.T) {
	s := newReplayStore(t)
	other := func(rec *store.CallRecord) {
		rec.Plan = json.RawMessage(strings.ReplaceAll(string(rec.Plan), "ann", "bob"))
	}
	id := s.call("+12025550001", "+12025550999", other)
	s.wants([]string{id}, 2, "decided otherwise than recorded", "was    bob > voicemail of +12025550001", "is now ann > voicemail of +12025550001")
	s.wants([]string{"--since", "1h30m"}, 2, "0 decided as recorded, 1 otherwise")
	// A trace that explains the same plan in another way is a difference, too.
	why := s.call("+12025550001", "+12025550999", func(rec *store.CallRecord) {
		rec.Plan = json.RawMessage(strings.ReplaceAll(string(rec.Plan), "no_user", "when_not_met"))
	})
	s.wants([]string{why}, 2, "-", "number_user    skipped: its condition does not hold")
}

func TestReplayCannot(t *testing.T) {
	s := newReplayStore(t)
	for _, c := range []struct {
		edit func(*store.CallRecord)
		want string
	}{
		{func(r *store.CallRecord) { r.Plan, r.Request = nil, nil }, "it ended before it was routed"},
		{func(r *store.CallRecord) { r.Request = nil }, "its record does not keep what was asked"},
		{func(r *store.CallRecord) { r.Request = json.RawMessage(`{"version":"x"}`) }, "does not keep which contacts"},
		{func(r *store.CallRecord) { r.Request = json.RawMessage(`{"version":"x","contacts":[]}`) }, "version x of the directory is no longer kept"},
		{func(r *store.CallRecord) { r.Plan = json.RawMessage(`"no plan"`) }, "its plan is damaged"},
	} {
		s.wants([]string{s.call("+12025550001", "+12025550900", c.edit)}, 1, "cannot be decided again", c.want)
	}
	s.wants([]string{"--since", "2d"}, 0, "5 calls since", "0 decided as recorded, 0 otherwise", "1 cannot be decided again: it ended before it was routed")
	s.wants([]string{"call-9999"}, 1, "not found")
	s.wants(nil, 1, "--since 7d")
	s.wants([]string{"call-0001", "--since", "7d"}, 1, "not both")
	s.wants([]string{"--since", "7d", "--prune"}, 1, "give --org")
	s.wants([]string{"--since", "7d", "--org", s.draft("numbers: [{number: 12}]")}, 1, "draft.yaml:1:11")
}

func TestReplayUnderDraft(t *testing.T) {
	s := newReplayStore(t)
	stranger := s.call("+12025550001", "+12025550999", nil)
	known := s.call("+12025550001", "+12025550900", nil)
	other := s.call("+12025550002", "+12025550999", nil)

	ring := s.draft(`numbers: [{number: "+12025550001", kind: company, ring: [ann, bob], ring_seconds: 15}]`)
	s.wants([]string{"--since", "7d", "--org", ring}, 2, stranger, "ann > voicemail of +12025550001", "ann, bob > voicemail of +12025550001",
		"2 would have gone elsewhere", "1 as before")
	s.wants([]string{stranger, "--org", ring}, 2, "it would have gone elsewhere", "1. ring ann, bob for 15 s")
	s.wants([]string{other, "--org", ring}, 0, "it would have gone as it did")

	longer := s.draft(`numbers: [{number: "+12025550001", kind: company, ring: [ann], ring_seconds: 25}]`)
	s.wants([]string{"--since", "7d", "--org", longer}, 0, "0 would have gone elsewhere, 2 to the same people in another way", "in another way: "+known)
	s.wants([]string{known, "--org", longer}, 0, "not in the same way", "1. ring bob for 25 s")

	// The draft's contacts replace those of the record; others stay, unless the draft is complete.
	hers := s.draft(`contacts: [{id: dee, phones: ["+12025550900"], owner: ann}]`)
	s.wants([]string{known, "--org", hers}, 2, "was    bob > ann > voicemail of bob", "is now ann > ann > voicemail of ann")
	lost := s.draft(`contacts: [{id: dee, phones: ["+12025550901"], owner: bob}]`)
	s.wants([]string{known, "--org", lost}, 2, "the caller is unknown", "is now ann > voicemail of +12025550001")
	more := s.draft(`contacts: [{id: new, phones: ["+12025550900", "+12025550999"], owner: ann}]`)
	s.wants([]string{known, "--org", more}, 0, "it would have gone as it did")
	s.wants([]string{known, "--org", more, "--prune"}, 2, "is now ann > ann > voicemail of ann")
	s.wants([]string{stranger, "--org", more}, 2, "is now ann > ann > voicemail of ann")

	gone := s.draft(`numbers: [{number: "+12025550002", kind: company, ring: [bob], forward_to: "+12025550150"}]`)
	s.wants([]string{"--since", "7d", "--org", gone}, 0, "3 as before")
	s.wants([]string{"--since", "7d", "--org", gone, "--prune"}, 2, "refused with 404", "2 would have gone elsewhere")
}

func TestReplayJSON(t *testing.T) {
	s := newReplayStore(t)
	id := s.call("+12025550001", "+12025550999", nil)
	draft := s.draft(`numbers: [{number: "+12025550001", kind: company, ring: [bob]}]`)
	out, code := s.replay("--since", "7d", "--org", draft, "--json")
	var report replayReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 2 {
		t.Fatalf("exit %d, %v:\n%s", code, err, out)
	}
	if report.Calls != 1 || len(report.Elsewhere) != 1 || report.Elsewhere[0].ID != id || report.Elsewhere[0].Decided.Stages[0].Targets[0].User != "bob" {
		t.Errorf("report: %s", out)
	}
	out, code = s.replay(id, "--json")
	var one replayed
	if err := json.Unmarshal([]byte(out), &one); err != nil || code != 0 || one.Outcome != replaySame || one.Version == "" {
		t.Errorf("exit %d, %v:\n%s", code, err, out)
	}
}

// TestReplayPages: more records than are read at a time, some of the same moment, are each decided once.
func TestReplayPages(t *testing.T) {
	s := newReplayStore(t)
	const calls = 2*replayPage + 7
	start := time.Now().Add(-time.Minute)
	s.open(func(db *bolt.DB) error {
		var all sync.WaitGroup // the store writes in one go what comes at once
		for i := range calls {
			rec := store.CallRecord{ID: fmt.Sprintf("page-%05d", i), Start: start.Add(time.Duration(i/3) * time.Millisecond)}
			all.Go(func() {
				if err := db.CloseCall(rec); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return nil
	})
	s.wants([]string{"--since", "1h"}, 0, fmt.Sprintf("%d calls since", calls), fmt.Sprintf("%d cannot be decided again", calls))
}
