package call

import (
	"strconv"
	"time"

	"strowger/routing"
	"strowger/store"
)

// The caller's side: from the INVITE to the first stage, and its going away.

func (m *machine) started(w Started) {
	if m.Start.ID != "" {
		return
	}
	m.Start = w
	if w.RoomMax > 0 && w.Refuse == 0 {
		m.openRoom(w)
		return
	}
	if w.Originate || w.RoomMax > 0 {
		m.Caller, m.Stage = -1, -1
	} else {
		m.Legs = []LegState{{
			ID: m.newLegID(), Called: true, Allowed: w.Codecs, Stage: -1, Peer: w.From.Number, User: w.User, Party: w.From, Device: w.Device, Kind: w.Kind, Trunk: w.Trunk, Refer: w.Refer,
			WebRTC: w.WebRTC, Start: m.at,
		}}
	}
	if w.Refuse != 0 {
		m.over(ending{disposition: store.Refused, by: "us", why: w.Because, code: w.Refuse,
			toCaller: Reason{"SIP", w.Refuse, w.Because}})
		return
	}
	if w.Replaces.Call != "" {
		m.do(OpenRecord{})
		m.Legs[m.Caller].Media = true
		m.do(TakeOffer{m.Caller})
		return
	}
	m.do(Decide{})
}

// newLegID names the next leg.
func (m *machine) newLegID() string { return m.Start.ID + "." + strconv.Itoa(len(m.Legs)) }

func (m *machine) planned(w Planned) {
	if m.Start.ID == "" || m.Phase != Routing || m.Plan.Direction != "" || m.Start.Replaces.Call != "" {
		return
	}
	m.Plan = w
	if end := w.Plan.End; end != nil && end.Action == routing.EndRefuse && len(w.Plan.Stages) == 0 {
		code := end.Code
		if code < 400 {
			code = 404
		}
		m.over(ending{disposition: store.Refused, by: "us", why: end.Reason, code: code, toCaller: Reason{"SIP", code, end.Reason}})
		return
	}
	m.do(OpenRecord{})
	if c := m.callerLeg(); c != nil && w.Direction != store.Outbound {
		c.Party = w.Caller
	}
	if m.Start.Originate {
		m.Phase, m.Looking = Ringing, true
		m.note(noLeg, "rings the devices of %s first", m.Start.User)
		m.do(Lookup{m.Stage})
		return
	}
	m.Legs[m.Caller].Media = true
	m.do(TakeOffer{m.Caller})
}

func (m *machine) offerTaken(i int, w OfferTaken) {
	replaces := m.Start.Replaces
	if i != m.Caller || m.Phase != Routing || m.Plan.Direction == "" && replaces.Call == "" {
		return
	}
	m.Offered = w.Codecs
	m.Legs[i].Direction = w.Direction
	if replaces.Call != "" {
		m.yield(i, replaces, HowReplaces, noLeg)
		return
	}
	m.enterStage(0)
}

// cancelled: the caller's CANCEL. Package sip has answered it, and the INVITE with 487 (RFC 3261 §9.2). It may cross our
// 200, which then was never sent.
func (m *machine) cancelled(i int) {
	leg := &m.Legs[i]
	if i != m.Caller || m.Phase == Over || leg.Phase == LegUp {
		m.legGone(i, 487, Reason{})
		return
	}
	why := "caller hung up while it rang"
	if leg.Phase == LegAnswered {
		why = "caller hung up in the moment of the answer"
		m.AnswerAt, m.AnsweredBy = time.Time{}, ""
	}
	m.Final = 487
	m.ended(i, 487, "cancelled")
	m.over(ending{disposition: store.Missed, by: "caller", why: why, code: 487})
}

func (m *machine) acked(i int, w PeerAcked) {
	leg := &m.Legs[i]
	if leg.Phase != LegAnswered {
		return
	}
	leg.Phase = LegUp
	if w.Direction != "" {
		leg.Direction = w.Direction
	}
	if i != m.Caller {
		return
	}
	m.greet()
	m.speak()
	m.serviceBegins()
}

// legGone: a leg is over, by a final error (code), a BYE or a timer (code 0), or as the confirmation of our hang-up.
func (m *machine) legGone(i, code int, r Reason) {
	leg := &m.Legs[i]
	was := leg.Phase
	switch {
	case m.Phase == Over || was == LegEnding:
		m.ended(i, code, r.Text)
	case code == 0 && m.carrierLeft(i, r):
	case m.consulting() && leg.Phase == LegUp && (m.aside(i) || i == m.Transfer.By || i == m.Peer && m.Transfer.Step == TransferConsult):
		m.ended(i, code, orText(r, "hung up"))
		m.consultLeft(i)
	case m.aside(i):
		m.ended(i, code, orText(r, "hung up"))
		m.note(i, "hung up; the transfer goes on")
	case leg.In:
		m.ended(i, code, orText(r, "hung up"))
		m.note(i, "%s left", leg.name())
	case i == m.Caller:
		m.callerGone(i, code, r)
	case was == LegUp || was == LegAnswered:
		m.ended(i, code, orText(r, "hung up"))
		m.over(ending{disposition: m.soFar(), by: blame(leg, "callee", code, r), why: orText(r, "callee hung up"), toCaller: r})
	default:
		if code == 0 {
			code = 480
		}
		m.ended(i, code, orText(r, phrase(code)))
		m.note(i, "failed: %d %s", code, leg.Reason)
		m.lineLost(i, code, r, was)
	}
}

func (m *machine) callerGone(i, code int, r Reason) {
	leg := &m.Legs[i]
	was := leg.Phase
	m.ended(i, code, orText(r, "hung up"))
	switch {
	case was == LegAnswered && code != 0: // RFC 3261 §13.3.1.4
		why := "our 200 was never acknowledged"
		if code != 408 {
			why = orText(r, phrase(code))
		}
		m.over(ending{disposition: store.Failed, by: blame(leg, "caller", code, r), why: why, others: r})
	case was < LegAnswered:
		m.Final = code
		m.over(ending{disposition: store.Missed, by: "caller", why: orText(r, "caller is gone"), code: code})
	default:
		m.over(ending{disposition: m.soFar(), by: blame(leg, "caller", code, r), why: orText(r, "caller hung up"), others: r})
	}
}

func (m *machine) hangupCall(r Reason) {
	if m.Start.ID == "" || m.Phase == Over {
		return
	}
	m.over(ending{disposition: m.soFar(), by: "us", why: orText(r, "ended by us"), code: 480, toCaller: r, others: r})
}

// soFar is the disposition of a call that ends now.
func (m *machine) soFar() string {
	if m.AnswerAt.IsZero() {
		return store.Missed
	}
	return store.Answered
}
