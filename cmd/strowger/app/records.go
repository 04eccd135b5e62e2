package app

import (
	"fmt"
	"os"
	"path/filepath"

	"strowger/configs"
	"strowger/store"
	"strowger/store/bolt"
)

// records keeps what calls leave behind, and tells the page.
type records struct {
	db        *bolt.DB
	late      *lateRecords
	data      string // the data folder
	prompts   string // folder of the prompts' files
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
	if box.User == "" {
		return filepath.Join(r.prompts, "voicemail-shared.wav")
	}
	return filepath.Join(r.prompts, "voicemail-greeting.wav")
}

// unpackPrompts writes the program's prompts into a folder, where the player finds them. Files that are there stay: the
// administrator may have replaced them.
func unpackPrompts(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	names, err := configs.Prompts.ReadDir("prompts/en")
	if err != nil {
		return err
	}
	for _, n := range names {
		to := filepath.Join(folder, n.Name())
		if _, err := os.Stat(to); err == nil {
			continue
		}
		data, err := configs.Prompts.ReadFile("prompts/en/" + n.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
