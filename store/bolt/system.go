package bolt

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// secretBytes is the length of a secret.
const secretBytes = 32

// Secret returns a key of 32 random bytes that is made when it is first asked for and stays the same, over restarts also:
// for signing nonces and the like.
func (d *DB) Secret(name string) (secret []byte, err error) {
	read := func(tx *bbolt.Tx) error {
		secret = bytes.Clone(tx.Bucket(bucketSecrets).Get([]byte(name)))
		return nil
	}
	if err := d.view(read); err != nil || secret != nil {
		return secret, err
	}
	err = d.write("make secret "+name, func(tx *bbolt.Tx) error {
		if err := read(tx); err != nil || secret != nil { // another one was quicker
			return err
		}
		secret = make([]byte, secretBytes)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		return tx.Bucket(bucketSecrets).Put([]byte(name), secret)
	})
	return secret, err
}

// Setting returns a value kept by PutSetting; nil when there is none.
func (d *DB) Setting(name string) (value []byte, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		value = bytes.Clone(tx.Bucket(bucketSettings).Get([]byte(name)))
		return nil
	})
	return value, err
}

// PutSetting keeps a small value under a name; nil removes it.
func (d *DB) PutSetting(name string, value []byte) error {
	return d.write("save setting "+name, func(tx *bbolt.Tx) error {
		if value == nil {
			return tx.Bucket(bucketSettings).Delete([]byte(name))
		}
		return tx.Bucket(bucketSettings).Put([]byte(name), value)
	})
}

// Audit appends an entry to the audit log; Seq is given, At is now when it is zero. The oldest entries beyond
// Options.AuditEntries are forgotten.
func (d *DB) Audit(e store.AuditEntry) error {
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	return d.write("audit "+e.Action, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketAudit)
		seq, err := b.NextSequence()
		if err != nil {
			return err
		}
		e.Seq = seq
		if seq > uint64(d.opts.AuditEntries) {
			if err := b.Delete(sequenceKey(seq - uint64(d.opts.AuditEntries))); err != nil {
				return err
			}
		}
		return put(tx, bucketAudit, sequenceKey(seq), e)
	})
}

// AuditLog returns at most limit entries, newest first, before a sequence number; 0 starts at the newest.
func (d *DB) AuditLog(before uint64, limit int) ([]store.AuditEntry, error) {
	list := []store.AuditEntry{}
	err := d.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketAudit).Cursor()
		k, data := c.Last()
		if before > 0 {
			k, data = seekBelow(c, sequenceKey(before))
		}
		for ; k != nil && len(list) < limit; k, data = c.Prev() {
			var e store.AuditEntry
			if err := json.Unmarshal(data, &e); err != nil {
				return fmt.Errorf("audit entry is damaged: %w", err)
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

// Backup writes a consistent copy of the store as it is now, while it is in use. The copy is a store file itself; audio
// files are not in it.
func (d *DB) Backup(w io.Writer) (n int64, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("back up store: %w", err)
	}
	return n, nil
}
