package bolt

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/store"
)

// filled is a store file with some thousand pages, closed.
func filled(t *testing.T) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "strowger.db")
	d := openAt(t, path, Options{})
	for n := range 400 {
		check(t, d.PutDevice(store.Device{ID: fmt.Sprintf("device-%04d", n), User: strings.Repeat("u", 300)}))
	}
	check(t, d.Close())
	return path, must[[]byte](t)(os.ReadFile(path))
}

// TestDamagedFileIsRefused: whatever became of its pages, Open says so or opens it; the process lives on and the file is as
// it was.
func TestDamagedFileIsRefused(t *testing.T) {
	path, good := filled(t)
	refused := 0
	random := rand.New(rand.NewPCG(1, 2))
	pages := len(good) / 4096
	for n := range 150 {
		data := append([]byte(nil), good...)
		switch n % 3 {
		case 0: // a page of zeros, as after a crash of a disk
			at := 4096 * (2 + random.IntN(pages-2))
			clear(data[at : at+4096])
		case 1: // another page in its place
			at, from := 4096*(2+random.IntN(pages-2)), 4096*(2+random.IntN(pages-2))
			copy(data[at:at+4096], good[from:from+4096])
		case 2: // some octets of noise
			at := 4096*2 + random.IntN(len(good)-4096*2-64)
			for i := range 64 {
				data[at+i] = byte(random.Uint32())
			}
		}
		check(t, os.WriteFile(path, data, 0o600))
		d, err := Open(path, Options{noSync: true})
		if err == nil {
			check(t, d.Close())
			continue
		}
		refused++
		if text := err.Error(); errors.Is(err, store.ErrDamaged) && (!strings.Contains(text, path) || !strings.Contains(text, "strowger backup")) {
			t.Errorf("the error does not say which file, or what to do: %v", err)
		}
	}
	if refused < 50 {
		t.Errorf("%d of 150 damaged files were refused", refused)
	}
}

// TestCutFileIsRefused: a file of which the end is missing.
func TestCutFileIsRefused(t *testing.T) {
	path, good := filled(t)
	for _, part := range []int{len(good) / 2, 9000, 5000, 100} {
		check(t, os.WriteFile(path, good[:part], 0o600))
		if d, err := Open(path, Options{}); err == nil {
			_ = d.Close()
			t.Errorf("%d of %d octets are accepted", part, len(good))
		} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "strowger backup") {
			t.Errorf("%d of %d octets: %v", part, len(good), err)
		}
	}
}

// TestEmptyFile: alone in its folder it is the first start, cut short; beside other files somebody has lost his data.
func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strowger.db")
	check(t, os.WriteFile(path, nil, 0o600))
	d := openAt(t, path, Options{})
	check(t, d.Close())
	check(t, os.WriteFile(path, nil, 0o600))
	check(t, os.Mkdir(filepath.Join(filepath.Dir(path), "voicemail"), 0o700))
	_, err := Open(path, Options{})
	if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "voicemail") || !strings.Contains(err.Error(), "strowger backup") {
		t.Errorf("got %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the file was changed: %v, %v", info, err)
	}
}
