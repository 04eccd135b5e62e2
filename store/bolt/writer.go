package bolt

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// ErrClosed is returned by writes after Close.
var ErrClosed = errors.New("store is closed")

// maxGroup bounds how many writes share a transaction, so that one of them is never kept waiting for long.
const maxGroup = 512

// write is a change waiting for its commit.
type write struct {
	fn   func(*bbolt.Tx) error
	done chan error // buffered: the writer never waits for the caller
}

// write runs fn in a read-write transaction together with other waiting writes and returns when it is durable. fn may run
// more than once: it must set its results, not add to them. When fn fails, its changes are undone and nobody else's.
func (d *DB) write(what string, fn func(*bbolt.Tx) error) error {
	w := &write{fn: fn, done: make(chan error, 1)}
	select {
	case d.writes <- w:
	case <-d.quit:
		return fmt.Errorf("%s: %w", what, ErrClosed)
	}
	if err := <-w.done; err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// writer is the only goroutine that changes the file. While one group is being synced, the next one gathers: a lone write
// waits for nobody, and under load the number of fsyncs stays what the disk can do.
func (d *DB) writer() {
	defer close(d.done)
	var group []*write
	for {
		select {
		case w := <-d.writes:
			group = append(group[:0], w)
		case <-d.quit:
			return
		}
		for more := true; more && len(group) < maxGroup; {
			select {
			case w := <-d.writes:
				group = append(group, w)
			default:
				more = false
			}
		}
		d.commit(group)
		clear(group)
	}
}

// commit runs a group as one transaction. A write that fails is answered and taken out; the others run again.
func (d *DB) commit(group []*write) {
	for len(group) > 0 {
		failed := -1
		err := d.b.Update(func(tx *bbolt.Tx) error {
			for i, w := range group {
				if err := w.fn(tx); err != nil {
					failed = i
					return err
				}
			}
			return nil
		})
		if failed < 0 { // committed, or the commit itself failed: true for all of them
			for _, w := range group {
				w.done <- err
			}
			return
		}
		group[failed].done <- err
		group = append(group[:failed], group[failed+1:]...)
	}
}
