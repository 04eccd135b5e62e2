package app

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
)

// A full disk costs no record: what could not be written is, when there is room again.
func TestRecordsAreWrittenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		full.Store(true)
		var written []string
		l := &lateRecords{log: zerolog.Nop(), write: func(rec store.CallRecord) error {
			if full.Load() {
				return errors.New("no space left on device")
			}
			written = append(written, rec.ID)
			return nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { l.run(ctx); close(ended) }()
		for _, id := range []string{"one", "two"} {
			if l.put(store.CallRecord{ID: id}) == nil {
				t.Fatal("nobody is told that the disk is full")
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		full.Store(false)
		time.Sleep(lateRetry + time.Second)
		synctest.Wait()
		if !slices.Equal(written, []string{"one", "two"}) {
			t.Errorf("written %q", written)
		}
		full.Store(true)
		_ = l.put(store.CallRecord{ID: "three"})
		full.Store(false)
		cancel()
		<-ended
		if !slices.Contains(written, "three") {
			t.Error("the last one was lost at the end")
		}
	})
}
