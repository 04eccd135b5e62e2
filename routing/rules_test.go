package routing

import (
	"encoding/json"
	"testing"
	"time"

	"strowger/store"
)

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestRules(t *testing.T) {
	window := func(from, to string, days ...string) []store.Window {
		return []store.Window{{Days: days, From: from, To: to}}
	}
	rules := func(d *store.Directory, n *store.Number) {
		custom(d, n, Cascade, "", "unknown_rules", "voicemail")
		n.Rules = []store.Rule{
			{Name: "Late Sunday", SpecificUser: "bob", Hours: window("22:00", "06:00", "sun")},
			{Name: "Saturday night", AnotherNumber: num("#6000"), Hours: window("20:00", "02:30", "sat")},
			{Name: "Lunch", Blast: []string{"cyd", "ann"}, Hours: window("12:00", "13:00", "mon", "fri")},
		}
		n.DefaultRule = &store.Rule{SpecificUser: "eve"}
	}
	eve := "unknown_rules=default_rule[eve:desk] voicemail.\nunknown_rules/20: eve:desk\nmail eve"
	bob := "unknown_rules=rule:Late Sunday[bob:desk] voicemail.\nunknown_rules/20: bob:desk\nmail bob"
	night := "unknown_rules=rule:Saturday night voicemail.\nunknown_rules/20: #6000\nmail #0001"
	lunch := "unknown_rules=rule:Lunch[ann:desk cyd:desk] voicemail.\nunknown_rules/20: ann:desk cyd:desk\nmail #0001"
	runDecisions(t, []decision{
		{name: "no rule is active: the default", edit: rules, want: eve},
		{name: "from is inside", edit: rules, at: "2026-11-20T12:00:00-05:00", want: lunch},
		{name: "to is outside", edit: rules, at: "2026-11-20T13:00:00-05:00", want: eve},
		{name: "windows are the company's wall clock", edit: rules, at: "2026-11-20T17:30:00Z", want: lunch},
		{name: "holidays mean nothing to rules", edit: rules, at: "2026-12-25T12:59:59-05:00", want: lunch},
		{name: "across the week's end", edit: rules, at: "2026-11-23T05:59:00-05:00", want: bob},
		{name: "before it", edit: rules, at: "2026-11-22T22:00:00-05:00", want: bob},
		{name: "a window belongs to the day it starts on", edit: rules, at: "2026-11-22T05:00:00-05:00", want: eve},
		{name: "spring forward: half past two does not occur, its rule ends at three", edit: rules, at: "2026-03-08T03:00:00-04:00", want: eve},
		{name: "spring forward: until two it holds", edit: rules, at: "2026-03-08T01:59:59-05:00", want: night},
		{name: "fall back: the first half past one", edit: rules, at: "2026-11-01T01:30:00-04:00", want: night},
		{name: "fall back: the second one, too", edit: rules, at: "2026-11-01T01:30:00-05:00", want: night},
		{name: "fall back: until half past two", edit: rules, at: "2026-11-01T02:30:00-05:00", want: eve},
		{name: "an owned contact is no stranger", edit: rules, req: Request{From: "#7001"},
			want: "unknown_rules-has_owner voicemail.\nmail #0001"},
		{name: "a contact nobody owns goes by the rules", edit: rules, req: Request{From: "#7002"}, want: eve},
		{name: "a rule that can ring nobody is dropped, and its user has the mailbox", edit: rules,
			live: func(l *Live) { l.Busy = []string{"eve"} },
			want: "unknown_rules!nobody_available/default_rule[eve:busy] voicemail.\nmail eve"},
		{name: "a blast that can ring nobody, and no mailbox of theirs", edit: rules, at: "2026-11-20T12:00:00-05:00",
			live: func(l *Live) { l.Busy = []string{"ann"}; l.Registered["cyd"] = nil },
			want: "unknown_rules!nobody_available/rule:Lunch[ann:busy cyd:unreachable] voicemail.\nmail #0001"},
		{name: "no default", edit: func(d *store.Directory, n *store.Number) { rules(d, n); n.DefaultRule = nil },
			want: "unknown_rules-no_rule voicemail.\nmail #0001"},
		{name: "the default may be a blast of one, who has the ring time but not the mailbox", edit: func(d *store.Directory, n *store.Number) {
			rules(d, n)
			n.DefaultRule, d.Users[1].RingSeconds = &store.Rule{Blast: []string{"bob"}}, 55
		}, want: "unknown_rules=default_rule[bob:desk] voicemail.\nunknown_rules/55: bob:desk\nmail #0001"},
	})
}

func TestMailbox(t *testing.T) {
	no := false
	runDecisions(t, []decision{
		{name: "the first single user has none: the number's, not the second user's",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "number_user", "contact_owner", "voicemail")
				n.User, d.Users[0].Voicemail = "ann", &no
			},
			req: Request{From: "#7001"},
			want: `number_user=user_assigned[ann:desk] contact_owner=contact_owned[bob:desk] voicemail.
				number_user/20: ann:desk
				contact_owner/20: bob:desk
				mail #0001`},
		{name: "blasts and groups do not count, a later single user does",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "ring_group", "contact_owner", "voicemail")
				n.Ring = []string{"cyd"}
			},
			req: Request{From: "#7001"},
			want: `ring_group=ring_group[cyd:desk] contact_owner=contact_owned[bob:desk] voicemail.
				ring_group/20: cyd:desk
				contact_owner/20: bob:desk
				mail bob`},
		{name: "steps that are not reached do not count",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "ring_group", "contact_owner", "voicemail")
				n.Ring = []string{"cyd"}
			},
			req: Request{From: "#7001"},
			want: `ring_group=ring_group[cyd:desk] contact_owner?after_match voicemail.
				ring_group/20: cyd:desk
				mail #0001`},
		{name: "another number's single user, then ours",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "forwarding", "number_user", "voicemail")
				n.User, n.ForwardTo = "ann", num("#0002")
				addNumber(d, "#0002", "loftyworks", func(in *store.Number) { in.DefaultRule = &store.Rule{SpecificUser: "cyd"} })
			},
			want: `forwarding=forward_to@#0002{number_user-when_not_met contact_owner-no_owner unknown_rules=default_rule[cyd:desk] voicemail.} number_user=user_assigned[ann:desk] voicemail.
				unknown_rules/20: cyd:desk @#0002
				number_user/20: ann:desk
				mail cyd`},
	})
}

func TestRefusals(t *testing.T) {
	limit := func(n int) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, number *store.Number) {
			custom(d, number, Cascade, "", "hangup")
			number.MaxInbound = n
		}
	}
	active := func(n int) func(*Live) { return func(l *Live) { l.Active = map[string]int{num("#0001"): n} } }
	runDecisions(t, []decision{
		{name: "the fiftieth call", edit: limit(0), live: active(49), want: "hangup.\nhangup 480"},
		{name: "the fifty-first", edit: limit(0), live: active(50), want: "refuse 486 over_limit"},
		{name: "one at a time", edit: limit(1), live: active(1), want: "refuse 486 over_limit"},
		{name: "a number that is not ours", req: Request{To: "#0404"}, want: "refuse 404 unknown_number"},
		{name: "no number at all", req: Request{To: "anonymous"}, want: "refuse 404 unknown_number"},
	})
	full := decision{edit: limit(1), live: active(1), req: Request{From: "2025557001"}}
	want := `{"policy":"mine","caller":"2025557001","called":"+12025550001","known":true,"contacts":["owned"],"owner":"bob","trace":[],"stages":[],"end":{"action":"refuse","code":486,"reason":"over_limit"}}`
	if got := mustJSON(t, full.run(t)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNumbersAsWritten: the called number and the caller may come in any form; the caller prints as given.
func TestNumbersAsWritten(t *testing.T) {
	for _, to := range []string{"+12025550001", "2025550001", "(202) 555-0001", "12025550001", "tel:+1-202-555-0001"} {
		for _, from := range []string{"+12025557001", "202.555.7001", "1 202 555 7001", "+1 (202) 555-7001"} {
			p := (&decision{req: Request{To: to, From: from}}).run(t)
			if p.Called != "+12025550001" || p.Caller != from || p.Owner != "bob" {
				t.Errorf("%s from %s: called %s, caller %s, owner %q", to, from, p.Called, p.Caller, p.Owner)
			}
		}
	}
}

func TestMatchingContacts(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 1, d, 0, 0, 0, 0, time.UTC) }
	contact := func(id, owner string, created time.Time) store.Contact {
		return store.Contact{ID: id, Owner: owner, Created: created, Phones: []string{"+12025557000"}}
	}
	for _, c := range []struct {
		name     string
		contacts []store.Contact
		from     string
		owner    string
		want     string // contacts
	}{
		{"nobody", nil, "+12025557000", "", `[]`},
		{"none has an owner: every timeline", []store.Contact{contact("b", "", day(1)), contact("a", "", day(2))}, "+12025557000", "", `["a","b"]`},
		{"one owner: every timeline, unowned ones as well",
			[]store.Contact{contact("c", "bob", day(1)), contact("a", "", day(3)), contact("b", "bob", day(2))}, "+12025557000", "bob", `["a","b","c"]`},
		{"owners differ: the newest owned one",
			[]store.Contact{contact("a", "bob", day(1)), contact("b", "ann", day(2)), contact("c", "", day(3))}, "+12025557000", "ann", `["b"]`},
		{"equal times: the smaller id",
			[]store.Contact{contact("b", "ann", day(1)), contact("a", "bob", day(1))}, "+12025557000", "bob", `["a"]`},
		{"ids are compared as text",
			[]store.Contact{contact("c9", "ann", day(1)), contact("c10", "bob", day(1))}, "+12025557000", "bob", `["c10"]`},
		{"the newest is neither first nor last",
			[]store.Contact{contact("a", "bob", day(1)), contact("b", "ann", day(9)), contact("c", "bob", day(2))}, "+12025557000", "ann", `["b"]`},
		{"equal instants in different zones",
			[]store.Contact{contact("b", "ann", day(1)), contact("a", "bob", day(1).In(time.FixedZone("", 3600)))}, "+12025557000", "bob", `["a"]`},
		{"the national form", []store.Contact{contact("a", "bob", day(1))}, "(202) 555-7000", "bob", `["a"]`},
		{"anonymous", []store.Contact{contact("a", "bob", day(1))}, "anonymous", "", `[]`},
		{"nothing", []store.Contact{contact("a", "bob", day(1))}, "", "", `[]`},
		{"a contact that lists the number twice", []store.Contact{{ID: "a", Phones: []string{"+12025557000", "202-555-7000"}}}, "+12025557000", "", `["a"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				dir := smallOrg()
				dir.Contacts = c.contacts
				ix, err := NewIndex(dir)
				if err != nil {
					t.Fatal(err)
				}
				p := Decide(Request{To: "+12025550001", From: c.from}, ix.With(Live{}), day(20))
				if p.Owner != c.owner || mustJSON(t, p.Contacts) != c.want || p.Known != (c.want != "[]") {
					t.Errorf("owner %q, contacts %v, known %v", p.Owner, p.Contacts, p.Known)
				}
				for i, j := 0, len(c.contacts)-1; i < j; i, j = i+1, j-1 { // and once more in the other order
					c.contacts[i], c.contacts[j] = c.contacts[j], c.contacts[i]
				}
			}
		})
	}
}
