package bolt

import (
	"go.etcd.io/bbolt"

	"strowger/store"
)

// SetHeard marks a message as heard by a user, who stays noted until it is new again, and returns it.
func (d *DB) SetHeard(id, user string, heard bool) (v store.Voicemail, err error) {
	err = d.write("mark voicemail "+id, func(tx *bbolt.Tx) error {
		if v, err = get[store.Voicemail](tx, bucketVoicemails, id); err != nil || v.Heard == heard {
			return err
		}
		v.Heard, v.HeardBy = heard, user
		if !heard {
			v.HeardBy = ""
		}
		return put(tx, bucketVoicemails, []byte(id), v)
	})
	return v, err
}
