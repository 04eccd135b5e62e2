package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// Flags of a call in the indexes, so that a filter need not read the records it refuses.
const (
	flagMissed    = 1 << iota // disposition missed
	flagUnclaimed             // missed, and nobody acted on it
)

// OpenCall journals a call in progress; called again it replaces the entry. A call that is never closed becomes a record
// with disposition interrupted, see RecoverInterrupted.
func (d *DB) OpenCall(rec store.CallRecord) error {
	return d.writeBehind("journal call "+rec.ID, func(tx *bbolt.Tx) error { return put(tx, bucketJournal, []byte(rec.ID), rec) })
}

// CloseCall writes a call's final record and takes it from the journal. Repeating it is harmless: there is one record, and a
// claim on it stays.
func (d *DB) CloseCall(rec store.CallRecord) error {
	return d.writeBehind("record call "+rec.ID, func(tx *bbolt.Tx) error { return closeCall(tx, rec) })
}

func closeCall(tx *bbolt.Tx, rec store.CallRecord) error {
	if err := tx.Bucket(bucketJournal).Delete([]byte(rec.ID)); err != nil {
		return err
	}
	if tx.Bucket(bucketCalls).Get([]byte(rec.ID)) != nil {
		old, err := get[store.CallRecord](tx, bucketCalls, rec.ID)
		if err != nil {
			return err
		}
		if old.ClaimedBy != "" {
			rec.ClaimedBy, rec.Unclaimed, rec.Participants = old.ClaimedBy, false, old.Participants
		}
		if err := unindexCall(tx, &old); err != nil {
			return err
		}
	}
	return putCall(tx, &rec)
}

// RecoverInterrupted turns the calls that a crashed process left in the journal into records, and returns them. Call it once
// at start, before any OpenCall. Their end is the last moment known of them: the process died at some later time.
func (d *DB) RecoverInterrupted() (list []store.CallRecord, err error) {
	err = d.write("recover interrupted calls", func(tx *bbolt.Tx) error {
		list = nil
		err := tx.Bucket(bucketJournal).ForEach(func(id, data []byte) error {
			var rec store.CallRecord
			if err := json.Unmarshal(data, &rec); err != nil {
				return fmt.Errorf("journal of call %q is damaged: %w", id, err)
			}
			list = append(list, rec)
			return nil
		})
		if err != nil {
			return err
		}
		for i := range list {
			interrupt(&list[i], d.lastWrite)
			if err := closeCall(tx, list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// interrupt completes the record of a call whose process died; lastWrite is when that process last wrote anything.
func interrupt(rec *store.CallRecord, lastWrite time.Time) {
	rec.Disposition = store.Interrupted
	rec.EndedBy = "us"
	rec.Reason = "the phone system stopped during the call"
	end := lastWrite
	for _, t := range []time.Time{rec.Start, rec.Ringing, rec.Answer} {
		if t.After(end) {
			end = t
		}
	}
	for _, e := range rec.Events {
		if e.At.After(end) {
			end = e.At
		}
	}
	rec.End = end
	for i := range rec.Legs {
		if rec.Legs[i].End.IsZero() {
			rec.Legs[i].End = end
		}
	}
}

// Call returns the record of a call, or the journal's entry while it is in progress (End is zero).
func (d *DB) Call(id string) (rec store.CallRecord, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		bucket := bucketCalls
		if tx.Bucket(bucketCalls).Get([]byte(id)) == nil && tx.Bucket(bucketJournal).Get([]byte(id)) != nil {
			bucket = bucketJournal
		}
		rec, err = get[store.CallRecord](tx, bucket, id)
		return err
	})
	return rec, err
}

// UpdateCall changes a closed call's record in one transaction. fn may run more than once; ID and Start must stay. An
// error from fn leaves the record as it was.
func (d *DB) UpdateCall(id string, fn func(*store.CallRecord) error) (rec store.CallRecord, err error) {
	err = d.write("change record of call "+id, func(tx *bbolt.Tx) error {
		rec, err = get[store.CallRecord](tx, bucketCalls, id)
		if err != nil {
			return err
		}
		if err := unindexCall(tx, &rec); err != nil {
			return err
		}
		start := rec.Start
		if err := fn(&rec); err != nil {
			return err
		}
		rec.ID, rec.Start = id, start
		return putCall(tx, &rec)
	})
	return rec, err
}

// ClaimCall makes a missed call this user's: it leaves everybody else's list. The first claim wins; the error of a later
// one wraps store.ErrClaimed and the record says whose it is. Claiming one's own again is no error.
func (d *DB) ClaimCall(id, user string) (store.CallRecord, error) {
	return d.UpdateCall(id, func(rec *store.CallRecord) error {
		switch {
		case rec.ClaimedBy == user && user != "":
			return nil
		case rec.ClaimedBy != "":
			return fmt.Errorf("by %s: %w", rec.ClaimedBy, store.ErrClaimed)
		case !rec.Unclaimed:
			return fmt.Errorf("unclaimed call %q: %w", id, store.ErrNotFound)
		}
		rec.ClaimedBy, rec.Unclaimed, rec.Participants = user, false, []string{user}
		return nil
	})
}

// Calls returns the records that match, newest first.
func (d *DB) Calls(f store.CallFilter) ([]store.CallRecord, error) {
	list := []store.CallRecord{}
	limit := f.Limit
	if limit <= 0 {
		limit = store.DefaultCallLimit
	}
	var want byte
	if f.Missed {
		want |= flagMissed
	}
	if f.Unclaimed {
		want |= flagUnclaimed
	}
	err := d.view(func(tx *bbolt.Tx) error {
		bucket, prefix := bucketCallTime, []byte(nil)
		if f.User != "" {
			bucket, prefix = bucketCallUser, append([]byte(f.User), 0)
		}
		below, ok, err := callsBelow(tx, prefix, f)
		if err != nil || !ok {
			return err
		}
		c := tx.Bucket(bucket).Cursor()
		for k, flags := seekBelow(c, below); k != nil && bytes.HasPrefix(k, prefix) && len(list) < limit; k, flags = c.Prev() {
			key := k[len(prefix):]
			if !f.Since.IsZero() && bytes.Compare(key[:8], appendTime(nil, f.Since)) < 0 {
				break
			}
			if len(flags) != 1 || flags[0]&want != want {
				continue
			}
			rec, err := get[store.CallRecord](tx, bucketCalls, string(key[8:]))
			if err != nil {
				return err
			}
			list = append(list, rec)
		}
		return nil
	})
	return list, err
}

// callsBelow is the index key that all wanted calls are below. ok is false when there can be none.
func callsBelow(tx *bbolt.Tx, prefix []byte, f store.CallFilter) (key []byte, ok bool, err error) {
	below := bytes.Repeat([]byte{0xff}, 9) // above every time
	if !f.Until.IsZero() {
		below = appendTime(nil, f.Until)
	}
	if f.Before != "" {
		if tx.Bucket(bucketCalls).Get([]byte(f.Before)) == nil {
			return nil, false, nil
		}
		rec, err := get[store.CallRecord](tx, bucketCalls, f.Before)
		if err != nil {
			return nil, false, err
		}
		if k := timeKey(rec.Start, rec.ID); bytes.Compare(k, below) < 0 {
			below = k
		}
	}
	return append(bytes.Clone(prefix), below...), true, nil
}

// seekBelow moves to the last key that is less than below.
func seekBelow(c *bbolt.Cursor, below []byte) (k, v []byte) {
	if k, _ := c.Seek(below); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// putCall stores a record and its index entries.
func putCall(tx *bbolt.Tx, rec *store.CallRecord) error {
	if err := put(tx, bucketCalls, []byte(rec.ID), rec); err != nil {
		return err
	}
	var flags byte
	if rec.Disposition == store.Missed {
		flags |= flagMissed
	}
	if rec.Unclaimed {
		flags |= flagUnclaimed
	}
	return eachCallKey(rec, func(bucket, key []byte) error { return tx.Bucket(bucket).Put(key, []byte{flags}) })
}

func unindexCall(tx *bbolt.Tx, rec *store.CallRecord) error {
	return eachCallKey(rec, func(bucket, key []byte) error { return tx.Bucket(bucket).Delete(key) })
}

// eachCallKey calls fn with every index entry of a record.
func eachCallKey(rec *store.CallRecord, fn func(bucket, key []byte) error) error {
	key := timeKey(rec.Start, rec.ID)
	if err := fn(bucketCallTime, key); err != nil {
		return err
	}
	for _, user := range rec.Participants {
		if err := fn(bucketCallUser, append(append([]byte(user), 0), key...)); err != nil {
			return err
		}
	}
	return nil
}
