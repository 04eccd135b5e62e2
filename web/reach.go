package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Reach is whether and where calls reach a user.
type Reach struct {
	DND     bool   `json:"dnd" doc:"Do not disturb: nothing rings"`
	Forward string `json:"forward" maxLength:"32" doc:"All calls go there instead: an extension or an outside number. Empty: they do not"`
}

type reachOutput struct{ Body Reach }

type reachInput struct{ Body Reach }

// reachRoutes switch what the feature codes for do-not-disturb and forwarding switch.
func (s *Server) reachRoutes() {
	route(s, needPerson, huma.Operation{
		OperationID: "reach", Method: http.MethodGet, Path: "/api/me/reach", Summary: "Whether and where calls reach me",
	}, func(_ context.Context, p Principal, _ *struct{}) (*reachOutput, error) {
		return s.reach(p.User.ID), nil
	})
	route(s, needPerson, huma.Operation{
		OperationID: "set-reach", Method: http.MethodPut, Path: "/api/me/reach", Summary: "Set do-not-disturb and forwarding of my calls",
		Errors: []int{http.StatusUnprocessableEntity},
	}, func(_ context.Context, p Principal, in *reachInput) (*reachOutput, error) {
		if err := s.cfg.People.SetReach(p.User.ID, in.Body.DND, in.Body.Forward); err != nil {
			return nil, err
		}
		return s.reach(p.User.ID), nil
	})
}

func (s *Server) reach(user string) *reachOutput {
	u, _ := s.cfg.Organisation.UserByID(user)
	return &reachOutput{Body: Reach{DND: u.DND, Forward: u.ForwardTo}}
}
