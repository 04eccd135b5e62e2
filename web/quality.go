package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"strowger/sip/call"
	"strowger/store"
)

// LiveQuality is how a call in progress sounds.
type LiveQuality struct {
	ID   string       `json:"id"`
	Legs []LegQuality `json:"legs"`
}

// LegQuality is how one of its legs sounds.
type LegQuality struct {
	Leg   int             `json:"leg" doc:"Index into the call's legs"`
	Media store.MediaStat `json:"media"`
}

type qualityOutput struct{ Body QualityEvent }

func (s *Server) qualityRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-quality", Method: http.MethodGet, Path: "/api/active/quality", Summary: "How the calls in progress sound",
		Description: "Loss, jitter, round trip, concealed time and the score of the E-model (ITU-T G.107), per leg and direction.",
	}, func(_ context.Context, p Principal, _ *struct{}) (*qualityOutput, error) {
		return &qualityOutput{Body: qualityView(p, s.cfg.Active.Measure())}, nil
	})
}

// Measured tells viewers how the calls in progress sound.
func (s *Server) Measured(calls []call.Measured) {
	s.hub.tell(func(p Principal) any {
		if e := qualityView(p, calls); len(e.Calls) > 0 {
			return e
		}
		return nil
	})
}

// Watched reports whether anybody looks at the live events.
func (s *Server) Watched() bool {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return len(s.hub.streams) > 0
}

func qualityView(p Principal, calls []call.Measured) QualityEvent {
	e := QualityEvent{Calls: []LiveQuality{}}
	for i := range calls {
		c := &calls[i]
		if !seesLive(p, c.Call) {
			continue
		}
		q := LiveQuality{ID: c.Call.ID, Legs: make([]LegQuality, 0, len(c.Legs))}
		for _, l := range c.Legs {
			q.Legs = append(q.Legs, LegQuality(l))
		}
		e.Calls = append(e.Calls, q)
	}
	return e
}
