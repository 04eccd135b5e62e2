package call

import (
	"context"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// Workflows, Speech and what people are told, in the world of the stories.

func (w *world) Next(walk Walk, _ LiveState, now time.Time) WalkAction {
	wf := w.flows[walk.Workflow]
	if wf == nil {
		return WalkAction{Action: routing.Action{Kind: routing.ActContinue}}
	}
	a := WalkAction{Action: routing.Next(wf, walk.Last.Node, routing.Input{Key: walk.Key, Try: walk.Last.Try, Answer: walk.Answer, Now: now})}
	switch a.Kind {
	case routing.ActRing:
		a.Row = routing.Row{Step: routing.StepWorkflow, Outcome: routing.OutcomeStage}
		st := routing.Stage{Step: routing.StepWorkflow, RingSeconds: 10}
		for _, u := range a.Users {
			a.Row.Users = append(a.Row.Users, routing.RowUser{User: u, Rings: []string{store.Desk}})
			st.Targets = append(st.Targets, user(u, store.Desk))
		}
		a.Stages = []routing.Stage{st}
	case routing.ActForward:
		a.Row = routing.Row{Step: routing.StepWorkflow, Outcome: routing.OutcomeStage}
		a.Stages = []routing.Stage{{Step: routing.StepWorkflow, RingSeconds: 10, Targets: []routing.Target{outside(a.Phone)}}}
		if inner := w.flows[a.Phone]; inner != nil { // a number of ours with a workflow of its own
			a.Row.Number = a.Phone
			a.Stages = []routing.Stage{{Step: routing.StepWorkflow, Number: a.Phone, Workflow: inner.ID}}
		}
	}
	return a
}

func (w *world) Ask(ctx context.Context, q Question) (string, error) {
	w.mu.Lock()
	w.asked = append(w.asked, q)
	w.mu.Unlock()
	if w.web == nil {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return w.web(q)
}

func (w *world) Prompt(name string) string {
	switch name {
	case promptMusic:
		return "music.wav"
	case promptRecorded:
		return "recorded.wav"
	case promptPressOne:
		return ""
	}
	if name == "hello.wav" {
		return "prompts/hello.wav"
	}
	return ""
}

func (w *world) Say(_ context.Context, text string) (string, error) {
	if !w.voice {
		return "", nil
	}
	time.Sleep(300 * time.Millisecond)
	return "say " + text, w.broken
}

func (w *world) Whisper(string, Party) string { return w.whisper }

func (w *world) Phrases(_ context.Context, phrases []script.Phrase) ([]string, error) {
	var files []string
	for _, p := range phrases {
		switch p := p.(type) {
		case script.Prompt:
			files = append(files, p.Name)
		case script.Text:
			files = append(files, p.S)
		case script.File:
			files = append(files, p.Path)
		}
	}
	return files, nil
}
