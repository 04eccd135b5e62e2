package bolt

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// The buckets. Keys that order by time start with eight bytes of it (timeKey).
var (
	bucketMeta         = []byte("meta")          // schema → version of this layout; directory → current version
	bucketVersions     = []byte("versions")      // sequence → DirectoryVersion
	bucketBlobs        = []byte("blobs")         // version → directory without contacts, JSON, deflated
	bucketContacts     = []byte("contacts")      // id → Contact
	bucketContactPhone = []byte("contact_phone") // phone 0 id → nothing
	bucketDevices      = []byte("devices")       // id → Device
	bucketCredentials  = []byte("credentials")   // user → Credential
	bucketBindings     = []byte("bindings")      // see bindingKey → Binding
	bucketJournal      = []byte("journal")       // id → CallRecord of a call in progress
	bucketCalls        = []byte("calls")         // id → CallRecord
	bucketCallTime     = []byte("call_time")     // time id → flags
	bucketCallUser     = []byte("call_user")     // user 0 time id → flags
	bucketVoicemails   = []byte("voicemails")    // id → Voicemail
	bucketBoxes        = []byte("boxes")         // mailbox 0 time id → nothing
	bucketMailboxes    = []byte("mailboxes")     // mailbox 0 → MailboxSettings
	bucketMails        = []byte("mails")         // id → MailJob
	bucketSessions     = []byte("sessions")      // SHA-256 of the token → expiry, data
	bucketSessionEnds  = []byte("session_ends")  // expiry, SHA-256 of the token → nothing
	bucketSecrets      = []byte("secrets")       // name → bytes
	bucketSettings     = []byte("settings")      // name → bytes
	bucketAudit        = []byte("audit")         // sequence → AuditEntry

	keySchema    = []byte("schema")
	keyDirectory = []byte("directory")
)

// A migration brings the layout from its index to the next version. Entries are never changed once released, only added,
// and testdata keeps a file of every version.
type migration func(*bbolt.Tx) error

var migrations = []migration{createV1, createV2}

func createV1(tx *bbolt.Tx) error {
	for _, name := range [][]byte{
		bucketVersions, bucketBlobs, bucketContacts, bucketContactPhone, bucketDevices, bucketCredentials, bucketBindings,
		bucketJournal, bucketCalls, bucketCallTime, bucketCallUser, bucketVoicemails, bucketBoxes, bucketSessions,
		bucketSessionEnds, bucketSecrets, bucketSettings, bucketAudit,
	} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return fmt.Errorf("create bucket %s: %w", name, err)
		}
	}
	return nil
}

// migrate runs the steps that the file has not seen, all in one transaction: a failure leaves the file as it was.
func migrate(tx *bbolt.Tx, steps []migration) error {
	meta, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return err
	}
	var have uint64
	if v := meta.Get(keySchema); len(v) == 8 {
		have = binary.BigEndian.Uint64(v)
	}
	if have > uint64(len(steps)) {
		return fmt.Errorf("the file has layout %d, this program knows up to %d: it was written by a newer strowger", have, len(steps))
	}
	if have == uint64(len(steps)) {
		return nil
	}
	for i := have; i < uint64(len(steps)); i++ {
		if err := steps[i](tx); err != nil {
			return fmt.Errorf("migrate layout %d to %d: %w", i, i+1, err)
		}
	}
	return meta.Put(keySchema, sequenceKey(uint64(len(steps))))
}

// timeKey orders by time, then by id.
func timeKey(t time.Time, id string) []byte {
	return append(appendTime(make([]byte, 0, 8+len(id)), t), id...)
}

// appendTime appends eight bytes that order as the time does, also before 1970.
func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixNano())^(1<<63))
}

// sequenceKey orders by a bucket's sequence.
func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// put stores v as JSON.
func put(tx *bbolt.Tx, bucket, key []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(key, data)
}

// get reads the object at key. The error wraps store.ErrNotFound when there is none.
func get[T any](tx *bbolt.Tx, bucket []byte, key string) (T, error) {
	var v T
	data := tx.Bucket(bucket).Get([]byte(key))
	if data == nil {
		return v, fmt.Errorf("%s %q: %w", bucket, key, store.ErrNotFound)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("%s %q is damaged: %w", bucket, key, err)
	}
	return v, nil
}

// one reads one object in a transaction of its own.
func one[T any](d *DB, bucket []byte, key string) (v T, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		v, err = get[T](tx, bucket, key)
		return err
	})
	return v, err
}

// all reads a bucket whose values satisfy keep; nil keeps all.
func all[T any](d *DB, bucket []byte, keep func(*T) bool) ([]T, error) {
	list := []T{}
	err := d.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, data []byte) error {
			var v T
			if err := json.Unmarshal(data, &v); err != nil {
				return fmt.Errorf("%s %q is damaged: %w", bucket, k, err)
			}
			if keep == nil || keep(&v) {
				list = append(list, v)
			}
			return nil
		})
	})
	return list, err
}
