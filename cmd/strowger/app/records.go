package app

import (
	"fmt"
	"os"
	"path/filepath"

	"strowger/store"
	"strowger/store/bolt"
)

// records keeps what calls leave behind, and tells the page.
type records struct {
	db        *bolt.DB
	late      *lateRecords
	data      string // the data folder
	prompts   *prompts
	onNew     func(store.CallRecord)
	onMessage func(store.Voicemail)
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
func (r *records) AddVoicemail(vm store.Voicemail) error {
	if err := r.db.AddVoicemail(vm); err != nil {
		return err
	}
	r.onMessage(vm)
	return nil
}

// VoicemailFile implements call.Records: voicemail/BOX/ID.wav in the data folder.
func (r *records) VoicemailFile(box store.Mailbox, id string) (abs, rel string, err error) {
	name := box.User
	if name == "" {
		name = box.Number
	}
	if name == "" || filepath.Base(name) != name || name == ".." {
		return "", "", fmt.Errorf("mailbox %+v has no folder name", box)
	}
	rel = filepath.Join("voicemail", name, id+".wav")
	abs = filepath.Join(r.data, rel)
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return "", "", fmt.Errorf("make the mailbox's folder: %w", err)
	}
	return abs, rel, nil
}

// Greeting implements call.Records: the box's own greeting.wav, else the one that comes with the program.
func (r *records) Greeting(box store.Mailbox) string {
	own := filepath.Join(r.data, "voicemail", box.User+box.Number, "greeting.wav")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	name := "voicemail-greeting"
	if box.User == "" {
		name = "voicemail-shared"
	}
	file, err := r.prompts.file(name)
	if err != nil {
		return "" // the caller hears the beep alone
	}
	return file
}
