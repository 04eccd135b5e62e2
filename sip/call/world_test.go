package call

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"strowger/routing"
	"strowger/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is everything around the calls: phones, carrier, media, routing and store, scripted by the tests so that they
// read like a story. Assertions first let everything settle, in fake time.
type world struct {
	t       *testing.T
	m       *Manager
	plan    routing.Plan
	dialled *Dialled // for calls from the inside
	limits  Limits
	live    LiveState // what routing was told last
	panics  bool      // routing panics

	flows   map[string]*store.Workflow
	asked   []Question
	web     func(Question) (string, error) // the web server
	whisper string
	voice   bool // texts can be spoken

	questions []ServiceQuestion
	roomMax   int

	mu       sync.Mutex
	phones   map[string]*phone // by device, or trunk and number
	bindings []*store.Binding
	trunks   []string
	codecs   []string   // of the trunks
	refer    bool       // they transfer by themselves
	srtp     SRTPPolicy // of the devices
	onReg    func(string, Endpoint)
	sessions []*session
	mixers   []*mixing
	portless bool // no media session can be made
	invites  int  // INVITEs that came

	opened, closed []store.CallRecord
	mailbox        MailboxOpened // what a mailbox offers
	voicemails     []store.Voicemail
	broken         error // of the store
	diskless       error // no recording can be made
	tapes          []*tape
	changes        []Change
}

// story runs a test in a world of its own, and then checks that nothing is left of it.
func story(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, phones: map[string]*phone{}, trunks: []string{"trunk"}}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			if err := w.manager().Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
			w.nothingLeft()
		}()
		f(w)
	})
}

func (w *world) manager() *Manager {
	if w.m == nil {
		w.m = New(Config{Router: w, Workflows: w, Speech: w, Dialer: w, Media: w, Services: w.services(), Records: w, Limits: w.limits, Log: zerolog.Nop()})
		w.m.Subscribe(func(c Change) { w.changes = append(w.changes, c) })
	}
	return w.m
}

func (w *world) nothingLeft() {
	w.t.Helper()
	for i, s := range w.sessions {
		if !s.closed || s.bridged != nil {
			w.t.Errorf("media session %d: closed %v, bridged %v", i, s.closed, s.bridged != nil)
		}
	}
	if n := len(w.m.Active()); n != 0 {
		w.t.Errorf("%d calls still active", n)
	}
	if live := w.m.counts; len(live.busy)+len(live.numbers)+len(live.made)+len(live.trunks)+len(live.busyUsers) != 0 {
		w.t.Errorf("counts are not back to zero: %+v", live)
	}
	begun, over := 0, 0
	for _, c := range w.changes {
		switch c.Kind {
		case CallStarted:
			begun++
		case CallEnded:
			over++
		}
	}
	if n := len(w.m.seats); n != 0 {
		w.t.Errorf("%d legs are still in the book", n)
	}
	if begun != over {
		w.t.Errorf("subscribers saw %d calls begin and %d end", begun, over)
	}
}

// plans sets the decision for the calls to come. The last part may be the end.
func (w *world) plans(end *routing.End, stages ...routing.Stage) {
	w.plan = routing.Plan{Policy: "standard", Called: "+12025550001", Contacts: []string{}, Stages: stages, End: end}
	for _, s := range stages {
		w.plan.Trace = append(w.plan.Trace, routing.Row{Step: s.Step, Outcome: "stage", Reason: "user_assigned"})
	}
}

func stage(seconds int, targets ...routing.Target) routing.Stage {
	return routing.Stage{Step: "number_user", RingSeconds: seconds, Targets: targets}
}

func user(id string, via ...string) routing.Target {
	t := routing.Target{User: id, Via: via}
	if slices.Contains(via, store.Phone) {
		t.Phone = "+12025550177"
	}
	return t
}

func outside(number string) routing.Target { return routing.Target{Phone: number} }

func toVoicemail(user string) *routing.End {
	return &routing.End{Action: routing.EndVoicemail, Mailbox: &routing.Mailbox{User: user}}
}

func toHangup() *routing.End { return &routing.End{Action: routing.EndHangup, Code: 480} }

// registers adds a device "user-kind" and returns its phone.
func (w *world) registers(user, kind string) *phone {
	b := &store.Binding{User: user, Kind: kind, Device: user + "-" + kind, Contact: "sip:" + user + "@" + kind}
	w.mu.Lock()
	w.bindings = append(w.bindings, b)
	f := w.onReg
	w.mu.Unlock()
	if f != nil {
		f(user, Endpoint{Binding: b, WebRTC: kind == store.Browser})
	}
	return w.phone(b.Device)
}

// line is the phone behind a trunk: its name, or an outside number reached over it.
func (w *world) line(trunk, number string) *phone { return w.phone(trunk + ":" + number) }

func (w *world) phone(name string) *phone {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phones[name] == nil {
		w.phones[name] = &phone{w: w, name: name}
	}
	return w.phones[name]
}

const (
	carrierOffer = "sendrecv PCMU,PCMA"
	webOffer     = "sendrecv opus,G722,PCMU,PCMA"
)

// calls is an INVITE from the trunk to our number.
func (w *world) calls(from string, change ...func(*Incoming)) *phone {
	in := Incoming{Trunk: "trunk", Kind: "trunk", From: Party{Number: from}, To: "+12025550001", SDP: []byte(carrierOffer)}
	return w.invite(in, change...)
}

// dials is an INVITE from a user's device.
func (w *world) dials(user, to string, change ...func(*Incoming)) *phone {
	in := Incoming{User: user, Kind: store.Desk, From: Party{Number: "201"}, To: to, SDP: []byte(webOffer)}
	return w.invite(in, change...)
}

func (w *world) invite(in Incoming, change ...func(*Incoming)) *phone {
	for _, f := range change {
		f(&in)
	}
	p := &phone{w: w, name: "caller " + in.From.Number, uas: true, invited: true}
	if len(in.SDP) > 0 {
		in.SDP = fmt.Appendf(in.SDP, " of call %d", w.invites)
		w.invites++
		p.offer = string(in.SDP)
	}
	in.Leg = p
	in.Bind = func(post Post) { p.post = post }
	w.manager().Incoming(in)
	synctest.Wait()
	return p
}

func (w *world) after(d time.Duration) {
	w.m.mu.Lock()
	for _, a := range w.m.calls { // what was read until now was read before what follows, for the race detector
		a.mail.empty()
	}
	w.m.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
}

// record is the one record of the only call.
func (w *world) record() store.CallRecord {
	w.t.Helper()
	w.after(50 * time.Millisecond) // the store takes its time
	if len(w.closed) != 1 {
		w.t.Fatalf("%d records were closed, want 1", len(w.closed))
	}
	return w.closed[0]
}

// ends checks disposition, who ended the call, and the final status of the one record.
func (w *world) ends(disposition, by string, code int) store.CallRecord {
	w.t.Helper()
	r := w.record()
	if r.Disposition != disposition || r.EndedBy != by || r.Code != code {
		w.t.Errorf("record: %s by %s, %d (%s), want %s by %s, %d\n%s", r.Disposition, r.EndedBy, r.Code, r.Reason, disposition, by, code, tale(r))
	}
	if r.End.IsZero() || r.Start.IsZero() || r.ID == "" {
		w.t.Errorf("record has no times or id: %+v", r)
	}
	return r
}

func tale(r store.CallRecord) string {
	var b strings.Builder
	for _, e := range r.Events {
		fmt.Fprintf(&b, "  %6.1f s leg %d: %s\n", e.At.Sub(r.Start).Seconds(), e.Leg, e.What)
	}
	return b.String()
}

// Router.

func (w *world) Inbound(_ routing.Request, live LiveState, _ time.Time) (routing.Plan, json.RawMessage) {
	if w.panics {
		panic("routing is broken")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = live
	return w.plan, json.RawMessage(`{"request":1}`)
}

func (w *world) Dialled(_, dialled, _ string, live LiveState, _ time.Time) Dialled {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = live
	if w.dialled != nil {
		return *w.dialled
	}
	return Dialled{Plan: w.plan, Direction: store.Internal, To: dialled, Caller: Party{Number: "201", Name: "Ann"}}
}
func (w *world) UserName(user string) string { return strings.ToUpper(user) }
func (w *world) ContactName(number string) string {
	if number == "+12025550900" {
		return "Dee Poe"
	}
	return ""
}
func (w *world) MaxInbound(string) int           { return 50 }
func (w *world) IsEmergency(dialled string) bool { return dialled == "911" }
func (w *world) InCall() InCall                  { return InCall{Transfer: "*2", Blind: "##", Record: "*1"} }
func (w *world) Room(ext string) (int, bool) {
	return w.roomMax, ext == "801"
}

// Dialer.

func (w *world) Dial(_ context.Context, req DialRequest, post Post) (Leg, error) {
	name := req.To.Trunk + ":" + req.To.Number
	if req.To.Binding != nil {
		name = req.To.Binding.Device
	}
	p := w.phone(name)
	if p.unreachable {
		return nil, errors.New("no route to " + name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = p.log
	p.req, p.post, p.invited, p.log, p.over = req, post, true, nil, false
	p.count++
	return p, nil
}

func (w *world) Endpoints(user string, kinds []string) []Endpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Endpoint
	for _, b := range w.bindings {
		if b.User == user && slices.Contains(kinds, b.Kind) {
			out = append(out, Endpoint{Binding: b, WebRTC: b.Kind == store.Browser, SRTP: w.srtp})
		}
	}
	return out
}

func (w *world) Trunks(number, _ string) []Endpoint {
	var out []Endpoint
	for _, t := range w.trunks {
		out = append(out, Endpoint{Trunk: t, Number: number, Codecs: w.codecs, Refer: w.refer})
	}
	return out
}

func (w *world) OnRegister(f func(string, Endpoint)) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onReg = f
	return func() { w.mu.Lock(); w.onReg = nil; w.mu.Unlock() }
}

// Records.

func (w *world) Open(r store.CallRecord) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, r)
	return w.broken
}

func (w *world) Close(r store.CallRecord) error {
	time.Sleep(5 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = append(w.closed, r)
	return w.broken
}

func (w *world) AddVoicemail(vm store.Voicemail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.closed) > 0 {
		w.t.Error("the record was closed before its voicemail was stored")
	}
	w.voicemails = append(w.voicemails, vm)
	return w.broken
}

func (w *world) RecordingFile(call string, n int) (string, string, error) {
	time.Sleep(5 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	return "/abs/" + call, fmt.Sprintf("recordings/%s-%d.wav", call, n), w.diskless
}

func (w *world) OpenMailbox(_ store.Mailbox, id string, _ bool) (MailboxOpened, error) {
	time.Sleep(5 * time.Millisecond)
	o := w.mailbox
	o.File, o.Rel, o.Greeting = w.t.TempDir()+"/"+id+".wav", "voicemail/"+id+".wav", "greeting.wav"
	return o, w.broken
}
