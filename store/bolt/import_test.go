package bolt

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"strowger/store"
)

// manyContacts yields n contacts, the last with an error if it is given.
func manyContacts(n int, name string, last error) iter.Seq2[store.Contact, error] {
	return func(yield func(store.Contact, error) bool) {
		for i := range n {
			c := store.Contact{ID: fmt.Sprintf("c%07d", i), Name: name, Phones: []string{fmt.Sprintf("+1202%07d", 2000000+i*7919%1000000)}}
			if !yield(c, nil) {
				return
			}
		}
		if last != nil {
			yield(store.Contact{}, last)
		}
	}
}

func TestImportCountsAndMerges(t *testing.T) {
	d := open(t)
	check(t, d.PutContact(store.Contact{ID: "c0000001", Name: "old", Owner: "ann", Tags: []string{"vip"}, Created: at(1)}))
	steps := 0
	got, err := d.ImportContacts(manyContacts(importBatch+5, "new", nil), func(int) { steps++ })
	if err != nil || got != (Imported{Created: importBatch + 4, Changed: 1}) || steps != 2 {
		t.Errorf("%+v, %d steps, %v", got, steps, err)
	}
	if got, err = d.ImportContacts(manyContacts(importBatch+5, "", nil), nil); err != nil || got.Same != importBatch+5 {
		t.Errorf("again: %+v, %v", got, err)
	}
	c := must[store.Contact](t)(d.Contact("c0000001"))
	if c.Name != "new" || c.Owner != "ann" || len(c.Tags) != 1 || !c.Created.Equal(at(1)) {
		t.Errorf("merged: %+v", c)
	}
	if c := must[store.Contact](t)(d.Contact("c0000002")); c.Created.IsZero() {
		t.Error("a new contact has no time")
	}
}

func TestFailedImportIsUndone(t *testing.T) {
	d := open(t)
	before := store.Contact{ID: "c0000001", Name: "old", Phones: []string{"+12025550900"}}
	check(t, d.PutContact(before))
	if _, err := d.ImportContacts(manyContacts(importBatch*2+5, "new", errBroken), nil); !errors.Is(err, errBroken) {
		t.Fatalf("got %v", err)
	}
	expectOnly(t, d, before)
	if got, err := d.ImportContacts(manyContacts(3, "new", nil), nil); err != nil || got.Created != 2 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}

// expectOnly checks that one contact is there and nothing else, not even in the index.
func expectOnly(t *testing.T, d *DB, want store.Contact) {
	t.Helper()
	if n := must[int](t)(d.ContactCount()); n != 1 {
		t.Errorf("%d contacts", n)
	}
	list := must[[]store.Contact](t)(d.ContactsByPhone(want.Phones[0]))
	if len(list) != 1 || list[0].Name != want.Name {
		t.Errorf("got %+v", list)
	}
	if list := must[[]store.Contact](t)(d.ContactsByPhone("+12022000000")); len(list) != 0 {
		t.Errorf("left over: %+v", list)
	}
}

// A process that dies in the middle of an import leaves notes; the next Open undoes it.
func TestInterruptedImportIsUndoneAtOpen(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	d := openAt(t, path, Options{})
	before := store.Contact{ID: "c0000001", Name: "old", Phones: []string{"+12025550900"}}
	check(t, d.PutContact(before))
	_, err := d.ImportContacts(manyContacts(importBatch+1, "new", nil), func(n int) {
		if n == importBatch { // between two batches: the file is at rest
			if _, err := d.ImportContacts(manyContacts(1, "", nil), nil); !errors.Is(err, ErrImporting) {
				t.Errorf("a second import: %v", err)
			}
			if _, err := d.Apply(organisation()); !errors.Is(err, ErrImporting) {
				t.Errorf("apply meanwhile: %v", err)
			}
			check(t, os.WriteFile(copied, must[[]byte](t)(os.ReadFile(path)), 0o600))
		}
	})
	check(t, err)
	expectOnly(t, openAt(t, copied, Options{}), before)
	if n := must[int](t)(d.ContactCount()); n != importBatch+1 {
		t.Errorf("%d contacts", n)
	}
}
