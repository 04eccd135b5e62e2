package routing

import "slices"

// maxDepth is how many numbers of ours a call may be handed through, the called one not counted.
const maxDepth = 5

// decider holds what is constant in one decision, and what its steps add up.
type decider struct {
	dir         Directory
	company     *Company
	at          moment
	caller      string // E.164; "" when anonymous
	callingUser string // an inside caller
	known       bool   // a contact matches the caller
	owner       *User  // of the matched contacts; nil when there is none

	path    [maxDepth + 1]string // the called number, then those on the way to the plan being made
	depth   int                  // of path: 0 while the called number is decided
	stages  []Stage
	mailbox *User // whom the first single-user step named

	targets []Target // what stages and rows are cut from
	users   []RowUser
	rows    []Row
}

// room for the usual plan, in one piece: allocating is most of what a decision costs. What needs more gets more.
type room struct {
	stages  [4]Stage
	targets [8]Target
	users   [7]RowUser
	rows    [8]Row
}

// choice is what an applying step wants to do: run a workflow, ring users or call an outside line.
type choice struct {
	match    string
	workflow string
	users    []*User // everyone the step names, in the directory's order
	single   bool    // a step for a single user, by its form: decides the mailbox
	line     string  // E.164
}

// call plans a call to a number of ours.
func (d *decider) call(n *Number, plan *Plan) {
	r := &room{}
	d.stages, d.targets, d.users, d.rows = r.stages[:0], r.targets[:0], r.users[:0], r.rows[:]
	trace, end := d.run(n)
	plan.Trace, plan.Stages = trace, slices.Clip(d.stages)
	if end != StepVoicemail {
		plan.End = &End{Action: EndHangup, Code: 480}
		return
	}
	plan.End = &End{Action: EndVoicemail, Mailbox: d.box(n)}
}

// box is the mailbox of the user whom the first single-user step named, else the number's.
func (d *decider) box(n *Number) *Mailbox {
	if d.mailbox != nil && d.mailbox.HasVoicemail() {
		return &Mailbox{User: d.mailbox.ID}
	}
	return &Mailbox{Number: n.Number.Number}
}

// run asks every step of a number's policy in turn. It adds to d.stages and returns the trace and the end step that was
// taken, "" when there was none.
func (d *decider) run(n *Number) (trace []Row, end string) {
	d.path[d.depth] = n.Number.Number
	policy := d.dir.Policy(n.PolicyName())
	trace = d.trace(len(policy.Steps))
	matched := false
	for i, step := range policy.Steps {
		row := &trace[i]
		row.Step = step.Step
		switch {
		case matched && !ends(step.Step):
			row.Outcome, row.Reason = OutcomeNotReached, ReasonAfterMatch
		case end != "":
			row.Outcome, row.Reason = OutcomeNotReached, ReasonAfterEnd
		case !d.holds(step.When, n):
			row.Outcome, row.Reason = OutcomeSkipped, ReasonWhenNotMet
		case ends(step.Step):
			end = step.Step
			row.Outcome, row.Reason = OutcomeEnd, step.Step
		default:
			want, skip := d.applies(step.Step, n, policy.phoneOnly)
			if skip != "" {
				row.Outcome, row.Reason = OutcomeSkipped, skip
				break
			}
			d.stage(row, n, policy, want)
			// The number's own workflow never ends the plan: the steps after it are what its continue leads to.
			matched = matched || policy.firstMatch && row.Outcome == OutcomeStage && step.Step != StepWorkflow
		}
	}
	return trace, end
}

// trace takes rows from what there is room for; never nil.
func (d *decider) trace(n int) []Row {
	if n == 0 || n > len(d.rows) {
		return make([]Row, n)
	}
	rows := d.rows[:n:n]
	d.rows = d.rows[n:]
	return rows
}

// holds reports whether a step's condition does.
func (d *decider) holds(when string, n *Number) bool {
	switch when {
	case WhenContactOwned:
		return d.owner != nil
	case WhenPersonal, WhenCompany:
		return n.Kind == when
	case WhenUnknown:
		return !d.known
	case WhenOpen:
		return d.company.open(d.at)
	case WhenClosed:
		return !d.company.open(d.at)
	}
	return true
}

// applies says what a step wants to do, or why it does not apply. phoneOnly: users can be rung at their User Phone only.
func (d *decider) applies(step string, n *Number, phoneOnly bool) (want choice, skip string) {
	switch step {
	case StepWorkflow:
		if n.Workflow == "" || d.dir.Workflow(n.Workflow) == nil {
			return want, ReasonNoWorkflow
		}
		return choice{match: MatchWorkflow, workflow: n.Workflow}, ""
	case StepNumberUser:
		return single(n.user, MatchUserAssigned, ReasonNoUser, phoneOnly)
	case StepContactOwner:
		return single(d.owner, MatchContactOwned, ReasonNoOwner, phoneOnly)
	case StepUnknownRules:
		return d.unknownRule(n, phoneOnly)
	case StepRingGroup:
		if len(n.ring) == 0 {
			return want, ReasonNoRingGroup
		}
		return choice{match: MatchRingGroup, users: n.ring}, ""
	case StepForwarding:
		if n.forwardTo == "" {
			return want, ReasonNoForwarding
		}
		return choice{match: MatchForwardTo, line: n.forwardTo}, ""
	default: // StepCompanyPhone: compilePolicy lets no other step through
		if d.company.Phone == "" {
			return want, ReasonNoCompanyPhone
		}
		return choice{match: MatchCompanyPhone, line: d.company.Phone}, ""
	}
}

// single is the choice of a step for one user, who may be absent.
func single(u *User, match, absent string, phoneOnly bool) (choice, string) {
	switch {
	case u == nil:
		return choice{}, absent
	case phoneOnly && u.Phone == "":
		return choice{}, ReasonNoUserPhone
	}
	return choice{match: match, users: u.alone, single: true}, ""
}

// unknownRule is the choice of the rule that is active now, else of the default. An active rule that cannot ring anybody
// does not fall back to the default.
func (d *decider) unknownRule(n *Number, phoneOnly bool) (choice, string) {
	if d.owner != nil {
		return choice{}, ReasonHasOwner
	}
	active := n.defaultRule
	for i := range n.rules {
		if n.rules[i].hours.contains(d.at.minute) {
			active = &n.rules[i]
			break
		}
	}
	switch {
	case active == nil:
		return choice{}, ReasonNoRule
	case active.another != "":
		return choice{match: active.match, line: active.another}, ""
	case len(active.blast) > 0:
		return choice{match: active.match, users: active.blast}, ""
	}
	return single(active.single, active.match, ReasonNoRule, phoneOnly)
}
