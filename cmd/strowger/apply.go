package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"strowger/cmd/strowger/admin"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/store/directory"
	"strowger/store/directory/strict"
)

// shownPerKind is how many objects of one kind a plan lists; the rest is counted.
const shownPerKind = 100

type applyCmd struct {
	File   string `short:"f" required:"" help:"The organisation: a YAML file, a folder of them, or - for standard input." placeholder:"FILE"`
	DryRun bool   `help:"Only show the plan; exit 2 when something would change."`
	Yes    bool   `short:"y" help:"Do not ask."`
	Prune  bool   `help:"Remove what the file's sections do not name. Sections that the file lacks are left alone."`
	JSON   bool   `help:"Print the plan as JSON (asks nothing: give --yes or --dry-run)."`
}

// Help is the long help.
func (c *applyCmd) Help() string {
	return `Checks the whole document, prints what would change, field by field, asks, and applies all of it or nothing.
What the document names is created or changed; what it does not name stays, unless --prune.
Applying what "strowger export" printed changes nothing.`
}

// Run plans and applies.
func (c *applyCmd) Run(g *Globals) error {
	doc, err := readDocument(g, c.File)
	if err != nil {
		return err
	}
	if c.JSON && !c.Yes && !c.DryRun || c.File == "-" && !c.Yes && !c.DryRun {
		return errors.New("there is nobody to ask: add --yes or --dry-run")
	}
	return g.withNewAdmin(func(a *admin.Client) error {
		plan, change, err := planApply(a, doc, c.Prune)
		if err != nil {
			return err
		}
		if err := c.show(g, plan); err != nil || plan.Empty() {
			return err
		}
		if c.DryRun {
			return exitCode(2)
		}
		if !c.Yes && !g.confirm("\nApply this? Only yes is accepted: ") {
			return errors.New("nothing was changed")
		}
		var done struct{ Version string }
		if err := a.Send(http.MethodPost, "/directory", change, &done); err != nil {
			return fmt.Errorf("apply: %w; nothing was changed", err)
		}
		if !c.JSON {
			fmt.Fprintf(g.Stdout, "Applied; the directory is now version %s.\n", done.Version)
		}
		return nil
	})
}

func (c *applyCmd) show(g *Globals, plan directory.Plan) error {
	if c.JSON {
		out := json.NewEncoder(g.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(plan)
	}
	out := bufio.NewWriter(g.Stdout)
	plan.Print(out, shownPerKind)
	return out.Flush()
}

// readDocument reads the file that a command names; - is standard input.
func readDocument(g *Globals, file string) (*directory.Document, error) {
	if file != "-" {
		return directory.Read(file)
	}
	data, err := io.ReadAll(io.LimitReader(g.Stdin, strict.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return directory.ReadFrom("standard input", data), nil
}

// planApply lays a document over what is stored and checks the whole that results.
func planApply(a *admin.Client, doc *directory.Document, prune bool) (directory.Plan, bolt.Change, error) {
	var have admin.Directory
	if err := a.Get("/directory", nil, &have); err != nil {
		return directory.Plan{}, bolt.Change{}, err
	}
	current := have.Directory
	if doc.HasSection("contacts") || removesUsers(doc, current, prune) {
		err := eachContact(a, func(c store.Contact) error {
			current.Contacts = append(current.Contacts, c)
			return nil
		})
		if err != nil {
			return directory.Plan{}, bolt.Change{}, err
		}
	}
	whole := doc.Over(current, prune)
	if problems := whole.Validate(); len(problems) > 0 {
		return directory.Plan{}, bolt.Change{}, fmt.Errorf("nothing was changed:\n%w", problems)
	}
	plan := directory.Diff(current, whole.Directory)
	change := bolt.Change{Directory: whole.Directory, Base: have.Version}
	change.Directory.Contacts = nil
	put := map[string]bool{}
	for _, c := range plan.Changes {
		switch {
		case c.Kind != "contact":
		case c.Action == directory.Remove:
			change.DeleteContacts = append(change.DeleteContacts, c.ID)
		default:
			put[c.ID] = true
		}
	}
	for _, c := range whole.Contacts {
		if put[c.ID] {
			change.PutContacts = append(change.PutContacts, c)
		}
	}
	return plan, change, nil
}

// removesUsers reports whether users would go: their contacts must be looked at then.
func removesUsers(doc *directory.Document, current store.Directory, prune bool) bool {
	return prune && doc.HasSection("users") && slices.ContainsFunc(current.Users, func(u store.User) bool {
		return !slices.ContainsFunc(doc.Users, func(v store.User) bool { return v.ID == u.ID })
	})
}

// confirm asks a question on the terminal; without one the answer is no.
func (g *Globals) confirm(question string) bool {
	if f, ok := g.Stdin.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		fmt.Fprintln(g.Stderr, "There is no terminal to ask on; add --yes to apply.")
		return false
	}
	fmt.Fprint(g.Stdout, question)
	answer, err := bufio.NewReader(g.Stdin).ReadString('\n')
	return err == nil && strings.TrimSpace(answer) == "yes"
}
