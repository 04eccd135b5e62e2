package routing

import "strowger/store"

// text decides who gets a text to a number of ours, always as the first match. Neither availability nor reach nor the
// limit of calls plays a part: a text waits for its reader, and none is ever lost.
func (d *decider) text(n *Number) ([]Row, *Deliver) {
	d.path[d.depth] = n.Number.Number
	policy := d.dir.Policy(n.PolicyName())
	trace := d.trace(len(policy.Steps))
	var deliver *Deliver
	matched := false
	for i, step := range policy.Steps {
		row := &trace[i]
		row.Step = step.Step
		switch {
		case !takesTexts(step.Step):
			row.Outcome, row.Reason = OutcomeSkipped, ReasonNotForTexts
		case matched:
			row.Outcome, row.Reason = OutcomeNotReached, ReasonAfterMatch
		case !d.holds(step.When, n):
			row.Outcome, row.Reason = OutcomeSkipped, ReasonWhenNotMet
		default:
			want, skip := d.applies(step.Step, n, false)
			if skip != "" {
				row.Outcome, row.Reason = OutcomeSkipped, skip
				break
			}
			matched = true
			deliver = d.deliver(row, want)
		}
	}
	if deliver == nil {
		deliver = d.toManagers()
	}
	return trace, deliver
}

// deliver carries out what an applying step wants with a text; nil when it is a loop.
func (d *decider) deliver(row *Row, want choice) *Deliver {
	row.Outcome, row.Reason = OutcomeMatch, want.match
	if want.line == "" {
		unclaimed := len(want.users) > 1
		out := &Deliver{Users: make([]string, len(want.users)), Unclaimed: &unclaimed}
		for i, u := range want.users {
			out.Users[i] = u.ID
		}
		return out
	}
	inner := d.dir.Number(want.line)
	switch {
	case want.line == d.caller, inner != nil && d.loops(want.line):
		drop(row, ReasonLoop, want.match)
		return nil
	case inner == nil:
		return &Deliver{Phone: want.line}
	}
	row.Number = inner.Number.Number
	d.depth++
	trace, out := d.text(inner)
	d.depth--
	row.Trace = trace
	return out
}

// toManagers shows a text that nobody else gets to every owner and admin.
func (d *decider) toManagers() *Deliver {
	unclaimed := true
	out := &Deliver{Users: []string{}, Unclaimed: &unclaimed}
	for _, u := range d.dir.Users() {
		if u.Role == store.Owner || u.Role == store.Admin {
			out.Users = append(out.Users, u.ID)
		}
	}
	return out
}
