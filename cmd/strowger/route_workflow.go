package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"strowger/routing"
	"strowger/store"
)

// RouteWorkflowCmd plays a workflow in the terminal.
type RouteWorkflowCmd struct {
	ID string `arg:"" help:"The workflow's id."`
	routeOrg
	At string `help:"When, as RFC 3339; now without it." placeholder:"TIME"`
}

// maxWorkflowSteps ends a walk that pressing keys keeps in a circle, when nobody is at the keyboard.
const maxWorkflowSteps = 1000

// Run implements the command.
func (c *RouteWorkflowCmd) Run(g *Globals) error {
	ix, _, err := c.load(g)
	if err != nil {
		return err
	}
	wf := ix.Workflow(c.ID)
	if wf == nil {
		return fmt.Errorf("there is no workflow %q", c.ID)
	}
	at, err := parseAt(c.At)
	if err != nil {
		return err
	}
	w := workflowWalk{out: g.Stdout, in: bufio.NewScanner(g.Stdin), wf: wf}
	return w.run(routing.Input{Company: ix.Company(), Now: at})
}

// workflowWalk asks the person at the terminal what a caller, a callee or a web server would do.
type workflowWalk struct {
	out io.Writer
	in  *bufio.Scanner
	wf  *store.Workflow
}

// errCallerGone ends the walk when the input does.
var errCallerGone = errors.New("the caller hangs up")

func (w *workflowWalk) run(base routing.Input) error {
	action := routing.Next(w.wf, "", base)
	for range maxWorkflowSteps {
		w.show(action)
		switch action.Kind {
		case routing.ActVoicemail, routing.ActHangup, routing.ActContinue:
			return nil
		}
		in, err := w.ask(action, base)
		if errors.Is(err, errCallerGone) {
			fmt.Fprintln(w.out, "the caller hangs up")
			return nil
		}
		if err != nil || in == nil {
			return err
		}
		action = routing.Next(w.wf, action.Node, *in)
	}
	return fmt.Errorf("no end after %d steps", maxWorkflowSteps)
}

// ask finds out what came of an action; nil when the call is answered.
func (w *workflowWalk) ask(a routing.Action, base routing.Input) (*routing.Input, error) {
	in := base
	switch a.Kind {
	case routing.ActMenu:
		key, err := w.line("  key (empty = none in time): ")
		in.Key, in.Try = key, a.Try
		return &in, err
	case routing.ActRing, routing.ActForward:
		answer, err := w.line("  answered? (y/N): ")
		if strings.HasPrefix(strings.ToLower(answer), "y") {
			fmt.Fprintln(w.out, "answered")
			return nil, err
		}
		return &in, err
	case routing.ActWebhook:
		node, err := w.line("  the web server answers with node (empty = it fails): ")
		in.Answer = node
		return &in, err
	}
	return &in, nil
}

// line reads what the person types after a prompt.
func (w *workflowWalk) line(prompt string) (string, error) {
	fmt.Fprint(w.out, prompt)
	if !w.in.Scan() {
		fmt.Fprintln(w.out)
		if err := w.in.Err(); err != nil {
			return "", err
		}
		return "", errCallerGone
	}
	return strings.TrimSpace(w.in.Text()), nil
}

// show prints an action.
func (w *workflowWalk) show(a routing.Action) {
	for _, note := range []struct{ what, value string }{{"source", a.Source}, {"tag", a.Tag}} {
		if note.value != "" {
			fmt.Fprintf(w.out, "set %s: %s\n", note.what, note.value)
		}
	}
	node := a.Node
	if node != "" {
		node = "[" + node + "] "
	}
	fmt.Fprintf(w.out, "%s%s\n", node, actionText(a))
}

func actionText(a routing.Action) string {
	within := ""
	if a.Seconds > 0 {
		within = fmt.Sprintf(" for %d s", a.Seconds)
	}
	switch a.Kind {
	case routing.ActMenu:
		return fmt.Sprintf("menu, try %d, waits %d s: %s", a.Try, a.Seconds, a.Prompt)
	case routing.ActSay:
		return "say: " + a.Text
	case routing.ActPlay:
		return "play " + a.File
	case routing.ActRing:
		return "ring " + strings.Join(a.Users, ", ") + within
	case routing.ActForward:
		return "forward to " + a.Phone + within
	case routing.ActWebhook:
		return fmt.Sprintf("ask %s, waits %d s", a.URL, a.Seconds)
	case routing.ActVoicemail:
		if a.User == "" {
			return "voicemail of the called number"
		}
		return "voicemail of " + a.User
	case routing.ActHangup:
		return "hang up"
	}
	return "continue with the policy's next step"
}
