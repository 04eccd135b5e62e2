package call

import (
	"encoding/json"
	"slices"
	"strings"

	"strowger/routing"
	"strowger/store"
)

// record makes the call's record from its state. Media statistics and Call-IDs are the actor's to add.
func (s *State) record() store.CallRecord {
	plan := s.first()
	rec := store.CallRecord{
		ID: s.Start.ID, Direction: plan.Direction, From: plan.Caller.Number, FromName: plan.Caller.Name,
		FromUser: s.Start.User, To: s.called(), Trunk: s.Start.Trunk, Start: s.Start.At, Ringing: s.RingingAt, Answer: s.AnswerAt,
		End: s.EndAt, Disposition: s.Disposition, AnsweredBy: s.AnsweredBy, EndedBy: s.EndedBy, Code: s.Code, Reason: s.Why,
		Emergency: plan.Plan.Emergency != nil, Request: plan.Request, Source: s.Source, Tag: s.Tag, Related: s.Related, Workflow: s.walkedSteps(), Recordings: s.Tape.Done, Legs: make([]store.LegRecord, len(s.Legs)),
	}
	if rec.Direction == "" { // ended before it was routed
		rec.From, rec.FromName, rec.Direction = s.Start.From.Number, s.Start.From.Name, store.Inbound
		if s.Start.User != "" {
			rec.Direction = store.Outbound
		}
	} else if data, err := json.Marshal(plan.Plan); err == nil {
		rec.Plan = data
	}
	for i := range s.Legs {
		l := &s.Legs[i]
		rec.Legs[i] = store.LegRecord{
			Peer: l.Peer, User: l.User, Device: l.Device, Kind: l.Kind, Trunk: l.Trunk, Stage: l.Stage, Start: l.Start,
			Ringing: l.Ringing, Answer: l.Answer, End: l.End, Code: l.Code, Reason: l.Reason,
		}
		if l.Moved {
			rec.Legs[i].Stage = -1
		}
	}
	rec.Participants, rec.Unclaimed = s.participants()
	return rec
}

// walkedSteps are what workflows did, for the record.
func (s *State) walkedSteps() []store.WorkflowStep {
	var steps []store.WorkflowStep
	for i := range s.Walked {
		w := &s.Walked[i]
		step := store.WorkflowStep{At: w.at, Workflow: w.workflow, Node: w.action.Node, Action: w.action.Kind, Outcome: w.outcome}
		if w.action.Row.Step != "" {
			if row, err := json.Marshal(w.action.Row); err == nil {
				step.Row = row
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// participants are the users in whose lists the call shows (ROUTING §6): who answered and who called; when nobody
// answered, who called and everyone whom the plan selected, unclaimed when the call came from outside.
func (s *State) participants() (users []string, unclaimed bool) {
	add := func(u string) {
		if u != "" && !slices.Contains(users, u) {
			users = append(users, u)
		}
	}
	add(s.Start.User)
	if !s.AnswerAt.IsZero() {
		for i := range s.Legs {
			if l := &s.Legs[i]; !l.Answer.IsZero() && (l.Stage >= 0 && l.User == s.AnsweredBy || l.Moved) {
				add(l.User)
			}
		}
		return users, false
	}
	if s.Disposition == store.Refused {
		return users, false
	}
	selected(s.first().Plan.Trace, add)
	for i := range s.Walked {
		selected([]routing.Row{s.Walked[i].action.Row}, add)
	}
	for _, st := range s.first().Plan.Stages {
		for _, t := range st.Targets {
			add(t.User)
		}
	}
	if end := s.first().Plan.End; end != nil && end.Mailbox != nil {
		add(end.Mailbox.User)
	}
	add(s.VM.Box.User)
	return users, s.first().Direction == store.Inbound && s.EndedBy != ""
}

// selected are the users whom the plan's steps named, also those who could not be rung just then.
func selected(rows []routing.Row, add func(string)) {
	for i := range rows {
		for _, u := range rows[i].Users {
			if u.Unavailable != "is_caller" {
				add(u.User)
			}
		}
		if len(rows[i].Trace) > 0 {
			selected(rows[i].Trace, add)
		}
	}
}

// isNumber reports whether a caller ID can be shown on the telephone network.
func isNumber(s string) bool { return strings.HasPrefix(s, "+") }
