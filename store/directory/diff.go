package directory

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"strowger/store"
)

// Actions of a Change.
const (
	Create  = "create"
	Modify  = "change"
	Remove  = "remove"
	Reorder = "reorder" // the list of this kind stands in another order
)

// Change is what a plan does to one object.
type Change struct {
	Action string  `json:"action"`
	Kind   string  `json:"kind"` // company | user | number | contact | policy | workflow | features
	ID     string  `json:"id,omitempty"`
	Name   string  `json:"name,omitempty"` // for people, when the id does not say it
	Fields []Field `json:"fields,omitempty"`
}

// Field of a change: "" = absent.
type Field struct {
	Key string `json:"key"`
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// Plan is what makes one directory of another, in the order of the document: company, users, numbers, contacts, policies,
// workflows, features.
type Plan struct {
	Changes []Change `json:"changes"`
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Count counts the changes with an action, all kinds for "".
func (p Plan) Count(action, kind string) int {
	n := 0
	for i := range p.Changes {
		if p.Changes[i].Action == action && (kind == "" || p.Changes[i].Kind == kind) {
			n++
		}
	}
	return n
}

// Diff compares two directories field by field. Objects are the same when their ids are.
func Diff(before, after store.Directory) Plan {
	var p Plan
	if fields := compare(before.Company, after.Company); len(fields) > 0 {
		p.Changes = append(p.Changes, Change{Action: Modify, Kind: "company", Name: after.Company.Name, Fields: fields})
	}
	diffList(&p, "user", before.Users, after.Users, func(u *store.User) (string, string) { return u.ID, u.Name }, nil)
	diffList(&p, "number", before.Numbers, after.Numbers, func(n *store.Number) (string, string) { return n.Number, n.Label }, nil)
	diffList(&p, "contact", before.Contacts, after.Contacts, func(c *store.Contact) (string, string) { return c.ID, c.Name }, sameContact)
	diffPolicies(&p, before.Policies, after.Policies)
	diffList(&p, "workflow", before.Workflows, after.Workflows, func(w *store.Workflow) (string, string) { return w.ID, "" }, nil)
	if fields := compare(before.Features, after.Features); len(fields) > 0 {
		p.Changes = append(p.Changes, Change{Action: Modify, Kind: "features", Fields: fields})
	}
	return p
}

// sameContact is a quick comparison: there are many contacts and most stay as they are.
func sameContact(a, b *store.Contact) bool {
	return a.Name == b.Name && a.Owner == b.Owner && a.Source == b.Source && a.Created.Equal(b.Created) &&
		slices.Equal(a.Phones, b.Phones) && slices.Equal(a.Tags, b.Tags)
}

// diffList compares two lists whose items have ids. same may be nil.
func diffList[T any](p *Plan, kind string, before, after []T, id func(*T) (id, name string), same func(a, b *T) bool) {
	old := make(map[string]int, len(before))
	for i := range before {
		key, _ := id(&before[i])
		old[key] = i
	}
	seen := make(map[string]bool, len(after))
	last, moved := -1, false
	for i := range after {
		key, name := id(&after[i])
		seen[key] = true
		j, ok := old[key]
		if !ok {
			p.Changes = append(p.Changes, Change{Action: Create, Kind: kind, ID: key, Name: name, Fields: fieldsOf(after[i])})
			continue
		}
		moved = moved || j < last
		last = j
		if same != nil && same(&before[j], &after[i]) {
			continue
		}
		if fields := compare(before[j], after[i]); len(fields) > 0 {
			p.Changes = append(p.Changes, Change{Action: Modify, Kind: kind, ID: key, Name: name, Fields: fields})
		}
	}
	for i := range before {
		if key, name := id(&before[i]); !seen[key] {
			p.Changes = append(p.Changes, Change{Action: Remove, Kind: kind, ID: key, Name: name})
		}
	}
	if moved && kind == "user" { // users ring in their order; that of the others means nothing
		p.Changes = append(p.Changes, Change{Action: Reorder, Kind: kind})
	}
}

func diffPolicies(p *Plan, before, after map[string]store.Policy) {
	for _, name := range slices.Sorted(maps.Keys(after)) {
		old, ok := before[name]
		if !ok {
			p.Changes = append(p.Changes, Change{Action: Create, Kind: "policy", ID: name, Fields: fieldsOf(after[name])})
		} else if fields := compare(old, after[name]); len(fields) > 0 {
			p.Changes = append(p.Changes, Change{Action: Modify, Kind: "policy", ID: name, Fields: fields})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[name]; !ok {
			p.Changes = append(p.Changes, Change{Action: Remove, Kind: "policy", ID: name})
		}
	}
}

// String prints the whole plan for people.
func (p Plan) String() string {
	var b strings.Builder
	p.Print(&b, 0)
	return b.String()
}

// Print writes the plan for people. Of more than limit objects of one kind and action, only the first ones are listed; 0 =
// all.
func (p Plan) Print(w io.Writer, limit int) {
	if p.Empty() {
		fmt.Fprintln(w, "No changes: everything is as the document says.")
		return
	}
	type group struct{ action, kind string }
	printed := map[group]int{}
	for i := range p.Changes {
		c := &p.Changes[i]
		g := group{c.Action, c.Kind}
		if printed[g]++; limit > 0 && printed[g] > limit {
			continue
		}
		c.print(w)
	}
	for _, kind := range []string{"user", "number", "contact", "policy", "workflow"} {
		for _, action := range []string{Create, Modify, Remove} {
			if more := printed[group{action, kind}] - limit; limit > 0 && more > 0 {
				fmt.Fprintf(w, "  ... and %d more of kind %s to %s\n", more, kind, action)
			}
		}
	}
	fmt.Fprintf(w, "\nPlan: %d to create, %d to change, %d to remove.\n", p.Count(Create, ""), p.Count(Modify, "")+p.Count(Reorder, ""), p.Count(Remove, ""))
}

func (c *Change) print(w io.Writer) {
	sign := map[string]string{Create: "+", Modify: "~", Remove: "-", Reorder: "~"}[c.Action]
	if c.Action == Reorder {
		fmt.Fprintf(w, "  %s the order of the %ss\n", sign, c.Kind)
		return
	}
	title := c.Kind
	if c.ID != "" {
		title += " " + c.ID
	}
	if c.Name != "" && c.Name != c.ID {
		title += " (" + c.Name + ")"
	}
	fmt.Fprintf(w, "  %s %s\n", sign, title)
	for _, f := range c.Fields {
		switch {
		case c.Action == Create && (f.Key == "id" || f.Key == "number"): // the title says it
		case c.Action == Create:
			fmt.Fprintf(w, "      %s: %s\n", f.Key, f.New)
		case f.Old == "":
			fmt.Fprintf(w, "    + %s: %s\n", f.Key, f.New)
		case f.New == "":
			fmt.Fprintf(w, "    - %s: %s\n", f.Key, f.Old)
		default:
			fmt.Fprintf(w, "    ~ %s: %s → %s\n", f.Key, f.Old, f.New)
		}
	}
}
