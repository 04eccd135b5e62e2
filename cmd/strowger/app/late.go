package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
)

// lateRecords are the records of calls that could not be written when the calls ended, because the disk was full. They
// are written as soon as it is not.
type lateRecords struct {
	write func(store.CallRecord) error
	log   zerolog.Logger

	mu      sync.Mutex
	waiting []store.CallRecord // oldest first
}

const (
	lateRetry = 5 * time.Second
	maxLate   = 10000 // records of a few kilobytes each
)

// put writes a record, or keeps it for later and says why.
func (l *lateRecords) put(rec store.CallRecord) error {
	err := l.write(rec)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxLate {
		return fmt.Errorf("%w; %d others wait already, this one is lost", err, len(l.waiting))
	}
	l.waiting = append(l.waiting, rec)
	return fmt.Errorf("%w; trying again every %v", err, lateRetry)
}

// run tries again until ctx ends, and then once more.
func (l *lateRecords) run(ctx context.Context) {
	again := time.NewTicker(lateRetry)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			_ = l.catchUp() // put has said why
		case <-ctx.Done():
			if err := l.catchUp(); err != nil {
				l.log.Error().Err(err).Msg("records of calls are lost")
			}
			return
		}
	}
}

// catchUp writes what waits, up to the first that fails again.
func (l *lateRecords) catchUp() error {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.mu.Unlock()
			return nil
		}
		rec, left := l.waiting[0], len(l.waiting)
		l.mu.Unlock()
		if err := l.write(rec); err != nil {
			return fmt.Errorf("%d records of calls: %w", left, err)
		}
		l.mu.Lock()
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
		l.log.Info().Str("call_id", rec.ID).Msg("the call's record is written after all")
	}
}
