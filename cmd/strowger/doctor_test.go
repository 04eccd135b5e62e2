package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/cmd/strowger/config"
)

// TestDoctorLooksAtRecordings: doctor tells whether they can be written, and whether there is room for them.
func TestDoctorLooksAtRecordings(t *testing.T) {
	for _, test := range []struct {
		name        string
		minFree     int
		file        bool // where the folder should be
		state, tell string
	}{
		{"as it should be", 0, false, "ok", "kept for ever"},
		{"no room", 1 << 40, false, "problem", "recording.min_free"},
		{"no folder", 0, true, "problem", "not a directory"},
	} {
		cfg := config.Default()
		cfg.Data, cfg.Recording.MinFree = t.TempDir(), test.minFree
		if test.file {
			if err := os.WriteFile(filepath.Join(cfg.Data, "recordings"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e := &examination{cfg: cfg}
		e.recordings()
		full := test.state == "ok" && len(e.list) == 1 && e.list[0].State == "warning" // this machine's own disk
		if len(e.list) != 1 || e.list[0].State != test.state && !full || !full && !strings.Contains(e.list[0].Detail, test.tell) {
			t.Errorf("%s: %+v", test.name, e.list)
		}
	}
}
