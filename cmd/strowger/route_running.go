package main

import (
	"net/url"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/store"
)

// runningSystem is the stored organisation, and the live state of the server if one runs.
func runningSystem(g *Globals) (*routing.Index, routing.Live, error) {
	var have admin.Directory
	var live routing.Live
	err := g.withAdmin(func(a *admin.Client) error {
		if err := a.Get("/directory", nil, &have); err != nil {
			return err
		}
		return a.Get("/state", nil, &live)
	})
	if err != nil {
		return nil, live, err
	}
	index, err := routing.NewIndex(have.Directory)
	if err != nil {
		return nil, live, err
	}
	return index.WithContacts(func(e164 string) []*store.Contact { return storedContacts(g, e164) }), live, nil
}

// storedContacts are the contacts who have a number. One that cannot be read is unknown, as it would be to a call.
func storedContacts(g *Globals, e164 string) (found []*store.Contact) {
	g.withAdmin(func(a *admin.Client) error {
		return a.Get("/contacts/by-phone/"+url.PathEscape(e164), nil, &found)
	})
	return found
}
