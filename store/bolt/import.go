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

// bucketUndo exists while an import runs: id → "=" and the contact's former JSON, or "+" when the import made it.
var bucketUndo = []byte("import_undo")

// importBatch is how many contacts share a transaction. It bounds the memory of an import and how long other writes wait.
const importBatch = 20_000

// ErrImporting is returned when another import is still running.
var ErrImporting = errors.New("another import of contacts is running")

// Imported counts what an import did.
type Imported struct {
	Created, Changed, Same int
}

// ImportContacts creates or changes the contacts of a sequence of any length; empty fields leave what is there. Either all of them are
// stored or, when the sequence or the disk fails, none. Memory stays bounded: batches are committed one by one with a note of how to undo them, and an
// import cut short, also by a crash, is undone (at the latest by the next Open). progress, if not nil, is called after
// each batch with the number of contacts stored.
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
			if undo.Get(id) == nil { // the first note is the one from before the import
				note := []byte("+")
				if before != nil {
					note = append([]byte("="), before...)
				}
				if err := undo.Put(id, note); err != nil {
					return err
				}
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
			ids, err := undoSome(tx, undo)
			if err != nil {
				return err
			}
			if more = len(ids) == importBatch; !more {
				return tx.DeleteBucket(bucketUndo)
			}
			for _, id := range ids {
				if err := undo.Delete([]byte(id)); err != nil {
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

// undoSome restores at most a batch of contacts and returns their ids.
func undoSome(tx *bbolt.Tx, undo *bbolt.Bucket) ([]string, error) {
	var ids []string
	c := undo.Cursor()
	for k, note := c.First(); k != nil && len(ids) < importBatch; k, note = c.Next() {
		id := string(k)
		ids = append(ids, id)
		if err := deleteContact(tx, id); err != nil {
			return nil, err
		}
		before, changed := bytes.CutPrefix(note, []byte("="))
		if !changed {
			continue
		}
		var contact store.Contact
		if err := json.Unmarshal(before, &contact); err != nil {
			return nil, fmt.Errorf("contact %q: %w", id, err)
		}
		if _, err := putContact(tx, &contact); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
