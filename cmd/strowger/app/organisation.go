package app

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/rs/zerolog"

	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
)

// organisation is the directory in the forms that requests need, answered from memory. It is replaced as a whole when the
// directory changes, so readers never wait and never see half of a change.
type organisation struct {
	db  *bolt.DB
	log zerolog.Logger
	now atomic.Pointer[orgView]
}

type orgView struct {
	dir     store.Directory // without contacts
	version string
	index   *routing.Index
	devices map[string]store.Device
	users   map[string]int // id → place in dir.Users
}

func newOrganisation(db *bolt.DB, log zerolog.Logger) (*organisation, error) {
	o := &organisation{db: db, log: log}
	return o, o.reload()
}

// reload reads the directory and the devices from the store. On an error the old view stays.
func (o *organisation) reload() error {
	dir, version := o.db.Directory()
	index, err := routing.NewIndex(dir)
	if err != nil {
		return fmt.Errorf("the stored directory does not compile: %w", err)
	}
	devices, err := o.db.Devices("")
	if err != nil {
		return fmt.Errorf("read devices: %w", err)
	}
	view := &orgView{dir: dir, version: version, index: index.WithContacts(o.contacts), devices: make(map[string]store.Device, len(devices)),
		users: make(map[string]int, len(dir.Users))}
	for i := range dir.Users {
		view.users[dir.Users[i].ID] = i
	}
	for _, d := range devices {
		view.devices[d.ID] = d
	}
	o.now.Store(view)
	return nil
}

// contacts finds the contacts who have a number. A store that cannot be read makes the caller a stranger, not the call fail.
func (o *organisation) contacts(e164 string) []*store.Contact {
	list, err := o.db.ContactsByPhone(e164)
	if err != nil {
		o.log.Error().Err(err).Msg("contacts cannot be read; the caller is treated as unknown")
		return nil
	}
	found := make([]*store.Contact, len(list))
	for i := range list {
		found[i] = &list[i]
	}
	return found
}

func (o *organisation) view() *orgView { return o.now.Load() }

// Company is the organisation's own data.
func (o *organisation) Company() store.Company { return o.view().dir.Company }

// Features implements web.Organisation.
func (o *organisation) Features() store.Features { return o.view().dir.Features }

// Users are all users in the directory's order. The result is shared.
func (o *organisation) Users() []store.User { return o.view().dir.Users }

// Numbers are all our numbers in the directory's order. The result is shared.
func (o *organisation) Numbers() []store.Number { return o.view().dir.Numbers }

// UserByID finds a user.
func (o *organisation) UserByID(id string) (store.User, bool) {
	view := o.view()
	if i, ok := view.users[id]; ok {
		return view.dir.Users[i], true
	}
	return store.User{}, false
}

// UserByExtension finds the user with an extension.
func (o *organisation) UserByExtension(ext string) (store.User, bool) {
	return o.findUser(func(u *store.User) bool { return ext != "" && u.Extension == ext })
}

// UserByEmail finds the user with an address, whatever its case.
func (o *organisation) UserByEmail(email string) (store.User, bool) {
	return o.findUser(func(u *store.User) bool { return email != "" && strings.EqualFold(u.Email, email) })
}

func (o *organisation) findUser(is func(*store.User) bool) (store.User, bool) {
	users := o.view().dir.Users
	for i := range users {
		if is(&users[i]) {
			return users[i], true
		}
	}
	return store.User{}, false
}

// Device finds a phone by its digest username.
func (o *organisation) Device(id string) (store.Device, bool) {
	d, ok := o.view().devices[id]
	return d, ok
}

// IsOurs reports whether a number (E.164) is ours.
func (o *organisation) IsOurs(e164 string) bool {
	return o.view().index.Number(e164) != nil
}

// Contact finds a contact by id.
func (o *organisation) Contact(id string) (store.Contact, bool) {
	c, err := o.db.Contact(id)
	return c, err == nil
}

// FeatureName implements web.Organisation.
func (o *organisation) FeatureName(dialled string) string {
	return o.view().index.Features().Name(dialled)
}

// ContactName is the name of the contact who has this number; of several the one who was made last.
func (o *organisation) ContactName(number string) string {
	e164, ok := routing.ParseNumber(number, o.Company().Region)
	if !ok {
		return ""
	}
	var best *store.Contact
	for _, c := range o.contacts(e164) {
		if best == nil || c.Created.After(best.Created) {
			best = c
		}
	}
	if best == nil {
		return ""
	}
	return best.Name
}
