package call

import "strowger/store"

// An answer, and what may happen while the parties talk.

func (m *machine) answered(i int, w PeerAnswered) {
	leg := &m.Legs[i]
	if m.Room.Kind == RoomPage && m.Phase == Up && i != m.Caller && leg.Phase <= LegRinging {
		m.paged(i, w)
		return
	}
	if m.Phase != Ringing || i == m.Caller || leg.Phase > LegRinging {
		return
	}
	leg.Codecs, leg.Direction, leg.Answer, leg.Code = w.Codecs, w.Direction, m.at, 200
	switch {
	case leg.CallConnect:
		leg.Phase = LegConfirming
		m.note(i, "answered, is asked to press 1")
		m.start(&leg.Timer, confirmTime)
		m.part(i)
		m.Gen++
		leg.Token = m.Gen
		m.do(MakeWhisper{i, leg.Token})
	default:
		m.connect(i)
	}
}

// connect joins the caller with the leg that won.
func (m *machine) connect(i int) {
	if m.Stage < 0 {
		m.callerPickedUp(i)
		return
	}
	leg := &m.Legs[i]
	m.note(i, "answered")
	m.stop(&m.RingTimer)
	m.hangupOthers(i)
	m.stopRingback()
	leg.Phase = LegUp
	m.accept(answerWith(m.Offered, leg.Codecs, m.Start.Codecs))
	if m.Peer != i {
		m.do(Bridge{m.Caller, i})
		m.Peer = i
	}
	if leg.AutoAnswer { // nobody listens to a room unnoticed
		m.play(i, Beep, "")
	}
	m.endWalk("answered by " + leg.Peer)
	m.Phase = Up
	m.transferDone("answered")
	if !m.AnswerAt.IsZero() {
		return
	}
	m.AnswerAt, m.AnsweredBy = m.at, leg.User
	if leg.User == "" {
		m.AnsweredBy = leg.Peer
	}
}

// callerPickedUp: a device of the user who originates the call is the caller from now on.
func (m *machine) callerPickedUp(i int) {
	m.stop(&m.RingTimer)
	m.hangupOthers(i)
	leg := &m.Legs[i]
	leg.Phase, leg.Stage = LegUp, -1
	m.Caller, m.Final = i, 200
	m.Offered = leg.Codecs
	m.note(i, "picked up, calls")
	m.enterStage(0)
}

func (m *machine) hangupOthers(winner int) {
	for k := range m.Legs {
		if k != winner && m.rings(k) {
			m.note(k, "stopped: answered elsewhere")
			m.hangup(k, AnsweredElsewhere)
		}
	}
}

// accept gives the caller its 200, unless it has been answered.
func (m *machine) accept(codecs []string) {
	if m.Final != 0 {
		return
	}
	if m.Committed != nil {
		codecs = m.Committed
	}
	c := m.callerLeg()
	m.stopRingback()
	m.Final = 200
	c.Phase, c.Answer, c.Codecs, c.Code = LegAnswered, m.at, codecs, 200
	m.do(Accept{m.Caller, codecs})
}

// other is the leg at the other end of the bridge, -1 = none.
func (s *State) other(i int) int {
	switch {
	case s.Peer == 0:
		return -1
	case i == s.Caller:
		return s.Peer
	case i == s.Peer:
		return s.Caller
	}
	return -1
}

// reoffered answers a re-INVITE for this side alone: a change of codec or direction is no matter of the other side's.
func (m *machine) reoffered(i int, w PeerReoffered) {
	leg := &m.Legs[i]
	early := w.Codecs != nil && leg.Phase <= LegRinging // in a PRACK or UPDATE, before the 200
	switch {
	case leg.Phase.talking():
	case early && i == m.Caller && m.Committed != nil && leg.Phase == LegRinging:
		m.Committed = w.Codecs
	case early && i != m.Caller && m.Phase == Ringing:
	default:
		m.do(RejectReoffer{i, 491})
		return
	}
	codecs := w.Codecs
	if k := m.other(i); codecs != nil && k >= 0 {
		if fit := both(codecs, m.Legs[k].Codecs); len(fit) > 0 {
			codecs = fit
		}
	}
	if codecs == nil {
		codecs = leg.Codecs // the peer wants our offer: what was agreed before
	} else {
		leg.Codecs = codecs
	}
	held := leg.held()
	if w.Direction != "" {
		leg.Direction = w.Direction
	}
	m.do(AcceptReoffer{i, codecs, w.Codecs == nil})
	if leg.held() && !held {
		m.note(i, "holds")
	} else if held && !leg.held() {
		m.note(i, "resumes")
	}
}

func (m *machine) digit(i int, w PeerDigit) {
	leg := &m.Legs[i]
	switch {
	case leg.Phase == LegConfirming && w.Digit == '1':
		m.stop(&leg.Timer)
		leg.Token = 0
		m.stopPlay(i)
		m.note(i, "pressed 1")
		m.connect(i)
	case leg.Phase == LegConfirming:
		m.note(i, "pressed %c instead of 1", w.Digit)
		m.drop(i, 480, Reason{"SIP", 480, "Not confirmed"})
	case i == m.Caller && m.Phase == Ringing && m.Walk.busy():
		m.pressed(w.Digit)
	case leg.In:
		m.memberKey(i, w.Digit)
	case i == m.Caller && m.Service.busy():
		m.serviceKey(w.Digit)
	case i == m.Caller && m.VM.Step != VMNone:
		m.voicemailDigit(w.Digit)
	case m.Keying.On && i == m.Keying.By:
		m.keyed(w.Digit)
	case m.consulting() && i == m.Transfer.By && w.Digit == '*':
		m.takeBack()
	case m.Phase == Up && m.other(i) >= 0:
		if !w.Relayed {
			m.do(PassDigit{m.other(i), w.Digit, w.Millis})
		}
		m.watchCode(i, w.Digit)
	}
}

func (m *machine) mediaBroken(i int, w MediaBroken) {
	leg := &m.Legs[i]
	r := Reason{"SIP", w.Code, w.Why}
	switch {
	case leg.In:
		m.memberLost(i, r)
	case m.consulting() && leg.Phase == LegUp && (m.aside(i) || i == m.Transfer.By || i == m.Peer && m.Transfer.Step == TransferConsult):
		m.note(i, "media: %s", w.Why)
		m.hangup(i, r)
		m.consultLeft(i)
	case m.aside(i):
		m.note(i, "media: %s; the transfer goes on", w.Why)
		m.hangup(i, r)
	case i == m.Caller:
		e := ending{disposition: store.Failed, by: "caller", why: "the caller's media: " + w.Why, code: w.Code, toCaller: r}
		if w.Code >= 500 {
			e.by, e.why = "us", w.Why
		}
		if w.Code != 488 && !m.AnswerAt.IsZero() {
			e.disposition = store.Answered
		}
		m.over(e)
	case leg.Phase == LegUp || leg.Phase == LegAnswered:
		m.over(ending{disposition: store.Answered, by: "callee", why: "the callee's media: " + w.Why, toCaller: r, others: r})
	default:
		m.note(i, "media: %s", w.Why)
		m.drop(i, w.Code, r)
	}
}

// quiet ends a call whose party has vanished. A party that holds or is held may be silent.
func (m *machine) quiet(i int) {
	k := m.other(i)
	if m.Phase == Up && i == m.Caller && m.Service.busy() && !m.Legs[i].held() {
		m.over(ending{disposition: m.soFar(), by: "caller", why: "no audio from " + m.Legs[i].Peer, toCaller: Reason{"SIP", 408, "No audio"}})
		return
	}
	if leg := &m.Legs[i]; m.Phase == Up && leg.In && !leg.held() && m.Room.Kind != RoomPage {
		m.memberLost(i, Reason{"SIP", 408, "No audio"})
		return
	}
	if m.Phase != Up || k < 0 || m.Legs[i].held() || m.Legs[k].held() || m.Legs[i].OnHold || m.Legs[k].OnHold {
		return
	}
	by := "callee"
	if i == m.Caller {
		by = "caller"
	}
	r := Reason{"SIP", 408, "No audio"}
	m.over(ending{disposition: m.soFar(), by: blame(&m.Legs[i], by, 408, r), why: "no audio from " + m.Legs[i].Peer,
		toCaller: r, others: r})
}
