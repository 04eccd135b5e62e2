package call

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"strowger/routing"
	"strowger/store"
)

// What a workflow needs from outside: routing, a voice, a web server.

// Times for what is asked.
const (
	speechTime  = 10 * time.Second // for making a sound
	longestHook = 30 * time.Second // for a web server's answer
	serviceTime = 10 * time.Second // for a service's question
)

// walkOn asks routing what follows. Ringing counts the live state as a new decision does.
func (a *actor) walkOn(e WalkOn) WalkAction {
	s := &a.state
	w := Walk{Workflow: s.Walk.Workflow, Numbers: s.Walk.Numbers, Caller: s.Plan.Plan.Caller, User: s.Start.User,
		Last: s.Walk.Action.Action, Key: e.Key, Answer: e.Answer}
	if s.Transfer.Step == TransferRinging {
		w.User = s.Legs[s.Transfer.By].User
	}
	if w.Caller == "" {
		w.Caller = s.Plan.Caller.Number
	}
	a.m.deciding.Lock()
	defer a.m.deciding.Unlock()
	a.m.mu.Lock()
	live := a.m.counts.live(a.use)
	a.m.mu.Unlock()
	return a.m.cfg.Workflows.Next(w, live, a.at)
}

// aside does what may take its time on a goroutine of its own; it ends with the call at the latest.
func (a *actor) aside(limit time.Duration, otherwise What, f func(ctx context.Context) What) {
	log := a.log
	a.m.wg.Go(func() {
		ctx, cancel := context.WithTimeout(a.ctx, limit)
		defer cancel()
		says := otherwise
		defer func() {
			if p := recover(); p != nil {
				log.Error().Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("a question of a call failed inside")
			}
			a.tell(noLeg, says)
		}()
		says = f(ctx)
	})
}

// makeSound finds the file of a prompt, or has it spoken.
func (a *actor) makeSound(e MakeSound) {
	act := a.state.Walk.Action
	if act.Kind == routing.ActPlay {
		file := a.m.cfg.Speech.Prompt(act.File)
		if file == "" {
			a.log.Warn().Str("file", act.File).Str("workflow", a.state.Walk.Workflow).Msg("no such prompt; put it into the data folder's prompts")
		}
		a.tell(noLeg, SoundMade{e.Token, file})
		return
	}
	text := act.Text
	if act.Kind == routing.ActMenu {
		text = act.Prompt
	}
	a.say(e.Token, text)
}

func (a *actor) makeWhisper(e MakeWhisper) {
	number := a.state.to()
	if st := a.state.stage(); st != nil && st.Number != "" {
		number = st.Number
	}
	a.say(e.Token, a.m.cfg.Router.Whisper(number, a.state.Plan.Caller))
}

// say makes a sound of a text, which may also be the name of a prompt.
func (a *actor) say(token int, text string) {
	speech := a.m.cfg.Speech
	if file := speech.Prompt(text); file != "" || text == "" {
		a.tell(noLeg, SoundMade{token, file})
		return
	}
	log := a.log
	a.aside(speechTime, SoundMade{Token: token}, func(ctx context.Context) What {
		file, err := speech.Say(ctx, text)
		if err != nil {
			log.Error().Err(err).Msg("a text could not be spoken; the party hears a beep instead")
		}
		return SoundMade{token, file}
	})
}

// askWeb asks the web server of a webhook node.
func (a *actor) askWeb(e AskWeb) {
	s := &a.state
	act := s.Walk.Action
	q := Question{URL: act.URL, Call: s.Start.ID, Workflow: s.Walk.Workflow, Node: act.Node, From: s.Plan.Caller.Number,
		FromName: s.Plan.Caller.Name, FromUser: s.Start.User, To: s.to(), Source: s.Source, Tag: s.Tag}
	limit := min(max(time.Duration(act.Seconds)*time.Second, time.Second), longestHook)
	log, ask := a.log, a.m.cfg.Workflows.Ask
	a.aside(limit, WebSays{Token: e.Token, Err: "failed inside"}, func(ctx context.Context) What {
		node, err := ask(ctx, q)
		if err != nil {
			log.Warn().Err(err).Str("workflow", q.Workflow).Str("node", q.Node).Msg("the web server of a workflow gave no usable answer")
			return WebSays{Token: e.Token, Err: err.Error()}
		}
		return WebSays{Token: e.Token, Node: node}
	})
}

// decideTransfer asks routing for the target of a transfer, in the name of the transferor. Colleagues see who is being
// transferred to them; the outside sees a number of ours.
func (m *Manager) decideTransfer(a *actor, e DecideTransfer) Planned {
	m.deciding.Lock()
	defer m.deciding.Unlock()
	m.mu.Lock()
	live := m.counts.live(a.use)
	m.mu.Unlock()
	s, r := &a.state, m.cfg.Router
	d := r.Dialled(s.Legs[e.By].User, e.Target, "", live, a.at)
	p := Planned{Plan: d.Plan, Request: d.Request, Direction: d.Direction, To: d.To, Caller: d.Caller, Outside: d.Outside}
	if d.Direction == store.Outbound || s.Transfer.Consult {
		return p
	}
	moved := s.Caller
	if e.By == s.Caller {
		moved = s.Peer
	}
	if moved == 0 && s.Start.User == "" {
		p.Caller = s.first().Caller
	} else {
		p.Caller = Party{Number: s.Legs[moved].Peer, Name: r.ContactName(s.Legs[moved].Peer)}
	}
	return p
}
