package directory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Bounds of a number's rules.
const (
	maxRules = 10
	maxBlast = 5
)

var numberKinds = []string{store.CompanyNumber, store.PersonalNumber}

func (v *validator) numbers() {
	holder := map[string]map[string]int{store.CompanyNumber: {}, store.PersonalNumber: {}} // kind → user → number's index
	for i := range v.dir.Numbers {
		n, path := &v.dir.Numbers[i], numberPath(i)
		v.numberItself(n, i, path)
		if n.User != "" && v.knownUser(path+".user", n.User) {
			v.oneNumber(n, i, holder[n.Kind])
		}
		if n.User == "" && n.Kind == store.PersonalNumber {
			v.add(path, "add user: ID, or make it kind: company", "the personal number %s has no user", n.Number)
		}
		for j, user := range n.Ring {
			v.knownUser(strict.Index(path+".ring", j), user)
		}
		v.rules(n, path)
	}
}

// numberItself checks what a number says of itself.
func (v *validator) numberItself(n *store.Number, i int, path string) {
	if n.Number == "" {
		v.add(path, `write it in E.164 form, like "+12025550100"`, "there is no number")
	} else if v.phone(path+".number", n.Number) && v.number[n.Number] != i {
		v.add(path+".number", "keep one of them", "%s is %s already", n.Number, v.other(numberPath(v.number[n.Number])+".number"))
	}
	if n.Kind == "" {
		v.add(path, "add kind: company or kind: personal", "the number has no kind")
	} else if !slices.Contains(numberKinds, n.Kind) {
		v.add(path+".kind", strict.OneOf(n.Kind, numberKinds), "there is no kind of number %q", clip(n.Kind))
	}
	if n.Policy != "" && !slices.Contains(BuiltinPolicies, n.Policy) {
		if _, ok := v.dir.Policies[n.Policy]; !ok {
			names := append(slices.Sorted(maps.Keys(v.dir.Policies)), BuiltinPolicies...)
			v.add(path+".policy", strict.OneOf(n.Policy, names), "there is no policy %q", clip(n.Policy))
		}
	}
	if _, ok := v.workflow[n.Workflow]; n.Workflow != "" && !ok {
		fix := "name one of workflows"
		if len(v.workflow) > 0 {
			fix = strict.OneOf(n.Workflow, slices.Sorted(maps.Keys(v.workflow)))
		}
		v.add(path+".workflow", fix, "there is no workflow %q", clip(n.Workflow))
	}
	if n.ForwardTo != "" {
		v.phone(path+".forward_to", n.ForwardTo)
	}
	v.ringSeconds(path+".ring_seconds", n.RingSeconds)
	v.record(path+".record", n.Record)
	if n.MaxInbound < 0 || n.MaxInbound == 0 && v.places.Has(path+".max_inbound") {
		v.add(path+".max_inbound", "use 1 or more; without the key it is 50", "%d calls at once cannot be", n.MaxInbound)
	}
}

// oneNumber holds a user to one personal and one company number.
func (v *validator) oneNumber(n *store.Number, i int, holder map[string]int) {
	first, taken := holder[n.User]
	switch {
	case holder == nil: // no such kind; said already
	case taken:
		fix := "a user has at most one personal number"
		if n.Kind == store.CompanyNumber {
			fix = "a user is the user of at most one company number; use ring for more"
		}
		v.add(numberPath(i)+".user", fix, "user %q has the %s number %s already, %s",
			n.User, n.Kind, v.dir.Numbers[first].Number, v.other(numberPath(first)+".user"))
	default:
		holder[n.User] = i
	}
}

func (v *validator) rules(n *store.Number, path string) {
	if len(n.Rules) > maxRules {
		v.add(strict.Index(path+".rules", maxRules), "join or remove some", "the number has %d rules, the limit is %d", len(n.Rules), maxRules)
	}
	for j := range n.Rules {
		r, at := &n.Rules[j], strict.Index(path+".rules", j)
		v.rule(r, n, at)
		if len(r.Hours) == 0 {
			v.add(at, "add hours, or make it the default_rule", "%s has no hours", ruleName(r, at))
		}
		v.windows(at+".hours", r.Hours)
	}
	v.ruleOverlaps(n, path)
	if r := n.DefaultRule; r != nil {
		v.rule(r, n, path+".default_rule")
		if len(r.Hours) > 0 {
			v.add(path+".default_rule.hours", "remove them, or move the rule into rules", "the default rule is for all other hours and takes none")
		}
	}
}

// rule checks where a rule leads: to exactly one place.
func (v *validator) rule(r *store.Rule, n *store.Number, path string) {
	var has []string
	if len(r.Blast) > 0 || v.places.Has(path+".blast") {
		has = append(has, "blast")
	}
	if r.SpecificUser != "" {
		has = append(has, "specific_user")
	}
	if r.AnotherNumber != "" {
		has = append(has, "another_number")
	}
	if len(has) != 1 {
		what := "leads nowhere"
		if len(has) > 1 {
			what = "has " + strings.Join(has, " and ") + " at once"
		}
		v.add(path, "give it exactly one of blast, specific_user, another_number", "%s %s", ruleName(r, path), what)
	}
	if len(r.Blast) > maxBlast || len(r.Blast) == 0 && slices.Contains(has, "blast") {
		v.add(path+".blast", fmt.Sprintf("name 1 to %d users", maxBlast), "a blast to %d users cannot be", len(r.Blast))
	}
	for i, user := range r.Blast {
		at := strict.Index(path+".blast", i)
		if first := slices.Index(r.Blast, user); first < i {
			v.add(at, "name each user once", "user %q is in this blast already, %s", user, v.other(strict.Index(path+".blast", first)))
		} else {
			v.knownUser(at, user)
		}
	}
	if r.SpecificUser != "" {
		v.knownUser(path+".specific_user", r.SpecificUser)
	}
	if r.AnotherNumber != "" && v.phone(path+".another_number", r.AnotherNumber) && r.AnotherNumber == n.Number {
		v.add(path+".another_number", "give another one", "the rule leads back to its own number %s: a loop", n.Number)
	}
}

func ruleName(r *store.Rule, path string) string {
	switch {
	case r.Name != "":
		return fmt.Sprintf("rule %q", clip(r.Name))
	case strings.HasSuffix(path, "default_rule"):
		return "the default rule"
	}
	return "the rule"
}

// forwardingLoops refuses chains of our own numbers that come back, once for each circle. Rules are not followed: they
// depend on the hour and the caller, and a call that meets itself drops the line.
func (v *validator) forwardingLoops() {
	const visiting, done = 1, 2
	state := map[string]int{}
	for i := range v.dir.Numbers {
		var chain []string
		number := v.dir.Numbers[i].Number
		for {
			j, ours := v.number[number]
			if !ours || number == "" || state[number] == done {
				break
			}
			if state[number] == visiting {
				v.loop(chain[slices.Index(chain, number):])
				break
			}
			state[number] = visiting
			chain = append(chain, number)
			number = v.dir.Numbers[j].ForwardTo
		}
		for _, n := range chain {
			state[n] = done
		}
	}
}

func (v *validator) loop(circle []string) {
	last := len(circle) - 1
	path := numberPath(v.number[circle[last]]) + ".forward_to"
	if last == 0 {
		v.add(path, "forward it to another line", "%s forwards to itself: a loop", circle[0])
		return
	}
	sides := make([]string, last)
	for i := range sides {
		sides[i] = v.other(numberPath(v.number[circle[i]]) + ".forward_to")
	}
	v.add(path, "end the chain at an outside line", "forwarding comes back to where it began: %s → %s, a loop with %s",
		strings.Join(circle, " → "), circle[0], strings.Join(sides, ", "))
}
