package routing

import (
	"testing"
	"time"

	"strowger/store"
)

// TestRecordingRules: users before numbers before directions; never before always.
func TestRecordingRules(t *testing.T) {
	dir := store.Directory{
		Company: store.Company{Name: "Co", Recording: store.RecordingRules{Inbound: store.RecordAlways, Internal: store.RecordNever, Announce: true}},
		Users: []store.User{{ID: "ann", Extension: "201", Record: store.RecordNever}, {ID: "bob", Extension: "202"},
			{ID: "cyd", Extension: "203", Record: store.RecordAlways}},
		Numbers: []store.Number{{Number: "+12025550001", Kind: store.CompanyNumber, Ring: []string{"ann", "bob", "cyd"}},
			{Number: "+12025550002", Kind: store.CompanyNumber, Ring: []string{"bob"}, Record: store.RecordOnDemand}},
	}
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	view := ix.With(Live{Registered: map[string][]string{"ann": {store.Desk}, "bob": {store.Desk}, "cyd": {store.Desk}}})
	inbound := func(to string) *Recording {
		return Decide(Request{To: to, From: "+12025550900"}, view, time.Now()).Recording
	}
	dials := func(user, to string) *Recording {
		return Dial(DialRequest{User: user, Dialled: to}, view, time.Now()).Plan.Recording
	}
	for _, c := range []struct {
		name      string
		r         *Recording
		users     []string
		mode, why string
	}{
		{"inbound, by direction", inbound("+12025550001"), []string{"", "bob"}, store.RecordAlways, RecordedByDirection},
		{"inbound, a user's never", inbound("+12025550001"), []string{"", "ann"}, store.RecordNever, "user ann"},
		{"inbound, a number's word", inbound("+12025550002"), []string{"", "bob"}, store.RecordOnDemand, RecordedByNumber},
		{"internal, by direction", dials("bob", "bob"), []string{"bob"}, store.RecordNever, RecordedByDirection},
		{"internal, a user's always", dials("bob", "203"), []string{"bob", "cyd"}, store.RecordAlways, "user cyd"},
		{"internal, never before always", dials("ann", "203"), []string{"ann", "cyd"}, store.RecordNever, "user ann"},
		{"outbound, nobody's rule", dials("bob", "+12025550900"), []string{"bob"}, store.RecordOnDemand, RecordedByDefault},
		{"outbound, the caller's rule", dials("cyd", "+12025550900"), []string{"cyd"}, store.RecordAlways, "user cyd"},
		{"nothing decided", nil, []string{"bob"}, store.RecordOnDemand, RecordedByDefault},
	} {
		mode, why := c.r.With(c.users...)
		if mode != c.mode || why != c.why {
			t.Errorf("%s: %s (%s), want %s (%s)", c.name, mode, why, c.mode, c.why)
		}
	}
	if r := inbound("+12025550001"); !r.Announce || len(r.Users) != 2 {
		t.Errorf("%+v", r)
	}
}
