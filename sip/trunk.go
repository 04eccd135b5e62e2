package sip

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"strowger/sip/call"
)

// States of a trunk.
const (
	TrunkUnknown     = "unknown"     // not asked yet, or neither registers nor qualifies: calls are tried
	TrunkRegistering = "registering" // the first registration is under way
	TrunkUp          = "up"          // registered, where it registers, and answering, where it is asked
	TrunkDown        = "down"        // calls go there only when nothing else is left
)

// TrunkStatus is a trunk as an administrator sees it.
type TrunkStatus struct {
	Name       string
	State      string        // TrunkUp, ...
	Since      time.Time     // of State
	Address    string        // the carrier's address in use, host:port;transport=...
	Registered time.Time     // until when; zero = not registered
	Latency    time.Duration // of the last OPTIONS; 0 = not known
	LastError  string        // what failed last, "" after a success
	LastTry    time.Time     // of registration or OPTIONS
	NextTry    time.Time     // of registration or OPTIONS, whichever comes first
	Active     int           // calls now
	MaxCalls   int           // 0 = no limit
}

// trunk is one carrier at work.
type trunk struct {
	cfg    TrunkConfig
	srv    *Server
	log    zerolog.Logger
	active atomic.Int32
	known  atomic.Pointer[[]hop] // resolved addresses, best first

	mu       sync.Mutex
	status   TrunkStatus
	answers  reachability
	bad      map[hop]time.Time // addresses that failed, until when they are tried last
	ask      chan struct{}     // asks for an OPTIONS now
	nextReg  time.Time
	nextPing time.Time
}

// reachability is what OPTIONS said last.
type reachability int

const (
	notAsked reachability = iota
	reachable
	unreachableNow
)

// badAddressTime is how long a failed address stands behind the others.
const badAddressTime = time.Minute

// trunkSet is all trunks of a server.
type trunkSet struct {
	all      []*trunk
	resolver Resolver
	stop     context.CancelFunc
	running  sync.WaitGroup
	tlsNames sync.Map // ip:port → host name for the certificate
	dialing  sync.Map // ip:port → *sync.Mutex: one TLS connection is opened at a time
	waived   sync.Map // host names that may show any certificate, see waive

	mu       sync.Mutex
	watchers []func(TrunkStatus)
}

func (s *trunkSet) byName(name string) *trunk {
	for _, t := range s.all {
		if t.cfg.Name == name {
			return t
		}
	}
	return nil
}

// initCalls prepares dialogs and trunks.
func (s *Server) initCalls() error {
	s.calls.ctx, s.calls.cancel = context.WithCancel(context.Background())
	set := &s.calls.trunks
	set.resolver = s.cfg.Resolver
	if set.resolver == nil {
		set.resolver = net.DefaultResolver
	}
	for _, cfg := range s.cfg.Trunks {
		t := &trunk{cfg: cfg.withDefaults(), srv: s, bad: make(map[hop]time.Time), ask: make(chan struct{}, 1)}
		t.log = s.log.With().Str("trunk", cfg.Name).Logger()
		t.status = TrunkStatus{Name: cfg.Name, State: TrunkUnknown, MaxCalls: cfg.MaxCalls}
		if cfg.Register {
			t.status.State = TrunkRegistering
		}
		set.all = append(set.all, t)
	}
	dropBindings := s.flows.onClose
	s.flows.onClose = func(id string) {
		dropBindings(id)
		s.calls.dialogs.flowClosed(id)
		s.subs.flowClosed(id)
	}
	s.auth.devices = trunkLogins{Devices: s.cfg.Devices, trunks: set, realm: s.cfg.Realm}
	return nil
}

// startTrunks begins registrations and qualifying.
func (s *Server) startTrunks(ctx context.Context) error {
	set := &s.calls.trunks
	ctx, set.stop = context.WithCancel(ctx)
	for _, t := range set.all {
		t.setState(func(st *TrunkStatus) { st.Since = time.Now() })
		if host, _ := splitHostPort(orString(t.cfg.OutboundProxy, t.cfg.Server)); isAddress(host) {
			if _, err := t.hops(ctx); err != nil {
				return fmt.Errorf("trunk %q: %w", t.cfg.Name, err)
			}
		} else {
			set.running.Go(func() { t.keepResolved(ctx) })
		}
		if t.cfg.Register {
			set.running.Go(func() { t.keepRegistered(ctx) })
		}
		if t.cfg.Qualify > 0 {
			set.running.Go(func() { t.keepQualified(ctx) })
		}
	}
	return nil
}

// stopTrunks unregisters, and ends what is left of calls.
func (s *Server) stopTrunks() {
	for _, l := range s.calls.dialogs.all() {
		l.queue.wait(func() {
			l.safely(func() { l.abandon(call.Reason{Protocol: "SIP", Cause: 503, Text: "Shutting down"}) })
		})
	}
	if s.calls.trunks.stop != nil {
		s.calls.trunks.stop()
	}
	s.calls.trunks.running.Wait()
	s.calls.cancel()
}

// TrunkStatuses are the trunks as they are now, in the order of the configuration.
func (s *Server) TrunkStatuses() []TrunkStatus {
	out := make([]TrunkStatus, 0, len(s.calls.trunks.all))
	for _, t := range s.calls.trunks.all {
		out = append(out, t.snapshot())
	}
	return out
}

// OnTrunkChange calls f whenever a trunk's state, error or registration changes. f must not block.
func (s *Server) OnTrunkChange(f func(TrunkStatus)) {
	set := &s.calls.trunks
	set.mu.Lock()
	defer set.mu.Unlock()
	set.watchers = append(set.watchers, f)
}

// Trunks implements call.Dialer: the trunks that may take a call to this number and have a line free, best first, those
// that are down last.
func (s *Server) Trunks(number, caller string) []call.Endpoint {
	type candidate struct {
		*trunk
		down int
	}
	var list []candidate
	for _, t := range s.calls.trunks.all {
		if !t.takes(number) || t.full() {
			continue
		}
		c := candidate{trunk: t}
		if t.snapshot().State == TrunkDown {
			c.down = 1
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.down, b.down), cmp.Compare(a.cfg.Priority, b.cfg.Priority), cmp.Compare(b.cfg.Weight, a.cfg.Weight))
	})
	out := make([]call.Endpoint, 0, len(list))
	for _, t := range list {
		out = append(out, call.Endpoint{Trunk: t.cfg.Name, Number: number, SRTP: t.cfg.SRTP, Codecs: t.cfg.Codecs, Refer: t.cfg.Refer, Host: t.host()})
	}
	return out
}

// TrunkFull reports whether the trunk has as many calls as it may, the one that just came in counted.
func (s *Server) TrunkFull(name string) bool {
	t := s.calls.trunks.byName(name)
	return t != nil && t.cfg.MaxCalls > 0 && int(t.active.Load()) > t.cfg.MaxCalls
}

// unanswered notes that no address of the carrier took a call: until OPTIONS says otherwise the trunk is down, so that the
// calls after this one need not wait.
func (t *trunk) unanswered(r call.Reason) {
	if t == nil || t.cfg.Qualify <= 0 {
		return
	}
	t.setState(func(st *TrunkStatus) { t.answers, st.LastError = unreachableNow, "INVITE: "+r.Text })
	select {
	case t.ask <- struct{}{}:
	default:
	}
}

// host is our address as the carrier reaches it, "" while its own is not known.
func (t *trunk) host() string {
	list := t.known.Load()
	if list == nil || len(*list) == 0 {
		return ""
	}
	host, _ := t.srv.localFor((*list)[0].transport, (*list)[0].addr)
	return host
}

// takes reports whether the trunk may be used for a number.
func (t *trunk) takes(number string) bool {
	return len(t.cfg.Numbers) == 0 || slices.ContainsFunc(t.cfg.Numbers, func(p string) bool { return strings.HasPrefix(number, p) })
}

func (t *trunk) full() bool { return t.cfg.MaxCalls > 0 && int(t.active.Load()) >= t.cfg.MaxCalls }

// acquire and release count the trunk's calls; a nil trunk is a phone's leg.
func (t *trunk) acquire() {
	if t != nil {
		t.active.Add(1)
	}
}

func (t *trunk) release() {
	if t != nil {
		t.active.Add(-1)
	}
}

// credentials for the requests of one leg; nil without a password.
func (t *trunk) credentials() *credentials {
	if t == nil || t.cfg.Password == "" {
		return nil
	}
	return &credentials{username: t.cfg.AuthUsername, password: t.cfg.Password, realm: t.cfg.Realm}
}

func (t *trunk) snapshot() TrunkStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	st := t.status
	st.Active = int(t.active.Load())
	if list := t.known.Load(); list != nil && len(*list) > 0 {
		st.Address = t.orderedLocked(*list)[0].String()
	}
	st.NextTry = t.nextReg
	if st.NextTry.IsZero() || (!t.nextPing.IsZero() && t.nextPing.Before(st.NextTry)) {
		st.NextTry = t.nextPing
	}
	return st
}

// setState changes the status; watchers hear of it when state, error or registration changed.
func (t *trunk) setState(change func(*TrunkStatus)) {
	t.mu.Lock()
	before := t.status
	change(&t.status)
	t.status.State = t.judge()
	if t.status.State != before.State {
		t.status.Since = time.Now()
	}
	after := t.status
	t.mu.Unlock()
	changed := after.State != before.State
	if changed {
		e := t.log.Info()
		if after.State == TrunkDown {
			e = t.log.Warn().Str("error", after.LastError)
		}
		e.Str("state", after.State).Msg("trunk changed state")
	}
	if changed || after.LastError != before.LastError || after.Registered.IsZero() != before.Registered.IsZero() {
		set := &t.srv.calls.trunks
		set.mu.Lock()
		watchers := slices.Clone(set.watchers)
		set.mu.Unlock()
		snapshot := t.snapshot()
		for _, f := range watchers {
			f(snapshot)
		}
	}
}

// judge is the state that registration and qualifying make together; the caller holds mu.
func (t *trunk) judge() string {
	registered := !t.status.Registered.IsZero()
	switch {
	case t.answers == unreachableNow:
		return TrunkDown
	case t.cfg.Register && registered:
		return TrunkUp
	case t.cfg.Register && t.status.LastError != "":
		return TrunkDown
	case t.cfg.Register:
		return TrunkRegistering
	case t.answers == reachable:
		return TrunkUp
	}
	return TrunkUnknown
}
