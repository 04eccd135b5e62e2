package bolt

import (
	"bytes"
	"crypto/sha256"
	"time"

	"go.etcd.io/bbolt"
)

// Sessions keeps web sessions; it has the method set of scs.Store (github.com/alexedwards/scs). Tokens are kept as their
// SHA-256 only: who reads a backup cannot sign in with it.
type Sessions struct{ d *DB }

// Sessions returns the store of web sessions.
func (d *DB) Sessions() *Sessions { return &Sessions{d} }

// sweep is how many expired sessions one Commit removes at most.
const sweep = 16

// Find returns a session's data; found is false when it is unknown or has expired.
func (s *Sessions) Find(token string) (data []byte, found bool, err error) {
	err = s.d.view(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketSessions).Get(sessionKey(token))
		if len(v) < 8 || bytes.Compare(v[:8], appendTime(nil, time.Now())) <= 0 {
			return nil
		}
		data, found = bytes.Clone(v[8:]), true
		return nil
	})
	return data, found, err
}

// Commit stores a session until expiry, and removes some that have expired.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.d.write("save session", func(tx *bbolt.Tx) error {
		key := sessionKey(token)
		if err := dropSession(tx, key); err != nil {
			return err
		}
		if err := sweepSessions(tx, time.Now()); err != nil {
			return err
		}
		return putSession(tx, key, data, expiry)
	})
}

// Delete removes a session; one that is not there is no error.
func (s *Sessions) Delete(token string) error {
	return s.d.write("delete session", func(tx *bbolt.Tx) error { return dropSession(tx, sessionKey(token)) })
}

func sessionKey(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func putSession(tx *bbolt.Tx, key, data []byte, expiry time.Time) error {
	if err := tx.Bucket(bucketSessions).Put(key, append(appendTime(nil, expiry), data...)); err != nil {
		return err
	}
	return tx.Bucket(bucketSessionEnds).Put(append(appendTime(nil, expiry), key...), nil)
}

func dropSession(tx *bbolt.Tx, key []byte) error {
	v := tx.Bucket(bucketSessions).Get(key)
	if len(v) < 8 {
		return nil
	}
	if err := tx.Bucket(bucketSessionEnds).Delete(append(bytes.Clone(v[:8]), key...)); err != nil {
		return err
	}
	return tx.Bucket(bucketSessions).Delete(key)
}

func sweepSessions(tx *bbolt.Tx, now time.Time) error {
	var ended [][]byte
	limit := appendTime(nil, now)
	c := tx.Bucket(bucketSessionEnds).Cursor()
	for k, _ := c.First(); k != nil && len(ended) < sweep && bytes.Compare(k[:8], limit) <= 0; k, _ = c.Next() {
		ended = append(ended, bytes.Clone(k[8:]))
	}
	for _, key := range ended {
		if err := dropSession(tx, key); err != nil {
			return err
		}
	}
	return nil
}
