package web

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

// AlertRecording is the kind of alerts about calls that could not be recorded, or not wholly.
const AlertRecording = "recording"

// Alert is something that an operator should do something about. There is one of each kind at most: the last, and how
// often it happened since it was last dismissed.
type Alert struct {
	Kind   string    `json:"kind" enum:"recording"`
	At     time.Time `json:"at" doc:"When it happened last"`
	Times  int       `json:"times" doc:"How often since somebody dismissed it, or the server started"`
	Call   string    `json:"call,omitempty" doc:"Id of the call where it happened last"`
	Text   string    `json:"text"`
	Remedy string    `json:"remedy"`
}

// AlertEvent (alert): something that owners and admins should know.
type AlertEvent struct {
	Alert Alert `json:"alert"`
	Gone  bool  `json:"gone" doc:"Somebody has dismissed it"`
}

// alerts are those that nobody has dismissed. They end with the process: what lasts happens again.
type alerts struct {
	mu   sync.Mutex
	list []Alert // by kind
}

func (l *alerts) put(a Alert) Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Times = 1
	i := slices.IndexFunc(l.list, func(o Alert) bool { return o.Kind == a.Kind })
	if i < 0 {
		l.list = append(l.list, a)
		return a
	}
	a.Times += l.list[i].Times
	l.list[i] = a
	return a
}

func (l *alerts) drop(kind string) (a Alert, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(o Alert) bool {
		if o.Kind == kind {
			a, ok = o, true
		}
		return o.Kind == kind
	})
	return a, ok
}

func (l *alerts) all() []Alert {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Alert{}, l.list...)
}

// Alarm tells owners and admins of something that they should act on; Times and At are filled in. It never blocks.
func (s *Server) Alarm(a Alert) {
	a.At = time.Now().UTC()
	a = s.alerts.put(a)
	s.hub.publish(func(p Principal) bool { return p.Admin }, func() any { return AlertEvent{Alert: a} })
}

type alertsOutput struct {
	Body struct {
		Alerts []Alert `json:"alerts"`
	}
}

type alertInput struct {
	Kind string `path:"kind" maxLength:"40"`
}

func (s *Server) alertRoutes() {
	route(s, needAdmin, huma.Operation{
		OperationID: "list-alerts", Method: http.MethodGet, Path: "/api/alerts", Summary: "What an operator should know",
		Description: "What nobody has dismissed yet, one of a kind. It is forgotten when the server restarts.",
	}, func(context.Context, Principal, *struct{}) (*alertsOutput, error) {
		out := &alertsOutput{}
		out.Body.Alerts = s.alerts.all()
		return out, nil
	})
	route(s, needAdmin, huma.Operation{
		OperationID: "dismiss-alert", Method: http.MethodDelete, Path: "/api/alerts/{kind}", Summary: "Dismiss an alert",
		Description: "For all owners and admins. It comes back when it happens again.", Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, _ Principal, in *alertInput) (*struct{}, error) {
		a, ok := s.alerts.drop(in.Kind)
		if !ok {
			return nil, store.ErrNotFound
		}
		s.hub.publish(func(p Principal) bool { return p.Admin }, func() any { return AlertEvent{Alert: a, Gone: true} })
		return nil, nil
	})
}
