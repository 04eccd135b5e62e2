package bolt

import (
	"bytes"

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

// AllVoicemails returns the messages of all boxes, sorted by id: for clean-up and statistics.
func (d *DB) AllVoicemails() ([]store.Voicemail, error) {
	return all[store.Voicemail](d, bucketVoicemails, nil)
}

// MarkHeard marks a message as heard by a user; the first one stays noted.
func (d *DB) MarkHeard(id, user string) error {
	return d.write("mark voicemail "+id+" heard", func(tx *bbolt.Tx) error {
		v, err := get[store.Voicemail](tx, bucketVoicemails, id)
		if err != nil || v.Heard {
			return err
		}
		v.Heard, v.HeardBy = true, user
		return put(tx, bucketVoicemails, []byte(id), v)
	})
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
