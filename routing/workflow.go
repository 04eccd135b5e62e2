package routing

import (
	"cmp"
	"slices"
	"time"

	"strowger/store"
)

// Kinds of Action.
const (
	ActMenu      = "menu"      // play Prompt, wait Seconds for a key, then Next
	ActSay       = "say"       // speak Text, then Next
	ActPlay      = "play"      // play File, then Next
	ActRing      = "ring"      // ring Users for Seconds; nobody answered: Next
	ActForward   = "forward"   // ring the outside line Phone for Seconds; not answered: Next
	ActWebhook   = "webhook"   // ask URL, at most Seconds, then Next with the answer
	ActVoicemail = "voicemail" // end in the mailbox of User; of the called number when User is empty
	ActHangup    = "hangup"    // end the call
	ActContinue  = "continue"  // back to the policy's next step
)

// Action is what a workflow wants to happen next.
type Action struct {
	Kind    string   `json:"action"`
	Node    string   `json:"node,omitempty"` // whose action it is; pass it to Next with what came of it
	Try     int      `json:"try,omitempty"`  // menu: from 1
	Prompt  string   `json:"prompt,omitempty"`
	Text    string   `json:"text,omitempty"`
	File    string   `json:"file,omitempty"`
	Users   []string `json:"users,omitempty"`
	Phone   string   `json:"phone,omitempty"`
	User    string   `json:"user,omitempty"`
	URL     string   `json:"url,omitempty"`
	Seconds int      `json:"seconds,omitempty"`
	Source  string   `json:"source,omitempty"` // noted on the call on the way here; "" = unchanged
	Tag     string   `json:"tag,omitempty"`
}

// Input is what came of an Action, and what the workflow may know of the call.
type Input struct {
	Key     string    // menu: the key pressed, "" = none in time
	Try     int       // menu: Action.Try
	Answer  string    // webhook: the node it named, "" = no usable answer
	Company *Company  // for hours; nil = always open
	Now     time.Time // for hours
}

const (
	defaultMenuTimeout    = 5 // seconds
	defaultWebhookTimeout = 5 // seconds
)

// Next interprets a workflow: it says what follows after the action of a node, given what came of it. An empty node begins
// at the start. It is pure, and total: where a workflow leads nowhere, which store/directory refuses, it continues the
// policy.
func Next(wf *store.Workflow, node string, in Input) Action {
	if node == "" {
		return enter(wf, wf.Start, in)
	}
	n, ok := wf.Nodes[node]
	if !ok {
		return Action{Kind: ActContinue}
	}
	switch {
	case n.Menu != nil:
		if to, pressed := n.Menu.Keys[in.Key]; pressed {
			return enter(wf, to, in)
		}
		if in.Try < max(n.Menu.Tries, 1) {
			return menu(node, n.Menu, max(in.Try, 0)+1)
		}
		return enter(wf, n.Menu.Otherwise, in)
	case n.Say != nil:
		return enter(wf, n.Say.Next, in)
	case n.Play != nil:
		return enter(wf, n.Play.Next, in)
	case n.Ring != nil:
		return enter(wf, n.Ring.Otherwise, in)
	case n.Forward != nil:
		return enter(wf, n.Forward.Otherwise, in)
	case n.Webhook != nil:
		if in.Answer != "" && (len(n.Webhook.Nodes) == 0 || slices.Contains(n.Webhook.Nodes, in.Answer)) {
			if _, ok := wf.Nodes[in.Answer]; ok {
				return enter(wf, in.Answer, in)
			}
		}
		return enter(wf, n.Webhook.Otherwise, in)
	}
	return enter(wf, node, in)
}

// enter goes to a node and on through those that need nothing from outside (hours, set) to the next action.
func enter(wf *store.Workflow, node string, in Input) Action {
	source, tag := "", ""
	for range len(wf.Nodes) {
		n := wf.Nodes[node]
		switch {
		case n.Set != nil:
			source, tag = cmp.Or(n.Set.Source, source), cmp.Or(n.Set.Tag, tag)
			node = n.Set.Next
		case n.Hours != nil && openAt(n.Hours, in):
			node = n.Hours.Open
		case n.Hours != nil:
			node = n.Hours.Closed
		default:
			a := action(node, n)
			a.Source, a.Tag = source, tag
			return a
		}
	}
	return Action{Kind: ActContinue, Source: source, Tag: tag}
}

// openAt reports whether an hours node is open: by its own windows, or by the company's. A holiday is closed either way.
func openAt(n *store.HoursNode, in Input) bool {
	if in.Company == nil {
		return true
	}
	if len(n.Hours) == 0 {
		return in.Company.Open(in.Now)
	}
	hours, err := ParseHours(n.Hours)
	at := in.Company.moment(in.Now)
	return err == nil && !at.closed && hours.contains(at.minute)
}

// action of a node that has one; a node that is missing or empty continues the policy.
func action(name string, n store.Node) Action {
	switch {
	case n.Menu != nil:
		return menu(name, n.Menu, 1)
	case n.Say != nil:
		return Action{Kind: ActSay, Node: name, Text: n.Say.Text}
	case n.Play != nil:
		return Action{Kind: ActPlay, Node: name, File: n.Play.File}
	case n.Ring != nil:
		return Action{Kind: ActRing, Node: name, Users: n.Ring.Users, Seconds: held(n.Ring.Seconds)}
	case n.Forward != nil:
		return Action{Kind: ActForward, Node: name, Phone: n.Forward.To, Seconds: held(n.Forward.Seconds)}
	case n.Webhook != nil:
		return Action{Kind: ActWebhook, Node: name, URL: n.Webhook.URL,
			Seconds: cmp.Or(n.Webhook.Timeout, defaultWebhookTimeout)}
	case n.Voicemail != nil:
		return Action{Kind: ActVoicemail, Node: name, User: n.Voicemail.User}
	case n.Hangup != nil:
		return Action{Kind: ActHangup, Node: name}
	}
	return Action{Kind: ActContinue, Node: name}
}

func menu(name string, m *store.MenuNode, try int) Action {
	return Action{Kind: ActMenu, Node: name, Try: try, Prompt: m.Prompt, Seconds: cmp.Or(m.Timeout, defaultMenuTimeout)}
}

// held brings a ring time into the range that stages have; 0 stays "not set".
func held(seconds int) int {
	if seconds == 0 {
		return 0
	}
	return min(max(seconds, shortestRing), longestRing)
}

// WorkflowStage makes the stages of a ring or forward action, by the rules that hold for the steps of a policy:
// availability, loops, nested numbers, call_connect, ring times. numbers are those of ours that the call was handed through,
// the called one first and the one whose workflow runs last. The row says who rings and who does not; without stages its
// outcome is dropped.
func WorkflowStage(req Request, numbers []string, a Action, dir Directory, now time.Time) (Row, []Stage) {
	row := Row{Step: StepWorkflow}
	company := dir.Company()
	d := decider{dir: dir, company: company, callingUser: req.User, at: company.moment(now)}
	d.caller, _ = ParseNumber(req.From, company.Region)
	d.matchContacts(&Plan{})
	if len(numbers) == 0 || len(numbers) > len(d.path) || dir.Number(numbers[len(numbers)-1]) == nil {
		drop(&row, ReasonLoop, MatchWorkflow)
		return row, nil
	}
	d.depth = copy(d.path[:], numbers) - 1
	n := dir.Number(numbers[d.depth])
	d.stage(&row, n, dir.Policy(n.PolicyName()), d.workflowChoice(a))
	if a.Seconds > 0 && row.Number == "" {
		for i := range d.stages {
			d.stages[i].RingSeconds = held(a.Seconds)
		}
	}
	return row, d.stages
}

// workflowChoice is whom a ring or forward action names.
func (d *decider) workflowChoice(a Action) choice {
	want := choice{match: MatchWorkflow}
	if a.Kind == ActForward {
		want.line = a.Phone
		if e164, ok := ParseNumber(a.Phone, d.company.Region); ok {
			want.line = e164
		}
		return want
	}
	for _, u := range d.dir.Users() {
		if slices.Contains(a.Users, u.ID) {
			want.users = append(want.users, u)
		}
	}
	return want
}
