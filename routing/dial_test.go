package routing

import (
	"testing"
	"time"

	"strowger/store"
)

// dialOrg has extensions, a personal number of bob's and two company numbers, the second of which is cyd's.
func dialOrg() store.Directory {
	dir := smallOrg()
	for i, ext := range []string{"201", "202", "203", "204"} {
		dir.Users[i].Extension = ext
	}
	no := false
	dir.Users[2].Voicemail = &no
	dir.Numbers[0].Label, dir.Numbers[0].Ring = "Main", []string{"ann", "bob"}
	addNumber(&dir, "#0002", "", func(n *store.Number) { n.User = "cyd" })
	addNumber(&dir, "#0003", "", func(n *store.Number) { n.Kind, n.User = store.PersonalNumber, "bob" })
	addNumber(&dir, "#0004", "", func(n *store.Number) { n.User = "bob" })
	return dir
}

func TestDial(t *testing.T) {
	ix, err := NewIndex(dialOrg())
	if err != nil {
		t.Fatal(err)
	}
	live := atDesks()
	live.Busy = []string{"eve"}
	now, _ := time.Parse(time.RFC3339, openHour)
	for _, c := range []struct {
		name      string
		req       DialRequest
		direction string
		to        string
		shown     string
		want      string
	}{
		{"an extension", DialRequest{User: "ann", Dialled: "202"}, store.Internal, "202", "201",
			"extension=dialled[bob:desk] voicemail.\nextension/20: bob:desk\nmail bob"},
		{"a colleague's id", DialRequest{User: "ann", Dialled: "bob"}, store.Internal, "202", "201",
			"extension=dialled[bob:desk] voicemail.\nextension/20: bob:desk\nmail bob"},
		{"no mailbox", DialRequest{User: "ann", Dialled: "203"}, store.Internal, "203", "201",
			"extension=dialled[cyd:desk] hangup.\nextension/20: cyd:desk\nhangup 480"},
		{"who is busy", DialRequest{User: "ann", Dialled: "204"}, store.Internal, "204", "201",
			"extension!nobody_available/dialled[eve:busy] voicemail.\nmail eve"},
		{"oneself", DialRequest{User: "ann", Dialled: "201"}, store.Internal, "201", "201",
			"extension!nobody_available/dialled[ann:is_caller] voicemail.\nmail ann"},
		{"the outside", DialRequest{User: "bob", Dialled: "(202) 555-6000"}, store.Outbound, num("#6000"), num("#0003"),
			"outbound=dialled hangup.\noutbound/120: #6000\nhangup 480"},
		{"the outside, with a number that one may show", DialRequest{User: "bob", Dialled: num("#6000"), CallFrom: "202 555 0001"}, store.Outbound, num("#6000"), num("#0001"),
			"outbound=dialled hangup.\noutbound/120: #6000\nhangup 480"},
		{"the outside, with somebody's personal number", DialRequest{User: "ann", Dialled: num("#6000"), CallFrom: num("#0003")}, store.Outbound, num("#6000"), num("#0001"),
			"outbound=dialled hangup.\noutbound/120: #6000\nhangup 480"},
		{"an emergency", DialRequest{User: "cyd", Dialled: "911"}, store.Outbound, "911", num("#0002"),
			"emergency=emergency hangup.\nemergency/120: 911\nhangup 480"},
		{"a number of ours is decided, and who calls is not rung", DialRequest{User: "bob", Dialled: num("#0001")}, store.Internal, num("#0001"), num("#0003"),
			"workflow-no_workflow number_user-no_user contact_owner-no_owner unknown_rules-no_rule ring_group=ring_group[ann:desk bob:is_caller] forwarding-no_forwarding company_phone-no_company_phone voicemail.\nring_group/20: ann:desk\nmail #0001"},
		{"nothing we know", DialRequest{User: "ann", Dialled: "999999"}, store.Outbound, "999999", num("#0001"), "refuse 404 unknown_number"},
	} {
		got := Dial(c.req, ix.With(live), now)
		if text := compact(got.Plan); text != c.want && text != "\n"+c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, text, c.want)
		}
		if got.Direction != c.direction || got.To != c.to || got.CallerID != c.shown {
			t.Errorf("%s: %s to %s as %s", c.name, got.Direction, got.To, got.CallerID)
		}
		if got.Plan.Stages == nil || got.Plan.Contacts == nil {
			t.Errorf("%s: lists that print as null: %+v", c.name, got.Plan)
		}
	}
}

func TestCallFrom(t *testing.T) {
	ix, err := NewIndex(dialOrg())
	if err != nil {
		t.Fatal(err)
	}
	const one, two, three, four = `"number":"+12025550001","label":"Main"`, `"number":"+12025550002"`, `"number":"+12025550003"`, `{"kind":"company","number":"+12025550004"}`
	for user, want := range map[string]string{
		"ann": `[{"kind":"company",` + one + `,"default":true},{"kind":"company",` + two + `},` + four + `,{"kind":"bridge","number":"+12025559001","label":"Bridge"}]`,
		"bob": `[{"kind":"personal",` + three + `,"default":true},{"kind":"company",` + one + `},{"kind":"company",` + two + `},` + four + `,{"kind":"bridge","number":"+12025559002","label":"Bridge"}]`,
		"cyd": `[{"kind":"company",` + one + `},{"kind":"company",` + two + `,"default":true},` + four + `]`,
	} {
		if got := mustJSON(t, CallFrom(ix.With(Live{}), user)); got != want {
			t.Errorf("%s: got %s, want %s", user, got, want)
		}
	}
	dir := dialOrg()
	dir.Numbers = nil
	bare, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustJSON(t, CallFrom(bare.With(Live{}), "cyd")); got != "[]" {
		t.Errorf("no numbers: %s", got)
	}
}

func TestTextFrom(t *testing.T) {
	dir := dialOrg()
	for _, c := range []struct{ sender, user, want string }{
		{"", "bob", num("#0003")}, {"", "cyd", num("#0002")}, {"", "ann", ""}, {"", "", ""}, {num("#0001"), "bob", num("#0001")},
	} {
		dir.Company.TextSender = c.sender
		ix, err := NewIndex(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := TextFrom(ix.With(Live{}), c.user); got != c.want {
			t.Errorf("%q by %q: %q", c.user, c.sender, got)
		}
	}
}
