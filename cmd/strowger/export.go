package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"strowger/cmd/strowger/admin"
	"strowger/store"
	"strowger/store/directory"
)

type exportCmd struct {
	Contacts bool `negatable:"" default:"true" help:"Print contacts also. A document may have 32 MB; more contacts than that are for CSV files."`
}

// Run prints the stored organisation as the document that apply takes.
func (c *exportCmd) Run(g *Globals) error {
	return g.withAdmin(func(a *admin.Client) error {
		var have admin.Directory
		if err := a.Get("/directory", nil, &have); err != nil {
			return err
		}
		var each func(func(store.Contact) error) error
		if c.Contacts {
			each = func(yield func(store.Contact) error) error { return eachContact(a, yield) }
		}
		return directory.EncodeTo(g.Stdout, have.Directory, each)
	})
}

// eachContact reads all stored contacts one by one.
func eachContact(a *admin.Client, fn func(store.Contact) error) error {
	body, err := a.Open(context.Background(), http.MethodGet, "/contacts", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	in := json.NewDecoder(bufio.NewReaderSize(body, 64<<10))
	for {
		var c store.Contact
		if err := in.Decode(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read contacts: %w", err)
		}
		if err := fn(c); err != nil {
			return err
		}
	}
}
