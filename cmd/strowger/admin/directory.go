package admin

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/store/directory"
)

// Directory is the organisation without its contacts, of which there may be a million (GET /contacts).
type Directory struct {
	Directory store.Directory `json:"directory"`
	Version   string          `json:"version"`
}

// ImportStep is a line of the answer to an import: progress, or the end.
type ImportStep struct {
	Read  int            `json:"read"`
	Done  *bolt.Imported `json:"done,omitempty"`
	Error string         `json:"error,omitempty"`
}

func (s *service) directoryRoutes(mux *http.ServeMux, route func(string, func(*http.Request) (any, error))) {
	route("GET /directory", func(*http.Request) (any, error) {
		dir, version := s.db.Directory()
		return Directory{dir, version}, nil
	})
	route("GET /directory/{version}", func(r *http.Request) (any, error) {
		version := r.PathValue("version")
		dir, err := s.db.DirectoryAt(version)
		return Directory{dir, version}, err
	})
	route("POST /directory", s.apply)
	route("GET /contacts/by-phone/{phone}", func(r *http.Request) (any, error) { return s.db.ContactsByPhone(r.PathValue("phone")) })
	mux.HandleFunc("GET /contacts", s.contacts)
	mux.HandleFunc("POST /contacts", s.importContacts)
}

// apply makes a change that a command has computed. What does not compile is refused: the server could not take it over.
func (s *service) apply(r *http.Request) (any, error) {
	change, err := decode[bolt.Change](r)
	if err != nil {
		return nil, err
	}
	if _, err := routing.NewIndex(change.Directory); err != nil {
		return nil, fmt.Errorf("the directory does not hold together: %w", err)
	}
	version, err := s.db.ApplyChange(change)
	if err != nil {
		return nil, err
	}
	return map[string]string{"version": version}, s.changed("cli", "apply", version)
}

// replaceDirectory changes the directory and leaves its contacts.
func (s *service) replaceDirectory(dir store.Directory, base string) error {
	if err := directory.Validate(dir, nil).Err(); err != nil {
		return err
	}
	_, err := s.db.ApplyChange(bolt.Change{Directory: dir, Base: base})
	return err
}

// contacts streams all contacts, a JSON line each.
func (s *service) contacts(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	buffered := bufio.NewWriterSize(w, 64<<10)
	out := json.NewEncoder(buffered)
	err := s.db.EachContact(func(c store.Contact) error { return out.Encode(c) })
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the reader must see a broken stream, not a short list
	}
}

// importContacts takes contacts as JSON lines, all or none, and reports how far it is.
func (s *service) importContacts(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out, flush := json.NewEncoder(w), http.NewResponseController(w)
	flush.EnableFullDuplex()
	step := func(v ImportStep) { out.Encode(v); flush.Flush() }
	done, err := s.db.ImportContacts(contactLines(r.Body), func(n int) { step(ImportStep{Read: n}) })
	if err == nil {
		err = s.changed("cli", "contacts.import", "")
	}
	if err != nil {
		step(ImportStep{Error: err.Error()})
		return
	}
	step(ImportStep{Done: &done})
}

func contactLines(body io.Reader) iter.Seq2[store.Contact, error] {
	return func(yield func(store.Contact, error) bool) {
		in := json.NewDecoder(bufio.NewReaderSize(body, 64<<10))
		for {
			var c store.Contact
			err := in.Decode(&c)
			if errors.Is(err, io.EOF) || !yield(c, err) || err != nil {
				return
			}
		}
	}
}
