package app

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"strowger/sip"
	"strowger/sip/call"
	"strowger/store"
)

// lamps show calls on the phones that watch extensions, rooms and parking orbits. It follows every change of every call, so
// that it can answer from memory. It implements sip.Lamps.
type lamps struct {
	org    *organisation
	online func() map[string][]string // by which kinds of device each user can be rung now
	tell   func(keys ...string)       // sip's LampChanged

	mu    sync.Mutex
	calls map[string]call.Snapshot
	on    map[string]map[string]bool // lamp → calls that it shows
}

func newLamps(org *organisation, online func() map[string][]string, tell func(...string)) *lamps {
	return &lamps{org: org, online: online, tell: tell, calls: map[string]call.Snapshot{}, on: map[string]map[string]bool{}}
}

// Keys of lamps: a user's, and those of what else has an extension.
func userLamp(id string) string       { return "user:" + id }
func extensionLamp(ext string) string { return "extension:" + ext }

// Lamp implements sip.Lamps: everybody in the company may watch everybody, every room and every orbit.
func (l *lamps) Lamp(_, name string) (key string, ok bool) {
	if u, ok := l.org.UserByID(name); ok {
		return userLamp(u.ID), true
	}
	if u, ok := l.org.UserByExtension(name); ok {
		return userLamp(u.ID), true
	}
	if d, ok := l.org.Device(name); ok { // phones call their own account so
		return userLamp(d.User), true
	}
	return extensionLamp(name), l.isPlace(name)
}

// isPlace reports whether an extension is a parking orbit or a conference room.
func (l *lamps) isPlace(ext string) bool {
	f := l.org.view().index.Features()
	return f.Orbit(ext) || f.Room(ext) != nil
}

// LampState implements sip.Lamps. Whom a colleague talks with is the colleague's own business; who calls is shown to those who
// may pick the call up.
func (l *lamps) LampState(watcher, key string) (state sip.LampState, ok bool) {
	user, isUser := strings.CutPrefix(key, userLamp(""))
	if isUser {
		u, ok := l.org.UserByID(user)
		if !ok {
			return state, false
		}
		state = sip.LampState{Name: u.Name, DND: u.DND, Open: len(l.online()[user]) > 0}
	} else {
		ext := strings.TrimPrefix(key, extensionLamp(""))
		if !l.isPlace(ext) {
			return state, false
		}
		state.Open = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.on[key] {
		shot := l.calls[id]
		if isUser {
			state.Calls = append(state.Calls, userCall(&shot, user, watcher == user, l.org.mayPickUp(watcher, user)))
		} else {
			state.Calls = append(state.Calls, sip.LampCall{ID: id, Stage: sip.LampConfirmed, Incoming: true})
		}
	}
	slices.SortFunc(state.Calls, func(a, b sip.LampCall) int { return cmp.Compare(a.ID, b.ID) })
	return state, true
}

// change takes a change of a call. It does not block.
func (l *lamps) change(c call.Change) {
	before, now := l.lit(c.Call.ID), []string(nil)
	if c.Kind != call.CallEnded {
		now = shownOn(&c.Call)
	}
	l.mu.Lock()
	for _, key := range before {
		if !slices.Contains(now, key) {
			delete(l.on[key], c.Call.ID)
			if len(l.on[key]) == 0 {
				delete(l.on, key)
			}
		}
	}
	for _, key := range now {
		if l.on[key] == nil {
			l.on[key] = map[string]bool{}
		}
		l.on[key][c.Call.ID] = true
	}
	if len(now) > 0 {
		l.calls[c.Call.ID] = c.Call
	} else {
		delete(l.calls, c.Call.ID)
	}
	l.mu.Unlock()
	for _, key := range before {
		if !slices.Contains(now, key) {
			now = append(now, key)
		}
	}
	l.tell(now...)
}

// lit are the lamps that show a call.
func (l *lamps) lit(id string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if shot, ok := l.calls[id]; ok {
		return shownOn(&shot)
	}
	return nil
}

// refresh has all lamps looked at anew, because the directory is another one.
func (l *lamps) refresh() {
	users := l.org.Users()
	keys := make([]string, 0, len(users))
	for i := range users {
		keys = append(keys, userLamp(users[i].ID))
	}
	l.tell(keys...)
}

// shownOn are the lamps on which a call is to be seen.
func shownOn(s *call.Snapshot) (keys []string) {
	for i := range s.Legs {
		leg := &s.Legs[i]
		if key := userLamp(leg.User); leg.User != "" && stageOf(leg) != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if s.Orbit != "" {
		keys = append(keys, extensionLamp(s.Orbit))
	}
	if s.Room != nil && s.Room.Extension != "" {
		keys = append(keys, extensionLamp(s.Room.Extension))
	}
	return keys
}

// stageOf is how far a leg is, "" when it is over. A phone that is called is lit when it rings, not when it is looked for.
func stageOf(leg *call.LegSnapshot) sip.LampStage {
	switch leg.State {
	case "idle", "dialling":
		if leg.Caller {
			return sip.LampTrying
		}
	case "ringing":
		return sip.LampEarly
	case "confirming", "answered", "up":
		return sip.LampConfirmed
	}
	return ""
}

// userCall is a call as the lamp of one of its users shows it: to that user, or to who may pick it up while it rings, or to
// any other. Of several devices that ring it is the one that is furthest.
func userCall(s *call.Snapshot, user string, own, mayPickUp bool) sip.LampCall {
	order := map[sip.LampStage]int{sip.LampTrying: 1, sip.LampEarly: 2, sip.LampConfirmed: 3}
	out := sip.LampCall{ID: s.ID}
	for i := range s.Legs {
		leg := &s.Legs[i]
		if stage := stageOf(leg); leg.User == user && order[stage] > order[out.Stage] {
			out.Stage, out.Incoming, out.Held, out.SIPCallID = stage, !leg.Caller, leg.Held, leg.SIPCallID
		}
	}
	out.Remote = s.From
	if !out.Incoming {
		out.Remote = call.Party{Number: s.To}
	}
	if !own && !(mayPickUp && out.Incoming && out.Stage == sip.LampEarly) {
		out.Remote, out.SIPCallID = call.Party{}, ""
	}
	return out
}

// mayPickUp reports whether a user may take a call that rings a colleague: when one of the directory's pickup groups has
// both, or when there are no groups.
func (o *organisation) mayPickUp(user, colleague string) bool {
	groups := o.view().dir.Features.Pickup
	return len(groups) == 0 || slices.ContainsFunc(groups, func(g store.Group) bool {
		return slices.Contains(g.Users, user) && slices.Contains(g.Users, colleague)
	})
}
