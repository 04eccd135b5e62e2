// Package bolt keeps the nouns of package store in one bbolt file: the directory with its history, contacts with an index
// by phone, devices, credentials, registrations, call records with their journal, voicemails, web sessions, secrets and the
// audit log.
//
// Every write goes through one goroutine that commits whatever is waiting as one transaction (see writer.go), so many
// concurrent calls share one fsync and each method returns when its change is on disk. Reads run beside it on bbolt's
// snapshots. Methods are safe for concurrent use.
package bolt

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"strowger/store"
)

// Options of Open. The zero value is good.
type Options struct {
	// LockTimeout is how long Open waits for another process to release the file. 0 = 1 s.
	LockTimeout time.Duration
	// Versions is how many directory versions are kept. 0 = 1000.
	Versions int
	// AuditEntries is how many audit entries are kept. 0 = 100,000.
	AuditEntries int

	maxSize int  // of the file in bytes, for tests of a full disk; 0 = no limit
	noSync  bool // for tests that are not about durability
}

// DB is an open store.
type DB struct {
	b      *bbolt.DB
	opts   Options
	dir    atomic.Pointer[current] // the directory as last applied
	writes chan *write
	quit   chan struct{} // closed by Close: no further writes
	done   chan struct{} // closed when the writer has ended
	closed atomic.Bool
	// lastWrite is when the file was last written before it was opened: the best guess at when a crashed process died.
	lastWrite time.Time
}

// Open opens the store file, makes it when it is absent, and brings an older file up to date. An error wraps
// store.ErrInUse when another process holds the file, and store.ErrDamaged when it cannot be read; it says what to do then.
func Open(path string, opts Options) (*DB, error) {
	if opts.LockTimeout <= 0 {
		opts.LockTimeout = time.Second
	}
	if opts.Versions <= 0 {
		opts.Versions = 1000
	}
	if opts.AuditEntries <= 0 {
		opts.AuditEntries = 100_000
	}
	var lastWrite time.Time
	if info, err := os.Stat(path); err == nil {
		lastWrite = info.ModTime()
	}
	b, err := openFile(path, &bbolt.Options{
		Timeout: opts.LockTimeout,
		// A big import leaves many free pages; writing their list with every commit would cost each call hundreds of
		// kilobytes. It is rebuilt at Open instead.
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
		MaxSize:        opts.maxSize,
		NoSync:         opts.noSync,
	})
	switch {
	case errors.Is(err, bolterr.ErrTimeout):
		return nil, fmt.Errorf("open store %s: %w (a running strowger? stop it, or use its admin socket)", path, store.ErrInUse)
	case err != nil:
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	d := &DB{
		b: b, opts: opts, lastWrite: lastWrite,
		writes: make(chan *write), quit: make(chan struct{}), done: make(chan struct{}),
	}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), b.Close())
	}
	go d.writer()
	return d, nil
}

// openFile opens a file whose structure was found good. What bbolt itself finds wrong with it beyond that, it says by a
// panic.
func openFile(path string, opts *bbolt.Options) (b *bbolt.DB, err error) {
	if err := verifyClosed(path, opts); err != nil {
		if errors.Is(err, store.ErrDamaged) && !strings.Contains(err.Error(), remedy) {
			err = fmt.Errorf("%w: %s", err, remedy)
		}
		return nil, err
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v: %s", store.ErrDamaged, v, remedy)
		}
	}()
	return bbolt.Open(path, 0o600, opts)
}

// prepare migrates, undoes a half-done import and loads the directory.
func (d *DB) prepare() error {
	if err := d.b.Update(func(tx *bbolt.Tx) error { return migrate(tx, migrations) }); err != nil {
		return err
	}
	if err := d.undoImport(); err != nil {
		return err
	}
	return d.b.View(func(tx *bbolt.Tx) error {
		cur, err := loadCurrent(tx)
		if err != nil {
			return err
		}
		d.dir.Store(cur)
		return nil
	})
}

// Close waits for writes in progress and closes the file. Methods called afterwards fail.
func (d *DB) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	close(d.quit)
	<-d.done
	if err := d.b.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// view runs a read-only transaction.
func (d *DB) view(fn func(*bbolt.Tx) error) error {
	return d.b.View(fn)
}
