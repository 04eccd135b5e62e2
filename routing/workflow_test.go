package routing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

// officeFlow is a workflow with a node of every kind.
func officeFlow() *store.Workflow {
	return &store.Workflow{ID: "office", Start: "note", Nodes: map[string]store.Node{
		"note":   {Set: &store.SetNode{Source: "Radio", Tag: "spring", Next: "when"}},
		"when":   {Hours: &store.HoursNode{Open: "hello", Closed: "late"}},
		"hello":  {Say: &store.SayNode{Text: "Welcome", Next: "menu"}},
		"menu":   {Menu: &store.MenuNode{Prompt: "1 sales, 2 ask", Keys: map[string]string{"1": "sales", "2": "ask", "*": "hello"}, Tries: 2, Otherwise: "late"}},
		"sales":  {Ring: &store.RingNode{Users: []string{"bob", "ann"}, Seconds: 2, Otherwise: "out"}},
		"out":    {Forward: &store.ForwardNode{To: num("#6000"), Otherwise: "sorry"}},
		"sorry":  {Play: &store.PlayNode{File: "sorry.wav", Next: "end"}},
		"end":    {Hangup: &struct{}{}},
		"late":   {Voicemail: &store.MailboxNode{User: "ann"}},
		"ask":    {Webhook: &store.WebhookNode{URL: "https://crm.example/where", Nodes: []string{"sales", "policy"}, Otherwise: "late"}},
		"policy": {Continue: &struct{}{}},
	}}
}

func TestNext(t *testing.T) {
	wf := officeFlow()
	ix, err := NewIndex(smallOrg())
	if err != nil {
		t.Fatal(err)
	}
	open, _ := time.Parse(time.RFC3339, openHour)
	late, _ := time.Parse(time.RFC3339, closedHour)
	feast, _ := time.Parse(time.RFC3339, holiday)
	for _, c := range []struct {
		name string
		node string
		in   Input
		want string
	}{
		{"the start notes and branches by the company's hours", "", Input{Now: open}, `{"action":"say","node":"hello","text":"Welcome","source":"Radio","tag":"spring"}`},
		{"after hours", "", Input{Now: late}, `{"action":"voicemail","node":"late","user":"ann","source":"Radio","tag":"spring"}`},
		{"on a holiday", "", Input{Now: feast}, `{"action":"voicemail","node":"late","user":"ann","source":"Radio","tag":"spring"}`},
		{"what was said is followed by the menu", "hello", Input{}, `{"action":"menu","node":"menu","try":1,"prompt":"1 sales, 2 ask","seconds":5}`},
		{"a key", "menu", Input{Key: "1", Try: 1}, `{"action":"ring","node":"sales","users":["bob","ann"],"seconds":5}`},
		{"a key leads back", "menu", Input{Key: "*", Try: 2}, `{"action":"say","node":"hello","text":"Welcome"}`},
		{"a wrong key: once more", "menu", Input{Key: "9", Try: 1}, `{"action":"menu","node":"menu","try":2,"prompt":"1 sales, 2 ask","seconds":5}`},
		{"no key at the last try", "menu", Input{Try: 2}, `{"action":"voicemail","node":"late","user":"ann"}`},
		{"nobody answered", "sales", Input{}, `{"action":"forward","node":"out","phone":"+12025556000"}`},
		{"nor outside", "out", Input{}, `{"action":"play","node":"sorry","file":"sorry.wav"}`},
		{"the end", "sorry", Input{}, `{"action":"hangup","node":"end"}`},
		{"a question to the web", "menu", Input{Key: "2"}, `{"action":"webhook","node":"ask","url":"https://crm.example/where","seconds":5}`},
		{"its answer", "ask", Input{Answer: "policy"}, `{"action":"continue","node":"policy"}`},
		{"an answer that is not allowed", "ask", Input{Answer: "end"}, `{"action":"voicemail","node":"late","user":"ann"}`},
		{"no answer", "ask", Input{}, `{"action":"voicemail","node":"late","user":"ann"}`},
		{"a node that is gone continues the policy", "gone", Input{}, `{"action":"continue"}`},
	} {
		c.in.Company = ix.Company()
		if got := mustJSON(t, Next(wf, c.node, c.in)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNextWithoutWays: what leads nowhere continues the policy, and nothing turns in circles.
func TestNextWithoutWays(t *testing.T) {
	wf := &store.Workflow{ID: "w", Start: "a", Nodes: map[string]store.Node{
		"a":    {Set: &store.SetNode{Tag: "x", Next: "b"}},
		"b":    {Set: &store.SetNode{Tag: "y", Next: "a"}},
		"say":  {Say: &store.SayNode{Text: "hi"}},
		"menu": {Menu: &store.MenuNode{Keys: map[string]string{"1": "say"}}},
		"hook": {Webhook: &store.WebhookNode{URL: "u"}},
		"own":  {Hours: &store.HoursNode{Open: "say", Hours: []store.Window{{Days: []string{"fri"}, From: "00:00", To: "24:00"}}}},
		"none": {},
	}}
	for node, want := range map[string]string{
		"": "continue", "say": "continue", "menu": "continue", "none": "continue", "own": "say", "hook": "continue",
	} {
		if got := Next(wf, node, Input{Try: 1}); got.Kind != want {
			t.Errorf("%s: %+v", node, got)
		}
	}
	ix, err := NewIndex(smallOrg())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{openHour: "say", holiday: "continue", "2026-11-21T10:00:00-05:00": "continue"} {
		now, _ := time.Parse(time.RFC3339, at)
		if got := Next(wf, "own", Input{Company: ix.Company(), Now: now}); got.Kind != want {
			t.Errorf("hours of its own at %s: %+v", at, got)
		}
	}
}

// TestWorkflowsEnd: a workflow that only key presses can turn in circles ends without them, whatever fails.
func TestWorkflowsEnd(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", ""}
	rapid.Check(t, func(t *rapid.T) {
		wf := &store.Workflow{ID: "w", Start: "a", Nodes: map[string]store.Node{}}
		for i, n := range names[:5] {
			later := func(label string) string { return rapid.SampledFrom(names[i+1:]).Draw(t, label) }
			wf.Nodes[n] = rapid.SampledFrom([]store.Node{
				{Say: &store.SayNode{Next: later("say")}},
				{Menu: &store.MenuNode{Keys: map[string]string{"1": "a"}, Otherwise: later("menu"), Tries: 3}},
				{Hours: &store.HoursNode{Open: later("open"), Closed: later("closed")}},
				{Set: &store.SetNode{Next: later("set")}},
				{Ring: &store.RingNode{Otherwise: later("ring")}},
				{Webhook: &store.WebhookNode{Nodes: []string{later("answer")}, Otherwise: later("hook")}},
				{Hangup: &struct{}{}},
			}).Draw(t, n)
		}
		a := Next(wf, "", Input{})
		for range 20 {
			if slices.Contains([]string{ActVoicemail, ActHangup, ActContinue}, a.Kind) {
				return
			}
			answer := rapid.SampledFrom(names).Draw(t, "answer")
			a = Next(wf, a.Node, Input{Try: a.Try, Answer: answer})
		}
		t.Fatalf("no end: %+v", wf.Nodes)
	})
}

func TestWorkflowStage(t *testing.T) {
	dir := smallOrg()
	dir.Numbers[0].CallConnect, dir.Numbers[0].RingSeconds = true, 33
	dir.Users[0].Reach, dir.Users[1].RingSeconds = []string{"desk", "phone"}, 44
	addNumber(&dir, "#0002", "loftyworks", func(n *store.Number) { n.DefaultRule = &store.Rule{SpecificUser: "bob"} })
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := time.Parse(time.RFC3339, openHour)
	ring := func(seconds int, users ...string) Action {
		return Action{Kind: ActRing, Users: users, Seconds: seconds}
	}
	for _, c := range []struct {
		name    string
		from    string
		numbers []string
		action  Action
		want    string
	}{
		{"users, in the directory's order", "#8000", []string{"#0001"}, ring(0, "bob", "ann"),
			"workflow=workflow[ann:desk+phone bob:desk]\nworkflow/33: ann:desk+phone=#9001(1) bob:desk"},
		{"the node's own time", "#8000", []string{"#0001"}, ring(12, "bob"), "workflow=workflow[bob:desk]\nworkflow/12: bob:desk"},
		{"one user's time", "#8000", []string{"#0001"}, ring(0, "bob"), "workflow=workflow[bob:desk]\nworkflow/44: bob:desk"},
		{"nobody", "#9001", []string{"#0001"}, ring(0, "ann", "gone"), "workflow!nobody_available/workflow[ann:is_caller]"},
		{"nobody there", "#9001", []string{"#0001"}, ring(0, "gone"), "workflow!nobody_available/workflow"},
		{"an outside line", "#8000", []string{"#0001"}, Action{Kind: ActForward, Phone: "202 555 6000"}, "workflow=workflow\nworkflow/33: #6000(1)"},
		{"the caller", "#8000", []string{"#0001"}, Action{Kind: ActForward, Phone: num("#8000")}, "workflow!loop/workflow"},
		{"another number of ours", "#8000", []string{"#0001"}, Action{Kind: ActForward, Phone: num("#0002"), Seconds: 9},
			"workflow=workflow@#0002{number_user-when_not_met contact_owner-no_owner unknown_rules=default_rule[bob:desk] voicemail.}\nunknown_rules/44: bob:desk @#0002"},
		{"a number on the way", "#8000", []string{"#0001", "#0002"}, Action{Kind: ActForward, Phone: num("#0001")}, "workflow!loop/workflow"},
		{"in another number's plan", "#8000", []string{"#0001", "#0002"}, ring(0, "bob"), "workflow=workflow[bob:desk]\nworkflow/44: bob:desk @#0002"},
		{"a number that is gone", "#8000", []string{"#0404"}, ring(0, "bob"), "workflow!loop/workflow"},
		{"no number", "#8000", nil, ring(0, "bob"), "workflow!loop/workflow"},
	} {
		var numbers []string
		for _, n := range c.numbers {
			numbers = append(numbers, num(n))
		}
		row, stages := WorkflowStage(Request{From: num(c.from)}, numbers, c.action, ix.With(atDesks()), now)
		if got := compact(Plan{Trace: []Row{row}, Stages: stages}); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
