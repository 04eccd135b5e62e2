package bolt

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// maxBlob bounds what a damaged blob may expand to, in bytes.
const maxBlob = 256 << 20

// current is the directory as last applied; it is never changed, only replaced.
type current struct {
	dir     store.Directory // without contacts
	version string
}

// Change is what Apply does to the directory, all of it or nothing.
type Change struct {
	// Directory replaces company, users, numbers, policies and workflows. Its Contacts are not looked at. Users that it
	// lacks lose their devices, credentials and registrations.
	Directory store.Directory
	// PutContacts creates or replaces contacts by id; DeleteContacts removes them; others stay.
	PutContacts    []store.Contact
	DeleteContacts []string
	// Base is the version that the change was computed from; when the store has another, Apply fails with
	// store.ErrConflict. "" = do not look.
	Base string
}

// Directory returns the directory as last applied and its version, without contacts: there may be a million of them, see
// ContactsByPhone and EachContact. It costs nothing; the result is shared and must not be changed. Before the first Apply it
// is empty and its version is "".
func (d *DB) Directory() (store.Directory, string) {
	cur := d.dir.Load()
	return cur.dir, cur.version
}

// DirectoryAt returns a version from the history, without contacts.
func (d *DB) DirectoryAt(version string) (dir store.Directory, err error) {
	if cur := d.dir.Load(); version != "" && cur.version == version {
		return cur.dir, nil
	}
	err = d.view(func(tx *bbolt.Tx) error {
		dir, err = readBlob(tx, version)
		return err
	})
	return dir, err
}

// Versions lists the directory's history, newest first.
func (d *DB) Versions() ([]store.DirectoryVersion, error) {
	list, err := all[store.DirectoryVersion](d, bucketVersions, nil)
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	return list, err
}

// Apply makes the directory, contacts included, exactly dir, and returns its version.
func (d *DB) Apply(dir store.Directory) (version string, err error) {
	err = d.write("apply directory", func(tx *bbolt.Tx) error {
		keep := make(map[string]bool, len(dir.Contacts))
		for i := range dir.Contacts {
			keep[dir.Contacts[i].ID] = true
		}
		ch := Change{Directory: dir, PutContacts: dir.Contacts}
		err := tx.Bucket(bucketContacts).ForEach(func(id, _ []byte) error {
			if !keep[string(id)] {
				ch.DeleteContacts = append(ch.DeleteContacts, string(id))
			}
			return nil
		})
		if err != nil {
			return err
		}
		version, err = d.change(tx, ch)
		return err
	})
	return version, err
}

// ApplyChange applies a computed change and returns the directory's version.
func (d *DB) ApplyChange(ch Change) (version string, err error) {
	err = d.write("apply directory", func(tx *bbolt.Tx) error {
		version, err = d.change(tx, ch)
		return err
	})
	return version, err
}

func (d *DB) change(tx *bbolt.Tx, ch Change) (string, error) {
	have := string(tx.Bucket(bucketMeta).Get(keyDirectory))
	if ch.Base != "" && ch.Base != have {
		return "", fmt.Errorf("the directory is at version %s, the change was made for %s: %w", have, ch.Base, store.ErrConflict)
	}
	if len(ch.PutContacts)+len(ch.DeleteContacts) > 0 && tx.Bucket(bucketUndo) != nil {
		return "", ErrImporting // should it be undone, this change would be too
	}
	for _, id := range ch.DeleteContacts {
		if err := deleteContact(tx, id); err != nil {
			return "", err
		}
	}
	for i := range ch.PutContacts {
		if _, err := putContact(tx, &ch.PutContacts[i]); err != nil {
			return "", err
		}
	}
	next := &current{dir: ch.Directory}
	next.dir.Contacts = nil
	data, err := json.Marshal(next.dir)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	next.version = hex.EncodeToString(sum[:12])
	if next.version == have {
		return have, nil
	}
	// Decoded again, so that nothing of ours is shared with the caller's slices.
	next.dir = store.Directory{}
	if err := json.Unmarshal(data, &next.dir); err != nil {
		return "", err
	}
	if err := forgetUsers(tx, next.dir.Users); err != nil {
		return "", err
	}
	if err := d.addVersion(tx, next.version, data); err != nil {
		return "", err
	}
	tx.OnCommit(func() { d.dir.Store(next) }) // in commit order: only the writer commits
	return next.version, nil
}

// forgetUsers removes the devices, credentials and registrations of users that are no more: they must not call or sign in.
// Their call records and messages stay.
func forgetUsers(tx *bbolt.Tx, now []store.User) error {
	before, err := loadCurrent(tx)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for i := range before.dir.Users {
		gone[before.dir.Users[i].ID] = true
	}
	for i := range now {
		delete(gone, now[i].ID)
	}
	if len(gone) == 0 {
		return nil
	}
	return errors.Join(
		deleteWhere(tx, bucketDevices, func(v *store.Device) bool { return gone[v.User] }),
		deleteWhere(tx, bucketCredentials, func(v *store.Credential) bool { return gone[v.User] }),
		deleteWhere(tx, bucketBindings, func(v *store.Binding) bool { return gone[v.User] }))
}

// addVersion makes a version the current one and forgets the oldest ones beyond the limit.
func (d *DB) addVersion(tx *bbolt.Tx, version string, data []byte) error {
	blobs, versions := tx.Bucket(bucketBlobs), tx.Bucket(bucketVersions)
	if blobs.Get([]byte(version)) == nil {
		var buf bytes.Buffer
		w, err := flate.NewWriter(&buf, flate.DefaultCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := blobs.Put([]byte(version), buf.Bytes()); err != nil {
			return err
		}
	}
	seq, err := versions.NextSequence()
	if err != nil {
		return err
	}
	if err := put(tx, bucketVersions, sequenceKey(seq), store.DirectoryVersion{Version: version, At: time.Now().UTC()}); err != nil {
		return err
	}
	if err := tx.Bucket(bucketMeta).Put(keyDirectory, []byte(version)); err != nil {
		return err
	}
	return forgetVersions(tx, d.opts.Versions)
}

// forgetVersions removes the oldest lines of the history, and blobs that no line names any more: a version may return.
func forgetVersions(tx *bbolt.Tx, keep int) error {
	var lines []store.DirectoryVersion
	var keys [][]byte
	c := tx.Bucket(bucketVersions).Cursor()
	for k, data := c.First(); k != nil; k, data = c.Next() {
		var v store.DirectoryVersion
		if err := json.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("history line is damaged: %w", err)
		}
		lines, keys = append(lines, v), append(keys, bytes.Clone(k))
	}
	if len(lines) <= keep {
		return nil
	}
	cut := len(lines) - keep
	named := map[string]bool{}
	for _, v := range lines[cut:] {
		named[v.Version] = true
	}
	for i, v := range lines[:cut] {
		if err := tx.Bucket(bucketVersions).Delete(keys[i]); err != nil {
			return err
		}
		if !named[v.Version] {
			if err := tx.Bucket(bucketBlobs).Delete([]byte(v.Version)); err != nil {
				return err
			}
		}
	}
	return nil
}

func readBlob(tx *bbolt.Tx, version string) (dir store.Directory, err error) {
	data := tx.Bucket(bucketBlobs).Get([]byte(version))
	if data == nil {
		return dir, fmt.Errorf("directory version %q: %w", version, store.ErrNotFound)
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), maxBlob))
	if err != nil {
		return dir, fmt.Errorf("directory version %s is damaged: %w", version, err)
	}
	if err := json.Unmarshal(plain, &dir); err != nil {
		return dir, fmt.Errorf("directory version %s is damaged: %w", version, err)
	}
	return dir, nil
}

func loadCurrent(tx *bbolt.Tx) (*current, error) {
	version := string(tx.Bucket(bucketMeta).Get(keyDirectory))
	if version == "" {
		return &current{}, nil
	}
	dir, err := readBlob(tx, version)
	return &current{dir: dir, version: version}, err
}
