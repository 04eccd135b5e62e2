package app

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/config"
	"strowger/store"
	"strowger/store/bolt"
)

// wav is a second of silence as the recorder writes it.
func wav() []byte {
	b := make([]byte, 44+16000)
	copy(b, "RIFF")
	copy(b[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(b[24:], 8000)
	return b
}

// TestRecoverMessages: whenever the process dies while a message is left, the message is in its mailbox afterwards, once.
func TestRecoverMessages(t *testing.T) {
	for _, test := range []struct {
		name  string
		file  string
		filed bool // AddVoicemail had come through
	}{
		{"while it was recorded", "call1.wav.part", false},
		{"between the file and the mailbox", "call1.wav", false},
		{"before the call's record", "call1.wav", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := t.TempDir()
			db, err := bolt.Open(filepath.Join(data, admin.StoreName), bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			box := store.Mailbox{User: "bob"}
			if err := db.OpenCall(store.CallRecord{ID: "call1", From: "+12025550900", Start: time.Now()}); err != nil {
				t.Fatal(err)
			}
			if test.filed {
				vm := store.Voicemail{ID: "call1", Call: "call1", Mailbox: box, From: "+12025550900", Left: time.Now(), File: "voicemail/bob/call1.wav"}
				if err := db.AddVoicemail(vm); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(data, "voicemail", "bob")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{test.file, "greeting.wav"} {
				if err := os.WriteFile(filepath.Join(folder, name), wav(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg := config.Default()
			cfg.Demo()
			cfg.Data = data
			a := &App{cfg: cfg, opt: Options{Demo: true}, log: zerolog.Nop()}
			defer a.takeBack()
			if err := a.openStore(); err != nil {
				t.Fatal(err)
			}
			list, err := a.db.Voicemails(box)
			if err != nil || len(list) != 1 || list[0].From != "+12025550900" || list[0].File != "voicemail/bob/call1.wav" {
				t.Errorf("bob's mailbox: %+v, %v", list, err)
			}
		})
	}
}
