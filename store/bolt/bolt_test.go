package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
	"go.uber.org/goleak"

	"strowger/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "strowger.db"), Options{})
}

func openAt(t testing.TB, path string, opts Options) *DB {
	t.Helper()
	d, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// must are the results of calls that have to work.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strowger.db")
	openAt(t, path, Options{})
	_, err := Open(path, Options{LockTimeout: time.Millisecond})
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestWritesFailAfterClose(t *testing.T) {
	d := open(t)
	check(t, d.Close())
	if err := d.PutDevice(store.Device{ID: "x"}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := d.Device("x"); err == nil {
		t.Error("read after close")
	}
}

func TestGarbageIsRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"text":  []byte(strings.Repeat("this is no store\n", 2000)),
		"short": []byte("x"),
	} {
		path := filepath.Join(t.TempDir(), "strowger.db")
		check(t, os.WriteFile(path, data, 0o600))
		if d, err := Open(path, Options{}); err == nil {
			d.Close()
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewerLayoutIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strowger.db")
	b := must[*bbolt.DB](t)(bbolt.Open(path, 0o600, nil))
	check(t, b.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		return meta.Put(keySchema, binary.BigEndian.AppendUint64(nil, 99))
	}))
	check(t, b.Close())
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "newer strowger") {
		t.Errorf("got %v", err)
	}
}

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	b := must[*bbolt.DB](t)(bbolt.Open(filepath.Join(t.TempDir(), "x.db"), 0o600, nil))
	defer b.Close()
	var ran []int
	step := func(n int) migration {
		return func(*bbolt.Tx) error { ran = append(ran, n); return nil }
	}
	steps := []migration{step(1), step(2), step(3)}
	for _, n := range []int{1, 1, 3, 3} {
		check(t, b.Update(func(tx *bbolt.Tx) error { return migrate(tx, steps[:n]) }))
	}
	if !slices.Equal(ran, []int{1, 2, 3}) {
		t.Errorf("ran %v", ran)
	}
	broken := errors.New("broken")
	err := b.Update(func(tx *bbolt.Tx) error {
		return migrate(tx, append(steps, func(*bbolt.Tx) error { return broken }))
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	check(t, b.Update(func(tx *bbolt.Tx) error { return migrate(tx, steps) })) // still at 3
}

// A write that fails takes nobody else's with it, however they are grouped.
func TestFailedWriteIsAlone(t *testing.T) {
	d := open(t)
	broken := errors.New("broken")
	group := make([]*write, 9)
	for i := range group {
		group[i] = &write{done: make(chan error, 1), fn: func(tx *bbolt.Tx) error {
			if err := put(tx, bucketSettings, []byte{byte('a' + i)}, i); err != nil {
				return err
			}
			if i%4 == 0 {
				return broken
			}
			return nil
		}}
	}
	d.commit(slices.Clone(group))
	for i, w := range group {
		err := <-w.done
		if errors.Is(err, broken) != (i%4 == 0) {
			t.Errorf("%d: %v", i, err)
		}
		v := must[[]byte](t)(d.Setting(string(rune('a' + i))))
		if (v == nil) != (i%4 == 0) {
			t.Errorf("%d: stored %q", i, v)
		}
	}
}

func TestFullDiskIsReportedAndSurvived(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strowger.db")
	d := openAt(t, path, Options{maxSize: 256 << 10})
	big := make([]byte, 20<<10)
	check(t, d.PutSetting("first", big))
	var err error
	for i := 0; err == nil && i < 100; i++ {
		err = d.PutSetting(strings.Repeat("x", i+1), big)
	}
	if !errors.Is(err, bolterr.ErrMaxSizeReached) || !strings.HasPrefix(err.Error(), "save setting x") {
		t.Fatalf("got %v", err)
	}
	if v := must[[]byte](t)(d.Setting("first")); !bytes.Equal(v, big) {
		t.Error("what was stored is damaged")
	}
	check(t, d.Close())
	d = openAt(t, path, Options{}) // room again
	if v := must[[]byte](t)(d.Setting("first")); !bytes.Equal(v, big) {
		t.Error("what was stored is damaged after reopening")
	}
	check(t, d.PutSetting("y", []byte("small")))
}

// A crash is a copy of the file at some moment while it is written: it must open, with all that was acknowledged before.
func TestCrashLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "strowger.db")
	d := openAt(t, path, Options{})
	_, err := d.Apply(organisation())
	check(t, err)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() { // writes go on while the copy is made
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := d.PutSetting("later", make([]byte, i%9000)); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range 20 {
		id := "call" + string(rune('a'+i))
		check(t, d.OpenCall(store.CallRecord{ID: id, Start: at(i)}))
		data := must[[]byte](t)(os.ReadFile(path))
		copied := filepath.Join(dir, id)
		check(t, os.WriteFile(copied, data, 0o600))
		after, err := Open(copied, Options{})
		if err != nil {
			// The copy is not of one moment, as a crash would be; a torn one may be refused but never be wrong.
			continue
		}
		if rec, err := after.Call(id); err != nil || rec.ID != id {
			t.Errorf("%s: %v", id, err)
		}
		check(t, after.Close())
	}
	close(stop)
	<-ended
}

func TestOldFilesOpen(t *testing.T) {
	for version := 1; version <= len(migrations); version++ {
		old := must[[]byte](t)(os.ReadFile(filepath.Join("testdata", "v"+string(rune('0'+version))+".db")))
		path := filepath.Join(t.TempDir(), "strowger.db")
		check(t, os.WriteFile(path, old, 0o600))
		d := openAt(t, path, Options{})
		expectSample(t, d)
	}
}
