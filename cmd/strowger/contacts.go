package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/term"

	"strowger/cmd/strowger/admin"
	"strowger/store"
)

type contactsCmd struct {
	Import contactsImportCmd `cmd:"" help:"Bring in contacts from a CSV file, all of them or none."`
}

type contactsImportCmd struct {
	File   string            `arg:"" help:"CSV file with a heading line; - is standard input."`
	Map    map[string]string `help:"Which column holds a field: id, name, first, last, phone, owner, source, tags, created." placeholder:"FIELD=COLUMN"`
	DryRun bool              `help:"Only check the file."`
	Quiet  bool              `short:"q" help:"Show no progress."`
}

// Help is the long help.
func (c *contactsImportCmd) Help() string {
	return `Columns are found by their heading ("Mobile phone" is a phone); --map phone="Ruf 1" names one that is not.
Several phones, or tags, in a cell are separated by ; or |. Without a column of ids, an id is made of phone and name, so that
importing a file twice adds nothing. An empty cell leaves what the store has. When a line is wrong, nothing is imported.`
}

// Run checks the whole file, then imports it. What was read is kept in a temporary file meanwhile, not in memory.
func (c *contactsImportCmd) Run(g *Globals) error {
	in, err := c.open(g)
	if err != nil {
		return err
	}
	defer in.Close()
	return g.withNewAdmin(func(a *admin.Client) error {
		var have admin.Directory
		if err := a.Get("/directory", nil, &have); err != nil {
			return err
		}
		spool, err := newSpool()
		if err != nil {
			return fmt.Errorf("import contacts: %w", err)
		}
		defer spool.remove()
		read, err := c.check(g, in, have.Directory, spool)
		if err != nil {
			return err
		}
		if c.DryRun {
			fmt.Fprintf(g.Stdout, "%d contacts can be imported.\n", read)
			return nil
		}
		return c.send(g, a, spool, read)
	})
}

func (c *contactsImportCmd) open(g *Globals) (io.ReadCloser, error) {
	if c.File == "-" {
		return io.NopCloser(g.Stdin), nil
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, fmt.Errorf("import contacts: %w", err)
	}
	return f, nil
}

// check reads all lines, spools what they say, and returns how many contacts they are.
func (c *contactsImportCmd) check(g *Globals, in io.Reader, dir store.Directory, spool *contactSpool) (int, error) {
	sheet, err := newSheet(in, c.File, c.Map, dir)
	if err != nil {
		return 0, err
	}
	if unused := sheet.unused(); len(unused) > 0 {
		fmt.Fprintf(g.Stderr, "Columns not imported: %s\n", strings.Join(unused, ", "))
	}
	progress := c.progress(g, "read")
	for contact := range sheet.contacts() {
		if err := spool.add(contact); err != nil {
			return 0, fmt.Errorf("import contacts: %w", err)
		}
		progress(sheet.read, false)
	}
	progress(sheet.read, true)
	return sheet.read, sheet.err()
}

// send streams the checked contacts to the store.
func (c *contactsImportCmd) send(g *Globals, a *admin.Client, spool *contactSpool, total int) error {
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() { defer close(written); w.CloseWithError(spool.writeTo(w)) }()
	defer func() { r.Close(); <-written }() // also when the server ends early
	body, err := a.Open(context.Background(), http.MethodPost, "/contacts", r)
	if err != nil {
		return err
	}
	defer body.Close()
	progress := c.progress(g, fmt.Sprintf("of %d stored", total))
	steps := json.NewDecoder(body)
	for {
		var step admin.ImportStep
		switch err := steps.Decode(&step); {
		case err != nil:
			return fmt.Errorf("import contacts: the server ended early: %w", err)
		case step.Error != "":
			return errors.New(step.Error + "; nothing was imported")
		case step.Done == nil:
			progress(step.Read, true)
			continue
		}
		fmt.Fprintf(g.Stdout, "Imported %d contacts: %d new, %d changed, %d as they were.\n",
			total, step.Done.Created, step.Done.Changed, step.Done.Same)
		return nil
	}
}

// progressStep is after how many contacts progress is shown.
const progressStep = 50_000

// progress returns a function that shows a count: on a terminal in place, else on a line for each step. last shows it
// whatever it is.
func (c *contactsImportCmd) progress(g *Globals, what string) func(n int, last bool) {
	f, ok := g.Stderr.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	return func(n int, last bool) {
		switch {
		case c.Quiet || n < progressStep || n%progressStep != 0 && !last:
		case terminal && last:
			fmt.Fprintf(g.Stderr, "\r%d %s\n", n, what)
		case terminal:
			fmt.Fprintf(g.Stderr, "\r%d %s", n, what)
		default:
			fmt.Fprintf(g.Stderr, "%d %s\n", n, what)
		}
	}
}
