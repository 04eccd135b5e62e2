package routing

import (
	"cmp"
)

// Ring times in seconds.
const (
	defaultRing  = 20
	shortestRing = 5
	longestRing  = 120
)

// stage makes a stage of what an applying step wants, or drops the step, and says so in its row.
func (d *decider) stage(row *Row, n *Number, policy *Policy, want choice) {
	if want.single && d.mailbox == nil {
		d.mailbox = want.users[0]
	}
	switch {
	case want.workflow != "":
		d.addStage(n, Stage{Step: row.Step, Workflow: want.workflow})
		row.Outcome, row.Reason = OutcomeStage, want.match
	case want.line != "":
		d.line(row, n, want)
	default:
		d.ring(row, n, policy.phoneOnly, want)
	}
}

// addStage adds a stage of n's plan. Stages of other numbers than the called one say whose they are.
func (d *decider) addStage(n *Number, s Stage) {
	if d.depth > 0 {
		s.Number = n.Number.Number
	}
	d.stages = append(d.stages, s)
}

func drop(row *Row, reason, match string) {
	row.Outcome, row.Reason, row.Match = OutcomeDropped, reason, match
}

// line is a stage of an outside line, or the plan of another number of ours in its place.
func (d *decider) line(row *Row, n *Number, want choice) {
	if want.line == d.caller {
		drop(row, ReasonLoop, want.match)
		return
	}
	if inner := d.dir.Number(want.line); inner != nil {
		d.nested(row, inner, want)
		return
	}
	start := len(d.targets)
	d.targets = append(d.targets, Target{Phone: want.line, CallConnect: n.CallConnect})
	d.addStage(n, Stage{Step: row.Step, RingSeconds: d.ringSeconds(n, want.users), Targets: d.targets[start:len(d.targets):len(d.targets)]})
	row.Outcome, row.Reason = OutcomeStage, want.match
}

// loops reports whether a call cannot be handed on to this number of ours: it is on the way already, or too far away.
func (d *decider) loops(e164 string) bool {
	for _, passed := range d.path[:d.depth+1] {
		if passed == e164 {
			return true
		}
	}
	return d.depth == maxDepth
}

// nested puts the stages of another number's plan into the place of the step. That plan's end is passed over.
func (d *decider) nested(row *Row, inner *Number, want choice) {
	e164 := inner.Number.Number
	if d.loops(e164) {
		drop(row, ReasonLoop, want.match)
		return
	}
	row.Number = e164
	if d.dir.Active(e164) >= inner.Limit() {
		row.Trace = []Row{}
		drop(row, ReasonOverLimit, want.match)
		return
	}
	before := len(d.stages)
	d.depth++
	row.Trace, _ = d.run(inner)
	d.depth--
	if len(d.stages) == before {
		drop(row, ReasonNobodyAvailable, want.match)
		return
	}
	row.Outcome, row.Reason = OutcomeStage, want.match
}

// ring is a stage of users.
func (d *decider) ring(row *Row, n *Number, phoneOnly bool, want choice) {
	firstUser, firstTarget := len(d.users), len(d.targets)
	for _, u := range want.users {
		if row, forwarded := d.ringForwarded(u, n, phoneOnly, firstTarget); forwarded {
			d.users = append(d.users, row)
			continue
		}
		via, unavailable := d.reach(u, phoneOnly)
		if unavailable != "" {
			d.users = append(d.users, RowUser{User: u.ID, Unavailable: unavailable})
			continue
		}
		d.users = append(d.users, RowUser{User: u.ID, Rings: via.Names()})
		d.ringOnce(u, via, n, firstTarget)
	}
	row.Users = d.users[firstUser:len(d.users):len(d.users)]
	targets := d.targets[firstTarget:len(d.targets):len(d.targets)]
	if len(targets) == 0 {
		drop(row, ReasonNobodyAvailable, want.match)
		return
	}
	d.addStage(n, Stage{Step: row.Step, RingSeconds: d.ringSeconds(n, want.users), Targets: targets})
	row.Outcome, row.Reason = OutcomeStage, want.match
}

// reach says how a user can be rung, or why not: the first reason that holds.
func (d *decider) reach(u *User, phoneOnly bool) (via Kinds, unavailable string) {
	switch {
	case d.caller != "" && u.Phone == d.caller, d.callingUser != "" && u.ID == d.callingUser:
		return 0, IsCaller
	case u.DND:
		return 0, OnDND
	case u.hours != nil && (d.at.closed || !u.hours.contains(d.at.minute)):
		return 0, OutsideHours
	case !u.CallWaiting && d.dir.Busy(u.ID):
		return 0, OnCall
	}
	want := u.reach
	if phoneOnly {
		want = phone
	}
	can := d.dir.Registered(u.ID)
	if u.Phone != "" {
		can |= phone
	}
	if via = want & can; via == 0 {
		return 0, Unreachable
	}
	return via, ""
}

// ringSeconds is how long a stage rings. named are the users whom its step names, rung or not; nil for an outside line.
func (d *decider) ringSeconds(n *Number, named []*User) int {
	seconds := cmp.Or(n.RingSeconds, d.company.RingSeconds, defaultRing)
	if len(named) == 1 {
		seconds = cmp.Or(named[0].RingSeconds, seconds)
	}
	return min(max(seconds, shortestRing), longestRing)
}
