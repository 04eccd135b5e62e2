package webtest

import (
	"fmt"
	"io"
	"slices"
	"time"

	"strowger/store"
)

// recordings implements web.Recordings: every file is the same.
type recordings struct{ f *Fake }

func (r recordings) OpenRecording(store.Recording) (io.ReadSeekCloser, error) {
	return r.f.OpenAudio(store.Voicemail{})
}

func (r recordings) DeleteRecording(call, id, by string) (store.CallRecord, error) {
	r.f.Mu.Lock()
	defer r.f.Mu.Unlock()
	for i := range r.f.Records {
		if c := &r.f.Records[i]; c.ID == call {
			c.Recordings = slices.Clone(c.Recordings)
			for k := range c.Recordings {
				if c.Recordings[k].ID == id {
					c.Recordings[k].Deleted, c.Recordings[k].DeletedBy = time.Now(), by
					return *c, nil
				}
			}
		}
	}
	return store.CallRecord{}, fmt.Errorf("recording %s: %w", id, store.ErrNotFound)
}

func (r recordings) Audit(e store.AuditEntry) error {
	r.f.Mu.Lock()
	defer r.f.Mu.Unlock()
	e.Seq = uint64(len(r.f.Noted) + 1)
	r.f.Noted = append(r.f.Noted, e)
	return nil
}

func (r recordings) AuditLog(uint64, int) ([]store.AuditEntry, error) {
	r.f.Mu.Lock()
	defer r.f.Mu.Unlock()
	list := slices.Clone(r.f.Noted)
	slices.Reverse(list)
	return list, nil
}
