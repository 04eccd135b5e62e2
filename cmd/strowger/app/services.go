package app

import (
	"context"
	"fmt"

	"strowger/routing"
	"strowger/sip/call"
	"strowger/sip/call/script"
)

// services are the voice applications behind feature codes.
type services struct {
	scripts map[string]func(call.ServiceCall) script.Script
	// answers are by the type of question, see answer.
	answers []func(context.Context, call.ServiceQuestion) (value any, mine bool, err error)
}

// services makes all of them.
func (a *App) services() *services {
	s := &services{scripts: map[string]func(call.ServiceCall) script.Script{
		routing.ServiceEcho: func(call.ServiceCall) script.Script { return script.EchoTest{} },
	}}
	f := a.features()
	f.register(s)
	a.mailboxServices(s)
	return s
}

// Script implements call.Services.
func (s *services) Script(c call.ServiceCall) script.Script {
	if f := s.scripts[c.Service]; f != nil {
		return f(c)
	}
	return nil
}

// Ask implements call.Services.
func (s *services) Ask(ctx context.Context, q call.ServiceQuestion) (any, error) {
	for _, f := range s.answers {
		if value, mine, err := f(ctx, q); mine {
			return value, err
		}
	}
	return nil, fmt.Errorf("nobody answers a %T of the service %s", q.What, q.Service)
}

// answer lets f answer the questions of type Q.
func answer[Q any](s *services, f func(ctx context.Context, c call.ServiceCall, q Q) (any, error)) {
	s.answers = append(s.answers, func(ctx context.Context, q call.ServiceQuestion) (any, bool, error) {
		what, mine := q.What.(Q)
		if !mine {
			return nil, false, nil
		}
		value, err := f(ctx, q.ServiceCall, what)
		return value, true, err
	})
}
