package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

// Registration is a phone that is registered now.
type Registration struct {
	User      string    `json:"user"`
	Device    string    `json:"device" doc:"Id of the device, or browser:SESSION for a page"`
	Kind      string    `json:"kind" enum:"browser,desk,mobile"`
	Transport string    `json:"transport"`
	Source    string    `json:"source" doc:"Address it registered from"`
	UserAgent string    `json:"user_agent,omitempty"`
	Since     time.Time `json:"since"`
	Expires   time.Time `json:"expires"`
}

type registrationsInput struct {
	Everybody bool `query:"everybody" doc:"Everybody's phones, not only one's own: owners and admins"`
}

type registrationsOutput struct {
	Body struct {
		Registrations []Registration `json:"registrations"`
	}
}

type trunksOutput struct {
	Body struct {
		Trunks []TrunkStatus `json:"trunks"`
	}
}

func (s *Server) phoneRoutes() {
	route(s, needAny, huma.Operation{
		OperationID: "list-registrations", Method: http.MethodGet, Path: "/api/registrations", Summary: "Registered phones",
		Errors: []int{http.StatusForbidden},
	}, func(_ context.Context, p Principal, in *registrationsInput) (*registrationsOutput, error) {
		everybody := in.Everybody || p.User.ID == ""
		if everybody && !p.Admin {
			return nil, huma.Error403Forbidden("Only owners and admins may see everybody's phones.")
		}
		user := p.User.ID
		if everybody {
			user = ""
		}
		out := &registrationsOutput{}
		out.Body.Registrations = registrationViews(s.cfg.Phones.Registrations(user))
		return out, nil
	})
	route(s, needAdmin, huma.Operation{
		OperationID: "list-trunks", Method: http.MethodGet, Path: "/api/trunks", Summary: "State of the outside lines",
	}, func(context.Context, Principal, *struct{}) (*trunksOutput, error) {
		out := &trunksOutput{}
		out.Body.Trunks = append([]TrunkStatus{}, s.cfg.Trunks.TrunkStatuses()...)
		return out, nil
	})
}

func registrationViews(bindings []store.Binding) []Registration {
	list := make([]Registration, 0, len(bindings))
	for _, b := range bindings {
		list = append(list, Registration{
			User: b.User, Device: b.Device, Kind: b.Kind, Transport: b.Transport, Source: b.Source, UserAgent: b.UserAgent,
			Since: b.Registered, Expires: b.Expires,
		})
	}
	return list
}
