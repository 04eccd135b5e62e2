package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"strowger/media"
	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
)

// The files of recorded calls: recordings/YEAR-MONTH-DAY/CALL-N.wav in the data folder, by the day on which they began.

const recordingsFolder = "recordings"

// tapes makes the recordings of calls.
type tapes struct {
	data    string
	opus    bool
	minFree uint64 // octets
	trouble func(call, what string)
}

// RecordingFile is of call.Records.
func (t *tapes) RecordingFile(id string, n int) (abs, rel string, err error) {
	if abs, rel, err = t.recordingFile(id, n); err != nil && t.trouble != nil {
		t.trouble(id, err.Error())
	}
	return abs, rel, err
}

func (t *tapes) recordingFile(id string, n int) (abs, rel string, err error) {
	if id == "" || filepath.Base(id) != id || id == ".." {
		return "", "", fmt.Errorf("call %q has no file name", id)
	}
	folder := filepath.Join(t.data, recordingsFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", "", fmt.Errorf("make the folder of recordings: %w", err)
	}
	if free, err := freeSpace(folder); err == nil && free < t.minFree {
		return "", "", fmt.Errorf("the disk is nearly full: %d MB are free, recordings need %d MB (recording.min_free)", free>>20, t.minFree>>20)
	}
	kind := ".wav"
	if t.opus {
		kind = ".ogg"
	}
	rel = filepath.Join(recordingsFolder, time.Now().UTC().Format(time.DateOnly), id+"-"+strconv.Itoa(n)+kind)
	return filepath.Join(t.data, rel), rel, nil
}

// freeSpace is how many octets the server may still write there.
func freeSpace(folder string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", folder, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// NewTape implements call.MediaFactory.
func (f mediaFactory) NewTape(o call.TapeOptions) (call.Tape, error) {
	t, err := f.engine.NewTape(media.TapeOptions{
		ID: o.CallID, File: o.File, Opus: strings.HasSuffix(o.File, ".ogg"), MaxSeconds: int(f.longest.Seconds()),
		OnEvent: tapeEnded(o, f.trouble),
	})
	if err != nil {
		f.trouble(o.CallID, err.Error())
		return nil, err
	}
	return tape{t}, nil
}

// tapeEnded tells the call how its recording ended, and the operator if it did not end well.
func tapeEnded(o call.TapeOptions, trouble func(call, what string)) func(media.TapeEvent) {
	return func(e media.TapeEvent) {
		switch {
		case e.Err != nil:
			trouble(o.CallID, fmt.Sprintf("it ended after %.0f s: %v", e.Seconds, e.Err))
		case e.Missing >= 1:
			trouble(o.CallID, fmt.Sprintf("%.0f s of %.0f s are silent: the disk is too slow", e.Missing, e.Seconds))
		}
		o.Post(call.TapeEvent(e))
	}
}

// recordingTrouble tells owners and admins on their pages.
func (a *App) recordingTrouble(call, what string) {
	if a.web != nil {
		a.web.Alarm(web.Alert{Kind: web.AlertRecording, Call: call, Text: "A call is not recorded, or not all of it: " + what, Remedy: "Check the data folder's disk (strowger doctor). The call itself goes on."})
	}
}

// tape is a media.Tape as the call engine sees it; what is not named here is the tape's own.
type tape struct{ *media.Tape }

// Add implements call.Tape.
func (t tape) Add(s call.MediaSession, channel int) error {
	ms, ok := s.(mediaSession)
	if !ok {
		return fmt.Errorf("tape: %T is no session of this engine", s)
	}
	return t.Tape.Add(ms.Session, channel)
}

// Remove implements call.Tape.
func (t tape) Remove(s call.MediaSession) {
	if ms, ok := s.(mediaSession); ok {
		t.Tape.Remove(ms.Session)
	}
}

// recoverRecordings gives the recordings that a crash cut off their names, and puts them into the records of their calls.
func (a *App) recoverRecordings(calls []store.CallRecord) {
	folder := filepath.Join(a.cfg.Data, recordingsFolder)
	if _, err := media.RecoverRecordings(folder); err != nil {
		a.log.Error().Err(err).Str("folder", folder).Msg("the recording of a call cannot be recovered; its .part file stays")
	}
	for _, c := range calls {
		files, _ := filepath.Glob(filepath.Join(folder, "*", c.ID+"-*")) // the pattern is well formed: an id is hex and "-"
		slices.Sort(files)
		for _, f := range files {
			if err := a.recoverRecording(c, f); err != nil {
				a.log.Error().Err(err).Str("call_id", c.ID).Str("file", f).Msg("a recovered recording cannot be put into its call's record; its file stays")
			}
		}
	}
}

func (a *App) recoverRecording(c store.CallRecord, file string) error {
	rel, err := filepath.Rel(a.cfg.Data, file)
	if err != nil {
		return err
	}
	id := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	rec := store.Recording{ID: id, File: rel, Start: c.Start, Why: "recovered after the server stopped", Ended: "interrupted"}
	if filepath.Ext(file) == ".wav" {
		if rec.Seconds, err = wavSeconds(file); err != nil {
			return err
		}
	}
	if info, err := os.Stat(file); err == nil && rec.Seconds > 0 {
		rec.Start = info.ModTime().Add(-time.Duration(rec.Seconds * float64(time.Second)))
	}
	_, err = a.db.UpdateCall(c.ID, func(r *store.CallRecord) error {
		if !slices.ContainsFunc(r.Recordings, func(o store.Recording) bool { return o.ID == id }) {
			r.Recordings = append(r.Recordings, rec)
		}
		return nil
	})
	if err == nil {
		a.log.Warn().Str("call_id", c.ID).Str("file", rel).Msg("recovered the recording of a call that was in progress when the server last stopped")
	}
	return err
}

// webRecordings are the recordings for the page.
type webRecordings struct{ a *App }

// Audit implements web.Recordings.
func (w webRecordings) Audit(e store.AuditEntry) error { return w.a.db.Audit(e) }

// AuditLog implements web.Recordings.
func (w webRecordings) AuditLog(before uint64, limit int) ([]store.AuditEntry, error) {
	return w.a.db.AuditLog(before, limit)
}

// DeleteRecording implements web.Recordings.
func (w webRecordings) DeleteRecording(call, id, by string) (store.CallRecord, error) {
	return w.a.deleteRecording(call, id, by)
}

// OpenRecording implements web.Recordings.
func (w webRecordings) OpenRecording(rec store.Recording) (io.ReadSeekCloser, error) {
	path, err := w.a.recordingPath(rec)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the file of recording %s is gone: %w", rec.ID, store.ErrNotFound)
	}
	return f, err
}

// recordingPath refuses what a record should not name.
func (a *App) recordingPath(rec store.Recording) (string, error) {
	if !filepath.IsLocal(rec.File) || !strings.HasPrefix(rec.File, recordingsFolder+string(filepath.Separator)) {
		return "", fmt.Errorf("recording %s has the file %q: %w", rec.ID, rec.File, store.ErrNotFound)
	}
	return filepath.Join(a.cfg.Data, rec.File), nil
}

// deleteRecording removes a recording's file; its call's record keeps that there was one, and says who removed it.
func (a *App) deleteRecording(callID, id, by string) (store.CallRecord, error) {
	var gone store.Recording
	rec, err := a.db.UpdateCall(callID, func(r *store.CallRecord) error {
		i := slices.IndexFunc(r.Recordings, func(o store.Recording) bool { return o.ID == id && o.Deleted.IsZero() })
		if i < 0 {
			return fmt.Errorf("recording %s: %w", id, store.ErrNotFound)
		}
		r.Recordings = slices.Clone(r.Recordings)
		r.Recordings[i].Deleted, r.Recordings[i].DeletedBy = time.Now().UTC(), by
		gone = r.Recordings[i]
		return nil
	})
	if err != nil {
		return rec, err
	}
	path, err := a.recordingPath(gone)
	if err == nil {
		if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return rec, fmt.Errorf("remove the file of recording %s: %w", id, err)
	}
	return rec, nil
}

// keepRecordings removes what is older than it may be, at the start and then every hour.
func (a *App) keepRecordings(ctx context.Context) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		a.expireRecordings(time.Now().UTC())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// expireRecordings goes by the folders of the days: those that are too old are removed whole.
func (a *App) expireRecordings(now time.Time) {
	if a.cfg.Recording.KeepDays == 0 {
		return
	}
	last := now.AddDate(0, 0, -a.cfg.Recording.KeepDays).Format(time.DateOnly)
	folder := filepath.Join(a.cfg.Data, recordingsFolder)
	days, err := os.ReadDir(folder)
	if err != nil {
		return // nothing was ever recorded
	}
	for _, day := range days {
		if _, err := time.Parse(time.DateOnly, day.Name()); err != nil || !day.IsDir() || day.Name() >= last {
			continue
		}
		a.expireDay(filepath.Join(folder, day.Name()))
	}
}

func (a *App) expireDay(folder string) {
	files, err := os.ReadDir(folder)
	if err != nil {
		a.log.Error().Err(err).Str("folder", folder).Msg("old recordings cannot be removed")
		return
	}
	for _, f := range files {
		id := strings.TrimSuffix(f.Name(), filepath.Ext(f.Name()))
		callID := id
		if i := strings.LastIndexByte(id, '-'); i > 0 {
			callID = id[:i]
		}
		_, err := a.deleteRecording(callID, id, "retention")
		if errors.Is(err, store.ErrNotFound) { // no record knows it
			err = os.Remove(filepath.Join(folder, f.Name()))
		}
		if err == nil {
			err = a.db.Audit(store.AuditEntry{Actor: "system", Action: "recording.expire", Object: id})
		}
		if err != nil {
			a.log.Error().Err(err).Str("call_id", callID).Str("file", f.Name()).Msg("an old recording cannot be removed")
		}
	}
	_ = os.Remove(folder) // it may not be empty
}
