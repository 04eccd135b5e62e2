package app

import (
	"context"
	"strings"
	"time"

	"strowger/routing"
	"strowger/sip/call"
)

// workflows lets routing walk through the organisation's workflows.
type workflows struct {
	router *router
	web    *webhooks
}

// Next implements call.Workflows. A workflow that was deleted meanwhile gives the call back to its plan.
func (w *workflows) Next(at call.Walk, l call.LiveState, now time.Time) call.WalkAction {
	index := w.router.org.view().index
	wf := index.Workflow(at.Workflow)
	if wf == nil {
		return call.WalkAction{Action: routing.Action{Kind: routing.ActContinue}}
	}
	a := call.WalkAction{Action: routing.Next(wf, at.Last.Node, routing.Input{Key: at.Key, Try: at.Last.Try, Answer: at.Answer,
		Company: index.Company(), Now: now})}
	switch a.Kind {
	case routing.ActRing, routing.ActForward:
		req := routing.Request{Kind: routing.KindCall, From: at.Caller, User: at.User}
		if len(at.Numbers) > 0 {
			req.To = at.Numbers[0]
		}
		a.Row, a.Stages = routing.WorkflowStage(req, at.Numbers, a.Action, index.With(w.router.live(l)), now)
	case routing.ActVoicemail:
		if u := index.User(a.User); u == nil || !u.HasVoicemail() {
			a.User = "" // the called number's shared mailbox
		}
	}
	return a
}

// Ask implements call.Workflows.
func (w *workflows) Ask(ctx context.Context, q call.Question) (string, error) {
	return w.web.ask(ctx, q)
}

// Whisper implements call.Router: the number's text, with {label} and {caller} filled in.
func (r *router) Whisper(number string, caller call.Party) string {
	n := r.org.view().index.Number(number)
	if n == nil || n.Whisper == "" {
		return ""
	}
	label := n.Label
	if label == "" {
		label = spell(number)
	}
	name := caller.Name
	if name == "" {
		name = spell(caller.Number)
	}
	return strings.NewReplacer("{label}", label, "{caller}", name).Replace(n.Whisper)
}

// spell makes a voice read a number digit by digit.
func spell(number string) string {
	digits := strings.TrimPrefix(number, "+")
	if strings.Trim(digits, "0123456789") != "" {
		return digits
	}
	return strings.Join(strings.Split(digits, ""), " ")
}
