package routing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

// TestReference holds Decide to a second reading of the contract: slow, plain, over the document itself, without an index,
// compiled windows or minutes of a week. Where the two differ, one of them has misread it.
func TestReference(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r := reference{world: w, at: w.at.In(zone)}
		if want, got := jsonOf(t, r.plan()), jsonOf(t, w.decide(t)); want != got {
			t.Fatalf("%+v\nat %s\nDecide    %s\nreference %s", w.req, r.at, got, want)
		}
	})
}

// reference decides one call or text.
type reference struct {
	world
	at     time.Time
	caller string
	known  bool
	owner  string
	box    string // whom the first single-user step named
	stages []Stage
}

func (r *reference) plan() Plan {
	p := Plan{Caller: r.req.From, Called: r.req.To, Contacts: []string{}, Trace: []Row{}}
	if e164, ok := ParseNumber(r.req.From, "US"); ok {
		r.caller = e164
	}
	r.contacts(&p)
	n := r.number(r.req.To)
	p.Policy = n.Policy
	if p.Policy == "" {
		p.Policy = "standard"
	}
	if r.req.Kind == KindText {
		p.Trace, p.Deliver = r.textPlan(n, []string{n.Number})
		return p
	}
	p.Stages = []Stage{}
	if r.full(n) {
		p.End = &End{Action: "refuse", Code: 486, Reason: "over_limit"}
		return p
	}
	var end string
	p.Trace, end = r.callPlan(n, []string{n.Number})
	p.Stages = append(p.Stages, r.stages...)
	p.End = &End{Action: "hangup", Code: 480}
	if end == "voicemail" {
		p.End = &End{Action: "voicemail", Mailbox: &Mailbox{Number: n.Number}}
		if u := r.user(r.box); u != nil && u.HasVoicemail() {
			p.End.Mailbox = &Mailbox{User: r.box}
		}
	}
	return p
}

// contacts is section 3.
func (r *reference) contacts(p *Plan) {
	var matching, owned []store.Contact
	for _, c := range r.dir.Contacts {
		if r.caller != "" && slices.Contains(c.Phones, r.caller) {
			matching = append(matching, c)
			p.Contacts = append(p.Contacts, c.ID)
			if c.Owner != "" {
				owned = append(owned, c)
			}
		}
	}
	slices.Sort(p.Contacts)
	p.Known = len(matching) > 0
	r.known = p.Known
	if len(owned) == 0 {
		return
	}
	slices.SortFunc(owned, func(a, b store.Contact) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	r.owner = owned[0].Owner
	p.Owner = r.owner
	if slices.ContainsFunc(owned, func(c store.Contact) bool { return c.Owner != r.owner }) {
		p.Contacts = []string{owned[0].ID}
	}
}

// callPlan is sections 4 and 5 for one number; path are the numbers on the way, the called one first.
func (r *reference) callPlan(n *store.Number, path []string) (trace []Row, end string) {
	policy := r.policy(n)
	trace = []Row{}
	staged := false // first_match: there is the stage
	for _, s := range policy.Steps {
		row := Row{Step: s.Step}
		isEnd := s.Step == "voicemail" || s.Step == "hangup"
		switch {
		case staged && !isEnd:
			row.Outcome, row.Reason = "not_reached", "after_match"
		case end != "":
			row.Outcome, row.Reason = "not_reached", "after_end"
		case !r.when(s.When, n):
			row.Outcome, row.Reason = "skipped", "when_not_met"
		case isEnd:
			end = s.Step
			row.Outcome, row.Reason = "end", s.Step
		default:
			r.callStep(&row, n, path, policy.Reach == "phone")
			staged = staged || policy.Mode == "first_match" && row.Outcome == "stage" && s.Step != "workflow"
		}
		trace = append(trace, row)
	}
	return trace, end
}

func (r *reference) callStep(row *Row, n *store.Number, path []string, phoneOnly bool) {
	match, users, line, skip := r.applies(row.Step, n, phoneOnly, true)
	stage := Stage{Step: row.Step}
	if len(path) > 1 {
		stage.Number = n.Number
	}
	drop := func(reason string) { row.Outcome, row.Reason, row.Match = "dropped", reason, match }
	row.Outcome, row.Reason = "stage", match
	switch {
	case skip != "":
		row.Outcome, row.Reason = "skipped", skip
	case row.Step == "workflow":
		stage.Workflow = n.Workflow
		r.stages = append(r.stages, stage)
	case line != "" && (line == r.caller || slices.Contains(path, line) || r.number(line) != nil && len(path) > 5):
		drop("loop")
	case line != "" && r.number(line) != nil:
		row.Number, row.Trace = line, []Row{}
		before := len(r.stages)
		if r.full(r.number(line)) {
			drop("over_limit")
		} else if row.Trace, _ = r.callPlan(r.number(line), append(slices.Clone(path), line)); len(r.stages) == before {
			drop("nobody_available")
		}
	case line != "":
		stage.RingSeconds, stage.Targets = r.seconds(n, nil), []Target{{Phone: line, CallConnect: n.CallConnect}}
		r.stages = append(r.stages, stage)
	default:
		for _, id := range users {
			via, not := r.rings(r.user(id), phoneOnly)
			row.Users = append(row.Users, RowUser{User: id, Rings: via, Unavailable: not})
			target := Target{User: id, Via: via}
			if slices.Contains(via, "phone") {
				target.Phone, target.CallConnect = r.user(id).Phone, n.CallConnect
			}
			if not == "" {
				stage.Targets = append(stage.Targets, target)
			}
		}
		if stage.RingSeconds = r.seconds(n, users); len(stage.Targets) == 0 {
			drop("nobody_available")
		} else {
			r.stages = append(r.stages, stage)
		}
	}
}

// applies is the table of section 4. call: a single user that it names may get the mailbox.
func (r *reference) applies(step string, n *store.Number, phoneOnly, call bool) (match string, users []string, line, skip string) {
	single := func(id, match, absent string) (string, []string, string, string) {
		u := r.user(id)
		switch {
		case u == nil:
			return "", nil, "", absent
		case phoneOnly && u.Phone == "":
			return "", nil, "", "no_user_phone"
		case call && r.box == "":
			r.box = id
		}
		return match, []string{id}, "", ""
	}
	switch step {
	case "workflow":
		if n.Workflow == "" {
			skip = "no_workflow"
		}
		return "workflow", nil, "", skip
	case "number_user":
		return single(n.User, "user_assigned", "no_user")
	case "contact_owner":
		return single(r.owner, "contact_owned", "no_owner")
	case "ring_group":
		if len(n.Ring) == 0 {
			skip = "no_ring_group"
		}
		return "ring_group", r.inOrder(n.Ring), "", skip
	case "forwarding":
		if n.ForwardTo == "" {
			skip = "no_forwarding"
		}
		return "forward_to", nil, n.ForwardTo, skip
	case "company_phone":
		if r.dir.Company.Phone == "" {
			skip = "no_company_phone"
		}
		return "company_phone", nil, r.dir.Company.Phone, skip
	}
	if r.owner != "" {
		return "", nil, "", "has_owner"
	}
	rule, match := n.DefaultRule, "default_rule"
	for i := range n.Rules {
		if r.inside(n.Rules[i].Hours) {
			rule, match = &n.Rules[i], "rule:"+n.Rules[i].Name
		}
	}
	switch {
	case rule == nil:
		return "", nil, "", "no_rule"
	case rule.SpecificUser != "":
		return single(rule.SpecificUser, match, "")
	}
	return match, r.inOrder(rule.Blast), rule.AnotherNumber, ""
}

// textPlan is section 8.
func (r *reference) textPlan(n *store.Number, path []string) (trace []Row, to *Deliver) {
	trace = []Row{}
	matched := false
	for _, s := range r.policy(n).Steps {
		row := Row{Step: s.Step, Outcome: "skipped"}
		switch {
		case !slices.Contains([]string{"number_user", "contact_owner", "unknown_rules", "ring_group"}, s.Step):
			row.Reason = "not_for_texts"
		case matched:
			row.Outcome, row.Reason = "not_reached", "after_match"
		case !r.when(s.When, n):
			row.Reason = "when_not_met"
		default:
			match, users, line, skip := r.applies(s.Step, n, false, false)
			if row.Reason = skip; skip != "" {
				break
			}
			matched = true
			row.Outcome, row.Reason = "match", match
			several := len(users) > 1
			switch ours := r.number(line); {
			case line == "":
				to = &Deliver{Users: users, Unclaimed: &several}
			case line == r.caller || slices.Contains(path, line) || ours != nil && len(path) > 5:
				row.Outcome, row.Reason, row.Match = "dropped", "loop", match
			case ours == nil:
				to = &Deliver{Phone: line}
			default:
				row.Number = line
				row.Trace, to = r.textPlan(ours, append(slices.Clone(path), line))
			}
		}
		trace = append(trace, row)
	}
	if to == nil {
		unclaimed := true
		to = &Deliver{Users: []string{}, Unclaimed: &unclaimed}
		for _, u := range r.dir.Users {
			if u.Role == store.Owner || u.Role == store.Admin {
				to.Users = append(to.Users, u.ID)
			}
		}
	}
	return trace, to
}

// rings says where a user rings, or why not.
func (r *reference) rings(u *store.User, phoneOnly bool) (via []string, unavailable string) {
	switch {
	case r.caller != "" && u.Phone == r.caller:
		return nil, "is_caller"
	case u.DND:
		return nil, "dnd"
	case len(u.Hours) > 0 && (r.holiday() || !r.inside(u.Hours)):
		return nil, "outside_hours"
	case slices.Contains(r.live.Busy, u.ID) && !u.CallWaiting:
		return nil, "busy"
	}
	reach := u.Reach
	if len(reach) == 0 {
		reach = []string{"browser", "desk", "mobile"}
	}
	if phoneOnly {
		reach = []string{"phone"}
	}
	for _, kind := range []string{"browser", "desk", "mobile", "phone"} {
		there := slices.Contains(r.live.Registered[u.ID], kind)
		if kind == "phone" {
			there = u.Phone != ""
		}
		if there && slices.Contains(reach, kind) {
			via = append(via, kind)
		}
	}
	if via == nil {
		unavailable = "unreachable"
	}
	return via, unavailable
}

func (r *reference) seconds(n *store.Number, named []string) int {
	wishes := []int{n.RingSeconds, r.dir.Company.RingSeconds, 20}
	if len(named) == 1 {
		wishes = append([]int{r.user(named[0]).RingSeconds}, wishes...)
	}
	for _, s := range wishes {
		if s != 0 {
			return min(max(s, 5), 120)
		}
	}
	return 0
}

func (r *reference) when(when string, n *store.Number) bool {
	open := !r.holiday() && (len(r.dir.Company.Hours) == 0 || r.inside(r.dir.Company.Hours))
	switch when {
	case "contact_owned":
		return r.owner != ""
	case "personal", "company":
		return n.Kind == when
	case "unknown":
		return !r.known
	case "open", "closed":
		return open == (when == "open")
	}
	return true
}

// inside looks at today's windows, and at yesterday's that cross midnight.
func (r *reference) inside(windows []store.Window) bool {
	clock := r.at.Format("15:04")
	today, yesterday := shortDay(r.at.Weekday()), shortDay((r.at.Weekday()+6)%7)
	return slices.ContainsFunc(windows, func(w store.Window) bool {
		if w.From < w.To {
			return slices.Contains(w.Days, today) && w.From <= clock && clock < w.To
		}
		return slices.Contains(w.Days, today) && w.From <= clock || slices.Contains(w.Days, yesterday) && clock < w.To
	})
}

func shortDay(d time.Weekday) string {
	return map[time.Weekday]string{0: "sun", 1: "mon", 2: "tue", 3: "wed", 4: "thu", 5: "fri", 6: "sat"}[d]
}

func (r *reference) holiday() bool {
	return slices.Contains(r.dir.Company.Closed, r.at.Format("2006-01-02"))
}

func (r *reference) full(n *store.Number) bool {
	limit := n.MaxInbound
	if limit == 0 {
		limit = 50
	}
	return r.live.Active[n.Number] >= limit
}

func (r *reference) policy(n *store.Number) store.Policy {
	name := n.Policy
	if name == "" {
		name = "standard"
	}
	if p, ok := r.dir.Policies[name]; ok {
		return p
	}
	return BuiltinPolicies()[name]
}

func (r *reference) number(e164 string) *store.Number {
	for i := range r.dir.Numbers {
		if r.dir.Numbers[i].Number == e164 {
			return &r.dir.Numbers[i]
		}
	}
	return nil
}

func (r *reference) user(id string) *store.User {
	for i := range r.dir.Users {
		if r.dir.Users[i].ID == id {
			return &r.dir.Users[i]
		}
	}
	return nil
}

// inOrder are these users, each once, in the directory's order.
func (r *reference) inOrder(ids []string) (users []string) {
	for _, u := range r.dir.Users {
		if slices.Contains(ids, u.ID) {
			users = append(users, u.ID)
		}
	}
	return users
}
