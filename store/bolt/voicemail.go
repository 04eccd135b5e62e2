package bolt

import (
	"bytes"
	"cmp"
	"slices"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// AddVoicemail stores a message whose audio file is complete. Repeating it is harmless.
func (d *DB) AddVoicemail(v store.Voicemail) error {
	return d.write("save voicemail "+v.ID, func(tx *bbolt.Tx) error {
		if old, err := get[store.Voicemail](tx, bucketVoicemails, v.ID); err == nil {
			if err := tx.Bucket(bucketBoxes).Delete(boxKey(&old)); err != nil {
				return err
			}
		}
		if err := put(tx, bucketVoicemails, []byte(v.ID), v); err != nil {
			return err
		}
		return tx.Bucket(bucketBoxes).Put(boxKey(&v), nil)
	})
}

// Voicemail returns a message by id.
func (d *DB) Voicemail(id string) (store.Voicemail, error) {
	return one[store.Voicemail](d, bucketVoicemails, id)
}

// Voicemails returns the messages in a box, newest first.
func (d *DB) Voicemails(box store.Mailbox) ([]store.Voicemail, error) {
	list := []store.Voicemail{}
	err := d.view(func(tx *bbolt.Tx) error {
		prefix := boxPrefix(box)
		c := tx.Bucket(bucketBoxes).Cursor()
		above := append(bytes.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		for k, _ := seekBelow(c, above); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			v, err := get[store.Voicemail](tx, bucketVoicemails, string(k[len(prefix)+8:]))
			if err != nil {
				return err
			}
			list = append(list, v)
		}
		return nil
	})
	return list, err
}

// AllVoicemails returns the messages of all boxes, newest first.
func (d *DB) AllVoicemails() ([]store.Voicemail, error) {
	list, err := all[store.Voicemail](d, bucketVoicemails, nil)
	slices.SortStableFunc(list, func(a, b store.Voicemail) int { return cmp.Or(b.Left.Compare(a.Left), cmp.Compare(b.ID, a.ID)) })
	return list, err
}

// SetHeard marks a message as heard by a user, who stays noted until it is new again, and returns it.
func (d *DB) SetHeard(id, user string, heard bool) (v store.Voicemail, err error) {
	err = d.write("mark voicemail "+id, func(tx *bbolt.Tx) error {
		if v, err = get[store.Voicemail](tx, bucketVoicemails, id); err != nil || v.Heard == heard {
			return err
		}
		if v.Heard, v.HeardBy = heard, user; !heard {
			v.HeardBy = ""
		}
		return put(tx, bucketVoicemails, []byte(id), v)
	})
	return v, err
}

// DeleteVoicemail removes a message and returns it: its file is the caller's to remove.
func (d *DB) DeleteVoicemail(id string) (v store.Voicemail, err error) {
	err = d.write("delete voicemail "+id, func(tx *bbolt.Tx) error {
		if v, err = get[store.Voicemail](tx, bucketVoicemails, id); err != nil {
			return err
		}
		if err := tx.Bucket(bucketBoxes).Delete(boxKey(&v)); err != nil {
			return err
		}
		return tx.Bucket(bucketVoicemails).Delete([]byte(id))
	})
	return v, err
}

func boxPrefix(box store.Mailbox) []byte {
	if box.User != "" {
		return []byte("u" + box.User + "\x00")
	}
	return []byte("n" + box.Number + "\x00")
}

func boxKey(v *store.Voicemail) []byte { return append(boxPrefix(v.Mailbox), timeKey(v.Left, v.ID)...) }
