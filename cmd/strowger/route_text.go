package main

import (
	"fmt"
	"strings"
	"time"

	"strowger/routing"
)

// planText draws a plan as a tree: one line a step, those that win marked with *.
func planText(kind string, p routing.Plan, at time.Time) string {
	var b strings.Builder
	verb := "calls"
	if kind == routing.KindText {
		verb = "texts"
	}
	fmt.Fprintf(&b, "%s %s %s on %s\n", p.Caller, verb, p.Called, at.Format("Mon 2006-01-02 15:04 MST"))
	switch {
	case !p.Known:
		b.WriteString("  the caller is unknown\n")
	case p.Owner == "":
		fmt.Fprintf(&b, "  the caller is known (%s), nobody's contact\n", strings.Join(p.Contacts, ", "))
	default:
		fmt.Fprintf(&b, "  the caller is known (%s), the contact of %s\n", strings.Join(p.Contacts, ", "), p.Owner)
	}
	if p.Policy != "" {
		fmt.Fprintf(&b, "policy %s\n", p.Policy)
	}
	t := treePrinter{b: &b, stages: p.Stages}
	t.rows(p.Trace, "", false)
	b.WriteString(recordingText(p.Recording))
	b.WriteString(outcomeText(p))
	return b.String()
}

// dialledText draws the plan of a call that a user makes.
func dialledText(user string, p routing.Plan, at time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s dials %s on %s\n", user, p.Called, at.Format("Mon 2006-01-02 15:04 MST"))
	if p.Policy != "" {
		fmt.Fprintf(&b, "policy %s\n", p.Policy)
	}
	t := treePrinter{b: &b, stages: p.Stages}
	t.rows(p.Trace, "", false)
	if e := p.Emergency; e != nil {
		fmt.Fprintf(&b, "emergency: the dispatcher sees %s; the console shows %q\n", e.Callback, e.Location)
	}
	b.WriteString(outcomeText(p))
	return b.String()
}

// recordingText says whether the call is recorded, and by whose word; nothing where nobody has a rule.
func recordingText(r *routing.Recording) string {
	if r == nil {
		return ""
	}
	why := map[string]string{routing.RecordedByNumber: "by the number's rule", routing.RecordedByDirection: "by the company's rule for this direction",
		routing.RecordedByDefault: "no rule"}[r.Why]
	text := fmt.Sprintf("recorded: %s, %s", r.Mode, why)
	modes, users := r.UsersBy()
	for i, mode := range modes {
		text += fmt.Sprintf("; %s with %s", mode, strings.Join(users[i], ", "))
	}
	if r.Announce {
		text += "; it is announced"
	}
	return text + "\n"
}

// treePrinter walks the trace and takes each stage when its row comes.
type treePrinter struct {
	b      *strings.Builder
	stages []routing.Stage
}

// rows prints a trace; inner: it is another number's, whose end is passed over.
func (t *treePrinter) rows(trace []routing.Row, indent string, inner bool) {
	for i, row := range trace {
		branch, below := "├─ ", "│  "
		if i == len(trace)-1 {
			branch, below = "└─ ", "   "
		}
		mark := " "
		switch row.Outcome {
		case routing.OutcomeStage, routing.OutcomeMatch:
			mark = "*"
		case routing.OutcomeEnd:
			if !inner {
				mark = "*"
			}
		}
		fmt.Fprintf(t.b, "%s%s%s %-13s  %s\n", indent, branch, mark, row.Step, rowText(row, inner))
		t.below(row, indent+below)
	}
}

func rowText(row routing.Row, inner bool) string {
	outcome := strings.ReplaceAll(row.Outcome, "_", " ")
	switch row.Outcome {
	case routing.OutcomeStage, routing.OutcomeMatch:
		if row.Number != "" {
			return fmt.Sprintf("%s: as %s decides", row.Reason, row.Number)
		}
		return row.Reason
	case routing.OutcomeDropped:
		decided := ""
		if row.Number != "" {
			decided = ", as " + row.Number + " decides"
		}
		return fmt.Sprintf("dropped: %s; applied by %s%s", inWords(row.Reason), row.Match, decided)
	case routing.OutcomeEnd:
		if inner {
			return "passed over: the outer plan goes on"
		}
		if row.Step == routing.StepFeature {
			return inWords(row.Reason)
		}
		return "ends the plan"
	}
	return outcome + ": " + inWords(row.Reason)
}

// below prints what belongs to a row: whom it named, its outside line, its workflow, another number's trace.
func (t *treePrinter) below(row routing.Row, indent string) {
	if row.Trace != nil {
		t.rows(row.Trace, indent, true)
		return
	}
	for _, u := range row.Users {
		forwarded := ""
		if u.Forwarded != "" {
			forwarded = ", forwarded to " + u.Forwarded
		}
		if u.Unavailable != "" {
			fmt.Fprintf(t.b, "%s    - %s: %s%s\n", indent, u.User, inWords(u.Unavailable), forwarded)
		} else {
			fmt.Fprintf(t.b, "%s    + %s rings at %s%s\n", indent, u.User, strings.Join(u.Rings, ", "), forwarded)
		}
	}
	if row.Outcome != routing.OutcomeStage || len(t.stages) == 0 {
		return
	}
	stage := t.stages[0]
	t.stages = t.stages[1:]
	if stage.Workflow != "" {
		fmt.Fprintf(t.b, "%s    + workflow %s\n", indent, stage.Workflow)
	}
	for _, target := range stage.Targets {
		if target.User == "" {
			fmt.Fprintf(t.b, "%s    + %s rings\n", indent, target.Phone)
		}
	}
}

// outcomeText says in order what will happen.
func outcomeText(p routing.Plan) string {
	var b strings.Builder
	for i, s := range p.Stages {
		fmt.Fprintf(&b, "%d. %s\n", i+1, stageText(s))
	}
	switch {
	case p.Deliver != nil:
		fmt.Fprintf(&b, "→ %s\n", deliverText(*p.Deliver))
	case p.End != nil:
		fmt.Fprintf(&b, "→ %s\n", endText(*p.End))
	}
	return b.String()
}

func stageText(s routing.Stage) string {
	if s.Workflow != "" {
		return "run workflow " + s.Workflow + byNumber(s.Number)
	}
	names := make([]string, len(s.Targets))
	for i, t := range s.Targets {
		names[i] = targetText(t)
	}
	if s.AutoAnswer {
		return fmt.Sprintf("%s answers by itself within %d s", strings.Join(names, ", "), s.RingSeconds)
	}
	return fmt.Sprintf("ring %s for %d s%s", strings.Join(names, ", "), s.RingSeconds, byNumber(s.Number))
}

// byNumber says whose plan a stage is from, when it is another number's.
func byNumber(number string) string {
	if number == "" {
		return ""
	}
	return " by " + number
}

func targetText(t routing.Target) string {
	name := t.Phone
	if t.User != "" {
		name = t.User
	}
	if t.CallConnect {
		name += " (press 1)"
	}
	return name
}

func endText(e routing.End) string {
	switch {
	case e.Action == routing.EndVoicemail && e.Mailbox.User != "":
		return "voicemail of " + e.Mailbox.User
	case e.Action == routing.EndVoicemail:
		return "voicemail of " + e.Mailbox.Number
	case e.Action == routing.EndRefuse:
		return fmt.Sprintf("refused with %d: %s", e.Code, inWords(e.Reason))
	}
	if e.Action == routing.EndService {
		return serviceText(e)
	}
	return fmt.Sprintf("hang up with %d", e.Code)
}

// serviceText says what a service does.
func serviceText(e routing.End) string {
	users := strings.Join(e.Users, ", ")
	switch e.Service {
	case routing.ServiceEcho:
		return "echo test"
	case routing.ServiceVoicemail:
		return "messages of " + e.Arg
	case routing.ServiceAnyVoicemail:
		if e.Arg != "" {
			return "messages of the mailbox " + e.Arg
		}
		return "messages of any mailbox; asks for its extension"
	case routing.ServiceDNDOn:
		return "do-not-disturb is switched on"
	case routing.ServiceDNDOff:
		return "do-not-disturb is switched off"
	case routing.ServiceForwardOn:
		if e.Arg == "" {
			return "asks where all calls shall be forwarded to"
		}
		return "all calls are forwarded to " + e.Arg
	case routing.ServiceForwardOff:
		return "forwarding is switched off"
	case routing.ServiceRedial:
		return "the last caller is called"
	case routing.ServicePickup:
		return "takes a call that rings for " + users
	case routing.ServiceOrbit:
		return "parks on orbit " + e.Arg + ", or retrieves from it"
	case routing.ServiceRoom:
		return "joins conference room " + e.Arg
	case routing.ServicePage:
		return "pages " + users
	case routing.ServiceInvalid:
		return fmt.Sprintf("is told that there is no such code, refused with %d", e.Code)
	}
	return strings.TrimSpace("service " + e.Service + " " + e.Arg)
}

func deliverText(d routing.Deliver) string {
	switch {
	case d.Phone != "":
		return "relayed to " + d.Phone
	case len(d.Users) == 0:
		return "nobody: there is neither owner nor admin"
	case d.Unclaimed != nil && *d.Unclaimed:
		return "unclaimed, seen by " + strings.Join(d.Users, ", ")
	}
	return "to " + strings.Join(d.Users, ", ")
}

// inWords is a reason for people, with the machine's word beside it.
func inWords(reason string) string {
	words := map[string]string{
		routing.ReasonWhenNotMet:      "its condition does not hold",
		routing.ReasonNoWorkflow:      "the number has no workflow",
		routing.ReasonNoUser:          "the number has no user",
		routing.ReasonNoOwner:         "no contact of the caller has an owner",
		routing.ReasonHasOwner:        "the caller's contact has an owner",
		routing.ReasonNoRule:          "no rule is active, and there is no default",
		routing.ReasonNoRingGroup:     "the number rings no group",
		routing.ReasonNoForwarding:    "the number is not forwarded",
		routing.ReasonNoCompanyPhone:  "the company has no phone",
		routing.ReasonNoUserPhone:     "the user has no User Phone",
		routing.ReasonNotForTexts:     "it has no say in texts",
		routing.ReasonNobodyAvailable: "nobody is available",
		routing.ReasonLoop:            "it would ring the caller, or come back to a number on the way",
		routing.ReasonOverLimit:       "that number has too many calls",
		routing.ReasonAfterMatch:      "an earlier step decides",
		routing.ReasonAfterEnd:        "the plan has ended",
		routing.ReasonUnknownNumber:   "not one of our numbers",
		routing.ReasonUnknownCode:     "no such feature code",
		routing.IsCaller:              "is the caller",
		routing.OnDND:                 "do not disturb",
		routing.OutsideHours:          "outside the user's hours",
		routing.OnCall:                "on a call",
		routing.Unreachable:           "no device is registered, no phone in reach",
	}[reason]
	if words == "" {
		return reason
	}
	return words + " (" + reason + ")"
}
