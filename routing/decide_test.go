package routing

import (
	"testing"

	"strowger/store"
)

func TestSteps(t *testing.T) {
	runDecisions(t, []decision{
		{name: "a bare number has nobody and takes a message",
			want: `workflow-no_workflow number_user-no_user contact_owner-no_owner unknown_rules-no_rule ring_group-no_ring_group forwarding-no_forwarding company_phone-no_company_phone voicemail.
				mail #0001`},
		{name: "cascade makes a stage of every step that applies",
			edit: func(d *store.Directory, n *store.Number) {
				d.Company.Phone = num("#5000")
				n.User, n.Ring, n.ForwardTo = "ann", []string{"cyd", "bob"}, num("#6000")
				n.DefaultRule = &store.Rule{SpecificUser: "cyd"}
			},
			want: `workflow-no_workflow number_user=user_assigned[ann:desk] contact_owner-no_owner unknown_rules=default_rule[cyd:desk] ring_group=ring_group[bob:desk cyd:desk] forwarding=forward_to company_phone=company_phone voicemail.
				number_user/20: ann:desk
				unknown_rules/20: cyd:desk
				ring_group/20: bob:desk cyd:desk
				forwarding/20: #6000
				company_phone/20: #5000
				mail ann`},
		{name: "first_match makes one stage and goes to the end",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "contact_owner", "ring_group", "hangup", "voicemail")
				n.Ring = []string{"ann"}
			},
			req: Request{From: "#7001"},
			want: `number_user-no_user contact_owner=contact_owned[bob:desk] ring_group?after_match hangup. voicemail?after_end
				contact_owner/20: bob:desk
				hangup 480`},
		{name: "first_match: a dropped step costs nothing and the next is asked",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "contact_owner", "ring_group", "voicemail")
				n.User, n.Ring = "ann", []string{"cyd"}
				d.Users[0].DND = true
			},
			req:  Request{From: "#7001"},
			live: func(l *Live) { l.Busy = []string{"bob"} },
			want: `number_user!nobody_available/user_assigned[ann:dnd] contact_owner!nobody_available/contact_owned[bob:busy] ring_group=ring_group[cyd:desk] voicemail.
				ring_group/20: cyd:desk
				mail ann`},
		{name: "first_match: the number's own workflow does not end the plan",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "workflow", "number_user", "ring_group", "voicemail")
				d.Workflows = []store.Workflow{{ID: "ivr", Start: "x", Nodes: map[string]store.Node{"x": {Continue: &struct{}{}}}}}
				n.Workflow, n.User, n.Ring = "ivr", "ann", []string{"bob"}
			},
			want: `workflow=workflow number_user=user_assigned[ann:desk] ring_group?after_match voicemail.
				workflow: ivr
				number_user/20: ann:desk
				mail ann`},
		{name: "first_match: a workflow after the stage is not reached",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "workflow", "voicemail")
				d.Workflows = []store.Workflow{{ID: "ivr", Start: "x", Nodes: map[string]store.Node{"x": {Continue: &struct{}{}}}}}
				n.Workflow, n.User = "ivr", "ann"
			},
			want: `number_user=user_assigned[ann:desk] workflow?after_match voicemail.
				number_user/20: ann:desk
				mail ann`},
		{name: "after an end step nothing is asked, not even its condition",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "hangup", "number_user?closed", "voicemail", "forwarding")
				n.User = "ann"
			},
			want: `hangup. number_user?after_end voicemail?after_end forwarding?after_end
				hangup 480`},
		{name: "first_match: after the stage comes after_match, even beyond the end step",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "voicemail", "forwarding?closed", "hangup")
				n.User = "ann"
			},
			want: `number_user=user_assigned[ann:desk] voicemail. forwarding?after_match hangup?after_end
				number_user/20: ann:desk
				mail ann`},
		{name: "first_match: an end step before any stage",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "voicemail", "forwarding")
				n.ForwardTo = num("#6000")
			},
			want: `number_user-no_user voicemail. forwarding?after_end
				mail #0001`},
		{name: "an end step with a condition",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "voicemail?closed", "number_user", "hangup?unknown", "voicemail")
				n.User = "ann"
			},
			want: `voicemail-when_not_met number_user=user_assigned[ann:desk] hangup. voicemail?after_end
				number_user/20: ann:desk
				hangup 480`},
		{name: "a policy without an end step hangs up",
			edit: func(d *store.Directory, n *store.Number) { custom(d, n, Cascade, "", "number_user"); n.User = "ann" },
			want: `number_user=user_assigned[ann:desk]
				number_user/20: ann:desk
				hangup 480`},
		{name: "a policy whose end step is not met hangs up",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, "", "number_user", "voicemail?closed")
				n.User = "ann"
			},
			want: `number_user=user_assigned[ann:desk] voicemail-when_not_met
				number_user/20: ann:desk
				hangup 480`},
		{name: "an empty policy hangs up",
			edit: func(d *store.Directory, n *store.Number) { custom(d, n, Cascade, "") },
			want: "\nhangup 480"},
		{name: "a custom policy replaces a built-in of its name",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "hangup")
				d.Policies["standard"], n.Policy = d.Policies["mine"], ""
			},
			want: "hangup.\nhangup 480"},
	})
}

func TestWhen(t *testing.T) {
	every := func(d *store.Directory, n *store.Number) {
		custom(d, n, Cascade, "", "number_user?contact_owned", "number_user?personal", "number_user?company", "number_user?unknown",
			"number_user?open", "number_user?closed", "hangup")
	}
	no := "-when_not_met"
	rows := func(owned, personal, company, unknown, open, closed bool) string {
		out := ""
		for _, holds := range []bool{owned, personal, company, unknown, open, closed} {
			if holds {
				out += "number_user-no_user "
			} else {
				out += "number_user" + no + " "
			}
		}
		return out + "hangup.\nhangup 480"
	}
	runDecisions(t, []decision{
		{name: "a stranger in office hours", edit: every, want: rows(false, false, true, true, true, false)},
		{name: "an owned contact after hours", edit: every, req: Request{From: "#7001"}, at: closedHour, want: rows(true, false, true, false, false, true)},
		{name: "a contact nobody owns on a holiday", edit: every, req: Request{From: "#7002"}, at: holiday, want: rows(false, false, true, false, false, true)},
		{name: "a personal number", edit: func(d *store.Directory, n *store.Number) { every(d, n); n.Kind = store.PersonalNumber },
			want: rows(false, true, false, true, true, false)},
		{name: "a company without hours is open on every day", edit: func(d *store.Directory, n *store.Number) { every(d, n); d.Company.Hours = nil },
			at: "2026-11-22T03:00:00-05:00", want: rows(false, false, true, true, true, false)},
		{name: "but not on holidays", edit: func(d *store.Directory, n *store.Number) { every(d, n); d.Company.Hours = nil },
			at: "2026-12-25T23:59:59-05:00", want: rows(false, false, true, true, false, true)},
		{name: "a holiday ends at the company's midnight", edit: func(d *store.Directory, n *store.Number) { every(d, n); d.Company.Hours = nil },
			at: "2026-12-26T00:00:00-05:00", want: rows(false, false, true, true, true, false)},
		{name: "and begins at it", edit: func(d *store.Directory, n *store.Number) { every(d, n); d.Company.Hours = nil },
			at: "2026-12-24T23:59:59-05:00", want: rows(false, false, true, true, true, false)},
		{name: "closing time is closed", edit: every, at: "2026-11-20T17:00:00-05:00", want: rows(false, false, true, true, false, true)},
		{name: "opening time is open", edit: every, at: "2026-11-20T09:00:00-05:00", want: rows(false, false, true, true, true, false)},
		{name: "the last second before closing time is open", edit: every, at: "2026-11-20T16:59:59-05:00", want: rows(false, false, true, true, true, false)},
	})
}

func TestReachPhone(t *testing.T) {
	runDecisions(t, []decision{
		{name: "rings the User Phone, whatever the user's own reach",
			edit: func(d *store.Directory, n *store.Number) { n.Policy, n.User, n.CallConnect = "tekmatix", "ann", true },
			want: `number_user=user_assigned[ann:phone] contact_owner?after_match forwarding?after_match company_phone?after_match voicemail.
				number_user/20: ann:phone=#9001(1)
				mail ann`},
		{name: "a user without one does not apply, and decides no mailbox",
			edit: func(d *store.Directory, n *store.Number) {
				n.Policy, n.User, n.ForwardTo = "tekmatix", "cyd", num("#6000")
			},
			req: Request{From: "#7001"},
			want: `number_user-no_user_phone contact_owner=contact_owned[bob:phone] forwarding?after_match company_phone?after_match voicemail.
				contact_owner/20: bob:phone=#9002
				mail bob`},
		{name: "is_caller drops the only way to ring",
			edit: func(d *store.Directory, n *store.Number) {
				n.Policy, n.User, n.ForwardTo = "tekmatix", "ann", num("#6000")
			},
			req: Request{From: "#9001"},
			want: `number_user!nobody_available/user_assigned[ann:is_caller] contact_owner-no_owner forwarding=forward_to company_phone?after_match voicemail.
				forwarding/20: #6000
				mail ann`},
		{name: "busy and dnd count at the User Phone, too",
			edit: func(d *store.Directory, n *store.Number) { n.Policy, n.User = "tekmatix", "ann" },
			live: func(l *Live) { l.Busy = []string{"ann"} },
			req:  Request{From: "#7001"},
			want: `number_user!nobody_available/user_assigned[ann:busy] contact_owner=contact_owned[bob:phone] forwarding?after_match company_phone?after_match voicemail.
				contact_owner/20: bob:phone=#9002
				mail ann`},
		{name: "groups and blasts ring those who have one",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, store.Phone, "unknown_rules", "ring_group", "voicemail")
				n.DefaultRule = &store.Rule{Blast: []string{"cyd"}}
				n.Ring = []string{"cyd", "ann"}
			},
			want: `unknown_rules!nobody_available/default_rule[cyd:unreachable] ring_group=ring_group[ann:phone cyd:unreachable] voicemail.
				ring_group/20: ann:phone=#9001
				mail #0001`},
		{name: "an active rule does not fall back to the default",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, store.Phone, "unknown_rules", "voicemail")
				n.Rules = []store.Rule{{Name: "Day", SpecificUser: "cyd", Hours: []store.Window{{Days: []string{"fri"}, From: "00:00", To: "24:00"}}}}
				n.DefaultRule = &store.Rule{SpecificUser: "ann"}
			},
			want: "unknown_rules-no_user_phone voicemail.\nmail #0001"},
		{name: "the default rule's user without one",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, FirstMatch, store.Phone, "unknown_rules", "voicemail")
				n.DefaultRule = &store.Rule{SpecificUser: "cyd"}
			},
			want: "unknown_rules-no_user_phone voicemail.\nmail #0001"},
		{name: "the condition comes before the missing phone",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, store.Phone, "number_user?closed", "contact_owner", "voicemail")
				n.User = "cyd"
				d.Contacts[0].Owner = "cyd"
			},
			req:  Request{From: "#7001"},
			want: "number_user-when_not_met contact_owner-no_user_phone voicemail.\nmail #0001"},
		{name: "erasne: a contact without owner goes to forwarding",
			edit: func(d *store.Directory, n *store.Number) {
				n.Policy, n.User, n.ForwardTo = "erasne", "ann", num("#6000")
			},
			req: Request{From: "#7002"},
			want: `number_user-when_not_met forwarding=forward_to company_phone?after_match voicemail.
				forwarding/20: #6000
				mail #0001`},
	})
}

func TestAvailability(t *testing.T) {
	friday := []store.Window{{Days: []string{"fri"}, From: "08:00", To: "12:00"}}
	number := func(d *store.Directory, n *store.Number) {
		custom(d, n, Cascade, "", "ring_group", "hangup")
		n.Ring = []string{"bob", "ann"}
	}
	ann := func(edit func(u *store.User)) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) { number(d, n); edit(&d.Users[0]) }
	}
	only := func(why string) string {
		return "ring_group=ring_group[ann:" + why + " bob:desk] hangup.\nring_group/20: bob:desk\nhangup 480"
	}
	both := "ring_group=ring_group[ann:desk bob:desk] hangup.\nring_group/20: ann:desk bob:desk\nhangup 480"
	runDecisions(t, []decision{
		{name: "in the directory's order", edit: number, want: both},
		{name: "is_caller, though she has no phone in reach", edit: number, req: Request{From: "#9001"}, want: only("is_caller")},
		{name: "is_caller in another form of the number", edit: number, req: Request{From: "(202) 555-9001"}, want: only("is_caller")},
		{name: "is_caller comes before dnd", edit: ann(func(u *store.User) { u.DND = true }), req: Request{From: "#9001"}, want: only("is_caller")},
		{name: "dnd comes before hours", edit: ann(func(u *store.User) { u.DND, u.Hours = true, friday }), at: closedHour, want: only("dnd")},
		{name: "hours come before busy", edit: ann(func(u *store.User) { u.Hours = friday }), at: closedHour,
			live: func(l *Live) { l.Busy = []string{"ann"} }, want: only("outside_hours")},
		{name: "inside hours", edit: ann(func(u *store.User) { u.Hours = friday }), want: both},
		{name: "a holiday is outside of anybody's hours", edit: ann(func(u *store.User) { u.Hours = friday }), at: holiday, want: only("outside_hours")},
		{name: "but who has no hours follows no holidays", edit: number, at: holiday, want: both},
		{name: "busy comes before unreachable", edit: number,
			live: func(l *Live) { l.Busy = []string{"ann"}; delete(l.Registered, "ann") }, want: only("busy")},
		{name: "call waiting is not busy", edit: ann(func(u *store.User) { u.CallWaiting = true }),
			live: func(l *Live) { l.Busy = []string{"ann"} }, want: both},
		{name: "unreachable", edit: number, live: func(l *Live) { l.Registered["ann"] = nil }, want: only("unreachable")},
		{name: "registered at a kind that the user does not want", edit: ann(func(u *store.User) { u.Reach = []string{"browser", "mobile"} }), want: only("unreachable")},
		{name: "kinds print in their order", edit: ann(func(u *store.User) { u.Reach = []string{"phone", "mobile", "desk", "browser"} }),
			live: func(l *Live) { l.Registered["ann"] = []string{"mobile", "desk", "browser", "desk"} },
			want: "ring_group=ring_group[ann:browser+desk+mobile+phone bob:desk] hangup.\nring_group/20: ann:browser+desk+mobile+phone=#9001 bob:desk\nhangup 480"},
		{name: "phone in reach without a User Phone", edit: func(d *store.Directory, n *store.Number) {
			number(d, n)
			n.Ring, d.Users[2].Reach = []string{"cyd"}, []string{"phone"}
		}, want: "ring_group!nobody_available/ring_group[cyd:unreachable] hangup.\nhangup 480"},
		{name: "a phone is not registered", edit: ann(func(u *store.User) { u.Phone, u.Reach = "", []string{"phone"} }),
			live: func(l *Live) { l.Registered["ann"] = []string{"phone"} }, want: only("unreachable")},
		{name: "each user once, however often named", edit: func(d *store.Directory, n *store.Number) {
			number(d, n)
			n.Ring = []string{"bob", "ann", "bob", "ann"}
		}, want: both},
		{name: "many busy people", edit: number, live: func(l *Live) {
			for i := range 40 {
				l.Busy = append(l.Busy, string(rune('A'+i)))
			}
			l.Busy = append(l.Busy, "ann")
		}, want: only("busy")},
		{name: "a colleague who calls is not rung", edit: number, req: Request{From: "201", User: "ann"}, want: only("is_caller")},
	})
}

func TestRingTimes(t *testing.T) {
	edit := func(company, number, user int, ring ...string) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) {
			custom(d, n, Cascade, "", "ring_group", "forwarding", "hangup")
			d.Company.RingSeconds, n.RingSeconds, d.Users[1].RingSeconds = company, number, user
			n.Ring, n.ForwardTo = ring, num("#6000")
		}
	}
	trace1 := "ring_group=ring_group[bob:desk] forwarding=forward_to hangup.\n"
	trace2 := "ring_group=ring_group[ann:dnd bob:desk] forwarding=forward_to hangup.\n"
	dnd := func(f func(*store.Directory, *store.Number)) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) { f(d, n); d.Users[0].DND = true }
	}
	runDecisions(t, []decision{
		{name: "a group of one names one user: theirs", edit: edit(30, 40, 50, "bob"),
			want: trace1 + "ring_group/50: bob:desk\nforwarding/40: #6000\nhangup 480"},
		{name: "else the number's", edit: edit(30, 40, 0, "bob"),
			want: trace1 + "ring_group/40: bob:desk\nforwarding/40: #6000\nhangup 480"},
		{name: "else the company's", edit: edit(30, 0, 0, "bob"),
			want: trace1 + "ring_group/30: bob:desk\nforwarding/30: #6000\nhangup 480"},
		{name: "else 20", edit: edit(0, 0, 0, "bob"),
			want: trace1 + "ring_group/20: bob:desk\nforwarding/20: #6000\nhangup 480"},
		{name: "a group of two, of whom one can ring, names several", edit: dnd(edit(30, 40, 50, "bob", "ann")),
			want: trace2 + "ring_group/40: bob:desk\nforwarding/40: #6000\nhangup 480"},
		{name: "held to 5 at least", edit: edit(0, 1, 2, "bob"),
			want: trace1 + "ring_group/5: bob:desk\nforwarding/5: #6000\nhangup 480"},
		{name: "held to 120 at most", edit: edit(600, 0, 121, "bob"),
			want: trace1 + "ring_group/120: bob:desk\nforwarding/120: #6000\nhangup 480"},
	})
}
