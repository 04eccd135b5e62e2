package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/store"
	"strowger/store/directory"
)

// RouteReplayCmd decides recorded calls again.
type RouteReplayCmd struct {
	ID    string   `arg:"" optional:"" help:"The call to decide again; strowger calls lists them."`
	Since timespan `help:"Decide all calls of the last so long again, such as 7d or 36h." placeholder:"TIME"`
	Org   string   `help:"A draft of the organisation, a file or folder: decide as if it had been applied." placeholder:"FILE"`
	Prune bool     `help:"With --org: as if it had been applied with --prune."`
	JSON  bool     `help:"Print JSON."`
}

// Help is the long help.
func (c *RouteReplayCmd) Help() string {
	return `Each call record keeps what was asked, which of the people in question were registered and busy, which contacts the
caller was, and the version of the directory. Replay decides again from that: with the same version the outcome must be the
recorded one; with a draft it shows which calls would have gone elsewhere, and who would have rung instead. People who were
not in question then are taken to have been reachable.

Exits with 0 when every call goes where it went, with 2 when one does not, and with 1 when something failed.`
}

// Run implements the command.
func (c *RouteReplayCmd) Run(g *Globals) error {
	switch {
	case c.ID == "" && c.Since == 0:
		return errors.New("name a call, or give --since, such as --since 7d")
	case c.ID != "" && c.Since != 0:
		return errors.New("name a call or give --since, not both")
	case c.Prune && c.Org == "":
		return errors.New("--prune says how the draft of --org would be applied; give --org")
	}
	return g.withAdmin(func(a *admin.Client) error {
		r := &replayer{admin: a, versions: map[string]*replayVersion{}}
		if c.Org != "" {
			if err := r.readDraft(c.Org, c.Prune); err != nil {
				return err
			}
		}
		if c.ID != "" {
			return c.one(g, r)
		}
		return c.many(g, r)
	})
}

// replayer decides recorded calls again.
type replayer struct {
	admin    *admin.Client
	versions map[string]*replayVersion // those of the store that were needed
	draft    *routing.Index            // nil = each call by the directory of its time
	replaced map[string]bool           // contacts that the draft has: the recorded ones do not count
	alone    bool                      // the draft's contacts are all there are
}

// replayVersion is a compiled version of the directory, or why there is none.
type replayVersion struct {
	index *routing.Index
	err   error
}

// replayPage is how many records are read at a time.
const replayPage = 500

// readDraft lays a draft over the stored organisation, as apply would.
func (r *replayer) readDraft(path string, prune bool) error {
	doc, err := directory.Read(path)
	if err != nil {
		return err
	}
	var have admin.Directory
	if err := r.admin.Get("/directory", nil, &have); err != nil {
		return err
	}
	whole := doc.Over(have.Directory, prune)
	if err := whole.Validate().Err(); err != nil {
		return err
	}
	if r.draft, err = routing.NewIndex(whole.Directory); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	r.alone = prune && doc.HasSection("contacts")
	r.replaced = make(map[string]bool, len(whole.Contacts))
	for i := range whole.Contacts {
		r.replaced[whole.Contacts[i].ID] = true
	}
	return nil
}

// index of the directory of a version, from the store.
func (r *replayer) index(version string) (*routing.Index, error) {
	v, known := r.versions[version]
	if !known {
		v = &replayVersion{}
		var have admin.Directory
		if v.err = r.admin.Get("/directory/"+url.PathEscape(version), nil, &have); v.err == nil {
			v.index, v.err = routing.NewIndex(have.Directory)
		}
		if errors.Is(v.err, store.ErrNotFound) {
			v.err = fmt.Errorf("version %s of the directory is no longer kept", version)
		}
		r.versions[version] = v
	}
	return v.index, v.err
}

// planOf is the plan that a call went by.
func planOf(rec *store.CallRecord) (plan routing.Plan, err error) {
	if len(rec.Plan) == 0 {
		return plan, errors.New("it ended before it was routed")
	}
	if err := json.Unmarshal(rec.Plan, &plan); err != nil {
		return plan, fmt.Errorf("its plan is damaged: %w", err)
	}
	return plan, nil
}

// askedOf is what the decision on a call was made from.
func askedOf(rec *store.CallRecord) (asked routing.Asked, err error) {
	if len(rec.Request) == 0 {
		return asked, errors.New("its record does not keep what was asked")
	}
	if err := json.Unmarshal(rec.Request, &asked); err != nil {
		return asked, fmt.Errorf("what was asked is damaged: %w", err)
	}
	if asked.Contacts == nil {
		return asked, errors.New("its record does not keep which contacts the caller was")
	}
	return asked, nil
}

// under decides with the draft. The caller's contacts are those of that moment, but for those that the draft changes or, with
// prune, lacks.
func (r *replayer) under(asked routing.Asked) routing.Plan {
	recorded := asked.Found()
	return asked.Decide(r.draft.WithContacts(func(e164 string) []*store.Contact {
		found := r.draft.Contacts(e164)
		if r.alone {
			return found
		}
		for _, c := range recorded {
			if !r.replaced[c.ID] {
				found = append(found[:len(found):len(found)], c)
			}
		}
		return found
	})).Plan
}

// each calls fn with every record since a moment, newest first.
func (r *replayer) each(since time.Time, fn func(*store.CallRecord) error) error {
	q := url.Values{"since": {since.Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(replayPage)}}
	for {
		var page []store.CallRecord
		if err := r.admin.Get("/calls", q, &page); err != nil {
			return err
		}
		for i := range page {
			if err := fn(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < replayPage {
			return nil
		}
		q.Set("before", page[len(page)-1].ID)
	}
}

// Outcomes of a replay.
const (
	replaySame      = "same"      // decided as recorded
	replayOtherwise = "otherwise" // the same people in the same order; other ring times, devices or confirmations
	replayElsewhere = "elsewhere" // somebody else rings, or it ends otherwise
)

// compareReplay says how far two decisions on a call lie apart. exact: also in what only explains them, such as the trace.
func compareReplay(before, after routing.Plan, exact bool) (string, error) {
	if planRoute(before) != planRoute(after) {
		return replayElsewhere, nil
	}
	if !exact {
		before, after = whatRings(before), whatRings(after)
	}
	was, err := sortedJSON(before)
	if err != nil {
		return "", err
	}
	is, err := sortedJSON(after)
	if err != nil || was == is {
		return replaySame, err
	}
	return replayOtherwise, nil
}

// whatRings is what people notice of a plan: not why.
func whatRings(p routing.Plan) routing.Plan {
	out := routing.Plan{End: p.End, Stages: slices.Clone(p.Stages)}
	for i := range out.Stages {
		out.Stages[i].Step, out.Stages[i].Number = "", ""
	}
	return out
}
