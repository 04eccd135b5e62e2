package bolt

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// ErrClosed is returned by writes after Close.
var ErrClosed = errors.New("store is closed")

// maxGroup bounds how many writes share a transaction, so that one of them is never kept waiting for long.
const maxGroup = 512

// gatherTime is how long a write behind waits for others. An fsync costs more CPU time than all else that the store does for a
// call, so a busy server shares each between the calls of this time: 40 writes at 200 calls a second. It is also how young the
// beginning or the end of a call may be that a crash loses, and too short for somebody who looks at the list of calls to notice.
const gatherTime = 100 * time.Millisecond

// write is a change waiting for its commit.
type write struct {
	fn     func(*bbolt.Tx) error
	behind bool       // it may wait for others, for gatherTime
	done   chan error // buffered: the writer never waits for the caller
}

// write runs fn in a read-write transaction together with other waiting writes and returns when it is durable. fn may run
// more than once: it must set its results, not add to them. When fn fails, its changes are undone and nobody else's.
func (d *DB) write(what string, fn func(*bbolt.Tx) error) error {
	return d.submit(what, &write{fn: fn})
}

// writeBehind is write for changes whose callers have time: what calls and registrations leave behind.
func (d *DB) writeBehind(what string, fn func(*bbolt.Tx) error) error {
	return d.submit(what, &write{fn: fn, behind: !d.opts.noSync})
}

func (d *DB) submit(what string, w *write) error {
	w.done = make(chan error, 1)
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
			group = d.gather(append(group[:0], w))
		case <-d.quit:
			return
		}
		d.commit(group)
		clear(group)
	}
}

// gather adds the writes that wait already, and those that come while every one of the group has time.
func (d *DB) gather(group []*write) []*write {
	if group[0].behind {
		due := time.After(gatherTime)
		for behind := true; behind && len(group) < maxGroup; {
			select {
			case w := <-d.writes:
				group, behind = append(group, w), w.behind
			case <-due:
				behind = false
			case <-d.quit:
				behind = false
			}
		}
	}
	for len(group) < maxGroup {
		select {
		case w := <-d.writes:
			group = append(group, w)
		default:
			return group
		}
	}
	return group
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
