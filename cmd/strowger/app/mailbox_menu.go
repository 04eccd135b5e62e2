package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"strowger/cmd/strowger/voicemail"
	"strowger/routing"
	"strowger/sip/call"
	"strowger/sip/call/script"
	"strowger/sip/call/script/mailbox"
	"strowger/store"
)

// mailboxServices are the voice menus of mailboxes, and the answers to what they ask.
func (a *App) mailboxServices(s *services) {
	s.scripts[routing.ServiceVoicemail] = a.ownMenu
	s.scripts[routing.ServiceAnyVoicemail] = func(c call.ServiceCall) script.Script {
		return mailbox.Login{Name: c.Arg, Zone: a.org.zone(), Dials: c.User != ""}
	}
	s.scripts[call.ServiceMailbox] = func(c call.ServiceCall) script.Script {
		return mailbox.Login{Name: c.Arg, Zone: a.org.zone(), Dials: c.User != ""}
	}
	s.scripts[call.ServiceOperator] = func(call.ServiceCall) script.Script {
		return mailbox.Operator{Target: a.org.Company().Operator}
	}
	s.scripts[call.ServiceGreeting] = a.greetingRecorder
	m := menuAnswers{a}
	answer(s, m.find)
	answer(s, m.checkPIN)
	answer(s, m.open)
	answer(s, func(_ context.Context, c call.ServiceCall, q mailbox.Heard) (any, error) {
		_, err := a.boxes.Hear(q.ID, c.User, true)
		return nil, err
	})
	answer(s, func(_ context.Context, _ call.ServiceCall, q mailbox.Save) (any, error) {
		_, err := a.boxes.Save(q.ID, true)
		return nil, err
	})
	answer(s, func(_ context.Context, _ call.ServiceCall, q mailbox.Delete) (any, error) {
		_, err := a.boxes.Delete(q.ID)
		return nil, err
	})
	answer(s, func(_ context.Context, _ call.ServiceCall, q mailbox.Undelete) (any, error) {
		_, err := a.boxes.Undelete(q.ID)
		return nil, err
	})
	answer(s, func(context.Context, call.ServiceCall, mailbox.Draft) (any, error) { return a.boxes.Draft() })
	answer(s, m.reply)
	answer(s, m.forward)
	answer(s, m.greeting)
	answer(s, func(_ context.Context, _ call.ServiceCall, q mailbox.KeepGreeting) (any, error) {
		return nil, a.boxes.KeepGreeting(q.Box, q.Kind, q.File)
	})
	answer(s, func(_ context.Context, _ call.ServiceCall, q mailbox.DeleteGreeting) (any, error) {
		return nil, a.boxes.DeleteGreeting(q.Box, q.Kind)
	})
	answer(s, m.setPIN)
}

// ownMenu is the menu of the caller's own box. Their own phone has shown who it is, so the PIN is asked for only where the
// company wants that.
func (a *App) ownMenu(c call.ServiceCall) script.Script {
	user := cmp.Or(c.Arg, c.User)
	u, ok := a.org.UserByID(user)
	if !ok || !u.HasVoicemail() || c.User != user {
		return mailbox.Login{Name: c.Arg, Zone: a.org.zone(), Dials: c.User != ""}
	}
	m := mailbox.Menu{Box: store.Mailbox{User: user}, Zone: a.org.zone(), Dials: true}
	if a.cfg.Voicemail.OwnPhonePIN {
		has, err := a.boxes.HasPIN(m.Box)
		m.PIN = has || err != nil
	}
	return m
}

// greetingRecorder records the greeting that a user has asked for on the page, whose box was checked there.
func (a *App) greetingRecorder(c call.ServiceCall) script.Script {
	name, kind, _ := strings.Cut(c.Arg, "/")
	box := store.Mailbox{User: name}
	if strings.HasPrefix(name, "+") {
		box = store.Mailbox{Number: name}
	}
	return mailbox.RecordGreeting{Box: box, Kind: kind}
}

// zone is the company's, in which people think of times.
func (o *organisation) zone() *time.Location {
	zone, err := time.LoadLocation(o.Company().Timezone)
	if err != nil {
		return time.UTC // the directory's validation has refused unknown ones
	}
	return zone
}

// menuAnswers answers the menu's longer questions.
type menuAnswers struct{ a *App }

func (m menuAnswers) find(_ context.Context, _ call.ServiceCall, q mailbox.Find) (any, error) {
	return m.a.org.boxNamed(q.Name)
}

func (m menuAnswers) checkPIN(_ context.Context, c call.ServiceCall, q mailbox.CheckPIN) (any, error) {
	err := m.a.boxes.CheckPIN(q.Box, q.PIN)
	for _, known := range []struct {
		err    error
		result mailbox.PINResult
	}{{voicemail.ErrWrongPIN, mailbox.Wrong}, {voicemail.ErrLocked, mailbox.Locked}, {voicemail.ErrNoPIN, mailbox.Without}} {
		if errors.Is(err, known.err) {
			m.a.log.Warn().Str("call_id", c.Call).Str("from", c.From.Number).Stringer("mailbox", q.Box).Err(err).Msg("a mailbox stays closed")
			return known.result, nil
		}
	}
	return mailbox.Right, err
}

func (m menuAnswers) open(_ context.Context, c call.ServiceCall, q mailbox.Open) (any, error) {
	list, err := m.a.boxes.List(q.Box)
	if err != nil {
		return nil, err
	}
	space, err := m.a.boxes.Space(q.Box)
	if err != nil {
		return nil, err
	}
	contents := mailbox.Contents{Box: q.Box, Full: space.Full, Almost: space.Almost}
	for _, vm := range slices.Backward(list) {
		contents.Messages = append(contents.Messages, m.message(vm))
	}
	if c.User == "" || q.Box.User != c.User {
		return contents, nil
	}
	for _, box := range m.a.org.boxesOf(c.User)[1:] {
		n, err := m.a.boxes.Counts(box)
		if err != nil {
			return nil, err
		}
		if n.New > 0 {
			contents.Shared = append(contents.Shared, box)
		}
	}
	return contents, nil
}

func (m menuAnswers) message(vm store.Voicemail) mailbox.Message {
	msg := mailbox.Message{Voicemail: vm, File: m.a.boxes.Path(vm)}
	// What a carrier says of a caller makes nobody a colleague, and no feature code is dialled by it.
	if number, ok := routing.ParseNumber(vm.From, m.a.org.Company().Region); ok {
		msg.CallBack = number
	}
	if u, ok := m.a.org.UserByID(vm.FromUser); ok {
		msg.CallBack, msg.FromUser = u.Extension, u.ID
		if u.HasVoicemail() {
			msg.ReplyTo = u.ID
		}
	}
	return msg
}

// sender is who leaves a message by the menu.
func (m menuAnswers) sender(c call.ServiceCall) voicemail.Sender {
	s := voicemail.Sender{User: c.User, Call: c.Call, Extension: c.From.Number, Name: c.From.Name}
	if u, ok := m.a.org.UserByID(c.User); ok {
		s.Extension, s.Name = cmp.Or(u.Extension, u.ID), u.Name
	}
	return s
}

func (m menuAnswers) reply(_ context.Context, c call.ServiceCall, q mailbox.Reply) (any, error) {
	return nil, m.a.boxes.Send(store.Mailbox{User: q.To}, m.sender(c), q.File)
}

func (m menuAnswers) forward(_ context.Context, c call.ServiceCall, q mailbox.Forward) (any, error) {
	to, err := m.a.org.boxNamed(q.To)
	if err != nil {
		return nil, fmt.Errorf("forward a message: %w", err)
	}
	return nil, m.a.boxes.Forward(q.ID, to, m.sender(c), q.Comment)
}

func (m menuAnswers) greeting(_ context.Context, _ call.ServiceCall, q mailbox.Greeting) (any, error) {
	path, err := m.a.boxes.Greeting(q.Box, q.Kind)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return path, err
}

func (m menuAnswers) setPIN(_ context.Context, c call.ServiceCall, q mailbox.SetPIN) (any, error) {
	err := m.a.boxes.SetPIN(q.Box, q.PIN)
	if errors.Is(err, voicemail.ErrWeakPIN) {
		return false, nil
	}
	if err == nil {
		m.a.log.Info().Str("call_id", c.Call).Stringer("mailbox", q.Box).Msg("the PIN of a mailbox was changed by phone")
	}
	return true, err
}
