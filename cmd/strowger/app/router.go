package app

import (
	"encoding/json"
	"time"

	"strowger/routing"
	"strowger/sip/call"
	"strowger/store"
)

// router joins routing's pure decisions with the organisation and the live state.
type router struct {
	org *organisation
	// registered tells by which kinds of endpoint users can be rung now.
	registered func() map[string][]string
}

func (r *router) live(l call.LiveState) routing.Live {
	return routing.Live{Registered: r.registered(), Busy: l.Busy, Active: l.Active}
}

// kept is the form in which a call record keeps what was asked.
func kept(a routing.Asked) json.RawMessage {
	data, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	return data
}

// Inbound implements call.Router.
func (r *router) Inbound(req routing.Request, l call.LiveState, now time.Time) (routing.Plan, json.RawMessage) {
	view := r.org.view()
	a := routing.Asked{Request: &req, At: now, Live: r.live(l), Version: view.version}
	plan := a.Decide(view.index).Plan
	return plan, kept(a)
}

// Dialled implements call.Router.
func (r *router) Dialled(user, dialled, callerID string, l call.LiveState, now time.Time) call.Dialled {
	view := r.org.view()
	a := routing.Asked{Dial: &routing.DialRequest{User: user, Dialled: dialled, CallFrom: callerID}, At: now, Live: r.live(l), Version: view.version}
	d := a.Decide(view.index)
	caller := call.Party{Number: d.CallerID, Name: r.UserName(user)}
	if d.Direction == store.Outbound {
		caller.Name = view.dir.Company.Name
	}
	return call.Dialled{Plan: d.Plan, Direction: d.Direction, To: d.To, Caller: caller, Outside: d.Outside, Request: kept(a)}
}

// UserName implements call.Router.
func (r *router) UserName(user string) string {
	u, _ := r.org.UserByID(user)
	return u.Name
}

// ContactName implements call.Router.
func (r *router) ContactName(number string) string { return r.org.ContactName(number) }

// IsEmergency implements call.Router.
func (r *router) IsEmergency(dialled string) bool {
	return routing.IsEmergency(r.org.view().index.With(routing.Live{}), dialled)
}

// InCall implements call.Router.
func (r *router) InCall() call.InCall {
	codes := r.org.view().index.Features().Codes
	return call.InCall{Transfer: codes.Transfer, Blind: codes.BlindTransfer, Record: codes.Record}
}

// Room implements call.Router.
func (r *router) Room(extension string) (int, bool) {
	room := r.org.view().index.Features().Room(extension)
	if room == nil {
		return 0, false
	}
	return room.Max, true
}

// MaxInbound implements call.Router.
func (r *router) MaxInbound(number string) int {
	if n := r.org.view().index.Number(number); n != nil {
		return n.Limit()
	}
	return 0
}
