package routing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// TestBrokenOrganisations: what cannot be compiled is named, all of it at once.
func TestBrokenOrganisations(t *testing.T) {
	window := func(from, to string, days ...string) []store.Window {
		return []store.Window{{Days: days, From: from, To: to}}
	}
	for _, c := range []struct {
		edit func(d *store.Directory, n *store.Number)
		want string
	}{
		{func(d *store.Directory, _ *store.Number) { d.Company.Timezone = "Mars/Olympus" }, "company timezone: unknown time zone Mars/Olympus"},
		{func(d *store.Directory, _ *store.Number) { d.Company.Closed = []string{"25.12.2026"} }, `company closed: "25.12.2026" is not a date like 2026-12-25`},
		{func(d *store.Directory, _ *store.Number) { d.Company.Hours = window("9:00", "17:00", "mon") }, `company hours: window 1: from "9:00" is not a time between 00:00 and 23:59`},
		{func(d *store.Directory, _ *store.Number) { d.Company.Hours = window("24:00", "17:00", "mon") }, `company hours: window 1: from "24:00" is not a time`},
		{func(d *store.Directory, _ *store.Number) { d.Company.Hours = window("09:00", "24:01", "mon") }, `company hours: window 1: to "24:01" is not a time between 00:00 and 24:00`},
		{func(d *store.Directory, _ *store.Number) { d.Company.Hours = window("09:00", "09:00", "mon") }, "from and to are both 09:00"},
		{func(d *store.Directory, _ *store.Number) { d.Users[0].Hours = window("09:00", "10:00") }, "user ann hours: window 1: no days"},
		{func(d *store.Directory, _ *store.Number) { d.Users[0].Hours = window("09:00", "10:00", "Monday") }, `"Monday" is not a day`},
		{func(d *store.Directory, n *store.Number) {
			n.Rules = []store.Rule{{Name: "R", Hours: window("xx:00", "10:00", "mon")}}
		}, "number +12025550001, rule R: window 1"},
		{func(d *store.Directory, n *store.Number) { n.Policy = "gone" }, `number +12025550001: there is no policy "gone"`},
		{func(d *store.Directory, n *store.Number) { custom(d, n, "random", "") }, `policy mine: mode "random"`},
		{func(d *store.Directory, n *store.Number) { custom(d, n, Cascade, "desk") }, `policy mine: reach "desk"`},
		{func(d *store.Directory, n *store.Number) { custom(d, n, Cascade, "", "voicemail", "magic") }, `policy mine: step 2: there is no step "magic"`},
		{func(d *store.Directory, n *store.Number) { custom(d, n, Cascade, "", "voicemail?never") }, `policy mine: step 1: there is no condition "never"`},
		{func(d *store.Directory, n *store.Number) { d.Numbers = append(d.Numbers, *n) }, "number +12025550001: there are two"},
		{func(d *store.Directory, n *store.Number) {
			chain(6)(d, n)
			d.Policies["on"] = store.Policy{Mode: Cascade, Steps: slices.Repeat([]store.PolicyStep{{Step: StepForwarding}}, 50)}
		}, "number +12025550001: its plan could have more than 5000 steps, by the numbers that it hands calls on to; repeat fewer steps in policy on"},
		{func(d *store.Directory, n *store.Number) { d.Users = append(d.Users, d.Users[0]) }, "user ann: there are two"},
	} {
		dir := smallOrg()
		c.edit(&dir, &dir.Numbers[0])
		if _, err := NewIndex(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestAbsentNames: who does not exist is not there; nothing breaks.
func TestAbsentNames(t *testing.T) {
	runDecisions(t, []decision{{name: "dangling",
		edit: func(d *store.Directory, n *store.Number) {
			n.User, n.Workflow, n.Ring = "gone", "gone", []string{"gone"}
			n.DefaultRule = &store.Rule{SpecificUser: "gone"}
			d.Contacts[0].Owner = "gone"
		},
		req: Request{From: "#7001"},
		want: `workflow-no_workflow number_user-no_user contact_owner-no_owner unknown_rules-no_rule ring_group-no_ring_group forwarding-no_forwarding company_phone-no_company_phone voicemail.
			mail #0001`}})
}

// TestContactsFromElsewhere: a lookup of its own takes the place of the directory's contacts.
func TestContactsFromElsewhere(t *testing.T) {
	ix, err := NewIndex(smallOrg())
	if err != nil {
		t.Fatal(err)
	}
	asked := ""
	other := ix.WithContacts(func(e164 string) []*store.Contact {
		asked = e164
		return []*store.Contact{{ID: "x", Owner: "cyd"}}
	})
	req := Request{To: num("#0001"), From: "202 555 7001"}
	if p := Decide(req, other.With(Live{}), time.Now()); p.Owner != "cyd" || asked != num("#7001") {
		t.Errorf("owner %s, asked for %s", p.Owner, asked)
	}
	if p := Decide(req, ix.With(Live{}), time.Now()); p.Owner != "bob" {
		t.Errorf("the first index changed: owner %s", p.Owner)
	}
}

// TestDecideChangesNothing: deciding leaves the directory and earlier plans alone.
func TestDecideChangesNothing(t *testing.T) {
	dir := smallOrg()
	dir.Numbers[0].Ring = []string{"cyd", "ann", "bob"}
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	view := ix.With(atDesks())
	req := Request{To: num("#0001"), From: num("#7001")}
	now := time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	first := Decide(req, view, now)
	before := mustJSON(t, first)
	for range 3 {
		again := Decide(req, view, now)
		if got := mustJSON(t, again); got != before {
			t.Fatalf("got %s, want %s", got, before)
		}
		again.Stages[0].Targets = append(again.Stages[0].Targets, Target{User: "x"})
		again.Trace[2].Users = append(again.Trace[2].Users, RowUser{User: "x"})
	}
	if got := mustJSON(t, first); got != before {
		t.Fatalf("got %s, want %s", got, before)
	}
}
