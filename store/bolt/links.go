package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// One-time sign-in links live among the sessions, under keys that no session's token has, and are swept with them.

// linkKey is where a link is kept; hash is a hash of its token.
func linkKey(hash string) []byte { return sessionKey("sign-in link " + hash) }

// PutLink keeps a one-time link for a user until it is taken or expires. hash is a hash of its token: who reads a backup
// cannot sign in with it.
func (d *DB) PutLink(hash, user string, expires time.Time) error {
	return d.write("save sign-in link", func(tx *bbolt.Tx) error {
		if err := sweepSessions(tx, time.Now()); err != nil {
			return err
		}
		return putSession(tx, linkKey(hash), []byte(user), expires)
	})
}

// TakeLink removes a link and returns whose it was and until when it was good. Of two takers one gets an error that wraps
// store.ErrNotFound.
func (d *DB) TakeLink(hash string) (user string, expires time.Time, err error) {
	err = d.write("take sign-in link", func(tx *bbolt.Tx) error {
		key := linkKey(hash)
		v := bytes.Clone(tx.Bucket(bucketSessions).Get(key))
		if len(v) < 8 {
			return fmt.Errorf("sign-in link: %w", store.ErrNotFound)
		}
		user, expires = string(v[8:]), time.Unix(0, int64(binary.BigEndian.Uint64(v)^(1<<63)))
		return dropSession(tx, key)
	})
	return user, expires, err
}
