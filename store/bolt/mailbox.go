package bolt

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// MailboxSettings returns what is set for a box; a box without settings has the zero ones.
func (d *DB) MailboxSettings(box store.Mailbox) (s store.MailboxSettings, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		s, err = mailboxSettings(tx, box)
		return err
	})
	return s, err
}

func mailboxSettings(tx *bbolt.Tx, box store.Mailbox) (store.MailboxSettings, error) {
	s, err := get[store.MailboxSettings](tx, bucketMailboxes, string(boxPrefix(box)))
	if errors.Is(err, store.ErrNotFound) {
		return store.MailboxSettings{Mailbox: box}, nil
	}
	return s, err
}

// ChangeMailbox changes the settings of a box, atomically, and returns them. change may run more than once.
func (d *DB) ChangeMailbox(box store.Mailbox, change func(*store.MailboxSettings)) (s store.MailboxSettings, err error) {
	err = d.write("change the settings of mailbox "+box.String(), func(tx *bbolt.Tx) error {
		if s, err = mailboxSettings(tx, box); err != nil {
			return err
		}
		change(&s)
		return put(tx, bucketMailboxes, boxPrefix(box), s)
	})
	return s, err
}

// ChangeVoicemail changes a message, atomically, and returns it. Its id, box and time stay. change may run more than once.
func (d *DB) ChangeVoicemail(id string, change func(*store.Voicemail)) (v store.Voicemail, err error) {
	err = d.write("change voicemail "+id, func(tx *bbolt.Tx) error {
		if v, err = get[store.Voicemail](tx, bucketVoicemails, id); err != nil {
			return err
		}
		box, left := v.Mailbox, v.Left
		change(&v)
		v.ID, v.Mailbox, v.Left = id, box, left
		return put(tx, bucketVoicemails, []byte(id), v)
	})
	return v, err
}

// PutMail queues a mail, or puts back one that was tried.
func (d *DB) PutMail(m store.MailJob) error {
	return d.write("queue a mail", func(tx *bbolt.Tx) error { return put(tx, bucketMails, []byte(m.ID), m) })
}

// QueueMails queues mails about a message and marks it as announced, both or neither: none is lost, and none sent twice.
func (d *DB) QueueMails(voicemail string, jobs []store.MailJob) error {
	return d.write("queue the mails of voicemail "+voicemail, func(tx *bbolt.Tx) error {
		v, err := get[store.Voicemail](tx, bucketVoicemails, voicemail)
		if err != nil || v.Announced {
			return err
		}
		for _, m := range jobs {
			if err := put(tx, bucketMails, []byte(m.ID), m); err != nil {
				return err
			}
		}
		v.Announced = true
		return put(tx, bucketVoicemails, []byte(voicemail), v)
	})
}

// Mails are the queued mails, oldest first.
func (d *DB) Mails() ([]store.MailJob, error) { return all[store.MailJob](d, bucketMails, nil) }

// DeleteMail removes a mail from the queue. One that is not there is no error.
func (d *DB) DeleteMail(id string) error {
	return d.write("remove a mail", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMails).Delete([]byte(id)) })
}

func createV2(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketMailboxes, bucketMails} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return nil
}
