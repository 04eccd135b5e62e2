package web

import (
	"context"

	"strowger/sip/call"
)

// Rooms: calls in which more than two talk.

type muteInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Leg string `json:"leg" minLength:"1" maxLength:"64" doc:"Id of the member's leg"`
		On  bool   `json:"on" doc:"Silence it; false: it is heard again"`
	}
}

type kickInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Leg string `json:"leg" minLength:"1" maxLength:"64" doc:"Id of the member's leg"`
	}
}

type lockInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		On bool `json:"on" doc:"Only moderators may still come; false: everybody"`
	}
}

func (s *Server) roomRoutes() {
	route(s, needAny, controlOp("merge", "Take the other side of another call of the user into this one (conference)"),
		func(ctx context.Context, p Principal, in *withInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.Merge{User: user, With: in.Body.With} })
		})
	route(s, needAny, controlOp("mute", "Silence a member of a conference: oneself, or as its moderator anybody"),
		func(ctx context.Context, p Principal, in *muteInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command {
				return call.Mute{User: user, Leg: in.Body.Leg, On: in.Body.On}
			})
		})
	route(s, needAny, controlOp("kick", "Remove a member from a conference"),
		func(ctx context.Context, p Principal, in *kickInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.Kick{User: user, Leg: in.Body.Leg} })
		})
	route(s, needAny, controlOp("lock", "Close a conference to newcomers, or open it"),
		func(ctx context.Context, p Principal, in *lockInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.Lock{User: user, On: in.Body.On} })
		})
}
