package directory

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Bounds of workflows. The depth counts nodes along the shortest way from the start.
const (
	maxWorkflowDepth = 32
	maxWorkflowNodes = 500
	maxMenuTries     = 10
	maxNodeSeconds   = 600
)

var nodeKinds = []string{"menu", "say", "play", "hours", "ring", "forward", "voicemail", "hangup", "continue", "set", "webhook"}

// way from one node to another.
type way struct {
	path    string // key path of the name
	to      string
	pressed bool // only a caller's key press takes it
}

func (v *validator) workflows() {
	for i := range v.dir.Workflows {
		wf, path := &v.dir.Workflows[i], strict.Index("workflows", i)
		v.id(path+".id", wf.ID)
		if first := v.workflow[wf.ID]; first != i && wf.ID != "" {
			v.add(path+".id", "give each workflow an id of its own", "%q is the id of %s already", wf.ID, v.other(strict.Index("workflows", first)+".id"))
		}
		if len(wf.Nodes) > maxWorkflowNodes {
			v.add(path+".nodes", "split it", "the workflow has %d nodes, the limit is %d", len(wf.Nodes), maxWorkflowNodes)
			continue
		}
		g := graph{v: v, wf: wf, path: path, ways: map[string][]way{}, names: slices.Sorted(maps.Keys(wf.Nodes))}
		if wf.Start == "" {
			v.add(path, "add start: NODE", "the workflow has no start")
		} else {
			g.known(way{path: path + ".start", to: wf.Start})
		}
		for _, name := range g.names {
			g.node(name, wf.Nodes[name])
		}
		g.circles()
		g.depth()
	}
}

// graph is one workflow being checked.
type graph struct {
	v     *validator
	wf    *store.Workflow
	path  string
	names []string
	ways  map[string][]way
}

// known checks that a way leads to a node.
func (g *graph) known(w way) {
	if _, ok := g.wf.Nodes[w.to]; !ok {
		g.v.add(w.path, strict.OneOf(w.to, g.names), "there is no node %q", clip(w.to))
	}
}

// link adds a way; an empty name is none: it continues the policy.
func (g *graph) link(name, path, to string, pressed bool) {
	if to == "" {
		return
	}
	w := way{path, to, pressed}
	g.known(w)
	g.ways[name] = append(g.ways[name], w)
}

// node checks one node and collects its ways.
func (g *graph) node(name string, n store.Node) {
	path := strict.Join(g.path+".nodes", name)
	set := kindsOf(n)
	if len(set) != 1 {
		what := "is nothing"
		if len(set) > 1 {
			what = "is " + strings.Join(set, " and ") + " at once"
		}
		g.v.add(path, "make it exactly one of "+strings.Join(nodeKinds, ", "), "node %q %s", clip(name), what)
	}
	if n.Menu != nil {
		g.menu(name, path+".menu", n.Menu)
	}
	if n.Say != nil {
		if n.Say.Text == "" {
			g.v.add(path+".say", "add text", "there is nothing to say")
		}
		g.link(name, path+".say.next", n.Say.Next, false)
	}
	if n.Play != nil {
		if n.Play.File == "" {
			g.v.add(path+".play", "add file", "there is nothing to play")
		}
		g.link(name, path+".play.next", n.Play.Next, false)
	}
	if n.Hours != nil {
		g.v.windows(path+".hours.hours", n.Hours.Hours)
		if n.Hours.Open == "" && n.Hours.Closed == "" {
			g.v.add(path+".hours", "add open: NODE, closed: NODE, or both", "the hours lead nowhere")
		}
		g.link(name, path+".hours.open", n.Hours.Open, false)
		g.link(name, path+".hours.closed", n.Hours.Closed, false)
	}
	g.rings(name, path, n)
	if n.Set != nil {
		g.link(name, path+".set.next", n.Set.Next, false)
	}
	if n.Webhook != nil {
		g.webhook(name, path+".webhook", n.Webhook)
	}
}

// rings checks the nodes that ring or record.
func (g *graph) rings(name, path string, n store.Node) {
	if n.Ring != nil {
		if len(n.Ring.Users) == 0 {
			g.v.add(path+".ring", "add users: [ID, ...]", "nobody is rung")
		}
		for i, user := range n.Ring.Users {
			g.v.knownUser(strict.Index(path+".ring.users", i), user)
		}
		g.v.ringSeconds(path+".ring.seconds", n.Ring.Seconds)
		g.link(name, path+".ring.otherwise", n.Ring.Otherwise, false)
	}
	if n.Forward != nil {
		g.v.phone(path+".forward.to", n.Forward.To)
		g.v.ringSeconds(path+".forward.seconds", n.Forward.Seconds)
		g.link(name, path+".forward.otherwise", n.Forward.Otherwise, false)
	}
	if n.Voicemail != nil && n.Voicemail.User != "" {
		g.v.knownUser(path+".voicemail.user", n.Voicemail.User)
	}
}

func (g *graph) menu(name, path string, m *store.MenuNode) {
	if len(m.Keys) == 0 {
		g.v.add(path, `add keys: {"1": NODE, ...}`, "the menu has no keys")
	}
	for _, key := range slices.Sorted(maps.Keys(m.Keys)) {
		at := strict.Join(path+".keys", key)
		if len(key) != 1 || !strings.Contains("0123456789*#", key) {
			g.v.add(at, "use 0 to 9, * or #", "no phone has the key %q", clip(key))
		}
		if m.Keys[key] == "" {
			g.v.add(at, "name a node", "the key leads nowhere")
		}
		g.link(name, at, m.Keys[key], true)
	}
	if m.Tries < 0 || m.Tries > maxMenuTries {
		g.v.add(path+".tries", "", "%d tries is not between 1 and %d", m.Tries, maxMenuTries)
	}
	g.seconds(path+".timeout", m.Timeout)
	g.link(name, path+".otherwise", m.Otherwise, false)
}

func (g *graph) seconds(path string, n int) {
	if n < 0 || n > maxNodeSeconds {
		g.v.add(path, "", "%d s is not between 1 and %d s", n, maxNodeSeconds)
	}
}

func (g *graph) webhook(name, path string, w *store.WebhookNode) {
	if u, err := url.Parse(w.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		g.v.add(path+".url", "write it like https://example.com/route", "%q is not a web address", clip(w.URL))
	}
	g.seconds(path+".timeout", w.Timeout)
	for i, to := range w.Nodes {
		g.link(name, strict.Index(path+".nodes", i), to, false)
	}
	g.link(name, path+".otherwise", w.Otherwise, false)
}

// circles refuses loops in which the caller has no say: they would never end.
func (g *graph) circles() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(name string, chain []string)
	visit = func(name string, chain []string) {
		if _, ok := g.wf.Nodes[name]; !ok || state[name] == done {
			return
		}
		state[name] = visiting
		chain = append(chain, name)
		for _, w := range g.ways[name] {
			switch {
			case w.pressed:
			case state[w.to] == visiting:
				circle := append(slices.Clone(chain[slices.Index(chain, w.to):]), w.to)
				g.v.add(w.path, "break it with a menu key, a mailbox or a hangup",
					"leads round in a circle without a key press: %s", strings.Join(circle, " → "))
			default:
				visit(w.to, chain)
			}
		}
		state[name] = done
	}
	for _, name := range g.names {
		visit(name, nil)
	}
}

// depth refuses what lies too far from the start.
func (g *graph) depth() {
	depth := map[string]int{g.wf.Start: 1}
	for queue := []string{g.wf.Start}; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if depth[name] == maxWorkflowDepth+1 {
			g.v.add(strict.Join(g.path+".nodes", name), "make the workflow shallower",
				"node %q is more than %d nodes away from the start", clip(name), maxWorkflowDepth)
		}
		for _, w := range g.ways[name] {
			if depth[w.to] == 0 {
				depth[w.to] = depth[name] + 1
				queue = append(queue, w.to)
			}
		}
	}
}

// kindsOf lists what a node is; exactly one is right.
func kindsOf(n store.Node) []string {
	set := []bool{
		n.Menu != nil, n.Say != nil, n.Play != nil, n.Hours != nil, n.Ring != nil, n.Forward != nil, n.Voicemail != nil,
		n.Hangup != nil, n.Continue != nil, n.Set != nil, n.Webhook != nil,
	}
	var list []string
	for i, name := range nodeKinds {
		if set[i] {
			list = append(list, name)
		}
	}
	return list
}
