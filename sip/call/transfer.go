package call

import (
	"slices"
	"time"

	"strowger/routing"
	"strowger/store"
)

// Blind transfer (RFC 3515, RFC 5589 §5): one party names another whom the one it talks to shall talk to instead. The target
// is rung as if the transferor had dialled it, while the transferred party hears ringing and the transferor stands aside.
// When nobody answers, the two talk again; when the transferor has hung up meanwhile, its user is rung.

// TransferStep is where a transfer stands.
type TransferStep int

// The steps of a transfer.
const (
	TransferNone    TransferStep = iota
	TransferAsking               // routing is asked for the target; the parties still talk
	TransferRinging              // the target rings
	TransferConsult              // the transferor talks to the target first
)

// Transfer is a transfer under way.
type Transfer struct {
	Step     TransferStep
	By       int  // the transferor's leg
	Refer    bool // it asked by REFER, and is told how it goes
	Token    int  // of the command that asked, until it is answered
	Park     bool // the target must be an orbit
	Target   string
	Replaces string // for the INVITE to the target
	From     string // the call that the transferred party came from, and that waits for the outcome, "" = none
	Header   string // Referred-By, as the transferor sent it (RFC 3892), "" = none
	// Consult: the transferor talks to the target first, while leg Held waits.
	Consult bool
	Held    int
	Recall  bool    // the target did not answer: the transferor, who had hung up, is rung
	Turns   int     // Recall of a party that was parked on Target: how often
	Plan    Planned // how the call was before: its plan, its stage and who talked to whom
	Stage   int
	Caller  int
	Peer    int
}

// recallTime is how long a transferor rings whose transfer failed.
const recallTime = 30 * time.Second

// first is the plan that the call began with.
func (s *State) first() *Planned {
	if s.First.Direction != "" {
		return &s.First
	}
	return &s.Plan
}

// aside reports whether leg i waits for the outcome of its transfer, or is left behind while the other one is on its way to
// another call.
func (m *machine) aside(i int) bool {
	if m.Handing.To != "" && m.Phase == Up && m.Legs[i].Phase == LegUp {
		return true
	}
	if m.consulting() {
		return i == m.Transfer.Held && m.Legs[i].Phase == LegUp
	}
	return m.Transfer.Step == TransferRinging && i == m.Transfer.By && m.Legs[i].Phase == LegUp
}

// rings reports whether leg i is one of those that the call rings.
func (m *machine) rings(i int) bool {
	return i != m.Caller && m.Legs[i].Phase.live() && !m.aside(i)
}

func (m *machine) referred(i int, w PeerReferred) {
	k := m.other(i)
	switch {
	case m.Phase != Up || k < 0 || m.Legs[i].Phase != LegUp || m.Legs[k].Phase != LegUp || m.Legs[i].User == "":
		m.note(i, "asked for a transfer that cannot be done now")
		m.do(ReferProgress{i, 480, phrase(480)})
	case m.Transfer.Step != TransferNone:
		m.do(ReferProgress{i, 480, phrase(480)})
	case w.Attended:
		m.attend(i, k, w.With)
	default:
		m.Transfer = Transfer{Step: TransferAsking, By: i, Refer: true, Target: w.Target, Header: w.By, Replaces: w.Replaces}
		m.note(i, "transfers %s to %s", m.Legs[k].Peer, w.Target)
		m.do(DecideTransfer{i, w.Target})
	}
}

func (m *machine) transferPlanned(w Planned) {
	t := &m.Transfer
	if t.Step != TransferAsking {
		return
	}
	k := m.other(t.By)
	end := w.Plan.End
	refused := len(w.Plan.Stages) == 0 && (!takes(end) || t.Consult) || t.Consult && hasWorkflow(&w)
	switch {
	case m.Phase != Up || k < 0 || m.Legs[t.By].Phase != LegUp: // it ended in between
		m.tellTransferor(487, phrase(487))
		m.Transfer = Transfer{}
	case t.Park && (end == nil || end.Action != routing.EndService || end.Service != routing.ServiceOrbit):
		m.tellTransferor(404, t.Target+" is no orbit")
		m.Transfer = Transfer{}
	case personal(end):
		m.note(t.By, "the transfer to %s is refused: it changes what belongs to %s", t.Target, m.Legs[k].name())
		m.tellTransferor(403, phrase(403))
		m.Transfer = Transfer{}
	case refused:
		code, why := 480, phrase(480)
		if end != nil && end.Code >= 400 {
			code, why = end.Code, phrase(end.Code)
		}
		m.note(t.By, "the transfer to %s is refused: %d %s", t.Target, code, why)
		m.tellTransferor(code, why)
		m.Transfer = Transfer{}
	default:
		m.beginTransfer(k, asked(w))
	}
}

// personal reports whether a plan ends in a service that acts for whoever it talks to. Nobody may send others there: a
// colleague would forward its calls to wherever the transferor likes.
func personal(end *routing.End) bool {
	if end == nil || end.Action != routing.EndService {
		return false
	}
	switch end.Service {
	case routing.ServiceDNDOn, routing.ServiceDNDOff, routing.ServiceForwardOn, routing.ServiceForwardOff, routing.ServiceRedial:
		return true
	}
	return false
}

// asked is a plan whose phones ring: by an intercom one lets oneself be heard, not others.
func asked(w Planned) Planned {
	w.Plan.Stages = slices.Clone(w.Plan.Stages)
	for i := range w.Plan.Stages {
		w.Plan.Stages[i].AutoAnswer = false
	}
	return w
}

// hasWorkflow reports whether a plan may let a machine answer.
func hasWorkflow(p *Planned) bool {
	return slices.ContainsFunc(p.Plan.Stages, func(s routing.Stage) bool { return s.Workflow != "" })
}

// tellTransferor tells who asked for the transfer how it goes: a phone all of it, a command whether it will be done.
func (m *machine) tellTransferor(code int, text string) {
	t := &m.Transfer
	if t.From != "" && code >= 200 {
		m.do(Settle{t.From, code})
		t.From = ""
	}
	if t.Refer && m.Legs[t.By].Phase == LegUp {
		m.do(ReferProgress{t.By, code, text})
	}
	if t.Token == 0 || t.Park && code < 200 { // whether the orbit is free is not known yet
		return
	}
	var err error
	if code >= 300 {
		err = ErrNotNow(text)
	}
	m.do(Reply{t.Token, err})
	t.Token = 0
}

// beginTransfer parts the two and rings the target for leg k.
func (m *machine) beginTransfer(k int, w Planned) {
	t := &m.Transfer
	t.Step, t.Plan, t.Stage, t.Caller, t.Peer = TransferRinging, m.Plan, m.Stage, m.Caller, m.Peer
	if m.First.Direction == "" {
		m.First = m.Plan
	}
	m.part(k)
	m.carrierAgain(false)
	m.Caller, m.Plan = k, w
	if t.Consult {
		m.Caller, t.Held = t.By, k
	}
	m.music() // nobody is on hold any more: ringing is heard instead
	m.Offered, m.Committed = m.Legs[m.Caller].Codecs, nil
	m.Worst, m.WorstOf = 0, Reason{}
	m.tellTransferor(180, "Ringing")
	m.enterStage(0)
}

// transferDone: the target has answered, or a machine in its place. The transferor is let go.
func (m *machine) transferDone(how string) {
	t := m.Transfer
	if t.Step != TransferRinging {
		return
	}
	if t.Consult {
		m.consulted()
		return
	}
	m.note(noLeg, "the transfer to %s is done: %s", t.Target, how)
	m.Carrier.Due = true
	m.tellTransferor(200, "OK")
	if m.aside(t.By) {
		m.Transfer = Transfer{}
		m.hangup(t.By, Reason{"SIP", 200, "Transferred"})
	}
	m.Transfer = Transfer{}
}

// transferFailed brings the transferor back.
func (m *machine) transferFailed() {
	t := m.Transfer
	code, why := m.Worst, orText(m.WorstOf, phrase(m.Worst))
	if code == 0 {
		code, why = 480, phrase(480)
	}
	by := &m.Legs[t.By]
	m.stopRingback()
	m.tellTransferor(code, why)
	switch {
	case by.Phase == LegUp:
		m.Transfer = Transfer{} // who waited waits no more
		m.note(t.By, "the transfer to %s failed: %d %s; it has the call back", t.Target, code, why)
		m.Transfer = Transfer{}
		m.Plan, m.Stage, m.Caller, m.Peer, m.Phase = t.Plan, t.Stage, t.Caller, t.Peer, Up
		m.music()
		m.do(Bridge{m.Caller, m.Peer})
	case t.Recall && t.Turns > 0:
		m.parkAgain()
	case t.Recall:
		m.Transfer = Transfer{}
		m.over(ending{disposition: m.soFar(), by: "us", why: "the transfer to " + t.Target + " failed, and " + by.User + " did not answer",
			code: 480, toCaller: Reason{"SIP", code, why}})
	default:
		m.note(noLeg, "the transfer to %s failed: %d %s; %s, who made it, is rung", t.Target, code, why, by.User)
		m.Transfer.Recall, m.Transfer.Replaces = true, ""
		m.Plan.Plan = routing.Plan{Stages: []routing.Stage{{Step: "recall", RingSeconds: int(recallTime.Seconds()), Targets: []routing.Target{
			{User: by.User, Via: []string{store.Browser, store.Desk, store.Mobile}}}}}}
		m.enterStage(0)
	}
}

// transferOver: the call ended before the transfer did.
func (m *machine) transferOver() {
	if m.Transfer.Step != TransferNone {
		m.tellTransferor(487, phrase(487))
	}
	m.Transfer = Transfer{}
}
