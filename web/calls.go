package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

type callsInput struct {
	Before    string `query:"before" maxLength:"100" doc:"Only calls older than the one with this id: the next of the last page"`
	Limit     int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Unclaimed bool   `query:"unclaimed" doc:"Only missed calls that nobody has acted on"`
	Everybody bool   `query:"everybody" doc:"Everybody's calls, not only one's own: owners and admins"`
}

type callsOutput struct {
	Body struct {
		Calls []Call `json:"calls" doc:"Newest first"`
		Next  string `json:"next,omitempty" doc:"Give it as before to get the next page; absent on the last one"`
	}
}

type callOutput struct{ Body Call }

type idInput struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *Server) callRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-calls", Method: http.MethodGet, Path: "/api/calls", Summary: "Recent calls with their routing traces",
		Errors: []int{http.StatusForbidden},
	}, s.listCalls)
	route(s, needAny, huma.Operation{
		OperationID: "get-call", Method: http.MethodGet, Path: "/api/calls/{id}", Summary: "One call",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, p Principal, in *idInput) (*callOutput, error) {
		rec, err := s.ownCall(p, in.ID)
		if err != nil {
			return nil, err
		}
		return &callOutput{Body: s.callView(rec)}, nil
	})
	route(s, needPerson, huma.Operation{
		OperationID: "claim-call", Method: http.MethodPost, Path: "/api/calls/{id}/claim", Summary: "Take a missed call",
		Description: "The first who acts on a missed call owns it, and it leaves the others' lists.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, func(_ context.Context, p Principal, in *idInput) (*callOutput, error) {
		if _, err := s.ownCall(p, in.ID); err != nil {
			return nil, err
		}
		rec, err := s.cfg.Calls.Claim(in.ID, p.User.ID)
		if err != nil {
			return nil, fmt.Errorf("claim call %s: %w", in.ID, err)
		}
		s.RecordChanged(rec)
		return &callOutput{Body: s.callView(rec)}, nil
	})
}

func (s *Server) listCalls(_ context.Context, p Principal, in *callsInput) (*callsOutput, error) {
	filter := store.CallFilter{User: p.User.ID, Before: in.Before, Unclaimed: in.Unclaimed, Limit: in.Limit}
	if in.Everybody {
		if !p.Admin {
			return nil, huma.Error403Forbidden("Only owners and admins may see everybody's calls.")
		}
		filter.User = ""
	}
	recs, err := s.cfg.Calls.Calls(filter)
	if err != nil {
		return nil, fmt.Errorf("list calls: %w", err)
	}
	out := &callsOutput{}
	out.Body.Calls = make([]Call, 0, len(recs))
	for _, rec := range recs {
		if seesRecord(p, rec) {
			out.Body.Calls = append(out.Body.Calls, s.callView(rec))
		}
	}
	if len(recs) == in.Limit {
		out.Body.Next = recs[len(recs)-1].ID
	}
	return out, nil
}

// ownCall reads a record that the principal may see. One that is not theirs does not exist for them.
func (s *Server) ownCall(p Principal, id string) (store.CallRecord, error) {
	rec, err := s.cfg.Calls.Call(id)
	if err != nil {
		return rec, fmt.Errorf("read call %s: %w", id, err)
	}
	if !seesRecord(p, rec) && rec.ClaimedBy == "" {
		return store.CallRecord{}, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	if !seesRecord(p, rec) { // somebody else has claimed it
		if p.sees(rec.Participants) {
			return store.CallRecord{}, fmt.Errorf("call %s: %w", id, store.ErrClaimed)
		}
		return store.CallRecord{}, fmt.Errorf("call %s: %w", id, store.ErrNotFound)
	}
	return rec, nil
}

// seesRecord: participants see a call until one of them claims it; then only that one.
func seesRecord(p Principal, rec store.CallRecord) bool {
	if !p.Admin && rec.ClaimedBy != "" {
		return rec.ClaimedBy == p.User.ID
	}
	return p.sees(rec.Participants)
}
