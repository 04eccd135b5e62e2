package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/store"
	"strowger/store/directory"
	"strowger/store/directory/strict"
)

type lintCmd struct {
	File string `arg:"" optional:"" help:"Organisation document, or a folder of them; without it, what is stored."`
	At   string `help:"A moment in the week to look at, as RFC 3339; now without it." placeholder:"TIME"`
	JSON bool   `help:"Print JSON."`
}

// Help is the long help.
func (c *lintCmd) Help() string {
	return `Looks for what is allowed but hardly meant: rules and steps that are never used, numbers that nobody answers, users whom
no call reaches, plans that ring too long or call a line twice, outside lines whose own voicemail may answer.
It decides calls from strangers and from every user's contacts at every hour at which something changes in the week.
Exit 1 when there are warnings; notes alone are no failure.`
}

// Levels of a finding.
const (
	lintWarning = "warning"
	lintNote    = "note"
)

// finding is one thing that is hardly meant.
type finding struct {
	Level   string `json:"level"`
	Check   string `json:"check"` // its name, stable: unused-rule, ...
	Where   string `json:"where"` // key path in the document
	Place   string `json:"place,omitempty"`
	Object  string `json:"object"` // number +1..., user ann, ...
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

func (f finding) String() string {
	place := ""
	if f.Place != "" {
		place = f.Place + ": "
	}
	return fmt.Sprintf("%s%s: %s: %s; %s [%s]", place, f.Level, f.Object, f.Message, f.Remedy, f.Check)
}

// Run looks and prints.
func (c *lintCmd) Run(g *Globals) error {
	at, err := parseAt(c.At)
	if err != nil {
		return err
	}
	dir, ownerless, places, err := c.load(g)
	if err != nil {
		return err
	}
	l, err := newLinter(dir, at)
	if err != nil {
		return err
	}
	findings := append(l.run(), lintOwnerless(ownerless)...)
	for i := range findings {
		if at := places.At(findings[i].Where); at.Line > 0 {
			findings[i].Place = at.String()
		}
	}
	if c.JSON {
		if err := printJSON(g.Stdout, append([]finding{}, findings...)); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			fmt.Fprintln(g.Stdout, f)
		}
		if len(findings) == 0 {
			fmt.Fprintln(g.Stdout, "Nothing to remark.")
		}
	}
	if slices.ContainsFunc(findings, func(f finding) bool { return f.Level == lintWarning }) {
		return exitCode(1)
	}
	return nil
}

// load returns the organisation without its contacts, and how many of them have no owner.
func (c *lintCmd) load(g *Globals) (dir store.Directory, ownerless int, places directory.Places, err error) {
	count := func(contact store.Contact) error {
		if contact.Owner == "" {
			ownerless++
		}
		return nil
	}
	if c.File == "" {
		var have admin.Directory
		err = g.withAdmin(func(a *admin.Client) error {
			if err := a.Get("/directory", nil, &have); err != nil {
				return err
			}
			return eachContact(a, count)
		})
		return have.Directory, ownerless, &strict.Positions{}, err
	}
	doc, err := readDocument(g, c.File)
	if err != nil {
		return dir, 0, nil, err
	}
	if err := doc.Validate().Err(); err != nil {
		return dir, 0, nil, err
	}
	for _, contact := range doc.Contacts {
		count(contact)
	}
	dir = doc.Directory
	dir.Contacts = nil
	return dir, ownerless, doc, nil
}

func lintOwnerless(n int) []finding {
	if n == 0 {
		return nil
	}
	return []finding{{
		Level: lintNote, Check: "contact-without-owner", Where: "contacts", Object: "contacts",
		Message: fmt.Sprintf("without owner: %d; the rules for strangers take their calls", n),
		Remedy:  "give them an owner, if somebody knows them",
	}}
}

// stretches prints moments of a week at which something holds: "mon 00:00 to 09:00, ...". moments are all that were looked
// at, in order; each stands for the time until the next one.
func stretches(moments []time.Time, end time.Time, holds func(i int) bool) string {
	var list []string
	for i := 0; i < len(moments); i++ {
		if !holds(i) {
			continue
		}
		from := moments[i]
		for i < len(moments) && holds(i) {
			i++
		}
		to := end
		if i < len(moments) {
			to = moments[i]
		}
		list = append(list, stretch(from, to))
	}
	const shown = 8
	if len(list) == 1 && moments[0].Equal(end.AddDate(0, 0, -7)) && holds(0) && holds(len(moments)-1) {
		return "at all times"
	}
	if len(list) > shown {
		list = append(list[:shown], fmt.Sprintf("and %d more times", len(list)-shown))
	}
	return strings.Join(list, ", ")
}

func stretch(from, to time.Time) string {
	const day, clock = "Mon 15:04", "15:04"
	text := strings.ToLower(from.Format(day)) + " to "
	switch {
	case from.YearDay() == to.YearDay():
		return text + to.Format(clock)
	case to.Format(clock) == "00:00" && to.Sub(from) <= 25*time.Hour:
		return text + "24:00"
	}
	return text + strings.ToLower(to.Format(day))
}
