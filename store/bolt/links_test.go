package bolt

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

func TestSigninLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	d, err := Open(path, Options{})
	check(t, err)
	until := time.Now().Add(time.Hour)
	check(t, d.PutLink("h1", "ann", until))
	check(t, d.PutLink("h2", "bob", until))
	if _, found, _ := d.Sessions().Find("h1"); found {
		t.Error("a link is good as a session")
	}
	check(t, d.Close())

	d = openAt(t, path, Options{})
	user, expires, err := d.TakeLink("h1")
	if err != nil || user != "ann" || !expires.Equal(until) {
		t.Errorf("after a restart: %q until %v, %v", user, expires, err)
	}
	if _, _, err := d.TakeLink("h1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("taken twice: %v", err)
	}
	var taken atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := d.TakeLink("h2"); err == nil {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d takers got the link", taken.Load())
	}
}

func TestExpiredLinksAreSwept(t *testing.T) {
	d := openAt(t, filepath.Join(t.TempDir(), "s.db"), Options{})
	check(t, d.PutLink("old", "ann", time.Now().Add(-time.Second)))
	check(t, d.PutLink("new", "ann", time.Now().Add(time.Hour)))
	check(t, d.view(func(tx *bbolt.Tx) error {
		if n := tx.Bucket(bucketSessions).Stats().KeyN; n != 1 {
			t.Errorf("%d links are kept", n)
		}
		return nil
	}))
}
