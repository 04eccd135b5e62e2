package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type demoOutput struct {
	Body struct {
		Numbers []DemoNumber `json:"numbers" doc:"What one can dial, and what happens then"`
	}
}

type callMeInput struct {
	Body *struct {
		From string `json:"from,omitempty" maxLength:"32" doc:"The caller to show; empty = the carrier chooses"`
	}
}

// demoRoutes are there without a demo too, so that the API is the same everywhere; they answer 404 then.
func (s *Server) demoRoutes() {
	noDemo := huma.Error404NotFound("This system runs without the demo's carrier.")
	route(s, needPerson, huma.Operation{
		OperationID: "demo", Method: http.MethodGet, Path: "/api/demo", Summary: "What one can try in the demo",
		Errors: []int{http.StatusNotFound},
	}, func(context.Context, Principal, *struct{}) (*demoOutput, error) {
		if s.cfg.Demo == nil {
			return nil, noDemo
		}
		out := &demoOutput{}
		out.Body.Numbers = append([]DemoNumber{}, s.cfg.Demo.DemoNumbers()...)
		return out, nil
	})
	route(s, needPerson, huma.Operation{
		OperationID: "demo-call-me", Method: http.MethodPost, Path: "/api/demo/call", Summary: "Make the simulated carrier call me",
		Errors: []int{http.StatusNotFound}, DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, p Principal, in *callMeInput) (*struct{}, error) {
		if s.cfg.Demo == nil {
			return nil, noDemo
		}
		from := ""
		if in.Body != nil {
			from = in.Body.From
		}
		if err := s.cfg.Demo.CallMe(ctx, p.User, from); err != nil {
			return nil, fmt.Errorf("call %s from the demo's carrier: %w", p.User.ID, err)
		}
		return nil, nil
	})
}
