package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// recordings looks whether calls can be recorded: the folder, and room on its disk for what recording.min_free asks.
func (e *examination) recordings() {
	const what = "recordings"
	dir := filepath.Join(e.cfg.Data, "recordings")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if dir = e.cfg.Data; !exists(dir) {
			dir = filepath.Dir(dir) // the server makes both
		}
	} else if err := tryWrite(dir); err != nil {
		e.bad(what, err.Error(), "let the server's user write there: calls go on, and nothing is recorded")
		return
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		e.warn(what, "free space of "+dir+": "+err.Error(), "check that it is mounted")
		return
	}
	free, need := fs.Bavail*uint64(fs.Bsize)>>20, uint64(e.cfg.Recording.MinFree)
	mbPerHour := uint64(115) // two channels of 16 bits at 8 kHz; wideband calls take twice as much
	if e.cfg.Recording.Format == "ogg" {
		mbPerHour = 22
	}
	detail := fmt.Sprintf("%d MB free, recordings need %d MB (recording.min_free); an hour takes about %d MB", free, need, mbPerHour)
	switch room := need + 24*mbPerHour; {
	case free < need:
		e.bad(what, detail, "make room, or lower recording.min_free: calls go on, and nothing is recorded")
	case free < room:
		e.warn(what, detail, "make room soon, or let recordings expire (recording.keep_days)")
	case e.cfg.Recording.KeepDays == 0:
		e.ok(what, "%s; they are kept for ever", detail)
	default:
		e.ok(what, "%s; they are kept for %d days", detail, e.cfg.Recording.KeepDays)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tryWrite makes a file in dir and removes it.
func tryWrite(dir string) error {
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}
