package bolt

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"strowger/store"
)

// bucketUndo exists while an import runs: sequence → "=" and the contact's former JSON, or "+" and the id of a new one. It
// is undone from its end, so notes need not be unique, and grows at its end, which costs least.
var bucketUndo = []byte("import_undo")

// importBatch is how many contacts share a transaction. It bounds the memory of an import and how long other writes wait.
const importBatch = 5_000

// ErrImporting is returned when another import is still running.
var ErrImporting = errors.New("another import of contacts is running")

// Imported counts what an import did.
type Imported struct {
	Created, Changed, Same int
}

// ImportContacts creates or changes the contacts of a sequence of any length; empty fields leave what is there. Either all
// of them are stored or, when the sequence or the disk fails, none: batches are committed one by one, each with notes of how
// to undo it, and an import cut short is undone, at the latest by the next Open. So memory stays bounded, most of all when
// the sequence is sorted by id. progress, if not nil, is called after each batch with the number of contacts stored.
func (d *DB) ImportContacts(contacts iter.Seq2[store.Contact, error], progress func(int)) (Imported, error) {
	var total Imported
	err := d.write("start import", func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketUndo) != nil {
			return ErrImporting
		}
		_, err := tx.CreateBucket(bucketUndo)
		return err
	})
	if err != nil {
		return total, err
	}
	if err := d.importAll(contacts, &total, progress); err != nil {
		if undo := d.undoImportBy(d.writeImport); undo != nil {
			err = errors.Join(err, fmt.Errorf("undo import (it is finished at the next start): %w", undo))
		}
		return Imported{}, err
	}
	return total, d.writeImport(func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketUndo) })
}

func (d *DB) writeImport(fn func(*bbolt.Tx) error) error { return d.write("import contacts", fn) }

func (d *DB) importAll(contacts iter.Seq2[store.Contact, error], total *Imported, progress func(int)) error {
	batch := make([]store.Contact, 0, importBatch)
	flush := func() error {
		if err := d.importBatch(batch, total); err != nil {
			return err
		}
		batch = batch[:0]
		if progress != nil {
			progress(total.Created + total.Changed + total.Same)
		}
		return nil
	}
	for c, err := range contacts {
		if err != nil {
			return err
		}
		if batch = append(batch, c); len(batch) == importBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// importBatch stores one batch. It is sorted first: neighbours share pages. The sort is stable, so that of two lines with
// one id the later wins.
func (d *DB) importBatch(batch []store.Contact, total *Imported) error {
	now := time.Now().UTC()
	slices.SortStableFunc(batch, func(a, b store.Contact) int { return strings.Compare(a.ID, b.ID) })
	var n Imported
	err := d.writeImport(func(tx *bbolt.Tx) error {
		n = Imported{}
		undo := tx.Bucket(bucketUndo)
		for i := range batch {
			id := []byte(batch[i].ID)
			if err := mergeContact(tx, &batch[i], now); err != nil {
				return err
			}
			before, err := putContact(tx, &batch[i])
			if err != nil {
				return err
			}
			switch after := tx.Bucket(bucketContacts).Get(id); {
			case before == nil:
				n.Created++
			case string(before) == string(after):
				n.Same++
				continue
			default:
				n.Changed++
			}
			note := append([]byte("+"), id...)
			if before != nil {
				note = append([]byte("="), before...)
			}
			seq, err := undo.NextSequence()
			if err != nil {
				return err
			}
			if err := undo.Put(sequenceKey(seq), note); err != nil {
				return err
			}
		}
		return nil
	})
	total.Created, total.Changed, total.Same = total.Created+n.Created, total.Changed+n.Changed, total.Same+n.Same
	return err
}

// mergeContact fills the fields that an imported contact leaves empty from the one that is there: an import never clears
// anything. A new contact without a time is created now.
func mergeContact(tx *bbolt.Tx, c *store.Contact, now time.Time) error {
	old, err := get[store.Contact](tx, bucketContacts, c.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil {
		old.Created = now
	}
	c.Name, c.Owner, c.Source = cmp.Or(c.Name, old.Name), cmp.Or(c.Owner, old.Owner), cmp.Or(c.Source, old.Source)
	if len(c.Phones) == 0 {
		c.Phones = old.Phones
	}
	if len(c.Tags) == 0 {
		c.Tags = old.Tags
	}
	if c.Created.IsZero() {
		c.Created = old.Created
	}
	return nil
}

// undoImport undoes an import that a crash cut short. Open calls it before the writer runs.
func (d *DB) undoImport() error { return d.undoImportBy(d.b.Update) }

func (d *DB) undoImportBy(update func(func(*bbolt.Tx) error) error) error {
	for more := true; more; {
		err := update(func(tx *bbolt.Tx) error {
			more = false
			undo := tx.Bucket(bucketUndo)
			if undo == nil {
				return nil
			}
			undone, err := undoSome(tx, undo)
			if err != nil {
				return err
			}
			if more = len(undone) == importBatch; !more {
				return tx.DeleteBucket(bucketUndo)
			}
			for _, key := range undone {
				if err := undo.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("undo an unfinished import of contacts: %w", err)
		}
	}
	return nil
}

// undoSome undoes the last notes, at most a batch, and returns their keys.
func undoSome(tx *bbolt.Tx, undo *bbolt.Bucket) (keys [][]byte, err error) {
	c := undo.Cursor()
	for k, note := c.Last(); k != nil && len(keys) < importBatch; k, note = c.Prev() {
		keys = append(keys, bytes.Clone(k))
		before, changed := bytes.CutPrefix(note, []byte("="))
		if !changed {
			if err := deleteContact(tx, string(note[1:])); err != nil {
				return nil, err
			}
			continue
		}
		var contact store.Contact
		if err := json.Unmarshal(before, &contact); err != nil {
			return nil, fmt.Errorf("note is damaged: %w", err)
		}
		if _, err := putContact(tx, &contact); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
