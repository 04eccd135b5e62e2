package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// Contact returns a contact by id.
func (d *DB) Contact(id string) (store.Contact, error) {
	return one[store.Contact](d, bucketContacts, id)
}

// ContactsByPhone returns the contacts that hold this number (E.164), sorted by id.
func (d *DB) ContactsByPhone(e164 string) ([]store.Contact, error) {
	var list []store.Contact
	err := d.view(func(tx *bbolt.Tx) error {
		prefix := phoneKey(e164, "")
		c := tx.Bucket(bucketContactPhone).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			contact, err := get[store.Contact](tx, bucketContacts, string(k[len(prefix):]))
			if err != nil {
				return err
			}
			list = append(list, contact)
		}
		return nil
	})
	return list, err
}

// PutContact creates or replaces a contact.
func (d *DB) PutContact(c store.Contact) error {
	return d.write("save contact "+c.ID, func(tx *bbolt.Tx) error {
		_, err := putContact(tx, &c)
		return err
	})
}

// DeleteContact removes a contact; one that is not there is no error.
func (d *DB) DeleteContact(id string) error {
	return d.write("delete contact "+id, func(tx *bbolt.Tx) error { return deleteContact(tx, id) })
}

// Contacts returns at most limit contacts with ids after this one, sorted by id; "" starts at the first.
func (d *DB) Contacts(after string, limit int) ([]store.Contact, error) {
	list := []store.Contact{}
	stop := errors.New("stop")
	err := d.eachContact(after, func(c store.Contact) error {
		if len(list) >= limit {
			return stop
		}
		list = append(list, c)
		return nil
	})
	if errors.Is(err, stop) {
		err = nil
	}
	return list, err
}

// EachContact calls fn for every contact, sorted by id, until it returns an error. All are of one moment. fn must not
// write to the store, and should be quick: pages that it reads cannot be reused meanwhile.
func (d *DB) EachContact(fn func(store.Contact) error) error { return d.eachContact("", fn) }

func (d *DB) eachContact(after string, fn func(store.Contact) error) error {
	return d.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketContacts).Cursor()
		k, data := c.Seek([]byte(after))
		if after != "" && string(k) == after {
			k, data = c.Next()
		}
		for ; k != nil; k, data = c.Next() {
			var contact store.Contact
			if err := json.Unmarshal(data, &contact); err != nil {
				return fmt.Errorf("contact %q is damaged: %w", k, err)
			}
			if err := fn(contact); err != nil {
				return err
			}
		}
		return nil
	})
}

// ContactCount is the number of contacts.
func (d *DB) ContactCount() (n int, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		n = tx.Bucket(bucketContacts).Stats().KeyN
		return nil
	})
	return n, err
}

// phoneKey is the index key of a contact; with an empty id it is the prefix of all contacts with that phone.
func phoneKey(e164, id string) []byte {
	k := make([]byte, 0, len(e164)+1+len(id))
	return append(append(append(k, e164...), 0), id...)
}

// putContact stores a contact and its index entries, and returns its former JSON: nil when it is new.
func putContact(tx *bbolt.Tx, c *store.Contact) (before []byte, err error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	contacts, phones := tx.Bucket(bucketContacts), tx.Bucket(bucketContactPhone)
	before = bytes.Clone(contacts.Get([]byte(c.ID)))
	if bytes.Equal(before, data) {
		return before, nil
	}
	if before != nil {
		if err := deleteContact(tx, c.ID); err != nil {
			return nil, err
		}
	}
	if err := contacts.Put([]byte(c.ID), data); err != nil {
		return nil, fmt.Errorf("contact %q: %w", c.ID, err)
	}
	for _, phone := range c.Phones {
		if err := phones.Put(phoneKey(phone, c.ID), nil); err != nil {
			return nil, fmt.Errorf("contact %q: index %q: %w", c.ID, phone, err)
		}
	}
	return before, nil
}

func deleteContact(tx *bbolt.Tx, id string) error {
	c, err := get[store.Contact](tx, bucketContacts, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, phone := range c.Phones {
		if err := tx.Bucket(bucketContactPhone).Delete(phoneKey(phone, id)); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketContacts).Delete([]byte(id))
}
