package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/routing"
	"strowger/store"
	"strowger/store/directory"
)

// RouteCmd asks and tests the routing: who should answer, and why.
type RouteCmd struct {
	Explain  RouteExplainCmd  `cmd:"" help:"Say who would answer a call or text, and why."`
	Test     RouteTestCmd     `cmd:"" help:"Run routing unit tests; exit 1 when one differs."`
	Week     RouteWeekCmd     `cmd:"" help:"Show who would ring, hour by hour over a week."`
	Replay   RouteReplayCmd   `cmd:"" help:"Decide recorded calls again, as they were or under a draft."`
	Workflow RouteWorkflowCmd `cmd:"" help:"Walk through a workflow: type keys, see where it goes."`
}

// routeOrg says which organisation a route command is about.
type routeOrg struct {
	Org string `help:"Organisation document to read; without it, the running system is asked." placeholder:"FILE"`
}

// load returns the organisation to decide in, and the live state, which is empty for a document.
func (o *routeOrg) load(g *Globals) (*routing.Index, routing.Live, error) {
	if o.Org == "" {
		return runningSystem(g)
	}
	ix, err := loadIndex(o.Org)
	return ix, routing.Live{}, err
}

// loadIndex reads an organisation document and compiles it.
func loadIndex(path string) (*routing.Index, error) {
	dir, err := directory.Load(path)
	if err != nil {
		return nil, err
	}
	ix, err := routing.NewIndex(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ix, nil
}

// routeState are the flags that describe a moment.
type routeState struct {
	Registered []string `help:"Endpoints that can ring, e.g. ann=browser+desk. Repeatable." placeholder:"USER=KIND+KIND" sep:"none"`
	Busy       []string `help:"A user who is on a call. Repeatable." placeholder:"USER" sep:"none"`
	Active     []string `help:"Inbound calls that a number has already. Repeatable." placeholder:"NUMBER=N" sep:"none"`
}

func (s *routeState) given() bool { return len(s.Registered)+len(s.Busy)+len(s.Active) > 0 }

// live reads the flags; names that the organisation does not have are errors.
func (s *routeState) live(ix *routing.Index) (routing.Live, error) {
	live := routing.Live{Registered: map[string][]string{}, Active: map[string]int{}}
	for _, r := range s.Registered {
		user, kinds, ok := strings.Cut(r, "=")
		if !ok {
			return live, fmt.Errorf("--registered %s: write USER=KIND+KIND, e.g. ann=browser+desk", r)
		}
		if ix.User(user) == nil {
			return live, fmt.Errorf("--registered %s: there is no user %q", r, user)
		}
		for kind := range strings.SplitSeq(kinds, "+") {
			if kind == "" {
				continue
			}
			if !slices.Contains([]string{store.Browser, store.Desk, store.Mobile}, kind) {
				return live, fmt.Errorf("--registered %s: %q is not a kind of endpoint; use browser, desk or mobile", r, kind)
			}
			live.Registered[user] = append(live.Registered[user], kind)
		}
	}
	for _, user := range s.Busy {
		if ix.User(user) == nil {
			return live, fmt.Errorf("--busy %s: there is no such user", user)
		}
		live.Busy = append(live.Busy, user)
	}
	for _, a := range s.Active {
		number, count, _ := strings.Cut(a, "=")
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			return live, fmt.Errorf("--active %s: write NUMBER=N, e.g. +12025550001=3", a)
		}
		e164, ok := routing.ParseNumber(number, ix.Company().Region)
		if !ok || ix.Number(e164) == nil {
			return live, fmt.Errorf("--active %s: %s is not one of the organisation's numbers", a, number)
		}
		live.Active[e164] += n
	}
	return live, nil
}

// RouteExplainCmd decides one call or text and says why.
type RouteExplainCmd struct {
	routeOrg
	To       string `required:"" help:"Called number; for a user's call what is dialled: a number, an extension, a feature code." placeholder:"NUMBER"`
	From     string `help:"Caller's number, or anonymous." placeholder:"NUMBER" xor:"from" required:""`
	FromUser string `help:"The user who calls from a device of ours." placeholder:"USER" xor:"from" required:""`
	At       string `help:"When, as RFC 3339; now without it." placeholder:"TIME"`
	Kind     string `help:"call or text." enum:"call,text" default:"call"`
	routeState
	JSON bool `help:"Print the plan as JSON."`
}

// Run implements the command.
func (c *RouteExplainCmd) Run(g *Globals) error {
	ix, live, err := c.load(g)
	if err != nil {
		return err
	}
	if c.given() {
		if live, err = c.live(ix); err != nil {
			return err
		}
	}
	at, err := parseAt(c.At)
	if err != nil {
		return err
	}
	if c.FromUser != "" {
		return c.dialled(g, ix, live, at)
	}
	plan := routing.Decide(routing.Request{Kind: c.Kind, To: c.To, From: c.From}, ix.With(live), at)
	if c.JSON {
		return printJSON(g.Stdout, plan)
	}
	_, err = io.WriteString(g.Stdout, planText(c.Kind, plan, at.In(ix.Company().Location()))+c.hint(ix, plan))
	return err
}

// hint says what was meant when the called number is none of ours, but something else of ours.
func (c *RouteExplainCmd) hint(ix *routing.Index, plan routing.Plan) string {
	if plan.End == nil || plan.End.Reason != routing.ReasonUnknownNumber {
		return ""
	}
	u := ix.Extension(c.To)
	if u == nil {
		u = ix.User(strings.ToLower(c.To))
	}
	if u == nil {
		return ""
	}
	hint := fmt.Sprintf("hint: %s is %s, who is called so from phones of ours: strowger route explain --from-user USER --to %s\n", c.To, u.Name, c.To)
	for _, n := range ix.Numbers() {
		if n.Number.User == u.ID {
			hint += fmt.Sprintf("      from outside %s is called at %s\n", u.Name, n.Number.Number)
		}
	}
	return hint
}

// dialled explains what a user's device dials.
func (c *RouteExplainCmd) dialled(g *Globals, ix *routing.Index, live routing.Live, at time.Time) error {
	switch {
	case ix.User(c.FromUser) == nil:
		return fmt.Errorf("--from-user %s: there is no such user", c.FromUser)
	case c.Kind == routing.KindText:
		return errors.New("--from-user: users' texts are not routed; leave --kind text out")
	}
	plan := routing.Dial(routing.DialRequest{User: c.FromUser, Dialled: c.To}, ix.With(live), at).Plan
	if c.JSON {
		return printJSON(g.Stdout, plan)
	}
	_, err := io.WriteString(g.Stdout, dialledText(c.FromUser, plan, at.In(ix.Company().Location())))
	return err
}

// parseAt reads --at; empty is now.
func parseAt(s string) (time.Time, error) {
	if s == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, fmt.Errorf("--at %s: write a time like 2026-11-20T10:00:00-05:00", s)
	}
	return at, nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
