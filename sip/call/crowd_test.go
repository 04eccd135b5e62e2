package call

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"strowger/routing"
	"strowger/store"
)

// crowd is a world in which many call each other at once, and do whatever comes to their minds: answer, cancel, hold,
// transfer, park, pick up, take the place of others, hang up. Nobody waits for the call to have understood.
type crowd struct {
	*world
	pick pick

	mu      sync.Mutex
	members []*member
	begun   int
}

// member is a party of the crowd, with its one leg.
type member struct {
	user string

	mu       sync.Mutex
	post     Post
	uas      bool
	sdp      []byte
	final    int
	answered bool // it answered, or confirmed our answer
	over     bool
	refused  bool // the call said no
}

var crowdUsers = []string{"ann", "bob", "cyd", "dee", "eve"}

// Router and Dialer.

func (c *crowd) target(n int) routing.Plan {
	return routing.Plan{End: toHangup(), Stages: []routing.Stage{stage(20, user(crowdUsers[n%len(crowdUsers)], store.Desk))}}
}

func (c *crowd) Inbound(r routing.Request, _ LiveState, _ time.Time) (routing.Plan, json.RawMessage) {
	return c.target(int(r.From[len(r.From)-1])), nil
}

func (c *crowd) Dialled(_, dialled, _ string, _ LiveState, _ time.Time) Dialled {
	d := Dialled{Direction: store.Internal, To: dialled, Caller: Party{Number: "2"}}
	switch dialled[0] {
	case '7':
		d.Plan.End = &routing.End{Action: routing.EndService, Service: routing.ServiceOrbit, Arg: dialled}
	case '*':
		d.Plan.End = &routing.End{Action: routing.EndService, Service: routing.ServicePickup, Users: crowdUsers}
	case '9':
		d.Plan.End = &routing.End{Action: routing.EndRefuse, Code: 404}
	default:
		d.Plan = c.target(int(dialled[len(dialled)-1]))
	}
	return d
}

func (c *crowd) Endpoints(user string, _ []string) []Endpoint {
	return []Endpoint{{Binding: &store.Binding{User: user, Kind: store.Desk, Device: user + "-desk"}}}
}

func (c *crowd) Dial(_ context.Context, req DialRequest, post Post) (Leg, error) {
	p := &member{user: req.To.Binding.User, post: post, sdp: req.SDP}
	c.mu.Lock()
	c.members = append(c.members, p)
	c.mu.Unlock()
	return p, nil
}

// Leg.

func (p *member) SIPCallID() string         { return "x" }
func (p *member) Remote() string            { return p.user }
func (p *member) Provisional(int, []byte)   {}
func (p *member) Reinvite([]byte)           {}
func (p *member) AnswerReinvite([]byte)     {}
func (p *member) RejectReinvite(int)        {}
func (p *member) Ack([]byte)                {}
func (p *member) ReferProgress(int, string) {}
func (p *member) Refer(string, Leg)         {}
func (p *member) Info(string, []byte)       {}
func (p *member) Show(Party)                {}
func (p *member) PickUp()                   {}

func (p *member) Answer([]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.final = 200
}

func (p *member) Reject(int, string, Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused, p.over = true, true
}

func (p *member) Hangup(Reason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.over = true
		p.post(LegEvent{Type: Ended})
	}
}

// acts lets a party do something that its phone can do now.
func (c *crowd) acts(p, other *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	say := func(e LegEvent) { p.post(e) }
	last := func(e LegEvent) { p.over = true; p.post(e) }
	k := c.pick(12)
	switch {
	case p.over:
	case !p.uas && !p.answered && k < 5:
		say(LegEvent{Type: Progress, Code: 180})
	case !p.uas && !p.answered && k < 10:
		p.answered = true
		say(LegEvent{Type: Answered, SDP: p.sdp})
	case !p.uas && !p.answered:
		last(LegEvent{Type: Failed, Code: 486})
	case p.uas && p.final == 0 && k == 0:
		last(LegEvent{Type: Cancelled})
	case p.uas && p.final == 0:
	case p.uas && !p.answered:
		p.answered = true
		say(LegEvent{Type: Acked})
	case k == 0:
		last(LegEvent{Type: Ended})
	case k < 3:
		say(LegEvent{Type: Reoffered, SDP: []byte([]string{"sendonly", "sendrecv"}[k-1] + " PCMU")})
	case k < 5:
		say(LegEvent{Type: Referred, Target: c.dials()})
	case k < 8 && other != nil:
		say(LegEvent{Type: Referred, Target: "203", Replaces: other})
	case k < 10:
		say(LegEvent{Type: Digit, Digit: '5'})
	}
}

func (c *crowd) dials() string {
	return []string{"200", "201", "202", "203", "701", "702", "*8", "9"}[c.pick(8)]
}

// alive are those who may still do something.
func (c *crowd) alive() []*member {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members = slices.DeleteFunc(c.members, func(p *member) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.over
	})
	return slices.Clone(c.members)
}

// calls is a new call: from outside, from a user, or in the place of somebody.
func (c *crowd) calls(replaces *member) {
	p := &member{uas: true}
	c.begun++
	in := Incoming{Leg: p, From: Party{Number: fmt.Sprint("+1", c.begun)}, To: "+12025550001", SDP: []byte(carrierOffer), Bind: func(post Post) { p.post = post }}
	if c.pick(2) == 0 {
		in.Trunk, in.Kind = "trunk", "trunk"
	} else {
		p.user = crowdUsers[c.pick(5)]
		in.User, in.Kind, in.To = p.user, store.Desk, c.dials()
	}
	if replaces != nil {
		in.Replaces = replaces
	}
	c.m.Incoming(in)
	c.mu.Lock()
	c.members = append(c.members, p)
	c.mu.Unlock()
}

// commands gives a call a random command, and does not wait for the answer.
func (c *crowd) commands(answers *sync.WaitGroup) {
	active := c.m.Active()
	if len(active) == 0 {
		return
	}
	one := active[c.pick(len(active))]
	id, with := one.ID, active[c.pick(len(active))].ID
	user := append([]string{""}, crowdUsers...)[c.pick(6)]
	for _, l := range one.Legs { // mostly one who talks there, and also elsewhere
		if l.State == "up" && l.User != "" && c.pick(4) != 0 {
			user = l.User
		}
	}
	for _, a := range active {
		if slices.ContainsFunc(a.Legs, func(l LegSnapshot) bool { return l.User == user && l.State == "up" }) && a.ID != id && c.pick(4) != 0 {
			with = a.ID
		}
	}
	order := []Command{Hold{user}, Resume{user}, TransferTo{user, c.dials()}, ParkOn{user, "702"}, Complete{user, with}, Merge{user, with},
		SendDigits{user, "12"}}[c.pick(7)]
	answers.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		if err := c.m.Control(ctx, id, order); err != nil && ctx.Err() != nil {
			c.t.Errorf("%T has no answer", order)
		}
	})
}

// lives plays so many calls.
func (c *crowd) lives(calls int) {
	var answers sync.WaitGroup
	for c.begun < calls {
		alive := c.alive()
		switch k := c.pick(40); {
		case k < 3 || len(alive) == 0:
			c.calls(nil)
		case k == 3:
			c.calls(alive[c.pick(len(alive))])
		case k < 6:
			c.commands(&answers)
		case k < 9:
			synctest.Wait()
		case k == 9:
			time.Sleep(time.Duration(c.pick(30)) * time.Second)
		default:
			p := alive[c.pick(len(alive))]
			var own []*member // other legs of the same user
			for _, q := range alive {
				if q != p && q.user == p.user && p.user != "" {
					own = append(own, q)
				}
			}
			var other *member
			if len(own) > 0 {
				other = own[c.pick(len(own))]
			}
			c.acts(p, other)
		}
	}
	if c.pick(2) == 0 {
		for _, p := range c.alive() {
			p.Hangup(Reason{})
		}
		time.Sleep(10 * time.Minute)
		if n := len(c.m.Active()); n != 0 {
			c.t.Errorf("%d calls go on although all have hung up", n)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := c.m.Close(ctx); err != nil {
		c.t.Errorf("Close: %v", err)
	}
	answers.Wait()
}

// TestCrowd plays ten thousand calls that exchange their legs; nothing is left of them but one record each.
func TestCrowd(t *testing.T) {
	rounds, calls := 50, 200
	if testing.Short() {
		rounds = 5
	}
	moved := map[string]int{}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) {
			c := &crowd{world: &world{t: t, phones: map[string]*phone{}}, pick: random(uint64(round))}
			c.m = New(Config{Router: c, Workflows: c, Speech: c, Dialer: c, Media: c, Records: c, Log: zerolog.Nop()})
			c.m.Subscribe(func(ch Change) { c.changes = append(c.changes, ch) })
			c.lives(calls)
			c.nothingLeft()
			if n := len(c.m.orbits); n != 0 {
				t.Errorf("%d orbits are taken", n)
			}
			ids := map[string]bool{}
			for _, r := range c.closed {
				ids[r.ID] = true
				for _, rel := range r.Related {
					moved[rel.How]++
				}
			}
			if len(c.closed) != c.begun || len(ids) != c.begun {
				t.Errorf("round %d: %d calls left %d records with %d ids", round, c.begun, len(c.closed), len(ids))
			}
			for _, p := range c.alive() {
				t.Errorf("round %d: a leg of %q was forgotten", round, p.user)
			}
		})
		if t.Failed() {
			return
		}
	}
	for _, how := range []How{HowTransfer, HowReplaces, HowPickup, HowRetrieve, HowMerge} {
		if moved[string(how)] == 0 && !testing.Short() {
			t.Errorf("nobody moved by %s", how)
		}
	}
	t.Log(strings.Join(slices.Sorted(maps.Keys(moved)), " "), moved)
}
