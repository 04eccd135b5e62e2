package routing

import (
	"time"

	"strowger/store"
)

// Asked is what a decision was made from. A call record keeps it, so that the decision can be made again: identically, or
// under another directory. One of Request and Dial is set.
type Asked struct {
	Request *Request     `json:"request,omitempty"` // a call from outside, or from a user's device to a number of ours
	Dial    *DialRequest `json:"dial,omitempty"`    // what a user's device dialled
	At      time.Time    `json:"at"`
	Live    Live         `json:"live"`    // after Decide, as much of it as the decision asked for
	Version string       `json:"version"` // of the directory
	// Contacts are those that held the caller's number, with what a decision reads of them: they change without a new
	// version of the directory. nil = not noted.
	Contacts []store.Contact `json:"contacts,omitzero"`
}

// Decide makes the decision, and notes in a the contacts that it found. Of the live state it leaves what was asked for: a
// record of a call to one user need not tell where a thousand others were registered.
func (a *Asked) Decide(ix *Index) Dialled {
	a.Contacts = []store.Contact{}
	note := &Live{Registered: map[string][]string{}, Active: map[string]int{}, Partial: true}
	defer func() { a.Live = *note }()
	return a.decide(note, ix.WithContacts(func(e164 string) []*store.Contact {
		found := ix.Contacts(e164)
		for _, c := range found {
			a.Contacts = append(a.Contacts, store.Contact{ID: c.ID, Owner: c.Owner, Created: c.Created})
		}
		return found
	}))
}

// Again makes the decision in ix, with the contacts of that moment.
func (a Asked) Again(ix *Index) Dialled {
	return a.decide(nil, ix.WithContacts(func(string) []*store.Contact { return a.Found() }))
}

// Found are the contacts that held the caller's number.
func (a Asked) Found() []*store.Contact {
	found := make([]*store.Contact, len(a.Contacts))
	for i := range a.Contacts {
		found[i] = &a.Contacts[i]
	}
	return found
}

func (a *Asked) decide(note *Live, ix *Index) Dialled {
	view := ix.With(a.Live)
	view.note = note
	if a.Dial != nil {
		return Dial(*a.Dial, view, a.At)
	}
	req := Request{}
	if a.Request != nil {
		req = *a.Request
	}
	plan := Decide(req, view, a.At)
	return Dialled{Plan: plan, Direction: store.Inbound, To: plan.Called, CallerID: plan.Caller}
}
