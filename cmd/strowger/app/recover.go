package app

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"strowger/media"
	"strowger/store"
)

// recover mends what a crash left: calls without an end get one, and messages that were being left are completed.
func (a *App) recover() error {
	calls, err := a.db.RecoverInterrupted()
	if err != nil {
		return err
	}
	byID := map[string]store.CallRecord{}
	for _, c := range calls {
		byID[c.ID] = c
		a.log.Warn().Str("call_id", c.ID).Msg("this call was in progress when the server last stopped; it is recorded as interrupted")
	}
	a.recoverRecordings(calls)
	folder := filepath.Join(a.cfg.Data, "voicemail")
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		return nil
	}
	files, err := media.RecoverRecordings(folder)
	if err != nil {
		a.log.Error().Err(err).Str("folder", folder).Msg("a message that was being left cannot be recovered; its .part file stays")
	}
	for _, f := range append(files, a.unfiled(folder, calls, files)...) {
		vm, err := a.recoveredMessage(f, byID)
		if err == nil {
			err = a.boxes.Add(vm)
		}
		if err != nil {
			a.log.Error().Err(err).Str("file", f).Msg("a recovered message cannot be put into its mailbox; its file stays")
			continue
		}
		a.log.Warn().Str("call_id", vm.Call).Str("file", vm.File).Msg("recovered a message that was being left when the server last stopped")
	}
	return nil
}

// unfiled are the messages of interrupted calls that were complete, but not yet in their mailbox: the file comes first.
func (a *App) unfiled(folder string, calls []store.CallRecord, known []string) []string {
	var found []string
	for _, c := range calls {
		files, _ := filepath.Glob(filepath.Join(folder, "*", c.ID+"*.wav")) // the pattern is well formed: an id is hex and "-"
		for _, f := range files {
			if _, err := a.db.Voicemail(strings.TrimSuffix(filepath.Base(f), ".wav")); errors.Is(err, store.ErrNotFound) && !slices.Contains(known, f) {
				found = append(found, f)
			}
		}
	}
	return found
}

// recoveredMessage describes a file voicemail/BOX/ID.wav; a message has the id of its call.
func (a *App) recoveredMessage(path string, calls map[string]store.CallRecord) (store.Voicemail, error) {
	seconds, err := wavSeconds(path)
	if err != nil {
		return store.Voicemail{}, err
	}
	rel, err := filepath.Rel(a.cfg.Data, path)
	if err != nil {
		return store.Voicemail{}, err
	}
	box := filepath.Base(filepath.Dir(path))
	vm := store.Voicemail{ID: strings.TrimSuffix(filepath.Base(path), ".wav"), Mailbox: store.Mailbox{User: box}, From: "unknown", Left: time.Now(), Seconds: seconds, File: rel}
	if strings.HasPrefix(box, "+") {
		vm.Mailbox = store.Mailbox{Number: box}
	}
	c, ok := calls[vm.ID]
	if cut := strings.LastIndex(vm.ID, "-"); !ok && cut > 0 { // the second mailbox of a call: ID-2
		c, ok = calls[vm.ID[:cut]]
	}
	if ok {
		vm.Call, vm.From, vm.FromName, vm.Left = c.ID, c.From, c.FromName, c.Start
	}
	return vm, nil
}

// wavSeconds is the length of a 16 bit WAV that the recorder or a tape wrote.
func wavSeconds(path string) (float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head [44]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return 0, fmt.Errorf("%s is too short for a WAV: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	rate := binary.LittleEndian.Uint32(head[24:])
	if rate == 0 {
		return 0, fmt.Errorf("%s: the WAV header has no sample rate", path)
	}
	channels := max(binary.LittleEndian.Uint16(head[22:]), 1)
	return float64(info.Size()-int64(len(head))) / 2 / float64(channels) / float64(rate), nil
}
