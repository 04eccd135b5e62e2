package routing

import (
	"testing"

	"strowger/store"
)

// chain forwards #0001 to #0002 and so on to #000n, the last of which rings ann.
func chain(n int) func(*store.Directory, *store.Number) {
	return func(d *store.Directory, _ *store.Number) {
		d.Policies["on"] = store.Policy{Mode: Cascade, Steps: []store.PolicyStep{{Step: StepForwarding}, {Step: StepNumberUser}, {Step: StepHangup}}}
		d.Numbers = nil
		for i := 1; i <= n; i++ {
			number := store.Number{Number: num("#000" + string(rune('0'+i))), Kind: store.CompanyNumber, Policy: "on"}
			if i < n {
				number.ForwardTo = num("#000" + string(rune('1'+i)))
			} else {
				number.User = "ann"
			}
			d.Numbers = append(d.Numbers, number)
		}
	}
}

func TestNested(t *testing.T) {
	forward := func(d *store.Directory, n *store.Number) {
		custom(d, n, Cascade, "", "forwarding", "ring_group", "voicemail")
		n.ForwardTo, n.CallConnect, n.RingSeconds = num("#0002"), true, 33
		n.Ring = []string{"cyd"}
	}
	first := func(d *store.Directory, n *store.Number) {
		forward(d, n)
		custom(d, n, FirstMatch, "", "forwarding", "ring_group", "voicemail")
	}
	standard := func(inner func(*store.Number)) func(*store.Directory, *store.Number) {
		return func(d *store.Directory, n *store.Number) {
			forward(d, n)
			addNumber(d, "#0002", "direct", inner)
			direct(d)
		}
	}
	runDecisions(t, []decision{
		{name: "by its own policy, reach, ring times and call_connect",
			edit: standard(func(n *store.Number) { n.User, n.ForwardTo, n.RingSeconds = "ann", num("#6000"), 44 }),
			want: `forwarding=forward_to@#0002{number_user=user_assigned[ann:phone] forwarding=forward_to hangup.} ring_group=ring_group[cyd:desk] voicemail.
				number_user/44: ann:phone=#9001 @#0002
				forwarding/44: #6000 @#0002
				ring_group/33: cyd:desk
				mail ann`},
		{name: "its call_connect covers its own lines only",
			edit: func(d *store.Directory, n *store.Number) {
				standard(func(in *store.Number) { in.ForwardTo, in.CallConnect = num("#6000"), true })(d, n)
				custom(d, n, Cascade, "", "forwarding", "company_phone", "hangup")
				d.Company.Phone, n.CallConnect = num("#5000"), false
			},
			want: `forwarding=forward_to@#0002{number_user-no_user forwarding=forward_to hangup.} company_phone=company_phone hangup.
				forwarding/20: #6000(1) @#0002
				company_phone/33: #5000
				hangup 480`},
		{name: "without stages it is dropped, and its single user still decides the mailbox",
			edit: func(d *store.Directory, n *store.Number) {
				standard(func(in *store.Number) { in.User = "ann" })(d, n)
				d.Users[0].DND = true
			},
			want: `forwarding!nobody_available/forward_to@#0002{number_user!nobody_available/user_assigned[ann:dnd] forwarding-no_forwarding hangup.} ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail ann`},
		{name: "a step that it skips decides no mailbox",
			edit: standard(func(in *store.Number) { in.User = "cyd" }),
			want: `forwarding!nobody_available/forward_to@#0002{number_user-no_user_phone forwarding-no_forwarding hangup.} ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "full: an empty trace",
			edit: standard(func(in *store.Number) { in.User, in.MaxInbound = "ann", 2 }),
			live: func(l *Live) { l.Active = map[string]int{num("#0002"): 2} },
			want: `forwarding!over_limit/forward_to@#0002{} ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "a call below its limit",
			edit: standard(func(in *store.Number) { in.User, in.MaxInbound = "ann", 2 }),
			live: func(l *Live) { l.Active = map[string]int{num("#0002"): 1} },
			want: `forwarding=forward_to@#0002{number_user=user_assigned[ann:phone] forwarding-no_forwarding hangup.} ring_group=ring_group[cyd:desk] voicemail.
				number_user/20: ann:phone=#9001 @#0002
				ring_group/33: cyd:desk
				mail ann`},
		{name: "first_match: the inner plan is the stage",
			edit: func(d *store.Directory, n *store.Number) {
				first(d, n)
				addNumber(d, "#0002", "direct", func(in *store.Number) { in.User, in.ForwardTo = "ann", num("#6000") })
				direct(d)
			},
			want: `forwarding=forward_to@#0002{number_user=user_assigned[ann:phone] forwarding=forward_to hangup.} ring_group?after_match voicemail.
				number_user/20: ann:phone=#9001 @#0002
				forwarding/20: #6000 @#0002
				mail ann`},
		{name: "first_match: an inner plan without stages is not",
			edit: func(d *store.Directory, n *store.Number) {
				first(d, n)
				addNumber(d, "#0002", "direct", nil)
				direct(d)
			},
			want: `forwarding!nobody_available/forward_to@#0002{number_user-no_user forwarding-no_forwarding hangup.} ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "first_match: another number's workflow counts as a stage",
			edit: func(d *store.Directory, n *store.Number) {
				first(d, n)
				addNumber(d, "#0002", "", func(in *store.Number) { in.Workflow = "ivr" })
				d.Workflows = []store.Workflow{{ID: "ivr", Start: "x", Nodes: map[string]store.Node{"x": {Continue: &struct{}{}}}}}
			},
			want: `forwarding=forward_to@#0002{workflow=workflow number_user-no_user contact_owner-no_owner unknown_rules-no_rule ring_group-no_ring_group forwarding-no_forwarding company_phone-no_company_phone voicemail.} ring_group?after_match voicemail.
				workflow: ivr @#0002
				mail #0001`},
		{name: "the innermost number stands on the stage",
			edit: chain(3),
			want: `forwarding=forward_to@#0002{forwarding=forward_to@#0003{forwarding-no_forwarding number_user=user_assigned[ann:desk] hangup.} number_user-no_user hangup.} number_user-no_user hangup.
				number_user/20: ann:desk @#0003
				hangup 480`},
		{name: "five deep",
			edit: chain(6),
			want: `forwarding=forward_to@#0002{forwarding=forward_to@#0003{forwarding=forward_to@#0004{forwarding=forward_to@#0005{forwarding=forward_to@#0006{forwarding-no_forwarding number_user=user_assigned[ann:desk] hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.
				number_user/20: ann:desk @#0006
				hangup 480`},
		{name: "six deep is a loop",
			edit: chain(7),
			want: `forwarding!nobody_available/forward_to@#0002{forwarding!nobody_available/forward_to@#0003{forwarding!nobody_available/forward_to@#0004{forwarding!nobody_available/forward_to@#0005{forwarding!nobody_available/forward_to@#0006{forwarding!loop/forward_to number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.} number_user-no_user hangup.
				hangup 480`},
		{name: "a number that forwards to itself",
			edit: func(d *store.Directory, n *store.Number) { forward(d, n); n.ForwardTo = num("#0001") },
			want: `forwarding!loop/forward_to ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "two numbers that forward to each other: the inner one goes on",
			edit: standard(func(in *store.Number) { in.User, in.ForwardTo = "ann", num("#0001") }),
			want: `forwarding=forward_to@#0002{number_user=user_assigned[ann:phone] forwarding!loop/forward_to hangup.} ring_group=ring_group[cyd:desk] voicemail.
				number_user/20: ann:phone=#9001 @#0002
				ring_group/33: cyd:desk
				mail ann`},
		{name: "the same number twice side by side is no loop",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "forwarding", "unknown_rules", "hangup")
				n.ForwardTo, n.DefaultRule = num("#0002"), &store.Rule{AnotherNumber: num("#0002")}
				addNumber(d, "#0002", "direct", func(in *store.Number) { in.ForwardTo = num("#6000") })
				direct(d)
			},
			want: `forwarding=forward_to@#0002{number_user-no_user forwarding=forward_to hangup.} unknown_rules=default_rule@#0002{number_user-no_user forwarding=forward_to hangup.} hangup.
				forwarding/20: #6000 @#0002
				forwarding/20: #6000 @#0002
				hangup 480`},
		{name: "a line of ours that is the caller is a loop before it is decided",
			edit: standard(func(in *store.Number) { in.User = "ann" }),
			req:  Request{From: "#0002"},
			want: `forwarding!loop/forward_to ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "loops inside are found by the caller, too",
			edit: standard(func(in *store.Number) { in.ForwardTo = num("#8000") }),
			want: `forwarding!nobody_available/forward_to@#0002{number_user-no_user forwarding!loop/forward_to hangup.} ring_group=ring_group[cyd:desk] voicemail.
				ring_group/33: cyd:desk
				mail #0001`},
		{name: "conditions inside are about the inner number",
			edit: func(d *store.Directory, n *store.Number) {
				forward(d, n)
				addNumber(d, "#0002", "loftyworks", func(in *store.Number) { in.Kind, in.User = store.PersonalNumber, "ann" })
			},
			req: Request{From: "#7001"},
			want: `forwarding=forward_to@#0002{number_user=user_assigned[ann:desk] contact_owner?after_match unknown_rules?after_match voicemail.} ring_group=ring_group[cyd:desk] voicemail.
				number_user/20: ann:desk @#0002
				ring_group/33: cyd:desk
				mail ann`},
	})
}

// direct is a policy for inner numbers that can find nobody.
func direct(d *store.Directory) {
	d.Policies["direct"] = store.Policy{Mode: Cascade, Reach: store.Phone, Steps: []store.PolicyStep{
		{Step: StepNumberUser}, {Step: StepForwarding}, {Step: StepHangup}}}
}

func TestLoops(t *testing.T) {
	runDecisions(t, []decision{
		{name: "the company phone calls: it is not rung, whoever else is",
			edit: func(d *store.Directory, n *store.Number) {
				d.Company.Phone, n.ForwardTo = num("#5000"), num("#6000")
				custom(d, n, FirstMatch, "", "company_phone", "forwarding", "voicemail")
			},
			req: Request{From: "202 555 5000"},
			want: `company_phone!loop/company_phone forwarding=forward_to voicemail.
				forwarding/20: #6000
				mail #0001`},
		{name: "a rule's other number calls",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "unknown_rules", "hangup")
				n.DefaultRule = &store.Rule{AnotherNumber: num("#8000")}
			},
			want: "unknown_rules!loop/default_rule hangup.\nhangup 480"},
		{name: "an anonymous caller loops nowhere",
			edit: func(d *store.Directory, n *store.Number) {
				custom(d, n, Cascade, "", "forwarding", "hangup")
				n.ForwardTo = num("#6000")
			},
			req:  Request{From: "anonymous"},
			want: "forwarding=forward_to hangup.\nforwarding/20: #6000\nhangup 480"},
	})
}
