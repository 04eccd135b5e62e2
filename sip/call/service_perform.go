package call

import (
	"context"
	"fmt"

	"strowger/sip/call/script"
)

// What a service needs from outside: its script, its voice, the answers to its questions, routing.

// serviceCall says whom the service serves.
func (a *actor) serviceCall() ServiceCall {
	s := &a.state
	c := ServiceCall{Call: s.Start.ID, Service: s.Service.Name, Arg: s.Service.Arg, From: s.Plan.Caller, To: s.to()}
	if caller := s.Caller; caller >= 0 && caller < len(s.Legs) {
		c.User, c.Device = s.Legs[caller].User, s.Legs[caller].Device
	}
	return c
}

func (a *actor) openScript() {
	var sc script.Script
	if services := a.m.cfg.Services; services != nil {
		sc = services.Script(a.serviceCall())
	}
	if sc == nil {
		a.log.Error().Str("service", a.state.Service.Name).Msg("a call was routed to a service that does not exist")
	}
	a.tell(noLeg, ScriptReady{sc})
}

func (a *actor) makePhrases(e MakePhrases) {
	log, speech := a.log, a.m.cfg.Speech
	a.aside(speechTime, PhrasesMade{Token: e.Token}, func(ctx context.Context) What {
		files, err := speech.Phrases(ctx, e.Phrases)
		if err != nil {
			log.Error().Err(err).Msg("a phrase could not be spoken; the caller hears what could be")
		}
		return PhrasesMade{e.Token, files}
	})
}

// askService puts a question. One without a token belongs to a call that is over, and outlives it.
func (a *actor) askService(e AskService) {
	log, services, who := a.log, a.m.cfg.Services, a.serviceCall()
	ask := func(ctx context.Context) What {
		v, err := services.Ask(ctx, ServiceQuestion{who, e.Question})
		if err != nil {
			log.Warn().Err(err).Str("service", who.Service).Str("question", fmt.Sprintf("%T", e.Question)).Msg("a service could not do what it was asked")
			return ServiceSays{Token: e.Token, Err: err.Error()}
		}
		return ServiceSays{Token: e.Token, Value: v}
	}
	if e.Token != 0 {
		a.aside(serviceTime, ServiceSays{Token: e.Token, Err: "failed inside"}, ask)
		return
	}
	a.keep("do what a service asked at its end", func() error {
		ctx, cancel := context.WithTimeout(a.m.ctx, serviceTime)
		defer cancel()
		ask(ctx)
		return nil
	})
}

// decideDial asks routing for what a script dials, in the name of the caller's user.
func (m *Manager) decideDial(a *actor, target string) Planned {
	m.deciding.Lock()
	defer m.deciding.Unlock()
	m.mu.Lock()
	live := m.counts.live(a.use)
	m.mu.Unlock()
	d := m.cfg.Router.Dialled(a.serviceCall().User, target, "", live, a.at)
	return Planned{Plan: d.Plan, Request: d.Request, Direction: d.Direction, To: d.To, Caller: d.Caller, Outside: d.Outside}
}
