package routing

import (
	"slices"

	"strowger/store"
)

// matchContacts finds the contacts that hold the caller's number, their owner, and whose timeline records the call.
func (d *decider) matchContacts(plan *Plan) {
	var found []*store.Contact
	if d.caller != "" {
		found = d.dir.Contacts(d.caller)
	}
	d.known = len(found) > 0
	plan.Known = d.known
	newest, agree := d.newestOwned(found)
	if newest != nil {
		d.owner = d.dir.User(newest.Owner)
		plan.Owner = newest.Owner
		if !agree {
			plan.Contacts = []string{newest.ID}
			return
		}
	}
	plan.Contacts = sortedIDs(found)
}

// newestOwned returns the most recently created contact that has an owner (equal times: the smaller id), nil when none
// has, and whether all owned contacts have the same owner.
func (d *decider) newestOwned(contacts []*store.Contact) (newest *store.Contact, agree bool) {
	agree = true
	for _, c := range contacts {
		if c.Owner == "" || d.dir.User(c.Owner) == nil {
			continue
		}
		if newest == nil {
			newest = c
			continue
		}
		agree = agree && c.Owner == newest.Owner
		if c.Created.After(newest.Created) || c.Created.Equal(newest.Created) && c.ID < newest.ID {
			newest = c
		}
	}
	return newest, agree
}

// sortedIDs of contacts, each once; never nil.
func sortedIDs(contacts []*store.Contact) []string {
	ids := make([]string, len(contacts))
	for i, c := range contacts {
		ids[i] = c.ID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
