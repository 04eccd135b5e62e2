package app

import (
	"slices"
	"strings"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/sip"
	"strowger/sip/call"
	"strowger/store"
)

// What admin.Live asks of a running server.

// Status implements admin.Live.
func (a *App) Status() admin.Status {
	return admin.Status{Version: a.opt.Version, Started: a.started, Calls: len(a.calls.Active()), Listen: a.sip.Addrs()}
}

// Reload implements admin.Live.
func (a *App) Reload() error {
	err := a.org.reload()
	a.sip.SetRegion(a.org.Company().Region)
	a.presence.forget()
	a.lamps.refresh()
	a.web.PeopleChanged()
	return err
}

// Registrations implements admin.Live.
func (a *App) Registrations(user string) []store.Binding {
	return append([]store.Binding{}, a.sip.Registrations(user)...)
}

// Hangup implements admin.Live.
func (a *App) Hangup(id string) bool { return a.calls.Hangup(id) == nil }

// ActiveCalls implements admin.Live.
func (a *App) ActiveCalls() []admin.ActiveCall {
	list := []admin.ActiveCall{}
	for _, s := range a.calls.Active() {
		var who []string
		phase := s.Phase
		if e := s.Emergency; e != nil {
			phase = strings.TrimSpace("EMERGENCY " + e.Location)
		}
		for _, l := range s.Legs {
			if !l.Caller && l.State != "ended" && l.State != "ending" {
				who = append(who, l.Peer+" ("+l.Kind+", "+l.State+")")
			}
		}
		list = append(list, admin.ActiveCall{ID: s.ID, From: s.From.Number, To: s.To, Phase: phase, Start: s.Start, Who: strings.Join(who, ", ")})
	}
	return list
}

// State implements admin.Live.
func (a *App) State() routing.Live {
	calls := a.calls.Active()
	live := routing.Live{Registered: a.presence.registered(), Busy: busyUsers(calls), Active: map[string]int{}}
	for _, c := range calls {
		if c.Direction == store.Inbound {
			live.Active[c.To]++
		}
	}
	return live
}

// busyUsers are those on a call.
func busyUsers(calls []call.Snapshot) []string {
	var busy []string
	for _, s := range calls {
		for _, l := range s.Legs {
			on := l.State == "up" || l.State == "answered" || l.State == "confirming"
			if l.User != "" && on && !slices.Contains(busy, l.User) {
				busy = append(busy, l.User)
			}
		}
	}
	return busy
}

// Trunks implements admin.Live.
func (a *App) Trunks() []admin.TrunkStatus {
	list := []admin.TrunkStatus{}
	for _, t := range a.sip.TrunkStatuses() {
		list = append(list, trunkStatus(t))
	}
	return list
}

func trunkStatus(t sip.TrunkStatus) admin.TrunkStatus {
	return admin.TrunkStatus{Name: t.Name, State: t.State, Registered: t.Registered.After(time.Now()), Detail: t.LastError, Since: t.Since, Latency: t.Latency, Calls: t.Active}
}
