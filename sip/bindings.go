package sip

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
)

// locationTable is the location service (RFC 3261 §10): where each user can be reached. It lives in memory; what changes
// is written behind in batches, so that a refresh costs no write of its own.
type locationTable struct {
	store BindingStore // nil = nothing is kept
	log   zerolog.Logger
	added func(store.Binding) // told of each contact that appears, outside the lock
	// changed is told of each user whose contacts have become more, fewer or others, outside the lock. Refreshes are none.
	changed func(user string)

	mu     sync.Mutex
	moved  []string                    // users to tell changed of
	users  map[string][]*store.Binding // address of record → contacts, in the order in which they appeared
	flows  map[string][]string         // connection → users who registered over it
	expiry expiryHeap
	queued map[bindingKey]time.Time // when the heap's earliest entry of a binding is due
	dirty  map[bindingKey]change
	due    time.Time // when dirty is to be written; zero = nothing is dirty
	wake   chan struct{}
}

// bindingKey names a binding within the whole table: by instance and reg-id (RFC 5626 §6), else by contact.
type bindingKey struct {
	user, instance string
	regID          int
	contact        string
}

func keyOfBinding(b *store.Binding) bindingKey {
	if b.Instance != "" {
		return bindingKey{user: b.User, instance: b.Instance, regID: b.RegID}
	}
	return bindingKey{user: b.User, contact: b.Contact}
}

func newLocationTable(bindings BindingStore, log zerolog.Logger) *locationTable {
	return &locationTable{
		store: bindings,
		log:   log,
		added: func(store.Binding) {},

		changed: func(string) {},

		users: make(map[string][]*store.Binding),
		flows: make(map[string][]string),

		queued: make(map[bindingKey]time.Time),
		dirty:  make(map[bindingKey]change),
		wake:   make(chan struct{}, 1),
	}
}

// load reads what was registered before we started. Connections did not survive, so their bindings go; phones on UDP ring
// as before.
func (t *locationTable) load(now time.Time) error {
	if t.store == nil {
		return nil
	}
	stored, err := t.store.LoadBindings()
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range stored {
		b := &stored[i]
		if b.Transport != "udp" || !b.Expires.After(now) {
			t.note(b, true, writeLater, now)
			continue
		}
		t.users[b.User] = append(t.users[b.User], b)
		t.queue(b)
	}
	return nil
}

var (
	errOutOfOrder   = errors.New("CSeq is not above that of the binding")
	errTooManyBound = errors.New("too many contacts")
)

// update applies all contacts of one REGISTER or none of them (RFC 3261 §10.3 item 7). A contact with a zero Expires is
// removed. It returns what is bound then.
func (t *locationTable) update(user string, contacts []store.Binding, limit int, now time.Time) ([]store.Binding, error) {
	t.mu.Lock()
	count := len(t.users[user])
	for i := range contacts {
		b := &contacts[i]
		old := t.find(keyOfBinding(b))
		switch {
		case old != nil && old.CallID == b.CallID && b.CSeq <= old.CSeq:
			t.mu.Unlock()
			return nil, errOutOfOrder
		case old == nil && !b.Expires.IsZero():
			count++
		case old != nil && b.Expires.IsZero():
			count--
		}
	}
	if count > limit && count > len(t.users[user]) {
		t.mu.Unlock()
		return nil, errTooManyBound
	}
	var appeared []store.Binding
	for i := range contacts {
		b := contacts[i]
		if b.Expires.IsZero() {
			t.drop(keyOfBinding(&b), now)
		} else if t.put(&b, now) {
			appeared = append(appeared, b)
		}
	}
	list := t.list(user, now)
	t.unlock()
	for _, b := range appeared {
		t.added(b)
	}
	return list, nil
}

// unlock lets others in, and tells whose contacts have changed meanwhile.
func (t *locationTable) unlock() {
	users := t.moved
	t.moved = nil
	t.mu.Unlock()
	for _, user := range users {
		t.changed(user)
	}
}

// noteMoved remembers that a user's contacts have changed.
func (t *locationTable) noteMoved(user string) {
	if !slices.Contains(t.moved, user) {
		t.moved = append(t.moved, user)
	}
}

// removeDevice removes the bindings of one device; force ignores the order of CSeq.
func (t *locationTable) removeDevice(user, device string, now time.Time) []store.Binding {
	t.mu.Lock()
	defer t.unlock()
	t.dropWhere(now, user, func(b *store.Binding) bool { return b.Device == device })
	return t.list(user, now)
}

// put adds or replaces a binding and reports whether a phone appeared: a new contact, or one that moved elsewhere.
func (t *locationTable) put(b *store.Binding, now time.Time) bool {
	key := keyOfBinding(b)
	list := t.users[b.User]
	moved := true
	i := slices.IndexFunc(list, func(old *store.Binding) bool { return keyOfBinding(old) == key })
	if i >= 0 {
		old := list[i]
		moved = old.Contact != b.Contact || old.Flow != b.Flow || old.Source != b.Source || !old.Expires.After(now)
		list[i] = b
	} else {
		t.users[b.User] = append(list, b)
	}
	t.queue(b)
	if b.Flow != "" && !slices.Contains(t.flows[b.Flow], b.User) {
		t.flows[b.Flow] = append(t.flows[b.Flow], b.User)
	}
	if moved {
		t.noteMoved(b.User)
		t.note(b, false, writeSoon, now)
	} else {
		t.note(b, false, writeLater, now)
	}
	return moved
}

func (t *locationTable) find(key bindingKey) *store.Binding {
	for _, b := range t.users[key.user] {
		if keyOfBinding(b) == key {
			return b
		}
	}
	return nil
}

func (t *locationTable) drop(key bindingKey, now time.Time) {
	t.dropWhere(now, key.user, func(b *store.Binding) bool { return keyOfBinding(b) == key })
}

// dropWhere removes those of a user's bindings for which f holds, and returns how many.
func (t *locationTable) dropWhere(now time.Time, user string, f func(*store.Binding) bool) int {
	list, kept := t.users[user], make([]*store.Binding, 0, len(t.users[user]))
	for _, b := range list {
		if f(b) {
			t.note(b, true, writeSoon, now)
		} else {
			kept = append(kept, b)
		}
	}
	if len(kept) == 0 {
		delete(t.users, user)
	} else {
		t.users[user] = kept
	}
	if len(kept) < len(list) {
		t.noteMoved(user)
	}
	return len(list) - len(kept)
}

// dropFlow removes the bindings that were made over a connection which closed now (RFC 5626 §6).
func (t *locationTable) dropFlow(flow string) {
	now := time.Now()
	t.mu.Lock()
	defer t.unlock()
	for _, user := range t.flows[flow] {
		t.dropWhere(now, user, func(b *store.Binding) bool { return b.Flow == flow })
	}
	delete(t.flows, flow)
}

// list copies what is bound to user and not expired.
func (t *locationTable) list(user string, now time.Time) []store.Binding {
	var out []store.Binding
	for _, b := range t.users[user] {
		if b.Expires.After(now) {
			out = append(out, *b)
		}
	}
	return out
}

// registrations copies the bindings of a user, or of all ("") in the order of the users.
func (t *locationTable) registrations(user string, now time.Time) []store.Binding {
	t.mu.Lock()
	defer t.mu.Unlock()
	if user != "" {
		return t.list(user, now)
	}
	var out []store.Binding
	for user := range t.users {
		out = append(out, t.list(user, now)...)
	}
	slices.SortStableFunc(out, func(a, b store.Binding) int { return cmp.Compare(a.User, b.User) })
	return out
}

// ofDevice is the device's binding: the one made over this flow or from this source when it has several. Nil when it has
// none.
func (t *locationTable) ofDevice(user, device, source string, f *flow) *store.Binding {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	var found *store.Binding
	for _, b := range t.users[user] {
		if b.Device != device || !b.Expires.After(now) {
			continue
		}
		same := b.Source == source || (f != nil && b.Flow == f.id)
		if found == nil || same {
			c := *b
			found = &c
		}
		if same {
			break
		}
	}
	return found
}
