package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"strowger/routing"
	"strowger/sip/call"
	"strowger/sip/call/script"
	"strowger/store"
	"strowger/store/bolt"
)

// features are the applications behind feature codes, and what they change.
type features struct {
	org     *organisation
	db      *bolt.DB
	changed func() error // the directory is another one
	rooms   *wrongPINs
}

func (a *App) features() *features {
	return &features{org: a.org, db: a.db, changed: a.Reload, rooms: newWrongPINs(a.log)}
}

// register adds the features to the services.
func (f *features) register(s *services) {
	plain := func(sc script.Script) func(call.ServiceCall) script.Script {
		return func(call.ServiceCall) script.Script { return sc }
	}
	s.scripts[routing.ServiceInvalid] = plain(script.Unknown())
	s.scripts[routing.ServiceDNDOn] = plain(script.DoNotDisturb(true))
	s.scripts[routing.ServiceDNDOff] = plain(script.DoNotDisturb(false))
	s.scripts[routing.ServiceForwardOff] = plain(script.NoForward())
	s.scripts[routing.ServiceForwardOn] = func(c call.ServiceCall) script.Script { return script.Forward{Target: c.Arg} }
	s.scripts[routing.ServiceRedial] = plain(script.Redial{})
	s.scripts[routing.ServiceRoom] = f.room
	answer(s, f.setDND)
	answer(s, f.setForward)
	answer(s, f.lastCaller)
	answer(s, f.roomPass)
}

func (f *features) setDND(_ context.Context, c call.ServiceCall, q script.SetDND) (any, error) {
	return nil, f.changeUser(c.User, func(u *store.User) { u.DND = q.On })
}

func (f *features) setForward(_ context.Context, c call.ServiceCall, q script.SetForward) (any, error) {
	to, err := f.forwardTarget(c.User, q.Target)
	if err != nil {
		return nil, err
	}
	return to, f.changeUser(c.User, func(u *store.User) { u.ForwardTo = to })
}

// forwardTarget is an extension or an outside number in the form in which it is kept.
func (f *features) forwardTarget(user, dialled string) (string, error) {
	view := f.org.view()
	if u := view.index.Extension(dialled); u != nil && u.ID != user || dialled == "" {
		return dialled, nil
	}
	to, ok := routing.ParseNumber(dialled, view.dir.Company.Region)
	if !ok || view.index.Number(to) != nil || routing.IsEmergency(view.index.With(routing.Live{}), dialled) {
		return "", fmt.Errorf("calls cannot be forwarded to %q", dialled)
	}
	return to, nil
}

// changeTries bounds how often a change is made anew because somebody else has changed the directory meanwhile.
const changeTries = 5

// changeUser changes one user in the stored directory.
func (f *features) changeUser(id string, change func(*store.User)) error {
	for range changeTries {
		dir, version := f.db.Directory()
		i := slices.IndexFunc(dir.Users, func(u store.User) bool { return u.ID == id })
		if i < 0 {
			return fmt.Errorf("there is no user %q", id)
		}
		dir.Users = slices.Clone(dir.Users)
		change(&dir.Users[i])
		_, err := f.db.ApplyChange(bolt.Change{Directory: dir, Base: version})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
		return f.changed()
	}
	return fmt.Errorf("change user %s: %w", id, store.ErrConflict)
}

// lastCaller is whoever called the user last and can be called. What a carrier says of a caller is dialled as a number or not at
// all: it may read like a feature code.
func (f *features) lastCaller(_ context.Context, c call.ServiceCall, _ script.LastCaller) (any, error) {
	calls, err := f.db.Calls(store.CallFilter{User: c.User})
	if err != nil {
		return nil, err
	}
	for i := range calls {
		r := &calls[i]
		if r.Direction == store.Outbound || r.FromUser == c.User {
			continue
		}
		if r.FromUser != "" {
			return r.FromUser, nil
		}
		if number, ok := routing.ParseNumber(r.From, f.org.Company().Region); ok {
			return number, nil
		}
	}
	return "", nil
}

// room asks for a PIN where the room has one.
func (f *features) room(c call.ServiceCall) script.Script {
	room := f.org.view().index.Features().Room(c.Arg)
	if room == nil {
		return nil
	}
	return script.Room{Extension: room.Extension, Ask: room.PIN != "" || room.ModeratorPIN != ""}
}

func (f *features) roomPass(_ context.Context, c call.ServiceCall, q script.RoomPass) (any, error) {
	room := f.org.view().index.Features().Room(q.Room)
	if room == nil {
		return nil, fmt.Errorf("there is no room %s", q.Room)
	}
	who := guesser{q.Room, c.User}
	if f.rooms.refuses(who, time.Now()) {
		return script.RoomPassed{}, nil
	}
	if room.ModeratorPIN != "" && samePIN(room.ModeratorPIN, q.PIN) {
		f.rooms.right(who)
		return script.RoomPassed{Enter: true, Moderator: true}, nil
	}
	if !samePIN(room.PIN, q.PIN) {
		f.rooms.wrong(who, time.Now())
		return script.RoomPassed{}, nil
	}
	f.rooms.right(who)
	return script.RoomPassed{Enter: true}, nil
}

func samePIN(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
