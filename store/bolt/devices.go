package bolt

import (
	"encoding/json"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// Device returns a device by id.
func (d *DB) Device(id string) (store.Device, error) { return one[store.Device](d, bucketDevices, id) }

// PutDevice creates or replaces a device.
func (d *DB) PutDevice(v store.Device) error {
	return d.write("save device "+v.ID, func(tx *bbolt.Tx) error { return put(tx, bucketDevices, []byte(v.ID), v) })
}

// DeleteDevice removes a device and its registrations; one that is not there is no error.
func (d *DB) DeleteDevice(id string) error {
	return d.write("delete device "+id, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketDevices).Delete([]byte(id)); err != nil {
			return err
		}
		return deleteWhere(tx, bucketBindings, func(b *store.Binding) bool { return b.Device == id })
	})
}

// Devices returns a user's devices, or everybody's for "", sorted by id.
func (d *DB) Devices(user string) ([]store.Device, error) {
	return all(d, bucketDevices, func(v *store.Device) bool { return user == "" || v.User == user })
}

// Credential returns a user's credential.
func (d *DB) Credential(user string) (store.Credential, error) {
	return one[store.Credential](d, bucketCredentials, user)
}

// PutCredential creates or replaces a user's credential.
func (d *DB) PutCredential(c store.Credential) error {
	return d.write("save credential of "+c.User, func(tx *bbolt.Tx) error {
		return put(tx, bucketCredentials, []byte(c.User), c)
	})
}

// DeleteCredential removes a user's credential; one that is not there is no error.
func (d *DB) DeleteCredential(user string) error {
	return d.write("delete credential of "+user, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketCredentials).Delete([]byte(user))
	})
}

// Credentials returns all credentials, sorted by user.
func (d *DB) Credentials() ([]store.Credential, error) {
	return all[store.Credential](d, bucketCredentials, nil)
}

// LoadBindings returns all registrations, also expired ones.
func (d *DB) LoadBindings() ([]store.Binding, error) {
	return all[store.Binding](d, bucketBindings, nil)
}

// SaveBindings stores and removes registrations in one transaction. A binding replaces the one with the same identity: user,
// instance and reg-id (RFC 5626 §6; 0 when there is none), or user and contact URI where the phone names no instance
// (RFC 3261 §10.3).
func (d *DB) SaveBindings(puts, dels []store.Binding) error {
	if len(puts) == 0 && len(dels) == 0 {
		return nil
	}
	return d.writeBehind("save registrations", func(tx *bbolt.Tx) error {
		for i := range dels {
			if err := tx.Bucket(bucketBindings).Delete(bindingKey(&dels[i])); err != nil {
				return err
			}
		}
		for i := range puts {
			if err := put(tx, bucketBindings, bindingKey(&puts[i]), &puts[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func bindingKey(b *store.Binding) []byte {
	if b.Instance != "" {
		return []byte(b.User + "\x00i\x00" + b.Instance + "\x00" + strconv.Itoa(b.RegID))
	}
	return []byte(b.User + "\x00c\x00" + b.Contact)
}

// deleteWhere removes the objects of a bucket that satisfy cond.
func deleteWhere[T any](tx *bbolt.Tx, bucket []byte, cond func(*T) bool) error {
	var keys [][]byte
	b := tx.Bucket(bucket)
	err := b.ForEach(func(k, data []byte) error {
		var v T
		if err := json.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("%s %q is damaged: %w", bucket, k, err)
		}
		if cond(&v) {
			keys = append(keys, append([]byte(nil), k...))
		}
		return nil
	})
	for _, k := range keys {
		if err == nil {
			err = b.Delete(k)
		}
	}
	return err
}
