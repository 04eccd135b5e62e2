package routing

import (
	"testing"

	"strowger/store"
)

func TestTexts(t *testing.T) {
	text := func(from string) Request { return Request{Kind: KindText, From: from} }
	relay := func(to string) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) {
			custom(d, n, Cascade, "", "unknown_rules", "ring_group", "voicemail")
			n.DefaultRule, n.Ring = &store.Rule{AnotherNumber: num(to)}, []string{"bob"}
		}
	}
	loft := func(edit func(*store.Number)) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) {
			custom(d, n, FirstMatch, store.Phone, "voicemail", "workflow", "number_user", "contact_owner", "unknown_rules", "forwarding", "ring_group", "hangup")
			edit(n)
		}
	}
	const before, after = "voicemail-not_for_texts workflow-not_for_texts ", " hangup-not_for_texts"
	runDecisions(t, []decision{
		{name: "neither reach nor availability plays a part",
			edit: func(d *store.Directory, n *store.Number) {
				loft(func(n *store.Number) { n.User = "cyd" })(d, n)
				d.Users[2].DND = true
			},
			req: text("#7001"), live: func(l *Live) { *l = Live{Busy: []string{"cyd"}} },
			want: before + "number_user~user_assigned contact_owner?after_match unknown_rules?after_match forwarding-not_for_texts ring_group?after_match" + after + "\nfor cyd"},
		{name: "the owner of the contact",
			edit: loft(func(n *store.Number) { n.Ring = []string{"ann"} }), req: text("#7001"),
			want: before + "number_user-no_user contact_owner~contact_owned unknown_rules?after_match forwarding-not_for_texts ring_group?after_match" + after + "\nfor bob"},
		{name: "alone in a blast: theirs",
			edit: loft(func(n *store.Number) { n.DefaultRule = &store.Rule{Blast: []string{"cyd"}} }), req: text("#7002"),
			want: before + "number_user-no_user contact_owner-no_owner unknown_rules~default_rule forwarding-not_for_texts ring_group?after_match" + after + "\nfor cyd"},
		{name: "a group sees it unclaimed, in the directory's order",
			edit: loft(func(n *store.Number) { n.Ring = []string{"eve", "bob"} }), req: text("#8000"),
			want: before + "number_user-no_user contact_owner-no_owner unknown_rules-no_rule forwarding-not_for_texts ring_group~ring_group" + after + "\nunclaimed bob eve"},
		{name: "nobody: owners and admins, unclaimed",
			edit: loft(func(n *store.Number) {}), req: text("#8000"),
			want: before + "number_user-no_user contact_owner-no_owner unknown_rules-no_rule forwarding-not_for_texts ring_group-no_ring_group" + after + "\nunclaimed ann eve"},
		{name: "an owned contact skips the rules",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "unknown_rules")
				n.DefaultRule = &store.Rule{SpecificUser: "cyd"}
			},
			req: text("#7001"), want: "unknown_rules-has_owner\nunclaimed ann eve"},
		{name: "conditions hold for texts as well",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "number_user?closed", "ring_group?open")
				n.User, n.Ring = "ann", []string{"bob"}
			},
			req: text("#8000"), want: "number_user-when_not_met ring_group~ring_group\nfor bob"},
		{name: "max_inbound does not count texts",
			edit: func(d *store.Directory, n *store.Number) { n.User, n.MaxInbound = "ann", 1 },
			live: func(l *Live) { l.Active = map[string]int{num("#0001"): 9} }, req: text("#8000"),
			want: "workflow-not_for_texts number_user~user_assigned contact_owner?after_match unknown_rules?after_match ring_group?after_match forwarding-not_for_texts company_phone-not_for_texts voicemail-not_for_texts\nfor ann"},
		{name: "to an outside line", edit: relay("#6000"), req: text("#8000"),
			want: "unknown_rules~default_rule ring_group?after_match voicemail-not_for_texts\nrelay #6000"},
		{name: "a relay to the caller is a loop, and later steps are still after the match", edit: relay("#8000"), req: text("#8000"),
			want: "unknown_rules!loop/default_rule ring_group?after_match voicemail-not_for_texts\nunclaimed ann eve"},
		{name: "a relay to itself", edit: relay("#0001"), req: text("#8000"),
			want: "unknown_rules!loop/default_rule ring_group?after_match voicemail-not_for_texts\nunclaimed ann eve"},
		{name: "another number of ours decides",
			edit: func(d *store.Directory, n *store.Number) {
				relay("#0002")(d, n)
				addNumber(d, "#0002", "loftyworks", func(in *store.Number) { in.DefaultRule = &store.Rule{Blast: []string{"eve", "cyd"}} })
			},
			live: func(l *Live) { l.Active = map[string]int{num("#0002"): 99} }, req: text("#8000"),
			want: "unknown_rules~default_rule@#0002{number_user-when_not_met contact_owner-no_owner unknown_rules~default_rule voicemail-not_for_texts} ring_group?after_match voicemail-not_for_texts\nunclaimed cyd eve"},
		{name: "another number's loop stands where it is",
			edit: func(d *store.Directory, n *store.Number) {
				relay("#0002")(d, n)
				addNumber(d, "#0002", "loftyworks", func(in *store.Number) { in.DefaultRule = &store.Rule{AnotherNumber: num("#0001")} })
			},
			req:  text("#8000"),
			want: "unknown_rules~default_rule@#0002{number_user-when_not_met contact_owner-no_owner unknown_rules!loop/default_rule voicemail-not_for_texts} ring_group?after_match voicemail-not_for_texts\nunclaimed ann eve"},
		{name: "another number where nobody applies",
			edit: func(d *store.Directory, n *store.Number) {
				relay("#0002")(d, n)
				addNumber(d, "#0002", "erasne", nil)
			},
			req:  text("#8000"),
			want: "unknown_rules~default_rule@#0002{number_user-when_not_met forwarding-not_for_texts company_phone-not_for_texts voicemail-not_for_texts} ring_group?after_match voicemail-not_for_texts\nunclaimed ann eve"},
		{name: "six numbers deep is a loop",
			edit: func(d *store.Directory, n *store.Number) {
				d.Policies["rules"] = store.Policy{Mode: Cascade, Steps: []store.PolicyStep{{Step: StepUnknownRules}}}
				chain(7)(d, n)
				for i := range d.Numbers {
					n := &d.Numbers[i]
					n.Policy, n.DefaultRule, n.ForwardTo = "rules", &store.Rule{AnotherNumber: n.ForwardTo}, ""
				}
				d.Numbers[6].DefaultRule = &store.Rule{SpecificUser: "bob"}
			},
			req:  text("#8000"),
			want: "unknown_rules~default_rule@#0002{unknown_rules~default_rule@#0003{unknown_rules~default_rule@#0004{unknown_rules~default_rule@#0005{unknown_rules~default_rule@#0006{unknown_rules!loop/default_rule}}}}}\nunclaimed ann eve"},
		{name: "a text to a number that is not ours", req: Request{Kind: KindText, To: "#0404", From: "#7001"},
			want: "refuse 404 unknown_number"},
		{name: "a company without owner and admin",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "ring_group")
				d.Users[0].Role, d.Users[3].Role = store.Agent, ""
			},
			req: text("#8000"), want: "ring_group-no_ring_group\nunclaimed"},
	})
}

// TestTextJSON: lists that are empty print, what does not belong to a text does not.
func TestTextJSON(t *testing.T) {
	nobody := decision{req: Request{Kind: KindText}, edit: func(d *store.Directory, n *store.Number) {
		custom(d, n, Cascade, "")
		d.Users = d.Users[1:2]
		d.Contacts = nil
	}}
	foreign := decision{req: Request{Kind: KindText, To: "#0404"}}
	for _, c := range []struct {
		give decision
		want string
	}{
		{nobody, `{"policy":"mine","caller":"+12025558000","called":"+12025550001","known":false,"contacts":[],"trace":[],"deliver":{"users":[],"unclaimed":true}}`},
		{foreign, `{"caller":"+12025558000","called":"+12025550404","known":false,"contacts":[],"trace":[],"end":{"action":"refuse","code":404,"reason":"unknown_number"}}`},
	} {
		if got := mustJSON(t, c.give.run(t)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
