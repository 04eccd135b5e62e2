package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"strowger/routing"
	"strowger/store"
)

// RouteWeekCmd shows who would ring at every hour of a week.
type RouteWeekCmd struct {
	routeOrg
	Number string `required:"" help:"Called number." placeholder:"NUMBER"`
	From   string `help:"Caller's number." default:"anonymous" placeholder:"NUMBER"`
	At     string `help:"A moment in the week to show, as RFC 3339; now without it." placeholder:"TIME"`
	routeState
	JSON bool `help:"Print JSON."`
}

// routeWeek is the outcome: the different plans, and which of them holds when.
type routeWeek struct {
	Number   string         `json:"number"`
	Caller   string         `json:"caller"`
	Timezone string         `json:"timezone"`
	Plans    []routeOutcome `json:"plans"`
	Hours    []routeHour    `json:"hours"` // 168; an hour more or less in a week with a change of daylight saving
}

// routeOutcome is what a caller meets.
type routeOutcome struct {
	ID     string          `json:"id"` // A, B, ...
	Stages []routing.Stage `json:"stages"`
	End    *routing.End    `json:"end"`
}

// routeHour is an hour of the wall clock, with the plan that begins it and those that follow within it.
type routeHour struct {
	At      time.Time     `json:"at"`
	Plan    string        `json:"plan"`
	Changes []routeChange `json:"changes,omitempty"`
}

// routeChange is another plan in the middle of an hour.
type routeChange struct {
	At   time.Time `json:"at"`
	Plan string    `json:"plan"`
}

// Run implements the command.
func (c *RouteWeekCmd) Run(g *Globals) error {
	ix, _, err := c.load(g)
	if err != nil {
		return err
	}
	live := everybodyReachable(ix)
	if c.given() {
		if live, err = c.live(ix); err != nil {
			return err
		}
	}
	at, err := parseAt(c.At)
	if err != nil {
		return err
	}
	e164, ok := routing.ParseNumber(c.Number, ix.Company().Region)
	if !ok || ix.Number(e164) == nil {
		return fmt.Errorf("--number %s: not one of the organisation's numbers", c.Number)
	}
	week := makeRouteWeek(ix.With(live), routing.Request{Kind: routing.KindCall, To: e164, From: c.From}, at)
	if c.JSON {
		return printJSON(g.Stdout, week)
	}
	_, err = io.WriteString(g.Stdout, week.text())
	return err
}

// everybodyReachable is the state in which each user has every kind of device: a week ahead nobody knows better.
func everybodyReachable(ix *routing.Index) routing.Live {
	live := routing.Live{Registered: map[string][]string{}}
	for _, u := range ix.Users() {
		live.Registered[u.ID] = []string{store.Browser, store.Desk, store.Mobile}
	}
	return live
}

// makeRouteWeek decides every minute of the week around at, from Monday 00:00 on, and keeps the changes.
func makeRouteWeek(dir *routing.View, req routing.Request, at time.Time) *routeWeek {
	location := dir.Company().Location()
	local := at.In(location)
	monday := local.Day() - (int(local.Weekday())+6)%7
	start := time.Date(local.Year(), local.Month(), monday, 0, 0, 0, 0, location)
	end := time.Date(local.Year(), local.Month(), monday+7, 0, 0, 0, 0, location)
	w := &routeWeek{Number: req.To, Caller: req.From, Timezone: location.String(), Plans: []routeOutcome{}, Hours: []routeHour{}}
	ids := map[string]string{}
	last := ""
	for t := start; t.Before(end); t = t.Add(time.Minute) {
		plan := w.planID(routing.Decide(req, dir, t), ids)
		switch {
		case t.Equal(start) || t.Minute() == 0:
			w.Hours = append(w.Hours, routeHour{At: t, Plan: plan})
		case plan != last:
			hour := &w.Hours[len(w.Hours)-1]
			hour.Changes = append(hour.Changes, routeChange{t, plan})
		}
		last = plan
	}
	return w
}

// planID gives equal outcomes the same letter.
func (w *routeWeek) planID(p routing.Plan, ids map[string]string) string {
	key := outcomeText(p)
	id, known := ids[key]
	if !known {
		id = planLetter(len(w.Plans))
		ids[key] = id
		w.Plans = append(w.Plans, routeOutcome{id, p.Stages, p.End})
	}
	return id
}

// planLetter is A to Z, then A1, B1, ...
func planLetter(i int) string {
	letter := string(rune('A' + i%26))
	if i < 26 {
		return letter
	}
	return fmt.Sprintf("%s%d", letter, i/26)
}

// text draws the week as a table of letters, and says what they mean.
func (w *routeWeek) text() string {
	var b strings.Builder
	monday := w.Hours[0].At
	fmt.Fprintf(&b, "%s called by %s in the week of %s, %s\n\n", w.Number, w.Caller, monday.Format("2006-01-02"), w.Timezone)
	line := "      "
	for day := range 7 {
		line += fmt.Sprintf("  %-7s", monday.AddDate(0, 0, day).Format("Mon 02"))
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
	cells := w.cells()
	for hour := range 24 {
		line := fmt.Sprintf("%02d:00 ", hour)
		for day := range 7 {
			line += fmt.Sprintf("  %-7s", cells[hour][day])
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, p := range w.Plans {
		fmt.Fprintf(&b, "\n%s\n%s", p.ID, indented(outcomeText(routing.Plan{Stages: p.Stages, End: p.End})))
	}
	return b.String()
}

// cells by hour and day: "A", or "A/B" when the plan changes within the hour; an hour that daylight saving skips is "-",
// one that it repeats shows what either time has.
func (w *routeWeek) cells() [24][7]string {
	var cells [24][7]string
	for _, h := range w.Hours {
		day := (int(h.At.Weekday()) + 6) % 7
		plans := []string{h.Plan}
		if seen := cells[h.At.Hour()][day]; seen != "" {
			plans = append(strings.Split(seen, "/"), h.Plan)
		}
		for _, change := range h.Changes {
			plans = append(plans, change.Plan)
		}
		cells[h.At.Hour()][day] = strings.Join(slices.Compact(plans), "/")
	}
	for hour := range cells {
		for day := range cells[hour] {
			if cells[hour][day] == "" {
				cells[hour][day] = "-"
			}
		}
	}
	return cells
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}
