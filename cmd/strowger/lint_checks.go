package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"strowger/routing"
	"strowger/store"
	"strowger/store/directory/strict"
)

// maxRingTotal is how many seconds of ringing carriers allow before they give a call up, in seconds.
const maxRingTotal = 120

// maxLintOwners bounds for how many users calls from their contacts are decided.
const maxLintOwners = 100

// linter decides calls of every kind over a week and keeps what it saw.
type linter struct {
	dir      store.Directory
	index    *routing.Index // without holidays
	holidays *routing.Index
	moments  []time.Time // within the week, at which something may change
	end      time.Time
	callers  []lintCaller

	found  []finding
	rings  [2]int                     // seconds and stages of the longest plan of the number being looked at
	told   map[string]bool            // check, object and message of what was found
	used   map[string]map[string]bool // number → match reasons seen
	steps  map[string]map[int]bool    // policy → indexes of steps that were asked
	served map[string]bool            // users named by any plan
}

// lintCaller is a stranger, or a contact of a user.
type lintCaller struct{ from, owner string }

func newLinter(dir store.Directory, at time.Time) (*linter, error) {
	holidays, err := routing.NewIndex(dir)
	if err != nil {
		return nil, err
	}
	week := dir
	week.Company.Closed = nil
	index, err := routing.NewIndex(week)
	if err != nil {
		return nil, err
	}
	l := &linter{
		dir: dir, told: map[string]bool{}, used: map[string]map[string]bool{}, steps: map[string]map[int]bool{},
		served: map[string]bool{}, callers: []lintCaller{{from: "anonymous"}},
	}
	known := map[string][]*store.Contact{}
	for i, u := range dir.Users[:min(len(dir.Users), maxLintOwners)] {
		from := fmt.Sprintf("+1999%07d", i) // nobody has the area code 999
		known[from] = []*store.Contact{{ID: "contact", Owner: u.ID, Phones: []string{from}}}
		l.callers = append(l.callers, lintCaller{from, u.ID})
	}
	find := func(e164 string) []*store.Contact { return known[e164] }
	l.index, l.holidays = index.WithContacts(find), holidays.WithContacts(find)
	l.week(at)
	return l, nil
}

// week finds the moments of the week around at at which a window begins or ends. A week in which clocks change is passed
// over.
func (l *linter) week(at time.Time) {
	location := l.index.Company().Location()
	local := at.In(location)
	start := time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+6)%7, 0, 0, 0, 0, location)
	for start.AddDate(0, 0, 7).Sub(start) != 7*24*time.Hour {
		start = start.AddDate(0, 0, 7)
	}
	l.end = start.AddDate(0, 0, 7)
	clocks := map[string]bool{"00:00": true}
	add := func(windows []store.Window) {
		for _, w := range windows {
			clocks[w.From], clocks[w.To] = true, true
		}
	}
	add(l.dir.Company.Hours)
	for _, u := range l.dir.Users {
		add(u.Hours)
	}
	for _, n := range l.dir.Numbers {
		for _, r := range n.Rules {
			add(r.Hours)
		}
	}
	delete(clocks, "24:00")
	for day := range 7 {
		for _, clock := range slices.Sorted(maps.Keys(clocks)) {
			t, err := time.Parse("15:04", clock)
			if err != nil {
				continue // refused long before
			}
			l.moments = append(l.moments, start.AddDate(0, 0, day).Add(time.Duration(t.Hour()*60+t.Minute())*time.Minute))
		}
	}
}

// run makes all checks. Findings come in the order of the document.
func (l *linter) run() []finding {
	for i := range l.dir.Numbers {
		l.number(i)
	}
	for i := range l.dir.Numbers {
		l.unusedParts(i)
		l.whisper(i)
	}
	l.unusedSteps()
	for i := range l.dir.Users {
		l.user(i)
	}
	if sender := l.dir.Company.TextSender; sender != "" && l.index.Number(sender) == nil {
		l.add(lintWarning, "text-sender", "company.text_sender", "company", fmt.Sprintf("texts go out from %s, which is not a number of this system: answers do not come back", sender), "use one of its numbers")
	}
	return l.found
}

func (l *linter) add(level, check, where, object, message, remedy string) {
	key := check + "\n" + object + "\n" + message
	if l.told[key] {
		return
	}
	l.told[key] = true
	l.found = append(l.found, finding{Level: level, Check: check, Where: where, Object: object, Message: message, Remedy: remedy})
}

// number decides the calls to a number: with everybody there, and with all busy, so that later steps are asked.
func (l *linter) number(i int) {
	n := &l.dir.Numbers[i]
	l.rings = [2]int{}
	policy := cmp.Or(n.Policy, routing.DefaultPolicy)
	if l.used[n.Number] = map[string]bool{}; l.steps[policy] == nil {
		l.steps[policy] = map[int]bool{}
	}
	nobody := routing.Live{}
	for _, u := range l.dir.Users {
		nobody.Busy = append(nobody.Busy, u.ID)
	}
	there, gone := l.index.With(everybodyReachable(l.index)), l.index.With(nobody)
	for _, caller := range l.callers {
		req := routing.Request{Kind: routing.KindCall, To: n.Number, From: caller.from}
		empty, end := make([]bool, len(l.moments)), ""
		for j, t := range l.moments {
			plan := routing.Decide(req, there, t)
			l.plan(i, &plan)
			l.seen(n.Number, policy, plan.Trace)
			l.seen(n.Number, policy, routing.Decide(req, gone, t).Trace)
			if empty[j] = len(plan.Stages) == 0; empty[j] && plan.End != nil {
				end = plan.End.Action
			}
		}
		l.nobody(i, caller, empty, end)
		for _, day := range l.dir.Company.Closed { // a step may be for holidays only
			if t, err := time.ParseInLocation(time.DateOnly, day, l.index.Company().Location()); err == nil {
				l.seen(n.Number, policy, routing.Decide(req, l.holidays.With(nobody), t.Add(12*time.Hour)).Trace)
			}
		}
	}
	if l.rings[0] > maxRingTotal {
		l.add(lintWarning, "rings-too-long", numberKey(i), "number "+n.Number, fmt.Sprintf("a call can ring for %d s in %d stages; carriers give up after about %d s, before its end is reached", l.rings[0], l.rings[1], maxRingTotal), "shorten ring_seconds or leave stages out")
	}
}

// nobody reports when a number rings nobody although everybody is there.
func (l *linter) nobody(i int, caller lintCaller, empty []bool, end string) {
	if !slices.Contains(empty, true) {
		return
	}
	n := &l.dir.Numbers[i]
	level, then := lintNote, "the caller meets a mailbox"
	if end == routing.EndHangup {
		level, then = lintWarning, "the call is ended"
	}
	who := "strangers"
	if caller.owner != "" {
		who = "contacts of " + caller.owner
	}
	when := stretches(l.moments, l.end, func(j int) bool { return empty[j] })
	message := fmt.Sprintf("rings nobody for %s %s: %s", who, when, then)
	if caller.owner != "" && l.told["nobody-answers\nnumber "+n.Number+"\n"+fmt.Sprintf("rings nobody for strangers %s: %s", when, then)] {
		return // it is so for everybody
	}
	l.add(level, "nobody-answers", numberKey(i), "number "+n.Number, message, "add a rule, a ring group, forward_to or a company phone")
}

// plan looks at one plan.
func (l *linter) plan(i int, plan *routing.Plan) {
	where, object := numberKey(i), "number "+l.dir.Numbers[i].Number
	total, lines := 0, map[string]string{} // line → user
	for _, stage := range plan.Stages {
		total += stage.RingSeconds
		for _, t := range stage.Targets {
			if t.Phone == "" {
				continue
			}
			if user, again := lines[t.Phone]; again && user == t.User && user != "" {
				l.add(lintNote, "line-twice", where, object, fmt.Sprintf("a call rings %s's User Phone %s in two stages, one after the other", user, t.Phone), "leave them out of one, unless they should have two chances")
			} else if again {
				l.add(lintWarning, "line-twice", where, object, fmt.Sprintf("a call rings the outside line %s twice, one after the other", t.Phone), "leave one of them out: who did not answer it hardly will")
			}
			lines[t.Phone] = t.User
			if !t.CallConnect && (len(stage.Targets) > 1 || len(t.Via) > 1) {
				whose := "the outside line " + t.Phone
				if t.User != "" {
					whose = fmt.Sprintf("%s's User Phone %s", t.User, t.Phone)
				}
				l.add(lintWarning, "phone-voicemail", where, object, whose+" rings beside other devices: its carrier's voicemail can take the call from them", "set call_connect: true, so that a person must press 1")
			}
		}
	}
	if total > l.rings[0] {
		l.rings = [2]int{total, len(plan.Stages)}
	}
}

// seen keeps what a trace used. Rows stand in the order of the policy's steps.
func (l *linter) seen(number, policy string, trace []routing.Row) {
	for i, row := range trace {
		asked := row.Outcome != routing.OutcomeNotReached && row.Reason != routing.ReasonWhenNotMet
		if asked {
			l.steps[policy][i] = true
		}
		if row.Outcome == routing.OutcomeStage || row.Outcome == routing.OutcomeDropped {
			l.used[number][cmp.Or(row.Match, row.Reason)] = true
			l.used[number][row.Step] = true
		}
		for _, u := range row.Users {
			l.served[u.User] = true
		}
		for _, inner := range row.Trace {
			for _, u := range inner.Users {
				l.served[u.User] = true
			}
		}
	}
}

// unusedParts reports what a number says and its policy never asks.
func (l *linter) unusedParts(i int) {
	n, used := &l.dir.Numbers[i], l.used[l.dir.Numbers[i].Number]
	policy := cmp.Or(n.Policy, routing.DefaultPolicy)
	object := "number " + n.Number
	decides, custom := l.dir.Policies[policy]
	if !custom {
		decides = routing.BuiltinPolicies()[policy]
	}
	asks := func(step string) bool {
		return slices.ContainsFunc(decides.Steps, func(s store.PolicyStep) bool { return s.Step == step })
	}
	for _, part := range []struct {
		key, step string
		set       bool
	}{
		{"workflow", routing.StepWorkflow, n.Workflow != ""},
		{"ring", routing.StepRingGroup, len(n.Ring) > 0},
		{"forward_to", routing.StepForwarding, n.ForwardTo != ""},
		{"rules", routing.StepUnknownRules, len(n.Rules) > 0},
		{"default_rule", routing.StepUnknownRules, n.DefaultRule != nil},
	} {
		where := numberKey(i) + "." + part.key
		switch {
		case !part.set:
		case !asks(part.step):
			l.add(lintWarning, "unused-key", where, object, fmt.Sprintf("has %s, but its policy %s has no step %s: it is never used", part.key, policy, part.step), "choose another policy, or remove the key")
		case part.key == "default_rule" && !used[routing.MatchDefaultRule]:
			l.add(lintWarning, "unused-rule", where, object, "the default rule is never used: its step is never asked, or the other rules fill the week", "remove it, or change the policy")
		case part.key != "rules" && part.key != "default_rule" && !used[part.step]:
			l.add(lintWarning, "unused-key", where, object, fmt.Sprintf("has %s, but its policy %s never comes to the step %s", part.key, policy, part.step), "change the policy, or remove the key")
		case part.key == "rules":
			for j, r := range n.Rules {
				if !used[routing.RulePrefix+r.Name] {
					l.add(lintWarning, "unused-rule", strict.Index(where, j), object, fmt.Sprintf("the rule %q is never used: when it is active its step is not asked, or its user cannot be rung that way", r.Name), "remove it, or change its hours or the policy")
				}
			}
		}
	}
	for j, user := range n.Ring {
		if slices.Index(n.Ring, user) < j {
			l.add(lintNote, "ring-twice", strict.Index(numberKey(i)+".ring", j), object, fmt.Sprintf("ring names %s twice; they ring once", user), "remove one")
		}
	}
}

// unusedSteps reports steps of the organisation's own policies that no call to any number comes to.
func (l *linter) unusedSteps() {
	for _, name := range slices.Sorted(maps.Keys(l.dir.Policies)) {
		where := strict.Join("policies", name)
		asked, used := l.steps[name]
		if !used {
			l.add(lintNote, "unused-policy", where, "policy "+name, "no number has this policy", "remove it, or name it at a number")
			continue
		}
		for i, s := range l.dir.Policies[name].Steps {
			if !asked[i] {
				what := s.Step
				if s.When != "" {
					what += " when " + s.When
				}
				l.add(lintWarning, "unused-step", strict.Index(where+".steps", i), "policy "+name, fmt.Sprintf("step %d, %s, is never asked: an earlier step ends the call, or its condition never holds", i+1, what), "remove it, or change the steps before it")
			}
		}
	}
}

// user reports users whom no call reaches.
func (l *linter) user(i int) {
	u := &l.dir.Users[i]
	where, object := strict.Index("users", i), "user "+u.ID
	switch {
	case u.DND:
		l.add(lintNote, "user-unreachable", where+".dnd", object, "does not want to be disturbed: no call rings them", "set dnd: false when they are back")
	case slices.Equal(u.Reach, []string{store.Phone}) && u.Phone == "":
		l.add(lintWarning, "user-unreachable", where+".reach", object, "is reached by phone only, and has no phone", "give them a phone, or other kinds of device in reach")
	case slices.Contains(u.Reach, store.Phone) && u.Phone == "":
		l.add(lintNote, "user-phone", where+".reach", object, "has phone in reach, but no phone", "give them a phone, or take it out")
	case !l.served[u.ID] && u.Extension == "":
		l.add(lintWarning, "user-unreachable", where, object, "no number leads to them and they have no extension", "give them an extension, or add them to a number")
	case !l.served[u.ID]:
		l.add(lintNote, "user-inside-only", where, object, "no number leads to them: only colleagues can call, at "+u.Extension, "add them to a number, if customers should reach them")
	}
}

// whisper reports whispers that nobody hears, and placeholders that stay as they are.
func (l *linter) whisper(i int) {
	n := &l.dir.Numbers[i]
	if n.Whisper == "" {
		return
	}
	where, object := numberKey(i)+".whisper", "number "+n.Number
	if !n.CallConnect {
		l.add(lintNote, "whisper-unheard", where, object, "has a whisper, but no call_connect: nobody hears it", "set call_connect: true, or remove the whisper")
	}
	for rest := n.Whisper; ; {
		_, after, open := strings.Cut(rest, "{")
		word, next, closed := strings.Cut(after, "}")
		if !open || !closed {
			return
		}
		if word != "label" && word != "caller" {
			l.add(lintWarning, "whisper-word", where, object, fmt.Sprintf("the whisper has {%s}, which stands for nothing", word), "use {label} and {caller}")
		}
		rest = next
	}
}

func numberKey(i int) string { return strict.Index("numbers", i) }
