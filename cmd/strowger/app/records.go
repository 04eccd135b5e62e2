package app

import (
	"github.com/rs/zerolog"

	"strowger/cmd/strowger/voicemail"
	"strowger/store"
	"strowger/store/bolt"
)

// records keeps what calls leave behind, and tells the page.
type records struct {
	db      *bolt.DB
	late    *lateRecords
	prompts *prompts
	tapes
	onNew  func(store.CallRecord)
	boxes  *voicemail.Boxes
	review bool // of messages that end with #
	org    *organisation
	busy   func(user string) bool
	log    zerolog.Logger
}

// Open implements call.Records.
func (r *records) Open(rec store.CallRecord) error { return r.db.OpenCall(rec) }

// Close implements call.Records.
func (r *records) Close(rec store.CallRecord) error {
	return r.late.put(rec)
}

// closeCall writes a record and tells the page.
func (r *records) closeCall(rec store.CallRecord) error {
	if err := r.db.CloseCall(rec); err != nil {
		return err
	}
	r.onNew(rec)
	return nil
}

// AddVoicemail implements call.Records.
func (r *records) AddVoicemail(vm store.Voicemail) error { return r.boxes.Keep(vm) }
