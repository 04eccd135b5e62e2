package routing

// Forwarding of a user's calls (set by a feature code, or in the directory): who would ring does not; the target rings.

// maxForwards is how many users may hand a call on to each other.
const maxForwards = 5

// forwarded says where the calls of u go: to a colleague, to an outside line, or nowhere because they would come back to
// the caller or to somebody on the way.
func (d *decider) forwarded(u *User) (to *User, line, unavailable string) {
	passed := []*User{u}
	for {
		next := d.dir.Extension(u.ForwardTo)
		if next == nil {
			if d.caller != "" && u.ForwardTo == d.caller {
				return nil, "", IsCaller
			}
			return nil, u.ForwardTo, ""
		}
		for _, p := range passed {
			if p == next {
				return nil, "", Unreachable
			}
		}
		if next.ForwardTo == "" || len(passed) == maxForwards {
			return next, "", ""
		}
		passed = append(passed, next)
		u = next
	}
}

// ringForwarded adds the target of a user's forwarded calls to the stage that begins at d.targets[first]; ok is false when
// the user's calls are not forwarded. The user's own do-not-disturb and hours hold for the target, a call of theirs does not.
func (d *decider) ringForwarded(u *User, n *Number, phoneOnly bool, first int) (row RowUser, ok bool) {
	if u.ForwardTo == "" {
		return row, false
	}
	row = RowUser{User: u.ID, Forwarded: u.ForwardTo}
	if _, why := d.reach(u, phoneOnly); why == IsCaller || why == OnDND || why == OutsideHours {
		row.Unavailable = why
		return row, true
	}
	to, line, why := d.forwarded(u)
	switch {
	case why != "":
		row.Unavailable = why
	case to == nil:
		row.Rings = phone.Names()
		d.targets = append(d.targets, Target{User: u.ID, Via: phone.Names(), Phone: line, CallConnect: n.CallConnect})
	default:
		var via Kinds
		if via, row.Unavailable = d.reach(to, phoneOnly); row.Unavailable == "" {
			row.Rings = via.Names()
			d.ringOnce(to, via, n, first)
		}
	}
	return row, true
}

// ringOnce adds a user to the stage unless they ring in it already.
func (d *decider) ringOnce(u *User, via Kinds, n *Number, first int) {
	for _, t := range d.targets[first:] {
		if t.User == u.ID {
			return
		}
	}
	t := Target{User: u.ID, Via: via.Names()}
	if via&phone != 0 {
		t.Phone, t.CallConnect = u.Phone, n.CallConnect
	}
	d.targets = append(d.targets, t)
}
