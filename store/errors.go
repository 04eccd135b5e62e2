package store

import "errors"

// Errors that adapters wrap, for errors.Is. The wrapping message names the object.
var (
	// ErrNotFound: no object has this id.
	ErrNotFound = errors.New("not found")
	// ErrClaimed: somebody else claimed the missed call first.
	ErrClaimed = errors.New("already claimed")
	// ErrConflict: the directory changed since the caller read it.
	ErrConflict = errors.New("changed meanwhile")
	// ErrInUse: another process has the store open.
	ErrInUse = errors.New("in use by another process")
	// ErrDamaged: the store's file is not what was written.
	ErrDamaged = errors.New("the file is damaged")
)
