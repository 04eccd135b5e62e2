package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/carrier"
	"strowger/cmd/strowger/config"
	"strowger/configs"
	"strowger/routing"
	"strowger/store"
	"strowger/store/directory"
	"strowger/web"
)

// demoTrunk is the simulated carrier's name.
const demoTrunk = "demo"

// plantDemo gives an empty store the example organisation. One that the user has changed stays.
func (a *App) plantDemo() error {
	if _, version := a.db.Directory(); version != "" {
		return nil
	}
	dir, err := directory.Parse("demo.yaml", configs.Demo)
	if err != nil {
		return err
	}
	_, err = a.db.Apply(dir)
	return err
}

// openCarrier starts the simulated carrier and makes it a trunk. A trunk is recognised by its address, and phones of the demo
// are on 127.0.0.1 too, so the carrier takes another loopback address where there is one.
func (a *App) openCarrier() error {
	if !a.opt.Demo {
		return nil
	}
	hello, err := builtIn("demo-hello")
	if err != nil {
		return err
	}
	greeting, err := carrier.ParseWAV(hello)
	if err != nil {
		return fmt.Errorf("the carrier's greeting: %w", err)
	}
	c, err := carrier.New(netip.MustParseAddrPort("127.0.0.2:0"), greeting)
	if err != nil {
		c, err = carrier.New(netip.MustParseAddrPort("127.0.0.1:0"), greeting)
	}
	if err != nil {
		return err
	}
	a.carrier = c
	a.onClose(func() { c.Close() })
	t := config.DefaultTrunk()
	t.Name, t.Server = demoTrunk, c.Addr().String()
	a.cfg.Trunks = append(a.cfg.Trunks, t)
	return nil
}

func (a *App) connectCarrier() {
	if addr, err := netip.ParseAddrPort(a.sip.Addrs().UDP); err == nil {
		if addr.Addr().IsUnspecified() {
			addr = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr.Port())
		}
		a.carrier.Connect(addr)
	}
}

// DemoNumbers implements web.Demo: what is inside, as the organisation has it now, then the keys during a call, then the carrier.
func (a *App) DemoNumbers() []web.DemoNumber {
	view := a.org.view()
	list := insideNumbers(view.dir, view.index.Features().Codes)
	for _, n := range carrier.Numbers() {
		list = append(list, web.DemoNumber{Where: "carrier", Number: n.Number, Label: n.Label, What: n.What})
	}
	return list
}

// insideNumbers are the codes, extensions and keys to try. A code that is "" is switched off.
func insideNumbers(dir store.Directory, codes store.Codes) []web.DemoNumber {
	var list []web.DemoNumber
	add := func(where, number, label, what string) {
		if number != "" {
			list = append(list, web.DemoNumber{Where: where, Number: number, Label: label, What: what})
		}
	}
	add("system", codes.Echo, "Echo test", "repeats what you say, without any carrier")
	for _, u := range dir.Users {
		if u.ForwardTo != "" && !u.DND {
			add("system", u.Extension, u.Name, "a colleague who is out: calls to them are forwarded, and always answered")
		}
	}
	for _, r := range dir.Features.Rooms {
		what := "a conference room, free to enter"
		if r.PIN != "" {
			what = "a conference room; its PIN is " + r.PIN + "#"
		}
		if r.ModeratorPIN != "" {
			what += ", for who leads it " + r.ModeratorPIN + "#"
		}
		add("system", r.Extension, cmp.Or(r.Name, "Conference"), what)
	}
	add("system", codes.Voicemail, "Your mailbox", "reads your messages to you; 0 leads to greetings")
	add("system", codes.Redial, "Last caller", "calls back who called you last")
	add("call", codes.BlindTransfer, "Transfer at once", "then the number and #")
	add("call", codes.Transfer, "Transfer, but ask first", "then the number and #; hang up to pass the call on")
	add("call", codes.Record, "Record", "begins a recording, and ends it")
	return list
}

// CallMe implements web.Demo: the carrier calls a number of ours whose plan rings this user first.
func (a *App) CallMe(_ context.Context, user store.User, from string) error {
	to, from, err := a.numberFor(user.ID, from)
	if err != nil {
		return err
	}
	a.background.Go(func() {
		ctx, cancel := context.WithTimeout(a.life, 10*time.Minute)
		defer cancel()
		if _, err := a.carrier.Call(ctx, carrier.Request{From: from, To: to}, func(carrier.Step) {}); err != nil {
			a.log.Error().Err(err).Msg("the demo's carrier cannot call")
		}
	})
	return nil
}

// numberFor finds a number of ours, and a caller, whose call rings the user in its first stage. Known callers come first:
// they show more of why a phone rings.
func (a *App) numberFor(user, from string) (to, caller string, err error) {
	callers := []string{from}
	if from == "" {
		callers = a.callersFor(user)
	}
	view := a.org.view()
	now := view.index.With(routing.Live{Registered: a.presence.registered()})
	for _, caller := range callers {
		for _, n := range view.dir.Numbers {
			plan := routing.Decide(routing.Request{To: n.Number, From: caller}, now, time.Now())
			if len(plan.Stages) > 0 && slices.ContainsFunc(plan.Stages[0].Targets, func(t routing.Target) bool { return t.User == user }) {
				return n.Number, caller, nil
			}
		}
	}
	return "", "", fmt.Errorf("no number of ours rings %s first now; is a phone of theirs registered? `strowger route explain` tells why", user)
}

func (a *App) callersFor(user string) []string {
	var known []string
	a.db.EachContact(func(c store.Contact) error {
		if c.Owner == user && len(c.Phones) > 0 {
			known = append(known, c.Phones[0])
		}
		if len(known) == 3 {
			return errEnough
		}
		return nil
	})
	return append(known, "+12025550990")
}

var errEnough = errors.New("enough")

// patient lets steps be reported without waiting for whoever reads them: calls wait for their subscribers. What a reader who
// has stopped reading does not take in time is left out. written waits for the rest.
func patient(report func(admin.CarrierStep)) (quick func(admin.CarrierStep), written func()) {
	queue, done := make(chan admin.CarrierStep, 1000), make(chan struct{})
	go func() {
		defer close(done)
		for step := range queue {
			report(step)
		}
	}()
	quick = func(step admin.CarrierStep) {
		select {
		case queue <- step:
		default:
		}
	}
	return quick, func() { close(queue); <-done }
}

// CarrierCall implements admin.Live: the carrier calls in, and both its steps and ours are reported as they happen.
func (a *App) CarrierCall(ctx context.Context, req admin.CarrierCall, report func(admin.CarrierStep)) error {
	if a.carrier == nil {
		return errors.New("this server has no simulated carrier; it runs with `strowger demo`")
	}
	from := cmp.Or(req.From, "anonymous")
	report, written := patient(report)
	defer written()
	steps := newStory(report, req.To)
	stop := a.calls.Subscribe(steps.change)
	heard, err := a.carrier.Call(ctx, carrier.Request{From: from, To: req.To, Play: req.Play, Again: true, Keys: req.Keys,
		For: time.Duration(req.Seconds * float64(time.Second))}, steps.carrier)
	if err == nil {
		patience, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		select {
		case <-steps.ended:
			steps.record(patience, a.db.Call)
		case <-patience.Done(): // the call never reached us
		}
	}
	stop()
	if err != nil {
		return err
	}
	steps.heard(heard, req.Record)
	return nil
}
