// Package routing answers a phone system's one question: who should answer this call, and why.
//
// Decide takes a request, a read-only view of the organisation and of the moment (Directory), and the time. It returns a
// Plan: whom to ring in which order, how the call ends when nobody answers, and a trace with every step of the number's
// policy, taken or not, and the reason. It is pure: no I/O, no clock, no goroutines, no dependence on map order.
//
// NewIndex compiles an organisation once; Index.With joins it with the live state of a moment:
//
//	index, err := routing.NewIndex(org)
//	plan := routing.Decide(routing.Request{To: called, From: caller}, index.With(live), now)
package routing

import (
	"time"

	"strowger/store"
)

// Directory is what Decide reads: the organisation in its compiled form, and the state of the moment. *View implements it.
// What it returns is shared and must not be changed.
type Directory interface {
	Company() *Company
	// Number is one of our numbers by E.164; nil when it is not ours.
	Number(e164 string) *Number
	// Numbers are all of ours, in the directory's order.
	Numbers() []*Number
	// User by id; nil when there is none.
	User(id string) *User
	// Extension is the user with this extension; nil when there is none.
	Extension(ext string) *User
	// Users are all of them, in the directory's order.
	Users() []*User
	// Contacts are all that hold this number (E.164), each once, in any order.
	Contacts(e164 string) []*store.Contact
	// Policy by name, custom ones before the built-in; nil when there is none.
	Policy(name string) *Policy
	// Workflow by id; nil when there is none.
	Workflow(id string) *store.Workflow

	// Features are the feature codes and what else can be dialled that is no person.
	Features() *Features

	// Registered says by which kinds of endpoint a user can be rung now. A mobile that a push can wake counts.
	Registered(user string) Kinds
	// Busy reports whether a user is on a call.
	Busy(user string) bool
	// Active counts the inbound calls of a number, the one being decided not included.
	Active(e164 string) int
}

// Decide says who should answer.
func Decide(req Request, dir Directory, now time.Time) Plan {
	company := dir.Company()
	called, from := req.To, ""
	n := numberOf(dir, req.To)
	if n != nil {
		called = n.Number.Number
	} else if e164, ok := ParseNumber(req.To, company.Region); ok {
		called = e164
	}
	if e164, ok := ParseNumber(req.From, company.Region); ok {
		from = e164
	}
	plan := Plan{Caller: req.From, Called: called, Trace: []Row{}}
	d := decider{dir: dir, company: company, caller: from, callingUser: req.User, at: company.moment(now)}
	d.matchContacts(&plan)

	text := req.Kind == KindText
	switch {
	case n == nil:
		refuse(&plan, text, 404, ReasonUnknownNumber)
	case text:
		plan.Policy = n.PolicyName()
		plan.Trace, plan.Deliver = d.text(n)
	case dir.Active(n.Number.Number) >= n.Limit():
		plan.Policy = n.PolicyName()
		refuse(&plan, false, 486, ReasonOverLimit)
	default:
		plan.Policy = n.PolicyName()
		d.call(n, &plan)
		direction := store.Inbound
		if req.User != "" {
			direction = store.Internal
		}
		plan.Recording = recording(dir, direction, n, req.User, plan.Stages)
	}
	return plan
}

// numberOf finds a number of ours as it was dialled; nil when it is not ours.
func numberOf(dir Directory, dialled string) *Number {
	if n := dir.Number(dialled); n != nil {
		return n
	}
	e164, ok := ParseNumber(dialled, dir.Company().Region)
	if !ok {
		return nil
	}
	return dir.Number(e164)
}

func refuse(plan *Plan, text bool, code int, reason string) {
	plan.End = &End{Action: EndRefuse, Code: code, Reason: reason}
	if !text {
		plan.Stages = []Stage{}
	}
}
