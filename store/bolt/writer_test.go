package bolt

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// commits is how many transactions have changed the file.
func commits(t *testing.T, d *DB) (n int) {
	t.Helper()
	if err := d.view(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// What calls leave behind shares its fsyncs; what somebody waits for does not wait for it, and takes along what does.
func TestWriteBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(filepath.Join(t.TempDir(), "strowger.db"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		before, start := commits(t, d), time.Now()
		var calls sync.WaitGroup
		for i := range 1000 { // one each millisecond
			calls.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				asked := time.Now()
				if err := d.OpenCall(store.CallRecord{ID: fmt.Sprint(i), Start: asked}); err != nil {
					t.Error(err)
				}
				if waited := time.Since(asked); waited > gatherTime {
					t.Errorf("call %d waited %v", i, waited)
				}
			})
		}
		calls.Wait()
		if n := commits(t, d) - before; n < 9 || n > 11 {
			t.Errorf("%d transactions in %v, want 10", n, time.Since(start))
		}

		before, start = commits(t, d), time.Now()
		calls.Go(func() {
			if err := d.CloseCall(store.CallRecord{ID: "1", Start: start}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if err := d.PutDevice(store.Device{ID: "ann-desk"}); err != nil {
			t.Fatal(err)
		}
		calls.Wait()
		if n, took := commits(t, d)-before, time.Since(start); n != 1 || took != 0 {
			t.Errorf("%d transactions in %v, want 1 at once", n, took)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
