package call

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Commands: what people ask of a call over the API and the page. They are events like any other; the machine says at once
// whether it will, or, for a transfer, as soon as it is known whom it goes to.

// Errors of commands, besides ErrNoCall.
var ErrNotInCall = errors.New("this user does not talk in this call")

// ErrNotNow says why a call cannot do what it is asked for in its present state. It is worded for people.
type ErrNotNow string

// Error implements error.
func (e ErrNotNow) Error() string { return "not now: " + string(e) }

// Command is one of the types below. User is on whose behalf it is given; "" is an administrator, who acts for whichever user
// is on the call.
type Command interface{ command() }

// The commands.
type (
	// Hold stops the sound of the user's device, and lets the other party hear music. Nothing is signalled to anybody.
	Hold struct{ User string }

	// Resume ends a Hold.
	Resume struct{ User string }

	// TransferTo lets the other party talk to Target, as dialled, instead (blind transfer).
	TransferTo struct{ User, Target string }

	// Complete joins the other party of this call with the other party of the user's call With (attended transfer). The error
	// comes when that call would not have it; all is then as before.
	Complete struct{ User, With string }

	// ParkOn puts the other party on an orbit.
	ParkOn struct{ User, Orbit string }

	// SendDigits presses keys for the user: 0-9 * # A-D, 64 at most.
	SendDigits struct{ User, Digits string }

	// PlayTo plays a prompt, by the name that an administrator gave it, to a leg; the other party does not hear it.
	PlayTo struct {
		Leg    string // LegSnapshot.ID
		Prompt string
		file   string
	}

	// HangupLeg ends one leg. A call that talks over it is over.
	HangupLeg struct{ Leg string }
)

func (Hold) command()       {}
func (Resume) command()     {}
func (TransferTo) command() {}
func (Complete) command()   {}
func (ParkOn) command()     {}
func (SendDigits) command() {}
func (PlayTo) command()     {}
func (HangupLeg) command()  {}

// maxDigits of one command.
const maxDigits = 64

// order is the letter that brings a command to its call.
type order struct {
	command Command
	reply   chan<- error // has room for the answer
}

// Control gives a command to a call and returns what the call says. It blocks until then, or until ctx is done. The error is
// ErrNoCall, ErrNotInCall, an ErrNotNow, or ctx's.
func (m *Manager) Control(ctx context.Context, id string, c Command) error {
	switch w := c.(type) {
	case Complete:
		if m.actor(w.With) == nil || w.With == id {
			return fmt.Errorf("the call to join: %w", ErrNoCall)
		}
	case Merge:
		if m.actor(w.With) == nil || m.actor(id) == nil || w.With == id {
			return fmt.Errorf("the call to merge: %w", ErrNoCall)
		}
		id, c = w.With, mergeInto{w.User, id}
	case PlayTo:
		if w.file = m.cfg.Speech.Prompt(w.Prompt); w.file == "" {
			return ErrNotNow(fmt.Sprintf("there is no prompt %q", w.Prompt))
		}
		c = w
	}
	a := m.actor(id)
	reply := make(chan error, 1)
	if a == nil || !a.mail.post(letter{what: order{c, reply}}) {
		return ErrNoCall
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return fmt.Errorf("call %s did not answer: %w", id, ctx.Err())
	}
}

// ordered makes the machine's event of a command.
func (a *actor) ordered(o order) What {
	a.orders++
	if a.replies == nil {
		a.replies = map[int]chan<- error{}
	}
	a.replies[a.orders] = o.reply
	return Commanded{a.orders, o.command}
}

func (a *actor) reply(e Reply) {
	if c := a.replies[e.Token]; c != nil {
		c <- e.Err
		delete(a.replies, e.Token)
	}
}

// replyAll answers those who still wait when the call is over.
func (a *actor) replyAll() {
	for token := range a.replies {
		a.reply(Reply{token, ErrNoCall})
	}
}

// commanded does what it is told, or says why not.
func (m *machine) commanded(w Commanded) {
	later, err := m.obey(w)
	if err != nil || !later {
		m.do(Reply{w.Token, err})
	}
}

// obey reports whether the reply comes later.
func (m *machine) obey(w Commanded) (later bool, err error) {
	if m.Start.ID == "" || m.Phase == Over {
		return false, ErrNoCall
	}
	switch c := w.Command.(type) {
	case Hold:
		return false, m.hold(c.User, true)
	case Resume:
		return false, m.hold(c.User, false)
	case Answer:
		return false, m.pickUpFor(c)
	case TransferTo:
		return m.transferBy(w.Token, c.User, c.Target, false)
	case ParkOn:
		return m.transferBy(w.Token, c.User, c.Orbit, true)
	case Complete:
		return m.complete(w.Token, c)
	case SendDigits:
		return false, m.sendDigits(c)
	case PlayTo:
		return false, m.playTo(c)
	case HangupLeg:
		return false, m.hangupLeg(c.Leg)
	case mergeInto:
		return m.mergeInto(w.Token, c)
	case RecordCall:
		return false, m.record(c.User, c.Do)
	case Mute, Kick, Lock:
		return false, m.obeyRoom(c)
	}
	return false, ErrNotNow("nobody here knows this command")
}

// talks finds the leg on whose behalf a command is given, and the one at the other end.
func (m *machine) talks(user string) (i, other int, err error) {
	if m.Phase != Up || m.Peer == 0 {
		if user != "" && !m.has(user) {
			return noLeg, noLeg, ErrNotInCall
		}
		if m.Room.Kind != RoomNone {
			return noLeg, noLeg, ErrNotNow("this is a conference; it can neither be transferred nor parked")
		}
		return noLeg, noLeg, ErrNotNow("nobody talks in this call")
	}
	for _, i := range []int{m.Peer, m.Caller} {
		if l := &m.Legs[i]; l.User != "" && (user == "" || l.User == user) {
			k := m.other(i)
			if l.Phase != LegUp || m.Legs[k].Phase != LegUp {
				return noLeg, noLeg, ErrNotNow("the call is just being answered")
			}
			return i, k, nil
		}
	}
	return noLeg, noLeg, ErrNotInCall
}

func (m *machine) has(user string) bool {
	for i := range m.Legs {
		if m.Legs[i].User == user && m.Legs[i].Phase.live() {
			return true
		}
	}
	return false
}

// hold holds for a party that has not done so itself, or ends that.
func (m *machine) hold(user string, on bool) error {
	i, _, err := m.talks(user)
	if err != nil {
		return err
	}
	l := &m.Legs[i]
	switch {
	case !on && !l.OnHold && l.held():
		return ErrNotNow("the phone itself holds the call")
	case on && !l.OnHold:
		m.note(i, "is put on hold")
	case !on && l.OnHold:
		m.note(i, "is taken back from hold")
	}
	l.OnHold = on
	return nil
}

// transferBy is a blind transfer, to an orbit or wherever.
func (m *machine) transferBy(token int, user, target string, park bool) (later bool, err error) {
	i, k, err := m.talks(user)
	switch {
	case err != nil:
		return false, err
	case m.Transfer.Step != TransferNone:
		return false, ErrNotNow("the call is being transferred")
	case target == "" || len(target) > 128:
		return false, ErrNotNow("there is nobody named to transfer to")
	}
	m.Transfer = Transfer{Step: TransferAsking, By: i, Target: target, Token: token, Park: park}
	m.note(i, "transfers %s to %s", m.Legs[k].Peer, target)
	m.do(DecideTransfer{i, target})
	return true, nil
}

// complete is an attended transfer.
func (m *machine) complete(token int, c Complete) (later bool, err error) {
	i, k, err := m.talks(c.User)
	switch {
	case err != nil:
		return false, err
	case m.Transfer.Step != TransferNone:
		return false, ErrNotNow("the call is being transferred")
	}
	m.note(i, "transfers %s to its other call", m.Legs[k].Peer)
	m.yield(k, Place{Call: c.With, User: m.Legs[i].User}, HowTransfer, noLeg)
	m.Handing.Token = token
	return true, nil
}

func (m *machine) sendDigits(c SendDigits) error {
	i, k, err := m.talks(c.User)
	switch {
	case err != nil:
		return err
	case c.Digits == "" || len(c.Digits) > maxDigits || strings.Trim(c.Digits, "0123456789*#ABCD") != "":
		return ErrNotNow("keys are 0-9, *, # and A-D, up to 64 at once")
	}
	m.note(i, "sends %d keys", len(c.Digits))
	for _, d := range []byte(c.Digits) {
		m.do(PassDigit{k, d, 100})
	}
	return nil
}

func (m *machine) playTo(c PlayTo) error {
	i := m.named(c.Leg)
	switch {
	case i < 0:
		return ErrNotInCall
	case m.Phase != Up || m.other(i) < 0 || m.Legs[i].Phase != LegUp:
		return ErrNotNow("the party does not talk")
	case m.Legs[i].Music || m.Legs[i].Quiet:
		return ErrNotNow("the call is on hold")
	}
	m.note(i, "is played %s", c.Prompt)
	m.play(i, Spoken, c.file)
	return nil
}

// hangupLeg ends a leg: one that rings alone, one that talks with the call.
func (m *machine) hangupLeg(id string) error {
	i := m.named(id)
	r := Reason{"SIP", 480, "Ended by operator"}
	switch {
	case i < 0:
		return ErrNotInCall
	case m.Legs[i].In || m.Room.Kind == RoomPage:
		m.note(i, "ended by us")
		m.hangup(i, r)
	case m.consulting() && m.Legs[i].Phase == LegUp && (m.aside(i) || i == m.Transfer.By || i == m.Peer && m.Transfer.Step == TransferConsult):
		m.note(i, "ended by us")
		m.hangup(i, r)
		m.consultLeft(i)
	case m.aside(i):
		m.note(i, "ended by us; the transfer goes on")
		m.hangup(i, r)
		m.consultLeft(i)
	case m.rings(i) && m.Phase == Ringing:
		m.note(i, "ended by us")
		m.drop(i, 480, r)
	default:
		m.hangupCall(r)
	}
	return nil
}

// named finds a live leg by its name.
func (m *machine) named(id string) int {
	for i := range m.Legs {
		if m.Legs[i].ID == id && m.Legs[i].Phase.live() {
			return i
		}
	}
	return noLeg
}
