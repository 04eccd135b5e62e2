package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"strowger/sip/call"
	"strowger/store"
)

// Call control: what the page and scripts do with calls in progress. Who may do what is decided here for the route and by the
// call itself for its state: a user acts for themselves, an owner or admin for whomever they name.

// controlTime is how long a call may take to say whether it will.
const controlTime = 10 * time.Second

// OnBehalf is the part of a request that says for whom.
type OnBehalf struct {
	User string `json:"user,omitempty" maxLength:"64" doc:"For whom; owners and admins only. Empty: yourself, and for the admin token whoever of the users is on the call"`
}

type toInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		To        string `json:"to" minLength:"1" maxLength:"128" doc:"As dialled: an extension, a number, an orbit, a room"`
		Voicemail bool   `json:"voicemail,omitempty" doc:"Into the mailbox of this extension, without ringing"`
	}
}

type withInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		With string `json:"with" minLength:"1" maxLength:"64" doc:"Id of the user's other call"`
	}
}

type plainInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
	}
}

type parkInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Orbit string `json:"orbit,omitempty" maxLength:"16" doc:"Where; empty: the first free orbit. The live call says which"`
	}
}

type digitsInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Digits string `json:"digits" minLength:"1" maxLength:"64" pattern:"^[0-9*#A-D]+$"`
	}
}

type playInput struct {
	ID   string `path:"id"`
	Body struct {
		Leg    string `json:"leg" maxLength:"64" doc:"Id of the leg that hears it"`
		Prompt string `json:"prompt" minLength:"1" maxLength:"128" doc:"Name of a prompt, without .wav"`
	}
}

type answerInput struct {
	ID   string `path:"id"`
	Body struct {
		OnBehalf
		Leg string `json:"leg,omitempty" maxLength:"64" doc:"Id of the leg that shall answer; empty: the user's page, or else a desk phone"`
	}
}

type originateInput struct {
	Body struct {
		OnBehalf
		To       string `json:"to" minLength:"1" maxLength:"128" doc:"As dialled: an extension or a number"`
		CallerID string `json:"caller_id,omitempty" maxLength:"32" doc:"Which of the user's numbers to show, E.164; empty: the default"`
		Phone    string `json:"phone,omitempty" maxLength:"32" doc:"Ring this outside line (E.164) instead of the devices: the user's own, for owners and admins any"`
	}
}

type originateOutput struct {
	Body struct {
		ID string `json:"id" doc:"Id of the call"`
	}
}

func (s *Server) controlRoutes() {
	s.control("hold", "Hold a call: the other side hears music", func(user string, _ *plainInput) call.Command { return call.Hold{User: user} })
	s.control("resume", "Go back to a held call", func(user string, _ *plainInput) call.Command { return call.Resume{User: user} })
	route(s, needAny, controlOp("transfer", "Let the other side talk to somebody else instead (blind transfer)"),
		func(ctx context.Context, p Principal, in *toInput) (*struct{}, error) {
			to := in.Body.To
			if in.Body.Voicemail {
				code := s.cfg.Organisation.Features().Codes.WithDefaults().Message
				if code == "" {
					return nil, huma.Error409Conflict("The code for leaving a message is switched off here.")
				}
				to = code + to
			}
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.TransferTo{User: user, Target: to} })
		})
	route(s, needAny, controlOp("complete", "Join the other sides of two of the user's calls (attended transfer)"),
		func(ctx context.Context, p Principal, in *withInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.Complete{User: user, With: in.Body.With} })
		})
	route(s, needAny, controlOp("park", "Park the other side on an orbit, from which every phone can take it"),
		func(ctx context.Context, p Principal, in *parkInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.ParkOn{User: user, Orbit: in.Body.Orbit} })
		})
	route(s, needAny, controlOp("digits", "Press keys in a call"),
		func(ctx context.Context, p Principal, in *digitsInput) (*struct{}, error) {
			return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return call.SendDigits{User: user, Digits: in.Body.Digits} })
		})
	route(s, needAdmin, controlOp("play", "Play a prompt to one party"),
		func(ctx context.Context, p Principal, in *playInput) (*struct{}, error) {
			return nil, s.command(ctx, in.ID, call.PlayTo{Leg: in.Body.Leg, Prompt: in.Body.Prompt})
		})
	s.answerRoute()
	s.originateRoute()
}

func (s *Server) answerRoute() {
	route(s, needAny, controlOp("answer", "Answer a call that rings: a page of ours by itself, a desk phone when it takes NOTIFY with Event: talk"),
		func(ctx context.Context, p Principal, in *answerInput) (*struct{}, error) {
			user, err := s.actsFor(p, in.Body.User)
			if err != nil {
				return nil, err
			}
			c, ok := s.liveCall(p, in.ID)
			if !ok {
				return nil, store.ErrNotFound
			}
			for _, l := range c.Legs {
				if l.State == "ringing" && l.Kind == store.Browser && l.SIPCallID != "" && l.User == user && (in.Body.Leg == "" || l.ID == in.Body.Leg) {
					s.hub.publish(func(p Principal) bool { return p.User.ID == user }, func() any { return AnswerEvent{SIPCallID: l.SIPCallID} })
					return nil, nil
				}
			}
			return nil, s.command(ctx, in.ID, call.Answer{User: user, Leg: in.Body.Leg})
		})
}

func (s *Server) originateRoute() {
	route(s, needAny, huma.Operation{
		OperationID: "originate", Method: http.MethodPost, Path: "/api/active", Summary: "Call somebody",
		Description: "Rings the user's own devices first, then dials.", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusForbidden, http.StatusServiceUnavailable},
	}, func(_ context.Context, p Principal, in *originateInput) (*originateOutput, error) {
		user, err := s.actsFor(p, in.Body.User)
		if err != nil {
			return nil, err
		}
		u, ok := s.cfg.Organisation.UserByID(user)
		switch {
		case !ok:
			return nil, huma.Error422UnprocessableEntity("Name the user whose devices shall ring.")
		case in.Body.Phone != "" && in.Body.Phone != u.Phone && !p.Admin: // else strangers could be rung in the company's name
			return nil, huma.Error403Forbidden("Only owners and admins may ring another line than the user's own.")
		}
		out := &originateOutput{}
		out.Body.ID, err = s.cfg.Active.Originate(call.OriginateRequest{User: user, To: in.Body.To, CallerID: in.Body.CallerID, Phone: in.Body.Phone})
		return out, s.controlProblem(err)
	})
}

func controlOp(what, summary string) huma.Operation {
	return huma.Operation{
		OperationID: what + "-call", Method: http.MethodPost, Path: "/api/active/{id}/" + what, Summary: summary, DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}
}

// control registers a command that says nothing but on whose behalf.
func (s *Server) control(what, summary string, make func(user string, in *plainInput) call.Command) {
	route(s, needAny, controlOp(what, summary), func(ctx context.Context, p Principal, in *plainInput) (*struct{}, error) {
		return s.order(ctx, p, in.ID, in.Body.User, func(user string) call.Command { return make(user, in) })
	})
}

// actsFor is the user for whom somebody acts, "" for whoever is on the call.
func (s *Server) actsFor(p Principal, user string) (string, error) {
	switch {
	case user == "" || user == p.User.ID:
		return p.User.ID, nil
	case p.Admin:
		return user, nil
	}
	return "", huma.Error403Forbidden("Only owners and admins may act for others.")
}

// order gives a command to a call that the principal sees.
func (s *Server) order(ctx context.Context, p Principal, id, user string, make func(user string) call.Command) (*struct{}, error) {
	user, err := s.actsFor(p, user)
	if err != nil {
		return nil, err
	}
	if _, ok := s.liveCall(p, id); !ok {
		return nil, store.ErrNotFound
	}
	return nil, s.command(ctx, id, make(user))
}

// liveCall is a call in progress, if the principal may see it.
func (s *Server) liveCall(p Principal, id string) (call.Snapshot, bool) {
	for _, c := range s.cfg.Active.ActiveCalls() {
		if c.ID == id && seesLive(p, c) {
			return c, true
		}
	}
	return call.Snapshot{}, false
}

func (s *Server) command(ctx context.Context, id string, c call.Command) error {
	ctx, cancel := context.WithTimeout(ctx, controlTime)
	defer cancel()
	return s.controlProblem(s.cfg.Active.Control(ctx, id, c))
}

// controlProblem words what a call said.
func (s *Server) controlProblem(err error) error {
	var notNow call.ErrNotNow
	switch {
	case err == nil:
		return nil
	case errors.Is(err, call.ErrNoCall):
		return huma.Error404NotFound("The call is over.")
	case errors.Is(err, call.ErrNotInCall):
		return huma.Error403Forbidden("Only somebody who talks in this call may do that.")
	case errors.As(err, &notNow):
		return huma.Error409Conflict(sentence(string(notNow)))
	case errors.Is(err, call.ErrDraining):
		return huma.Error503ServiceUnavailable(sentence(err.Error()))
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable("The call did not answer in time.")
	}
	return err
}

// sentence makes a text for people of an error's.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return string(upper(text[0])) + text[1:] + "."
}

func upper(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}
