package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"strowger/routing"
	"strowger/store"
)

// replayed is a call that was decided again.
type replayed struct {
	ID          string       `json:"id"`
	Start       time.Time    `json:"start"`
	From        string       `json:"from"`
	To          string       `json:"to"`
	Disposition string       `json:"disposition"`
	AnsweredBy  string       `json:"answered_by,omitempty"`
	Outcome     string       `json:"outcome"`           // same | otherwise | elsewhere
	Recorded    routing.Plan `json:"recorded"`          // what the call went by
	Decided     routing.Plan `json:"decided"`           // what it would go by now
	Version     string       `json:"version,omitempty"` // of the directory; "" = the draft

	at time.Time // when it was decided, in the company's time zone
}

// replayReport is the outcome of many calls.
type replayReport struct {
	Since     time.Time    `json:"since"`
	Org       string       `json:"org,omitempty"` // the draft
	Calls     int          `json:"calls"`
	Same      int          `json:"same"`
	Elsewhere []replayed   `json:"elsewhere"`
	Otherwise []replayed   `json:"otherwise"`
	Undecided []replayHole `json:"undecided"`
}

// replayHole is a call that cannot be decided again.
type replayHole struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// again decides a call again and compares.
func (r *replayer) again(rec *store.CallRecord) (replayed, error) {
	out := replayed{ID: rec.ID, Start: rec.Start, From: rec.From, To: rec.To, Disposition: rec.Disposition, AnsweredBy: rec.AnsweredBy}
	var err error
	if out.Recorded, err = planOf(rec); err != nil {
		return out, err
	}
	asked, err := askedOf(rec)
	if err != nil {
		return out, err
	}
	index := r.draft
	if index != nil {
		out.Decided = r.under(asked)
	} else {
		if index, err = r.index(asked.Version); err != nil {
			return out, err
		}
		out.Version, out.Decided = asked.Version, asked.Again(index).Plan
	}
	out.at = asked.At.In(index.Company().Location())
	out.Outcome, err = compareReplay(out.Recorded, out.Decided, r.draft == nil)
	return out, err
}

// one decides one call again and shows the decision, or the difference.
func (c *RouteReplayCmd) one(g *Globals, r *replayer) error {
	var rec store.CallRecord
	if err := r.admin.Get("/calls/"+url.PathEscape(c.ID), nil, &rec); err != nil {
		return err
	}
	call, err := r.again(&rec)
	if err != nil {
		return fmt.Errorf("call %s cannot be decided again: %w", rec.ID, err)
	}
	if c.JSON {
		err = printJSON(g.Stdout, call)
	} else {
		_, err = fmt.Fprint(g.Stdout, call.text(c.Org))
	}
	if err == nil && (call.Outcome == replayElsewhere || r.draft == nil && call.Outcome == replayOtherwise) {
		err = exitCode(2)
	}
	return err
}

// text tells about one call.
func (r replayed) text(org string) string {
	by := "directory version " + r.Version
	if org != "" {
		by = org
	}
	was := planText(routing.KindCall, r.Recorded, r.at)
	is := planText(routing.KindCall, r.Decided, r.at)
	var b strings.Builder
	switch {
	case r.Outcome == replaySame && org == "":
		fmt.Fprintf(&b, "%s: decided again with %s, as recorded\n\n%s", r.ID, by, is)
		return b.String()
	case r.Outcome == replaySame:
		fmt.Fprintf(&b, "%s: under %s it would have gone as it did\n", r.ID, by)
	case r.Outcome == replayOtherwise && org != "":
		fmt.Fprintf(&b, "%s: under %s the same would have rung in the same order, but not in the same way\n", r.ID, by)
	case org != "":
		fmt.Fprintf(&b, "%s: under %s it would have gone elsewhere\n", r.ID, by)
	default:
		fmt.Fprintf(&b, "%s: decided otherwise than recorded. The directory (version %s), the moment and the contacts are those of\n"+
			"the call, so it is the rules of this version of strowger that differ.\n", r.ID, r.Version)
	}
	fmt.Fprintf(&b, "  was    %s\n  is now %s\n", planRoute(r.Recorded), planRoute(r.Decided))
	if was != is {
		fmt.Fprintf(&b, "\n%s", lineDiff(strings.Split(was, "\n"), strings.Split(is, "\n")))
	}
	return b.String()
}

// many decides the calls of a time again and lists those that would go elsewhere.
func (c *RouteReplayCmd) many(g *Globals, r *replayer) error {
	report := replayReport{Since: c.Since.before(time.Now()), Org: c.Org, Elsewhere: []replayed{}, Otherwise: []replayed{}, Undecided: []replayHole{}}
	err := r.each(report.Since, func(rec *store.CallRecord) error {
		report.Calls++
		call, err := r.again(rec)
		switch {
		case err != nil:
			report.Undecided = append(report.Undecided, replayHole{rec.ID, err.Error()})
		case call.Outcome == replaySame:
			report.Same++
		case call.Outcome == replayElsewhere:
			report.Elsewhere = append(report.Elsewhere, call)
		default:
			report.Otherwise = append(report.Otherwise, call)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(g.Stdout, report)
	} else {
		err = report.print(g)
	}
	if err == nil && (len(report.Elsewhere) > 0 || r.draft == nil && len(report.Otherwise) > 0) {
		err = exitCode(2)
	}
	return err
}

// print writes the report for people.
func (r *replayReport) print(g *Globals) error {
	if len(r.Elsewhere) > 0 {
		err := g.table("CALL\tSTART\tFROM\tTO\tENDED\tRANG\tWOULD HAVE RUNG", len(r.Elsewhere), func(i int) string {
			c := r.Elsewhere[i]
			return strings.Join([]string{c.ID, c.Start.Local().Format(time.DateTime), c.From, c.To, c.ended(), planRoute(c.Recorded), planRoute(c.Decided)}, "\t")
		})
		if err != nil {
			return err
		}
		fmt.Fprintln(g.Stdout)
	}
	fmt.Fprintf(g.Stdout, "%d %s since %s: ", r.Calls, plural(r.Calls, "call"), r.Since.Local().Format(time.DateTime))
	if r.Org != "" {
		fmt.Fprintf(g.Stdout, "%d would have gone elsewhere, %d to the same people in another way (ring times, devices, press 1), %d as before\n",
			len(r.Elsewhere), len(r.Otherwise), r.Same)
	} else {
		fmt.Fprintf(g.Stdout, "%d decided as recorded, %d otherwise\n", r.Same, len(r.Elsewhere)+len(r.Otherwise))
	}
	for _, c := range r.Otherwise {
		fmt.Fprintf(g.Stdout, "  in another way: %s\n", c.ID)
	}
	why := map[string]int{}
	var reasons []string
	for _, h := range r.Undecided {
		if why[h.Reason]++; why[h.Reason] == 1 {
			reasons = append(reasons, h.Reason)
		}
	}
	for _, reason := range reasons {
		fmt.Fprintf(g.Stdout, "  %d cannot be decided again: %s\n", why[reason], reason)
	}
	return nil
}

// ended is how the call ended in fact.
func (r replayed) ended() string {
	if r.AnsweredBy != "" {
		return r.Disposition + " by " + r.AnsweredBy
	}
	return r.Disposition
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// planRoute is where a call goes, in a few words: "ann, bob > +12025550150 > voicemail of ann". Times and devices are left
// out.
func planRoute(p routing.Plan) string {
	var parts []string
	for _, s := range p.Stages {
		if s.Workflow != "" {
			parts = append(parts, "workflow "+s.Workflow)
			continue
		}
		names := make([]string, len(s.Targets))
		for i, t := range s.Targets {
			names[i] = targetName(t)
		}
		parts = append(parts, strings.Join(names, ", "))
	}
	if p.End != nil {
		parts = append(parts, endRoute(*p.End))
	}
	return strings.Join(parts, " > ")
}

func targetName(t routing.Target) string {
	if t.User != "" {
		return t.User
	}
	return t.Phone
}

func endRoute(e routing.End) string {
	if e.Action == routing.EndRefuse {
		return fmt.Sprintf("refused with %d", e.Code)
	}
	return endText(e)
}
