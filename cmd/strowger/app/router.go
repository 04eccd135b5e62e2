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

// asked is what a decision was made from; the call record keeps it, so that it can be made again.
type asked struct {
	Request *routing.Request     `json:"request,omitempty"`
	Dial    *routing.DialRequest `json:"dial,omitempty"`
	At      time.Time            `json:"at"`
	Live    routing.Live         `json:"live"`
	Version string               `json:"version"` // of the directory
}

func (r *router) live(l call.LiveState) routing.Live {
	return routing.Live{Registered: r.registered(), Busy: l.Busy, Active: l.Active}
}

func (a asked) json() json.RawMessage {
	data, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	return data
}

// Inbound implements call.Router.
func (r *router) Inbound(req routing.Request, l call.LiveState, now time.Time) (routing.Plan, json.RawMessage) {
	view, live := r.org.view(), r.live(l)
	plan := routing.Decide(req, view.index.With(live), now)
	return plan, asked{Request: &req, At: now, Live: live, Version: view.version}.json()
}

// Dialled implements call.Router.
func (r *router) Dialled(user, dialled, callerID string, l call.LiveState, now time.Time) call.Dialled {
	view, live := r.org.view(), r.live(l)
	req := routing.DialRequest{User: user, Dialled: dialled, CallFrom: callerID}
	d := routing.Dial(req, view.index.With(live), now)
	caller := call.Party{Number: d.CallerID, Name: r.UserName(user)}
	if d.Direction == store.Outbound {
		caller.Name = view.dir.Company.Name
	}
	return call.Dialled{Plan: d.Plan, Direction: d.Direction, To: d.To, Caller: caller,
		Request: asked{Dial: &req, At: now, Live: live, Version: view.version}.json()}
}

// UserName implements call.Router.
func (r *router) UserName(user string) string {
	u, _ := r.org.UserByID(user)
	return u.Name
}

// ContactName implements call.Router.
func (r *router) ContactName(number string) string { return r.org.ContactName(number) }

// MaxInbound implements call.Router.
func (r *router) MaxInbound(number string) int {
	if n := r.org.view().index.Number(number); n != nil {
		return n.Limit()
	}
	return 0
}
