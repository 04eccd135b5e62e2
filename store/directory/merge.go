package directory

import (
	"maps"

	"strowger/store"
	"strowger/store/directory/strict"
)

// sections of a document that are lists.
const (
	sectionUsers     = "users"
	sectionNumbers   = "numbers"
	sectionContacts  = "contacts"
	sectionWorkflows = "workflows"
	sectionPolicies  = "policies"
	sectionFeatures  = "features" // an object
)

// HasSection reports whether a file of the document has a top-level key, were it empty.
func (doc *Document) HasSection(name string) bool {
	for _, pos := range doc.files {
		if pos.Has(name) {
			return true
		}
	}
	return false
}

// Over lays the document over the current directory and returns the whole that results, which still knows the places of what
// is from files. What the document names is created or replaced as a whole, by id; what it does not name stays. With prune,
// the document's sections are complete: what they do not name is removed. A section that the document lacks altogether is
// never touched, so a file without `contacts` cannot remove contacts.
//
// Lists take the document's order when it names everything that is there, else what is there keeps its order and new items
// follow.
func (doc *Document) Over(current store.Directory, prune bool) *Document {
	out := newDocument()
	out.files, out.form, out.twice = doc.files, doc.form, doc.twice
	out.Company = current.Company
	if file, ok := doc.maps["company"]; ok {
		out.maps["company"], out.Company = file, doc.Company
	}
	out.Features = current.Features
	if file, ok := doc.maps[sectionFeatures]; ok {
		out.maps[sectionFeatures], out.Features = file, doc.Features
	}
	if !prune || !doc.HasSection(sectionPolicies) {
		out.Policies = maps.Clone(current.Policies)
	}
	for name, policy := range doc.Policies {
		if out.Policies == nil {
			out.Policies = map[string]store.Policy{}
		}
		key := strict.Join(sectionPolicies, name)
		out.Policies[name], out.maps[key] = policy, doc.maps[key]
	}
	out.Users = over(doc, out, sectionUsers, prune, current.Users, doc.Users, func(u *store.User) string { return u.ID })
	out.Numbers = over(doc, out, sectionNumbers, prune, current.Numbers, doc.Numbers, func(n *store.Number) string { return n.Number })
	out.Contacts = over(doc, out, sectionContacts, prune, current.Contacts, doc.Contacts, func(c *store.Contact) string { return c.ID })
	out.Workflows = over(doc, out, sectionWorkflows, prune, current.Workflows, doc.Workflows, func(w *store.Workflow) string { return w.ID })
	out.normalize()
	return out
}

// over merges one list and notes in out where each item comes from. An id that the document has twice stays twice: Validate
// refuses it.
func over[T any](doc, out *Document, section string, prune bool, have, more []T, id func(*T) string) []T {
	if prune && doc.HasSection(section) {
		out.places[section] = doc.places[section]
		return more
	}
	first := make(map[string]int, len(more))
	for i := len(more) - 1; i >= 0; i-- {
		first[id(&more[i])] = i
	}
	list := make([]T, 0, len(have)+len(more))
	places := make([]place, 0, cap(list))
	placed := make([]bool, len(more))
	kept := 0
	for i := range have {
		j, named := first[id(&have[i])]
		switch {
		case !named:
			kept++
			list, places = append(list, have[i]), append(places, place{-1, 0})
		case !placed[j]:
			placed[j] = true
			list, places = append(list, more[j]), append(places, doc.places[section][j])
		}
	}
	if kept == 0 { // the document names everything
		out.places[section] = doc.places[section]
		return more
	}
	for j := range more {
		if !placed[j] {
			list, places = append(list, more[j]), append(places, doc.places[section][j])
		}
	}
	out.places[section] = places
	return list
}
