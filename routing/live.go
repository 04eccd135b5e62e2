package routing

import (
	"slices"

	"strowger/store"
)

// Kinds is a set of kinds of endpoint.
type Kinds uint8

const (
	browser Kinds = 1 << iota
	desk
	mobile
	phone
	allKinds = browser | desk | mobile | phone
)

// kindNames in the order in which they print.
var kindNames = [...]string{store.Browser, store.Desk, store.Mobile, store.Phone}

// kindLists holds the names of every set, so that plans can share them.
var kindLists = func() (lists [allKinds + 1][]string) {
	for set := range lists {
		for i, name := range kindNames {
			if set&(1<<i) != 0 {
				lists[set] = append(lists[set], name)
			}
		}
		lists[set] = slices.Clip(lists[set])
	}
	return lists
}()

// KindsOf makes a set of browser, desk, mobile and phone; other names count for nothing.
func KindsOf(names []string) Kinds {
	var k Kinds
	for _, name := range names {
		if i := slices.Index(kindNames[:], name); i >= 0 {
			k |= 1 << i
		}
	}
	return k
}

// Names lists the set in the order browser, desk, mobile, phone. The list is shared: do not change it.
func (k Kinds) Names() []string { return kindLists[k&allKinds] }

// Live is the state of a moment. A call record keeps it, so that the decision can be made again.
type Live struct {
	Registered map[string][]string `json:"registered,omitempty" yaml:"registered,omitempty"` // user → kinds of endpoint that can ring; a mobile that a push wakes counts
	Busy       []string            `json:"busy,omitempty" yaml:"busy,omitempty"`             // users on a call
	Active     map[string]int      `json:"active,omitempty" yaml:"active,omitempty"`         // inbound calls by number, this one not counted
	// Partial says that this is what one decision asked for and no more. Another decision takes a user of whom nothing is
	// known here for one who can be rung on every kind of endpoint.
	Partial bool `json:"partial,omitempty" yaml:"-"`
}

// View is an Index at a moment; it implements Directory.
type View struct {
	*Index
	live Live
	busy map[string]struct{} // instead of live.Busy, when that is long
	note *Live               // what was asked of live; nil = not noted
}

// longBusyList is from where on a set finds a busy user sooner than a walk through the list.
const longBusyList = 16

// With joins the organisation with a moment's state. It keeps live, which must not be changed afterwards.
func (ix *Index) With(live Live) *View {
	v := &View{Index: ix, live: live}
	if len(live.Busy) > longBusyList {
		v.busy = make(map[string]struct{}, len(live.Busy))
		for _, u := range live.Busy {
			v.busy[u] = struct{}{}
		}
	}
	return v
}

// Company implements Directory.
func (ix *Index) Company() *Company { return &ix.company }

// Number implements Directory.
func (ix *Index) Number(e164 string) *Number { return ix.byNumber[e164] }

// Numbers implements Directory.
func (ix *Index) Numbers() []*Number { return ix.numbers }

// User implements Directory.
func (ix *Index) User(id string) *User { return ix.byID[id] }

// Extension implements Directory.
func (ix *Index) Extension(ext string) *User { return ix.extensions[ext] }

// Users implements Directory.
func (ix *Index) Users() []*User { return ix.users }

// Contacts implements Directory.
func (ix *Index) Contacts(e164 string) []*store.Contact { return ix.contacts(e164) }

// Policy implements Directory.
func (ix *Index) Policy(name string) *Policy { return ix.policies[name] }

// Workflow implements Directory.
func (ix *Index) Workflow(id string) *store.Workflow { return ix.workflows[id] }

// Registered implements Directory.
func (v *View) Registered(user string) Kinds {
	names, known := v.live.Registered[user]
	if !known && v.live.Partial {
		return allKinds &^ phone
	}
	if v.note != nil {
		v.note.Registered[user] = append([]string{}, names...)
	}
	return KindsOf(names) &^ phone
}

// Busy implements Directory.
func (v *View) Busy(user string) bool {
	busy := false
	if v.busy != nil {
		_, busy = v.busy[user]
	} else {
		busy = slices.Contains(v.live.Busy, user)
	}
	if busy && v.note != nil && !slices.Contains(v.note.Busy, user) {
		v.note.Busy = append(v.note.Busy, user)
	}
	return busy
}

// Active implements Directory. Numbers in the live state are E.164.
func (v *View) Active(e164 string) int {
	n := v.live.Active[e164]
	if n != 0 && v.note != nil {
		v.note.Active[e164] = n
	}
	return n
}
