package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

type activeOutput struct {
	Body struct {
		Calls []LiveCall `json:"calls"`
	}
}

func (s *Server) activeRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-active", Method: http.MethodGet, Path: "/api/active", Summary: "Calls in progress",
	}, func(_ context.Context, p Principal, _ *struct{}) (*activeOutput, error) {
		out := &activeOutput{}
		out.Body.Calls = []LiveCall{}
		for _, c := range s.cfg.Active.ActiveCalls() {
			if seesLive(p, c) {
				out.Body.Calls = append(out.Body.Calls, s.liveView(c))
			}
		}
		return out, nil
	})
	route(s, needAny, huma.Operation{
		OperationID: "hang-up", Method: http.MethodDelete, Path: "/api/active/{id}", Summary: "End a call for everybody",
		Description: "Who called or answered may end the call, and owners and admins. Whom it merely rings may not.",
		Errors:      []int{http.StatusForbidden, http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *idInput) (*struct{}, error) {
		for _, c := range s.cfg.Active.ActiveCalls() {
			if c.ID != in.ID || !seesLive(p, c) {
				continue
			}
			if !p.Admin && c.FromUser != p.User.ID && c.AnsweredBy != p.User.ID {
				return nil, huma.Error403Forbidden("Only who called or answered may end this call.")
			}
			if s.cfg.Active.Hangup(in.ID) {
				return nil, nil
			}
		}
		return nil, fmt.Errorf("active call %s: %w", in.ID, store.ErrNotFound)
	})
}
