package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"strowger/store"
)

// remedy is what to do about a file that cannot be read.
const remedy = "nothing was changed; stop strowger, keep the file for repair, and put a copy that `strowger backup` made in its place"

// verify reads the structure of a store file: bbolt believes its pages, and one that is damaged can end the process from a
// goroutine of bbolt's own, or lead it in circles. The file must not be written meanwhile.
func verify(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	v := &verifier{file: f, seen: map[uint64]bool{}}
	err = v.run()
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		err = fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return err
}

// empty reports on a store file of no length. bbolt would make a new store of it: right on a first start that was cut short,
// and a silent loss of everything where there were data.
func empty(path string) error {
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, item := range list {
		if item.Name() != filepath.Base(path) {
			return fmt.Errorf("%w: it is empty, but the data folder has %s: %s, or remove the empty file to begin anew",
				store.ErrDamaged, item.Name(), remedy)
		}
	}
	return nil
}

// verifyClosed is verify under the lock that readers take: no other process writes.
func verifyClosed(path string, opts *bbolt.Options) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return empty(path)
	}
	reader := *opts
	reader.ReadOnly = true
	b, err := bbolt.Open(path, 0o600, &reader)
	var denied *fs.PathError
	switch {
	case errors.Is(err, bolterr.ErrTimeout), errors.Is(err, bolterr.ErrVersionMismatch), errors.As(err, &denied):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return errors.Join(verify(path), b.Close())
}

// The layout of bbolt's file (go.etcd.io/bbolt, internal/common/page.go), in the machine's byte order.
const (
	pageHeader  = 16 // id uint64, flags uint16, count uint16, overflow uint32
	elementSize = 16 // leaf: flags, pos, ksize, vsize uint32; branch: pos, ksize uint32, page uint64
	metaSize    = 64 // without the page's header; the last eight octets are the checksum
	branchPage  = 0x01
	leafPage    = 0x02
	bucketEntry = 0x01
	metaMagic   = 0xED0CDAED
	maxDepth    = 64 // of pages above one another, and of buckets in buckets
)

var native = binary.NativeEndian

// verifier walks all pages that the newest meta page leads to, each once.
type verifier struct {
	file     io.ReaderAt
	pageSize uint64
	pages    uint64 // that the file may have, by its meta page
	seen     map[uint64]bool
}

func (v *verifier) run() error {
	root, err := v.meta()
	if err != nil {
		return err
	}
	return v.page(root, 0)
}

// meta reads the root of the newest valid meta page. The second one's place depends on the page size, which the first one
// may be too damaged to tell.
func (v *verifier) meta() (root uint64, err error) {
	var newest uint64
	at := []int64{0}
	for size := int64(1024); size <= 64<<10; size *= 2 {
		at = append(at, size)
	}
	for _, at := range at {
		b := make([]byte, metaSize)
		if _, err := v.file.ReadAt(b, at+pageHeader); err != nil {
			continue
		}
		sum := fnv.New64a()
		_, _ = sum.Write(b[:metaSize-8])
		txid, size := native.Uint64(b[48:]), uint64(native.Uint32(b[8:]))
		if native.Uint32(b) != metaMagic || sum.Sum64() != native.Uint64(b[56:]) || at != 0 && uint64(at) != size || size == 0 {
			continue
		}
		if v.pageSize == 0 || txid >= newest {
			newest, v.pageSize, root, v.pages = txid, size, native.Uint64(b[16:]), native.Uint64(b[40:])
		}
	}
	if v.pageSize == 0 {
		return 0, errors.New("neither of the first two pages is readable")
	}
	return root, nil
}

func (v *verifier) page(id uint64, depth int) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: page %d %s", store.ErrDamaged, id, fmt.Sprintf(format, args...))
	}
	switch {
	case id < 2 || id >= v.pages:
		return bad("is out of bounds: the file has %d", v.pages)
	case v.seen[id]:
		return bad("is used twice")
	case depth > maxDepth:
		return bad("is too deep")
	}
	b := make([]byte, v.pageSize)
	if _, err := v.file.ReadAt(b, int64(id*v.pageSize)); err != nil {
		return bad("cannot be read: %v", err)
	}
	own, overflow := native.Uint64(b), uint64(native.Uint32(b[12:]))
	if own != id || id+overflow >= v.pages {
		return bad("says that it is page %d with %d more", own, overflow)
	}
	for n := range overflow + 1 {
		if v.seen[id+n] {
			return bad("and another one have page %d", id+n)
		}
		v.seen[id+n] = true
	}
	if overflow > 0 {
		b = make([]byte, (overflow+1)*v.pageSize)
		if _, err := v.file.ReadAt(b, int64(id*v.pageSize)); err != nil {
			return bad("cannot be read: %v", err)
		}
	}
	return v.elements(b, depth, bad)
}

// elements checks the entries of a page, and goes on to the pages that they name.
func (v *verifier) elements(b []byte, depth int, bad func(string, ...any) error) error {
	flags, count := native.Uint16(b[8:]), int(native.Uint16(b[10:]))
	if flags != branchPage && flags != leafPage {
		return bad("has the kind %#x", flags)
	}
	if pageHeader+count*elementSize > len(b) {
		return bad("has %d entries", count)
	}
	var last []byte
	for n := range count {
		at := pageHeader + n*elementSize
		e := b[at:]
		kind, pos, ksize, vsize, below := uint32(0), native.Uint32(e), native.Uint32(e[4:]), uint32(0), native.Uint64(e[8:])
		if flags == leafPage {
			kind, pos, ksize, vsize = pos, ksize, native.Uint32(e[8:]), native.Uint32(e[12:])
		}
		from, end := uint64(at)+uint64(pos), uint64(at)+uint64(pos)+uint64(ksize)+uint64(vsize)
		if end > uint64(len(b)) {
			return bad("entry %d reaches beyond it", n)
		}
		key, value := b[from:from+uint64(ksize)], b[from+uint64(ksize):end]
		if n > 0 && bytes.Compare(last, key) >= 0 {
			return bad("entry %d is out of order", n)
		}
		last = key
		var err error
		switch {
		case flags == branchPage:
			err = v.page(below, depth+1)
		case kind&bucketEntry != 0:
			err = v.bucket(value, depth, bad)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket checks the value of a bucket: its root page, or a page in the value itself.
func (v *verifier) bucket(value []byte, depth int, bad func(string, ...any) error) error {
	if len(value) < 16 {
		return bad("has a bucket of %d octets", len(value))
	}
	if root := native.Uint64(value); root != 0 {
		return v.page(root, depth+1)
	}
	if len(value) < 16+pageHeader || depth > maxDepth {
		return bad("has a bucket without a page")
	}
	return v.elements(value[16:], depth+1, bad)
}
