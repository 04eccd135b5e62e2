package routing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strowger/store"
)

// MaxWorkflowDepth is how many nodes a caller may have to pass, counted along the shortest way from the start.
const MaxWorkflowDepth = 32

// Problem is something wrong in a workflow.
type Problem struct {
	Workflow string
	Node     string // "" = the workflow itself
	Key      string // the field that is wrong, e.g. "menu.keys.1"; "" = the node
	Message  string // what is wrong and what to do
}

// Error implements error.
func (p Problem) Error() string {
	where := "workflow " + p.Workflow
	if p.Node != "" {
		where += ", node " + p.Node
	}
	if p.Key != "" {
		where += ", " + p.Key
	}
	return where + ": " + p.Message
}

// edge is a way from one node to another.
type edge struct {
	key     string // the field that names it
	to      string
	pressed bool // only a caller's key press takes it
}

// CheckWorkflow finds what makes a workflow unusable: a node that is none or several things at once, a name that leads
// nowhere, a key that no phone has, a loop that the caller has no say in, and too great a depth. The order is stable.
func CheckWorkflow(wf *store.Workflow) []Problem {
	c := workflowCheck{wf: wf, depth: map[string]int{}, state: map[string]int{}}
	if _, ok := wf.Nodes[wf.Start]; !ok {
		c.problem("", "start", "there is no node %q", wf.Start)
	}
	names := slices.Sorted(maps.Keys(wf.Nodes))
	for _, name := range names {
		c.node(name, wf.Nodes[name])
	}
	for _, name := range names {
		c.loop(name, nil)
	}
	c.reach()
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message))
	})
	return c.problems
}

type workflowCheck struct {
	wf       *store.Workflow
	problems []Problem
	depth    map[string]int // shortest way from the start
	state    map[string]int // of the search for loops: visiting, done
}

func (c *workflowCheck) problem(node, key, format string, args ...any) {
	c.problems = append(c.problems, Problem{c.wf.ID, node, key, fmt.Sprintf(format, args...)})
}

// node checks one node by itself and that its ways lead somewhere.
func (c *workflowCheck) node(name string, n store.Node) {
	if kinds := nodeKinds(n); len(kinds) != 1 {
		what := "is nothing"
		if len(kinds) > 1 {
			what = "is " + strings.Join(kinds, " and ") + " at once"
		}
		c.problem(name, "", "%s; give it exactly one of menu, say, play, hours, ring, forward, voicemail, hangup, continue, set, webhook", what)
	}
	if n.Menu != nil {
		for _, key := range slices.Sorted(maps.Keys(n.Menu.Keys)) {
			if len(key) != 1 || !strings.Contains("0123456789*#", key) {
				c.problem(name, "menu.keys."+key, "no phone has the key %q; use 0 to 9, * or #", key)
			}
		}
	}
	for _, e := range edges(n) {
		if _, ok := c.wf.Nodes[e.to]; !ok {
			c.problem(name, e.key, "there is no node %q", e.to)
		}
	}
}

const (
	visiting = 1
	done     = 2
)

// loop follows every way that needs no key press and finds those that come back. path are the nodes on the way to name.
func (c *workflowCheck) loop(name string, path []string) {
	if c.state[name] == done {
		return
	}
	c.state[name] = visiting
	path = append(path, name)
	for _, e := range edges(c.wf.Nodes[name]) {
		if e.pressed {
			continue
		}
		if c.state[e.to] == visiting {
			circle := append(slices.Clone(path[slices.Index(path, e.to):]), e.to)
			c.problem(name, e.key, "leads round in a circle without a key press: %s", strings.Join(circle, " → "))
			continue
		}
		if _, ok := c.wf.Nodes[e.to]; ok {
			c.loop(e.to, path)
		}
	}
	c.state[name] = done
}

// reach walks from the start in widening circles and refuses what lies too deep.
func (c *workflowCheck) reach() {
	queue := []string{c.wf.Start}
	c.depth[c.wf.Start] = 1
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if c.depth[name] == MaxWorkflowDepth+1 {
			c.problem(name, "", "is more than %d nodes away from the start; make the workflow shallower", MaxWorkflowDepth)
		}
		for _, e := range edges(c.wf.Nodes[name]) {
			if c.depth[e.to] == 0 {
				c.depth[e.to] = c.depth[name] + 1
				queue = append(queue, e.to)
			}
		}
	}
}

// nodeKinds lists what a node is; exactly one is right.
func nodeKinds(n store.Node) []string {
	var kinds []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"menu", n.Menu != nil}, {"say", n.Say != nil}, {"play", n.Play != nil}, {"hours", n.Hours != nil},
		{"ring", n.Ring != nil}, {"forward", n.Forward != nil}, {"voicemail", n.Voicemail != nil},
		{"hangup", n.Hangup != nil}, {"continue", n.Continue != nil}, {"set", n.Set != nil}, {"webhook", n.Webhook != nil},
	} {
		if k.set {
			kinds = append(kinds, k.name)
		}
	}
	return kinds
}

// edges of a node, in a stable order. An empty name is no edge: it continues the policy.
func edges(n store.Node) []edge {
	var out []edge
	add := func(key, to string, pressed bool) {
		if to != "" {
			out = append(out, edge{key, to, pressed})
		}
	}
	if n.Menu != nil {
		for _, key := range slices.Sorted(maps.Keys(n.Menu.Keys)) {
			out = append(out, edge{"menu.keys." + key, n.Menu.Keys[key], true})
		}
		add("menu.otherwise", n.Menu.Otherwise, false)
	}
	if n.Say != nil {
		add("say.next", n.Say.Next, false)
	}
	if n.Play != nil {
		add("play.next", n.Play.Next, false)
	}
	if n.Hours != nil {
		add("hours.open", n.Hours.Open, false)
		add("hours.closed", n.Hours.Closed, false)
	}
	if n.Ring != nil {
		add("ring.otherwise", n.Ring.Otherwise, false)
	}
	if n.Forward != nil {
		add("forward.otherwise", n.Forward.Otherwise, false)
	}
	if n.Set != nil {
		add("set.next", n.Set.Next, false)
	}
	if n.Webhook != nil {
		for i, to := range n.Webhook.Nodes {
			out = append(out, edge{fmt.Sprintf("webhook.nodes.%d", i), to, false})
		}
		add("webhook.otherwise", n.Webhook.Otherwise, false)
	}
	return out
}
