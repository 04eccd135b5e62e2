package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"strowger/store"
)

func named(name string) store.Directory { return store.Directory{Company: store.Company{Name: name}} }

func TestVersionsAreContentAddressed(t *testing.T) {
	d := openAt(t, filepath.Join(t.TempDir(), "s.db"), Options{Versions: 3})
	if dir, version := d.Directory(); version != "" || dir.Company.Name != "" {
		t.Errorf("a new store has %q %+v", version, dir)
	}
	version := map[string]string{}
	for _, name := range []string{"a", "b", "a", "a", "c", "d", "a"} {
		v := must[string](t)(d.Apply(named(name)))
		if old, ok := version[name]; ok && old != v {
			t.Errorf("%s: version %s, then %s", name, old, v)
		}
		version[name] = v
		if dir, now := d.Directory(); dir.Company.Name != name || now != v {
			t.Errorf("%s: directory is %q, %s", name, dir.Company.Name, now)
		}
	}
	// History: a b a c d a; three are kept: c d a. Of b nothing is left, of a there is.
	lines := must[[]store.DirectoryVersion](t)(d.Versions())
	if len(lines) != 3 || lines[0].Version != version["a"] || lines[2].Version != version["c"] {
		t.Errorf("history %+v", lines)
	}
	for name, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		dir, err := d.DirectoryAt(version[name])
		if (err == nil) != want || err == nil && dir.Company.Name != name || err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %q, %v", name, dir.Company.Name, err)
		}
	}
}

func TestChangeOfAnotherVersionIsRefused(t *testing.T) {
	d := open(t)
	first := must[string](t)(d.Apply(named("a")))
	must[string](t)(d.Apply(named("b")))
	_, err := d.ApplyChange(Change{Directory: named("c"), PutContacts: []store.Contact{{ID: "x"}}, Base: first})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if dir, _ := d.Directory(); dir.Company.Name != "b" {
		t.Errorf("directory is %q", dir.Company.Name)
	}
	if n := must[int](t)(d.ContactCount()); n != 0 {
		t.Errorf("%d contacts", n)
	}
}

// A failed change leaves everything as it was, in memory also.
func TestFailedApplyChangesNothing(t *testing.T) {
	d := open(t)
	_, err := d.Apply(organisation())
	check(t, err)
	_, version := d.Directory()
	broken := named("broken")
	broken.Contacts = []store.Contact{{ID: "c2", Phones: []string{"+12025550999"}}, {ID: ""}}
	if _, err := d.Apply(broken); err == nil {
		t.Fatal("an empty id is accepted")
	}
	if dir, now := d.Directory(); now != version || dir.Company.Name != "Lakeside Homes" {
		t.Errorf("directory is %s %q", now, dir.Company.Name)
	}
	if list := must[[]store.Contact](t)(d.ContactsByPhone("+12025550900")); len(list) != 1 {
		t.Errorf("contacts %+v", list)
	}
}

// The directory that is handed out shares nothing with the one that was applied.
func TestAppliedDirectoryIsACopy(t *testing.T) {
	d := open(t)
	dir := organisation()
	must[string](t)(d.Apply(dir))
	dir.Users[0].Name = "changed"
	dir.Policies["mine"].Steps[0].Step = "changed"
	got, _ := d.Directory()
	if got.Users[0].Name != "Ann Lee" || got.Policies["mine"].Steps[0].Step != "ring_group" {
		t.Errorf("%+v", got)
	}
}

// Whatever is put and deleted, the store finds exactly what a map would.
func TestContactsLikeAMap(t *testing.T) {
	phone := rapid.SampledFrom([]string{"+12025550900", "+12025550901", "+1202555090", "+442079460958"})
	id := rapid.SampledFrom([]string{"a", "b", "ab", "c"})
	contact := rapid.Custom(func(t *rapid.T) store.Contact {
		return store.Contact{ID: id.Draw(t, "id"), Name: rapid.StringN(0, 3, -1).Draw(t, "name"), Phones: rapid.SliceOfN(phone, 1, 3).Draw(t, "phones")}
	})
	path := t.TempDir()
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		d, err := Open(filepath.Join(path, fmt.Sprint(run)), Options{noSync: true})
		check(t, err)
		defer d.Close()
		model := map[string]store.Contact{}
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				c := contact.Draw(t, "contact")
				if err := d.PutContact(c); err != nil {
					t.Fatal(err)
				}
				model[c.ID] = c
			},
			"delete": func(t *rapid.T) {
				key := id.Draw(t, "id")
				if err := d.DeleteContact(key); err != nil {
					t.Fatal(err)
				}
				delete(model, key)
			},
			"apply": func(t *rapid.T) {
				list := rapid.SliceOfNDistinct(contact, 0, 3, func(c store.Contact) string { return c.ID }).Draw(t, "contacts")
				if _, err := d.Apply(store.Directory{Contacts: list}); err != nil {
					t.Fatal(err)
				}
				clear(model)
				for _, c := range list {
					model[c.ID] = c
				}
			},
			"failed import": func(t *rapid.T) {
				list := rapid.SliceOfN(contact, 0, 5).Draw(t, "contacts")
				_, err := d.ImportContacts(func(yield func(store.Contact, error) bool) {
					for _, c := range list {
						if !yield(c, nil) {
							return
						}
					}
					yield(store.Contact{}, errBroken)
				}, nil)
				if !errors.Is(err, errBroken) {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) { compareContacts(t, d, model) },
		})
	})
}

var errBroken = errors.New("broken")

func compareContacts(t *rapid.T, d *DB, model map[string]store.Contact) {
	for _, phone := range []string{"+12025550900", "+12025550901", "+1202555090", "+442079460958", "+1"} {
		var want []store.Contact
		for _, id := range []string{"a", "ab", "b", "c"} {
			if c, ok := model[id]; ok && slices.Contains(c.Phones, phone) {
				want = append(want, c)
			}
		}
		got, err := d.ContactsByPhone(phone)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: %s", phone, diff)
		}
	}
}

func TestContactPages(t *testing.T) {
	d := open(t)
	for _, id := range []string{"c", "a", "d", "b"} {
		check(t, d.PutContact(store.Contact{ID: id}))
	}
	var got string
	after := ""
	for {
		page := must[[]store.Contact](t)(d.Contacts(after, 3))
		for _, c := range page {
			got += c.ID
			after = c.ID
		}
		got += "|"
		if len(page) == 0 {
			break
		}
	}
	if got != "abc|d||" {
		t.Errorf("got %s", got)
	}
}

// Who is taken out of the directory cannot register or sign in any more; the others can.
func TestRemovedUsersLoseTheirAccess(t *testing.T) {
	d := open(t)
	fill(t, d)
	check(t, d.PutDevice(store.Device{ID: "bob-desk", User: "bob"}))
	dir := organisation()
	dir.Users = dir.Users[1:] // without ann
	must[string](t)(d.Apply(dir))
	if _, err := d.Device("ann-desk"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("device: %v", err)
	}
	if _, err := d.Credential("ann"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("credential: %v", err)
	}
	if list := must[[]store.Binding](t)(d.LoadBindings()); len(list) != 0 {
		t.Errorf("registrations: %+v", list)
	}
	if _, err := d.Device("bob-desk"); err != nil {
		t.Errorf("bob's device: %v", err)
	}
	if list := must[[]store.Voicemail](t)(d.Voicemails(store.Mailbox{User: "ann"})); len(list) != 1 {
		t.Errorf("messages: %+v", list)
	}
}
