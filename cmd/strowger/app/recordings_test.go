package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/config"
	"strowger/media"
	"strowger/sip/call"
	"strowger/store"
	"strowger/store/bolt"
)

// recordingsApp is an App with nothing but a store and a data folder.
func recordingsApp(t *testing.T, keepDays int) *App {
	t.Helper()
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cfg.Recording.KeepDays = keepDays
	db, err := bolt.Open(filepath.Join(cfg.Data, admin.StoreName), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &App{cfg: cfg, db: db, log: zerolog.Nop()}
}

// keptCall is a call of that day with a recording; it returns the file.
func keptCall(t *testing.T, a *App, id string, day time.Time) string {
	t.Helper()
	rel := filepath.Join(recordingsFolder, day.Format(time.DateOnly), id+"-1.wav")
	rec := store.CallRecord{ID: id, From: "+12025550900", Start: day}
	if err := a.db.OpenCall(rec); err != nil {
		t.Fatal(err)
	}
	rec.End, rec.Disposition = day.Add(time.Minute), store.Answered
	rec.Recordings = []store.Recording{{ID: id + "-1", File: rel, Start: day, Seconds: 1, Ended: "stopped"}}
	if err := a.db.CloseCall(rec); err != nil {
		t.Fatal(err)
	}
	return putFile(t, filepath.Join(a.cfg.Data, rel))
}

func putFile(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, wav(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestRecordingsExpire: what is older than it may be is removed, file and folder; its call's record keeps that there was
// one, and the audit log says why it is gone. What is not ours stays.
func TestRecordingsExpire(t *testing.T) {
	a := recordingsApp(t, 30)
	now := time.Date(2026, 3, 31, 0, 30, 0, 0, time.UTC)
	old := keptCall(t, a, "old", now.AddDate(0, 0, -31))
	last := keptCall(t, a, "last", now.AddDate(0, 0, -30)) // begun in the last hours of this day it is not yet so old
	today := keptCall(t, a, "today", now)
	folder := filepath.Join(a.cfg.Data, recordingsFolder)
	unknown := putFile(t, filepath.Join(folder, "2026-01-02", "lost-1.wav")) // no record knows it
	other := putFile(t, filepath.Join(folder, "exports", "old-1.wav"))
	a.expireRecordings(now)
	a.expireRecordings(now) // nothing is left to do
	for path, want := range map[string]bool{old: false, filepath.Dir(old): false, last: true, today: true, unknown: false, filepath.Dir(unknown): false, other: true} {
		if there(path) != want {
			t.Errorf("%s: there is %v", path, !want)
		}
	}
	r, err := a.db.Call("old")
	if err != nil || len(r.Recordings) != 1 || r.Recordings[0].Deleted.IsZero() || r.Recordings[0].DeletedBy != "retention" {
		t.Errorf("the record tells %+v: %v", r.Recordings, err)
	}
	if r, _ := a.db.Call("last"); !r.Recordings[0].Deleted.IsZero() {
		t.Error("a recording that is kept is told to be deleted")
	}
	log, err := a.db.AuditLog(0, 10)
	var told []string
	for _, e := range log {
		told = append(told, e.Actor+" "+e.Action+" "+e.Object)
	}
	if got := strings.Join(told, ", "); err != nil || !strings.Contains(got, "system recording.expire old-1") || len(told) != 2 {
		t.Errorf("the audit log tells %q: %v", got, err)
	}

	a.cfg.Recording.KeepDays = 0
	a.expireRecordings(now.AddDate(10, 0, 0))
	if !there(last) || !there(today) {
		t.Error("without a limit recordings are removed")
	}
}

// TestRecordingsExpireWhileServing: they do so at the start, and then by the hour.
func TestRecordingsExpireWhileServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := recordingsApp(t, 1)
		begun := time.Now().UTC()
		file := keptCall(t, a, "call", begun)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); a.keepRecordings(ctx) }()
		synctest.Wait()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if !there(file) {
			t.Error("it is removed before its time")
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if there(file) {
			t.Error("it is not removed")
		}
		cancel()
		<-done
	})
}

// TestRecordingTroubleIsTold: no room, a disk that fails and one that does not keep up are the operator's to know.
func TestRecordingTroubleIsTold(t *testing.T) {
	var told []string
	tp := tapes{data: t.TempDir(), minFree: 1 << 62, trouble: func(id, what string) { told = append(told, id+": "+what) }}
	if _, _, err := tp.RecordingFile("call1", 1); err == nil {
		t.Error("a recording begins on a full disk")
	}
	if _, _, err := tp.RecordingFile("..", 1); err == nil {
		t.Error("a recording gets out of its folder")
	}
	for _, e := range []media.TapeEvent{{Why: "stopped"}, {Why: "failed", Seconds: 7, Err: errors.New("no space left on device")}, {Why: "stopped", Missing: 3}} {
		posted := 0
		tapeEnded(call.TapeOptions{CallID: "call2", Post: func(call.TapeEvent) { posted++ }}, tp.trouble)(e)
		if posted != 1 {
			t.Errorf("%+v was posted %d times", e, posted)
		}
	}
	want := []string{"call1: the disk is nearly full", "..: call", "call2: it ended after 7 s: no space left on device", "call2: 3 s of"}
	for i, w := range want {
		if len(told) != len(want) || !strings.HasPrefix(told[i], w) {
			t.Fatalf("told %q, want %q", told, want)
		}
	}
}
