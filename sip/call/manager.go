package call

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"strowger/routing"
	"strowger/store"
)

// Config of a Manager. All but Limits and Log must be set.
type Config struct {
	Router    Router
	Workflows Workflows
	Speech    Speech
	Services  Services // nil = there are none
	Dialer    Dialer
	Media     MediaFactory
	Records   Records
	Limits    Limits
	Opus      bool // Media can transcode Opus; otherwise it is passed on only
	Log       zerolog.Logger
}

// The prompts that the machine plays by itself, by the names that Speech knows. They are looked up whenever they are played,
// so that an administrator's file is heard at once.
const (
	promptPressOne = "call-connect"  // asks who answers an outside line to press 1; it is repeated
	promptRecorded = "rec-notice"    // tells both parties that the call is recorded
	promptMusic    = "music-on-hold" // it is repeated
)

// ErrNoCall: the call does not exist, or is over.
var ErrNoCall = errors.New("no such call")

// ErrDraining: new calls are refused because the server is shutting down.
var ErrDraining = errors.New("the server is shutting down; no new calls")

// Manager owns all calls: it starts an actor for each, knows who is on a call, holds the limits, and tells the page.
type Manager struct {
	cfg    Config
	ctx    context.Context // of everything that is dialled
	cancel context.CancelFunc
	wg     sync.WaitGroup // actors and their writers
	deaf   func()         // ends OnRegister

	roomsMu sync.Mutex        // before mu
	rooms   map[string]string // extension → the call that was its conference last

	deciding sync.Mutex // one routing decision at a time, so that two calls cannot both be the last one under a limit

	mu       sync.Mutex
	calls    map[string]*actor
	shots    map[string]Snapshot
	seats    map[Leg]seat
	orbits   map[string]string // the call that is parked there
	counts   counts
	gone     chan struct{} // closed and replaced whenever a call ends
	draining bool
	closed   bool

	subs    sync.Mutex // also orders what subscribers are told
	nextSub int
	tell    map[int]func(Change)
	total   atomic.Uint64
}

// New makes a Manager. Close ends it.
func New(cfg Config) *Manager {
	cfg.Limits = cfg.Limits.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	m := &Manager{cfg: cfg, ctx: ctx, cancel: cancel, calls: map[string]*actor{}, shots: map[string]Snapshot{}, seats: map[Leg]seat{}, rooms: map[string]string{}, orbits: map[string]string{},
		counts: newCounts(), gone: make(chan struct{}), tell: map[int]func(Change){}}
	m.deaf = cfg.Dialer.OnRegister(m.registered)
	return m
}

func (m *Manager) newID() string {
	id, err := uuid.NewV7()
	if err != nil { // the random source failed: uniqueness within this process is left
		return fmt.Sprintf("%016x-%x", time.Now().UnixNano(), m.total.Add(1))
	}
	return id.String()
}

// Incoming takes a new call. It does not block.
func (m *Manager) Incoming(in Incoming) {
	s := Started{Trunk: in.Trunk, User: in.User, Kind: in.Kind, From: in.From, To: in.To, CallerID: in.CallerID,
		Delayed: len(in.SDP) == 0, WebRTC: in.WebRTC, EarlyMedia: in.EarlyMedia, Refer: in.Refer, Codecs: in.Codecs}
	if in.Device != nil {
		s.Device = in.Device.Device
	}
	if in.Replaces != nil {
		if at, ok := m.whereIs(in.Replaces); ok {
			s.Replaces = at
			s.Replaces.Early = in.EarlyOnly
		} else {
			s.Refuse, s.Because = 603, "the call that it would join is over"
		}
	}
	a, err := m.begin(in, s)
	if err != nil {
		in.Bind(func(LegEvent) {})
		in.Leg.Reject(503, phrase(503), Reason{})
		return
	}
	in.Bind(a.post(0))
	go a.run()
}

// OriginateRequest is a call that a user makes from the page: the user's own devices ring first, then To is dialled.
type OriginateRequest struct {
	User     string
	To       string // as dialled: extension or number
	CallerID string // "" = the user's default
	Phone    string // ring this outside line (E.164) instead of the devices: a bridge call
	// Service talks with the user; To is only what the call's record shows then. "" = To is dialled.
	Service, Arg string
}

// Originate starts such a call and returns its id.
func (m *Manager) Originate(r OriginateRequest) (string, error) {
	name := m.cfg.Router.UserName(r.User)
	a, err := m.begin(Incoming{}, Started{User: r.User, From: Party{Number: r.User, Name: name}, To: r.To, CallerID: r.CallerID,
		Originate: true, Phone: r.Phone, Service: r.Service, Arg: r.Arg})
	if err != nil {
		return "", err
	}
	go a.run()
	return a.id, nil
}

// begin makes the actor of a call and gives it its first event. The caller must run it.
func (m *Manager) begin(in Incoming, s Started) (*actor, error) {
	s.ID, s.At, s.Opus = m.newID(), time.Now(), m.cfg.Opus
	a := &actor{m: m, id: s.ID, hops: in.MaxForwards, mail: newMailbox(), timers: map[int]*time.Timer{},
		log: m.cfg.Log.With().Str("call_id", s.ID).Logger(), records: serial{wg: &m.wg}}
	a.ctx, a.cancel = context.WithCancel(m.ctx)
	if in.Leg != nil {
		a.wires = []wire{{leg: in.Leg, in: &in, callID: in.Leg.SIPCallID(), way: &route{mail: a.mail}}}
	}
	s.InCall = m.cfg.Router.InCall()
	if s.Emergency = s.User != "" && m.cfg.Router.IsEmergency(s.To); s.Emergency {
		a.log.Warn().Str("user", s.User).Str("device", s.Device).Str("to", s.To).Msg("emergency call")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || (m.draining && s.Originate) {
		a.cancel()
		return nil, ErrDraining
	}
	if s.Refuse == 0 && !s.Emergency {
		s.Refuse, s.Because = m.refusal(s)
	}
	m.wg.Add(1)
	m.calls[s.ID] = a
	if in.Leg != nil {
		a.wires[0].known = true
		m.seats[in.Leg] = seat{s.ID, s.ID + ".0"}
	}
	if s.Refuse == 0 {
		a.use = usage{made: s.User}
		if s.Trunk != "" {
			a.use.trunks = []string{s.Trunk}
		}
		if s.User != "" {
			a.use.busy = []string{s.User}
		}
		m.counts.add(a.use, 1)
	}
	a.tell(noLeg, s)
	return a, nil
}

// refusal says whether a limit forbids the call, before anything is routed.
func (m *Manager) refusal(s Started) (code int, why string) {
	limit := m.cfg.Limits.PerTrunk[s.Trunk]
	switch {
	case m.draining:
		return 503, "shutting down"
	case m.cfg.Limits.Calls > 0 && len(m.calls) >= m.cfg.Limits.Calls:
		return 503, "too many calls"
	case s.Trunk != "" && limit > 0 && m.counts.trunks[s.Trunk] >= limit:
		return 503, "too many calls on trunk " + s.Trunk
	case s.User != "" && m.cfg.Limits.PerUser > 0 && m.counts.made[s.User] >= m.cfg.Limits.PerUser:
		return 486, "too many calls of " + s.User
	}
	return 0, ""
}

// decide asks routing for a's plan. The call counts for its number before the next one is decided.
func (m *Manager) decide(a *actor) Planned {
	m.deciding.Lock()
	defer m.deciding.Unlock()
	m.mu.Lock()
	live := m.counts.live(a.use)
	m.mu.Unlock()
	s, r := &a.state.Start, m.cfg.Router
	var p Planned
	if s.User == "" {
		p = Planned{Direction: store.Inbound, To: s.To, Caller: s.From}
		p.Plan, p.Request = r.Inbound(routing.Request{Kind: routing.KindCall, To: s.To, From: s.From.Number}, live, a.at)
		if p.Plan.Called != "" {
			p.To = p.Plan.Called
		}
		if name := r.ContactName(s.From.Number); name != "" {
			p.Caller.Name = name
		}
	} else {
		d := r.Dialled(s.User, s.To, s.CallerID, live, a.at)
		p = Planned{Plan: d.Plan, Request: d.Request, Direction: d.Direction, To: d.To, Caller: d.Caller, Outside: d.Outside}
		if s.Service != "" { // whatever To leads to, if it is a code at all
			p.Direction, p.Plan.Stages = store.Internal, []routing.Stage{}
			p.Plan.End = &routing.End{Action: routing.EndService, Service: s.Service, Arg: s.Arg}
		}
	}
	if p.Direction == "" {
		p.Direction = store.Outbound
	}
	if end := p.Plan.End; p.Direction != store.Outbound && (end == nil || end.Action != routing.EndRefuse) {
		use := a.use
		use.number = p.To
		m.use(a, use)
	}
	return p
}

// use replaces what a call counts for.
func (m *Manager) use(a *actor, u usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !a.use.equal(u) {
		m.counts.add(a.use, -1)
		a.use = u
		m.counts.add(u, 1)
	}
}

// free leaves out the trunks that are full; none is too full for an emergency.
func (m *Manager) free(to []Endpoint, emergency bool) []Endpoint {
	if len(m.cfg.Limits.PerTrunk) == 0 || emergency {
		return to
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(to), func(e Endpoint) bool {
		limit := m.cfg.Limits.PerTrunk[e.Trunk]
		return limit > 0 && m.counts.trunks[e.Trunk] >= limit
	})
}

// registered lets a device join the calls that ring its user.
func (m *Manager) registered(user string, e Endpoint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, a := range m.calls {
		// A call that nobody was shown yet may have looked for its user's devices already.
		if shot, ok := m.shots[id]; !ok || shot.Phase == phaseNames[Ringing] || shot.Phase == phaseNames[Routing] {
			a.tell(noLeg, Registered{user, e})
		}
	}
}

// publish takes a new picture of a call and tells subscribers.
func (m *Manager) publish(a *actor) {
	if a.state.Start.ID == "" || (a.state.Phase == Routing && a.state.Plan.Direction == "") {
		return
	}
	m.use(a, usageOf(&a.state))
	if a.shown && looksAlike(&a.state, &a.last) {
		return
	}
	a.last = a.state
	shot := snapshot(&a.state, func(i int) string { return a.wires[i].callID })
	kind := CallChanged
	switch {
	case a.state.Phase == Over && !a.ended:
		kind, a.ended = CallEnded, true
		if !a.shown {
			m.announce(Change{CallStarted, shot})
		}
	case a.state.Phase == Over:
		return // its legs are on their way out; nobody needs to know
	case !a.shown:
		kind = CallStarted
	}
	a.shown = true
	m.mu.Lock()
	if kind == CallEnded {
		delete(m.shots, a.id)
	} else {
		m.shots[a.id] = shot
	}
	m.mu.Unlock()
	m.announce(Change{kind, shot})
}

func (m *Manager) announce(c Change) {
	m.subs.Lock()
	defer m.subs.Unlock()
	for _, f := range m.tell {
		f(c)
	}
}

// left takes a finished actor from the books.
func (m *Manager) left(a *actor) {
	m.mu.Lock()
	m.counts.add(a.use, -1)
	a.use = usage{}
	delete(m.calls, a.id)
	delete(m.shots, a.id)
	maps.DeleteFunc(m.orbits, func(_, call string) bool { return call == a.id }) // claimed, and never known to the machine
	close(m.gone)
	m.gone = make(chan struct{})
	m.mu.Unlock()
	m.wg.Done()
}

// Active are the calls that are not over, oldest first.
func (m *Manager) Active() []Snapshot {
	m.mu.Lock()
	out := make([]Snapshot, 0, len(m.shots))
	for _, s := range m.shots {
		out = append(out, s)
	}
	m.mu.Unlock()
	slices.SortFunc(out, func(a, b Snapshot) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Subscribe calls f for every change of every call, one at a time, a call's changes in order. f must not block and must
// not call the Manager. The returned function ends it.
func (m *Manager) Subscribe(f func(Change)) (cancel func()) {
	m.subs.Lock()
	defer m.subs.Unlock()
	n := m.nextSub
	m.nextSub++
	m.tell[n] = f
	return func() {
		m.subs.Lock()
		defer m.subs.Unlock()
		delete(m.tell, n)
	}
}
