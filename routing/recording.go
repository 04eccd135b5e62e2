package routing

import (
	"slices"

	"strowger/store"
)

// Recording says whether the call is recorded, and why. Mode and Why hold until somebody is on the call who has a rule of
// their own: see With.
type Recording struct {
	Mode     string `json:"mode"` // always | never | on_demand
	Why      string `json:"why"`
	Announce bool   `json:"announce,omitempty"` // both parties are told before it begins
	// Users are the rules of those who call or may answer, of who has one.
	Users map[string]string `json:"users,omitempty"`
}

// The reasons of a Recording.
const (
	RecordedByUser      = "user"      // of Recording.Users
	RecordedByNumber    = "number"    // the called number's rule
	RecordedByDirection = "direction" // the company's, for calls of this direction
	RecordedByDefault   = "default"   // no rule: whoever is on the call may switch it on
)

// With is the decision when these users are on the call: never of any of them counts before always, and always before
// on_demand; where none of them has a rule, the call's holds. why is Why, or "user ID". A nil Recording is on demand.
func (r *Recording) With(users ...string) (mode, why string) {
	if r == nil {
		return store.RecordOnDemand, RecordedByDefault
	}
	for _, mode := range []string{store.RecordNever, store.RecordAlways, store.RecordOnDemand} {
		for _, u := range users {
			if u != "" && r.Users[u] == mode {
				return mode, RecordedByUser + " " + u
			}
		}
	}
	return r.Mode, r.Why
}

// recording decides for a call of this direction: n is the number of ours that was called, nil = none; caller the calling
// user, "" = somebody outside. nil where nobody has a rule.
func recording(dir Directory, direction string, n *Number, caller string, stages []Stage) *Recording {
	rules := dir.Company().Recording
	r := Recording{Mode: store.RecordOnDemand, Why: RecordedByDefault, Announce: rules.Announce}
	mode := rules.Inbound
	switch direction {
	case store.Outbound:
		mode = rules.Outbound
	case store.Internal:
		mode = rules.Internal
	}
	switch {
	case n != nil && n.Record != "":
		r.Mode, r.Why = n.Record, RecordedByNumber
	case mode != "":
		r.Mode, r.Why = mode, RecordedByDirection
	}
	ask := func(id string) {
		if u := dir.User(id); id != "" && u != nil && u.Record != "" {
			if r.Users == nil {
				r.Users = map[string]string{}
			}
			r.Users[id] = u.Record
		}
	}
	ask(caller)
	for i := range stages {
		for _, t := range stages[i].Targets {
			ask(t.User)
		}
	}
	if r.Why == RecordedByDefault && r.Users == nil && !r.Announce {
		return nil
	}
	return &r
}

// UsersBy lists the users who have a rule, in order, by rule: for explanations.
func (r *Recording) UsersBy() (modes []string, users [][]string) {
	for _, mode := range []string{store.RecordAlways, store.RecordNever, store.RecordOnDemand} {
		var list []string
		for u, m := range r.Users {
			if m == mode {
				list = append(list, u)
			}
		}
		if len(list) > 0 {
			slices.Sort(list)
			modes, users = append(modes, mode), append(users, list)
		}
	}
	return modes, users
}
