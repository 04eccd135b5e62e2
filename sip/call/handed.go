package call

import "strowger/store"

// What comes of a leg that was sent to another call; see adopt.go.

// joined: the other call has taken the leg. What is left here is over.
func (m *machine) joined(w Joined) {
	h := m.Handing
	if h.To == "" || w.Call != h.To || h.Taken {
		return
	}
	m.relate(h.To, h.How)
	if m.AnswerAt.IsZero() && m.Phase != Over {
		m.AnswerAt, m.AnsweredBy, m.Final = m.at, w.Who, 200
	}
	if w.Pending && m.Phase != Over && h.By >= 0 && m.Legs[h.By].Phase == LegUp {
		m.Handing.Taken = true
		m.start(&m.Handing.Timer, settleTime)
		return
	}
	m.gone(200)
}

// returned: the other call would not have the leg. All is as before, or as near to it as can be.
func (m *machine) returned(w Returned) {
	h := m.Handing
	if h.To == "" || w.Call != h.To || h.Taken {
		return
	}
	m.handed()
	was := h.Was
	m.Legs[h.Leg] = was
	m.do(TakeBack{h.Leg})
	r := Reason{"SIP", w.Code, w.Why}
	if m.Phase == Over {
		m.hangup(h.Leg, r)
		return
	}
	m.note(h.Leg, "comes back: %s", w.Why)
	if h.Token != 0 {
		m.do(Reply{h.Token, ErrNotNow(w.Why)})
	}
	if h.How == HowRoom && m.Service.Step == ServiceJoining {
		m.notAdmitted(w)
		return
	}
	if h.Peer == 0 {
		m.over(ending{disposition: store.Missed, by: "us", why: w.Why, code: w.Code, toCaller: r})
		return
	}
	m.reunite(h, r)
}

// reunite joins the leg that came back with the one that stood aside; when that has gone, its user is rung.
func (m *machine) reunite(h Handing, r Reason) {
	o := h.Peer
	if h.Leg != m.Caller {
		o = m.Caller
	}
	if m.Legs[o].Phase == LegUp {
		m.Peer = h.Peer
		m.do(Bridge{m.Caller, m.Peer})
		if h.By >= 0 {
			m.do(ReferProgress{h.By, r.Cause, phrase(r.Cause)})
		}
		return
	}
	if m.First.Direction == "" {
		m.First = m.Plan
	}
	m.Caller, m.Offered, m.Committed, m.Final = h.Leg, h.Was.Codecs, nil, 200
	m.Worst, m.WorstOf = r.Cause, r
	m.Transfer = Transfer{Step: TransferRinging, By: o, Target: "call " + h.To}
	m.transferFailed()
}

// handed ends the wait for the other call's answer.
func (m *machine) handed() {
	m.stop(&m.Handing.Timer)
	m.Handing = Handing{}
}

// handingLost: the other call did not answer. Where the leg is, nobody knows.
func (m *machine) handingLost() {
	to := m.Handing.To
	if m.Handing.Taken {
		m.gone(408)
		return
	}
	m.handed()
	m.over(ending{disposition: store.Failed, by: "us", why: "call " + to + " did not take over", code: 500})
}

// handingOver: the call ends while a leg is on its way. It may still come back, to be let go.
func (m *machine) handingOver() {
	h := &m.Handing
	if h.To != "" && h.By >= 0 && m.Legs[h.By].Phase == LegUp {
		m.do(ReferProgress{h.By, 487, phrase(487)})
	}
	if h.Token != 0 {
		m.do(Reply{h.Token, ErrNoCall})
	}
	h.By, h.Token = noLeg, 0
	m.stop(&h.Timer)
	if h.Taken { // nothing of it comes back
		*h = Handing{}
	}
}
