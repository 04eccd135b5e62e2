// Package webtest is a phone system without phones: it implements what package web needs, in memory, with an
// organisation, calls and voicemails to look at. Tests of web and the page's development server (devserver) use it.
package webtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
)

// Fake is the whole rest of the system. Set its fields before use; Mu guards them afterwards.
type Fake struct {
	Mu        sync.Mutex
	Directory store.Directory
	Creds     map[string]store.Credential
	Records   []store.CallRecord // newest first
	Live      []call.Snapshot
	Messages  []store.Voicemail // newest first
	Audio     []byte            // WAV of every message
	Boxes     map[store.Mailbox]store.MailboxSettings
	Greetings map[string][]byte // "BOX KIND" → WAV
	Queued    []store.MailJob
	Bindings  []store.Binding
	Lines     []web.TrunkStatus
	Dial      []web.DemoNumber
	Called    []string // what CallMe was asked: "user from"
	HungUp    []string // calls that Hangup ended
	Commands  []call.Command
	Refuses   error // what Control answers
	Noted     []store.AuditEntry
	// Serve is ServeWebSocket; nil reads until the socket is closed.
	Serve func(conn *websocket.Conn, remote string, id web.PhoneIdentity) error
	// OnCallMe is told of demo calls; nil = nothing happens.
	OnCallMe func(user store.User, from string) error
}

// Config is a web.Config in which the Fake is everything.
func (f *Fake) Config() web.Config {
	return web.Config{
		Organisation: f, People: f, Credentials: f, Calls: f, Active: f, Voicemails: f, Recordings: recordings{f}, Mailboxes: f, Mails: f, Phones: f, Trunks: f, Demo: f,
		Version: "test",
	}
}

// Company implements web.Organisation.
func (f *Fake) Company() store.Company { return f.Directory.Company }

// Features implements web.Organisation.
func (f *Fake) Features() store.Features { return f.Directory.Features }

// Users implements web.Organisation.
func (f *Fake) Users() []store.User { return f.Directory.Users }

// UserByID implements web.Organisation.
func (f *Fake) UserByID(id string) (store.User, bool) {
	return find(f.Directory.Users, func(u store.User) bool { return u.ID == id })
}

// UserByEmail implements web.Organisation.
func (f *Fake) UserByEmail(email string) (store.User, bool) {
	return find(f.Directory.Users, func(u store.User) bool { return u.Email != "" && strings.EqualFold(u.Email, email) })
}

// Contact implements web.Organisation.
func (f *Fake) Contact(id string) (store.Contact, bool) {
	return find(f.Directory.Contacts, func(c store.Contact) bool { return c.ID == id })
}

// ContactName implements web.Organisation.
func (f *Fake) ContactName(number string) string {
	c, _ := find(f.Directory.Contacts, func(c store.Contact) bool { return slices.Contains(c.Phones, number) })
	return c.Name
}

// FeatureName implements web.Organisation.
func (f *Fake) FeatureName(string) string { return "" }

func find[T any](list []T, is func(T) bool) (v T, ok bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	return v, false
}

// Credential implements web.Credentials.
func (f *Fake) Credential(user string) (store.Credential, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	c, ok := f.Creds[user]
	if !ok {
		return c, fmt.Errorf("credential of %s: %w", user, store.ErrNotFound)
	}
	return c, nil
}

// Numbers implements web.Organisation.
func (f *Fake) Numbers() []store.Number { return f.Directory.Numbers }

// Calls implements web.Calls.
func (f *Fake) Calls(filter store.CallFilter) ([]store.CallRecord, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	list := []store.CallRecord{}
	skip := filter.Before != ""
	for _, r := range f.Records {
		if skip {
			skip = r.ID != filter.Before
			continue
		}
		if filter.User != "" && !slices.Contains(r.Participants, filter.User) || filter.Unclaimed && !r.Unclaimed {
			continue
		}
		if len(list) < filter.Limit {
			list = append(list, r)
		}
	}
	return list, nil
}

// Call implements web.Calls.
func (f *Fake) Call(id string) (store.CallRecord, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	r, ok := find(f.Records, func(r store.CallRecord) bool { return r.ID == id })
	if !ok {
		return r, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	return r, nil
}

// Claim implements web.Calls.
func (f *Fake) Claim(id, user string) (store.CallRecord, error) {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	i := slices.IndexFunc(f.Records, func(r store.CallRecord) bool { return r.ID == id })
	if i < 0 {
		return store.CallRecord{}, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	r := &f.Records[i]
	if r.ClaimedBy != "" && r.ClaimedBy != user || !r.Unclaimed && r.ClaimedBy == "" {
		return store.CallRecord{}, fmt.Errorf("call %s: %w", id, store.ErrClaimed)
	}
	r.Unclaimed, r.ClaimedBy = false, user
	return *r, nil
}

// ActiveCalls implements web.Active.
func (f *Fake) ActiveCalls() []call.Snapshot {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return slices.Clone(f.Live)
}

// Control implements web.Active.
func (f *Fake) Control(_ context.Context, _ string, c call.Command) error {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	f.Commands = append(f.Commands, c)
	return f.Refuses
}

// Originate implements web.Active.
func (f *Fake) Originate(call.OriginateRequest) (string, error) { return "originated", nil }

// SetReach implements web.People.
func (f *Fake) SetReach(user string, dnd bool, forward string) error {
	if forward == "nowhere" {
		return fmt.Errorf("%w: calls cannot be forwarded to it", web.ErrUnacceptable)
	}
	f.Mu.Lock()
	defer f.Mu.Unlock()
	for i := range f.Directory.Users {
		if f.Directory.Users[i].ID == user {
			f.Directory.Users[i].DND, f.Directory.Users[i].ForwardTo = dnd, forward
		}
	}
	return nil
}

// Hangup implements web.Active.
func (f *Fake) Hangup(id string) bool {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	n := len(f.Live)
	f.Live = slices.DeleteFunc(f.Live, func(c call.Snapshot) bool { return c.ID == id })
	if len(f.Live) == n {
		return false
	}
	f.HungUp = append(f.HungUp, id)
	return true
}

// Mails implements web.Mails.
func (f *Fake) Mails() ([]store.MailJob, error) { return f.Queued, nil }

// RecordGreeting implements web.Mailboxes.
func (f *Fake) RecordGreeting(user string, box store.Mailbox, kind string) (string, error) {
	return user + " " + box.String() + " " + kind, nil
}

// ServeWebSocket implements web.Phones.
func (f *Fake) ServeWebSocket(conn *websocket.Conn, remote string, id web.PhoneIdentity) error {
	if f.Serve != nil {
		return f.Serve(conn, remote, id)
	}
	for {
		if _, _, err := conn.Read(context.Background()); err != nil {
			return err
		}
	}
}

// Registrations implements web.Phones.
func (f *Fake) Registrations(user string) []store.Binding {
	f.Mu.Lock()
	defer f.Mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.Bindings), func(b store.Binding) bool { return user != "" && b.User != user })
}

// TrunkStatuses implements web.Trunks.
func (f *Fake) TrunkStatuses() []web.TrunkStatus { return f.Lines }

// DemoNumbers implements web.Demo.
func (f *Fake) DemoNumbers() []web.DemoNumber { return f.Dial }

// CallMe implements web.Demo.
func (f *Fake) CallMe(_ context.Context, user store.User, from string) error {
	f.Mu.Lock()
	f.Called = append(f.Called, user.ID+" "+from)
	f.Mu.Unlock()
	if f.OnCallMe != nil {
		return f.OnCallMe(user, from)
	}
	return nil
}

// Measure implements web.Active: every leg sounds well.
func (f *Fake) Measure() []call.Measured {
	var out []call.Measured
	for _, c := range f.ActiveCalls() {
		m := call.Measured{Call: c}
		for i := range c.Legs {
			in := store.StreamStat{Packets: 500, R: 93.2, MOS: 4.41}
			m.Legs = append(m.Legs, call.LegMeasured{Leg: i, Media: store.MediaStat{Codec: "PCMU", In: in, Out: in}})
		}
		out = append(out, m)
	}
	return out
}
