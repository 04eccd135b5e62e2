package call

import (
	"slices"
	"time"

	"strowger/store"
)

// Adoption: a leg moves from one call to another, with its dialog, its media and all that is under way from it. Attended
// transfers, Replaces (RFC 3891), pickups and the retrieval of parked calls are done so: who moves keeps its session, and is
// signalled nothing but what it must know.
//
//	the call that has the leg                         the call that shall have it
//	Yield ───────── the leg, and its letters ───────▶ Adopted ─┬─ it has a seat for it: Adopt, Welcome
//	Joined ◀───────────────────────────────────────────────────┤
//	Returned ◀───── the leg, and its letters ──────────────────┴─ it has none: GiveBack
//
// Until the outcome is known, State.Handing keeps what the leg was, and who is left behind stands aside.

// How says why a leg moves.
type How string

// The reasons of a move, as records tell them.
const (
	HowTransfer How = "transfer" // attended: it takes the transferor's seat
	HowReplaces How = "replaces" // an INVITE with Replaces takes a seat
	HowPickup   How = "pickup"   // it answers what rings elsewhere
	HowRetrieve How = "retrieve" // it takes a call from its orbit
)

// Place is a seat in a call.
type Place struct {
	Call  string // the call's id
	Leg   string // who sits there (LegState.ID), "" = any leg of User
	User  string // the user who sits there, "" = whoever
	Early bool   // only while it is not answered

	Moderator bool   // of the room that it enters
	Orbit     string // or: with whoever is parked here
}

// Handing is a leg on its way to another call.
type Handing struct {
	To    string // the call's id, "" = no leg is on its way
	How   How
	Leg   int
	Was   LegState // as it was, should it come back
	Peer  int      // State.Peer as it was
	By    int      // the leg whose REFER asked for the move, noLeg
	Token int      // of the command that asked for it, 0 = none
	Timer int
	Taken bool // the other call has it, and rings; leg By waits to hear how that ends
}

const (
	// handingTime is how long the other call may take. It answers at once, unless it hangs.
	handingTime = 10 * time.Second
	// settleTime is how long the transferor of a call that rings waits for the outcome: as long as it can be told
	// (referExpires of package sip), less a little.
	settleTime = 290 * time.Second
)

// yield sends leg i to another call.
func (m *machine) yield(i int, to Place, how How, by int) {
	h := Handing{To: to.Call, How: how, Leg: i, Peer: m.Peer, By: by}
	m.part(i)
	m.music()
	if i == m.Caller {
		m.stopRingback()
	}
	leg := &m.Legs[i]
	if leg.Sound != 0 {
		m.stopPlay(i)
	}
	m.stop(&leg.Timer)
	leg.Token = 0
	h.Was = *leg
	if going := &h.Was; leg.Called && leg.Phase < LegAnswered {
		going.Codecs = m.Offered
		if m.Committed != nil {
			going.Codecs = m.Committed
		}
	}
	m.Handing = h
	m.start(&m.Handing.Timer, handingTime)
	leg.Phase, leg.GoneTo, leg.End, leg.Media, leg.Reason = LegEnded, to.Call, m.at, false, "moved to another call"
	m.note(i, "moves to call %s: %s", to.Call, how)
	m.do(Yield{i, to, how, h.Was})
}

// adopted: a leg of another call wants a seat in this one.
func (m *machine) adopted(w Adopted) {
	if w.How == HowRoom || w.How == HowMerge {
		m.adoptMember(w)
		return
	}
	seat, code, why := m.seatFor(w)
	if code != 0 {
		m.note(noLeg, "%s of call %s is sent back: %s", w.Leg.Peer, w.From, why)
		m.do(GiveBack{code, why})
		return
	}
	l := w.Leg
	l.Stage, l.Moved, l.Target, l.Next, l.From = -1, true, 0, nil, w.From
	m.Legs = append(m.Legs, l)
	i := len(m.Legs) - 1
	m.Reseated = true
	m.relate(w.From, w.How)
	m.do(Adopt{i})
	if seat >= 0 {
		m.note(i, "comes from call %s (%s), in the place of %s", w.From, w.How, m.Legs[seat].Peer)
	}
	switch {
	case seat < 0:
		m.retrieve(i)
	case m.Legs[seat].In:
		m.replaceMember(seat, i)
	case m.Phase == Up:
		m.replace(seat, i)
	case seat == m.Caller:
		m.replaceCaller(seat, i, w)
	default:
		m.pickUp(i)
	}
	m.carrierAgain(w.How == HowTransfer)
	who := m.to()
	if !m.Legs[i].In {
		who = m.Legs[m.opposite(i)].name()
	}
	m.do(Welcome{w.From, who, w.How == HowTransfer && m.Transfer.From == w.From})
}

// mostLegs is how many legs the call may have in its life.
func (m *machine) mostLegs() int {
	if m.Room.Kind != RoomNone {
		return maxRoomLegs
	}
	return maxLegs
}

// replaceMember gives leg i the place of a member of the room.
func (m *machine) replaceMember(seat, i int) {
	m.Legs[i].Moderator = m.Legs[seat].Moderator
	m.Legs[i].Muted, m.Legs[i].Speaking = false, false
	if seat == m.Caller {
		m.Caller = i
	}
	m.enter(i) // first: it is not alone there
	m.hangup(seat, Reason{"SIP", 200, "Replaced"})
}

// seatFor finds the leg whose seat the newcomer takes, or says why there is none.
func (m *machine) seatFor(w Adopted) (seat, code int, why string) {
	if m.Start.ID == "" || m.Phase == Over || m.Handing.To != "" || m.VM.Step != VMNone || m.Service.busy() || m.Transfer.Consult || m.Keying.On || m.Carrier.waits() || len(m.Legs) >= m.mostLegs() {
		return noLeg, 481, "this call takes nobody now"
	}
	if w.Seat.Orbit != "" {
		if m.Park.Step != Parked || m.Park.Orbit != w.Seat.Orbit {
			return noLeg, 480, "nobody is parked on " + w.Seat.Orbit
		}
		return noLeg, 0, ""
	}
	seat = slices.IndexFunc(m.Legs, func(l LegState) bool {
		if w.Seat.Leg != "" {
			return l.ID == w.Seat.Leg && l.Phase.live() && (w.Seat.User == "" || l.User == w.Seat.User)
		}
		if w.Seat.User == "" || l.User != w.Seat.User || !l.Phase.live() {
			return false
		}
		return l.Phase.talking() || (w.How == HowPickup) != l.Called
	})
	if seat < 0 {
		return noLeg, 481, "whose place it shall take is gone"
	}
	if w.How == HowPickup && (seat == m.Caller || m.Legs[seat].Phase > LegRinging) {
		return noLeg, 480, "it is answered already"
	}
	l := &m.Legs[seat]
	switch {
	case w.How == HowReplaces && w.Leg.Trunk != l.Trunk && w.Leg.Trunk != "": // a carrier has no business with others
		return noLeg, 403, "it may not take this place"
	case w.Seat.Early && l.Phase.talking(): // RFC 3891 §3
		return noLeg, 486, "it is answered already"
	case m.Phase == Up && l.In && m.Room.Kind != RoomPage && w.Leg.Phase == LegUp:
	case m.Phase == Up && m.other(seat) >= 0 && (l.Phase == LegUp || l.Phase == LegAnswered):
	case m.Phase == Ringing && m.Stage >= 0 && seat == m.Caller && w.Leg.Phase == LegUp:
	case m.Phase == Ringing && m.Stage >= 0 && seat != m.Caller && l.Phase <= LegRinging && !m.Walk.busy():
	default:
		return noLeg, 481, "its place cannot be taken now"
	}
	return seat, 0, ""
}

// opposite is the leg that i has to do with: the bridged one, or the caller's, or its own.
func (m *machine) opposite(i int) int {
	if k := m.other(i); k >= 0 {
		return k
	}
	if m.Caller >= 0 {
		return m.Caller
	}
	return i
}

// replace gives leg i the seat of one that talks.
func (m *machine) replace(seat, i int) {
	peer := m.Peer
	m.part(seat)
	if t := &m.Transfer; t.Step == TransferAsking && t.By == seat {
		m.tellTransferor(487, phrase(487))
		m.Transfer = Transfer{}
	}
	if seat == m.Caller {
		m.Caller = i
	} else {
		peer = i
	}
	m.Peer = peer
	m.hangup(seat, Reason{"SIP", 200, "Replaced"})
	m.acceptLeg(i, m.Legs[m.other(i)].Codecs)
	m.do(Bridge{m.Caller, m.Peer})
}

// replaceCaller gives leg i, which is up, the seat of a caller who waits for an answer. It hears what rings; when nobody
// answers, whoever sent it is rung.
func (m *machine) replaceCaller(seat, i int, w Adopted) {
	early := m.Peer
	m.part(seat)
	m.stopRingback()
	if m.Final == 0 {
		m.do(Reject{seat, 487, phrase(487), Reason{"SIP", 200, "Replaced"}})
		m.ended(seat, 487, "replaced")
	} else {
		m.hangup(seat, Reason{"SIP", 200, "Replaced"})
	}
	m.Caller, m.Final, m.Offered, m.Committed = i, 200, m.Legs[i].Codecs, nil
	switch t := &m.Transfer; {
	case t.Step == TransferNone:
		if m.First.Direction == "" {
			m.First = m.Plan
		}
		m.Transfer = Transfer{Step: TransferRinging, By: seat, Target: m.to()}
		if w.How == HowTransfer {
			m.Transfer.From = w.From
		}
	case t.Caller == seat:
		t.Caller = i
	case t.Peer == seat:
		t.Peer = i
	}
	switch {
	case early != 0:
		m.Peer = early
		m.do(Bridge{m.Caller, m.Peer})
	case m.Walk.Step == WalkPlaying:
		m.Walk.Step = WalkOpening
		m.speak()
	case !m.Walk.busy():
		m.alert()
	}
}

// pickUp makes leg i the one that answers the caller, whoever is rung.
func (m *machine) pickUp(i int) {
	m.stop(&m.RingTimer)
	m.hangupOthers(i)
	m.stopRingback()
	caller := m.Offered
	if c := m.callerLeg(); c.Phase >= LegAnswered {
		caller = c.Codecs
	}
	m.acceptLeg(i, caller)
	m.accept(answerWith(m.Offered, m.Legs[i].Codecs, m.Start.Codecs))
	m.Peer = i
	m.do(Bridge{m.Caller, i})
	m.endWalk("answered by " + m.Legs[i].Peer)
	m.Phase = Up
	m.transferDone("picked up")
	if m.AnswerAt.IsZero() {
		m.AnswerAt, m.AnsweredBy = m.at, m.Legs[i].name()
	}
}

// acceptLeg gives a newcomer that waits for an answer its 200.
func (m *machine) acceptLeg(i int, agreed []string) {
	l := &m.Legs[i]
	if !l.Called || l.Phase >= LegAnswered {
		return
	}
	l.Codecs = answerWith(l.Codecs, agreed, l.Allowed)
	l.Phase, l.Answer, l.Code = LegAnswered, m.at, 200
	m.do(Accept{i, l.Codecs})
}

// settled: the target of a transfer, which rang when the leg moved there, has answered or not.
func (m *machine) settled(w Settled) {
	if h := &m.Handing; h.Taken && w.Call == h.To {
		m.gone(w.Code)
	}
}

// gone: the leg has moved, and code is what came of it. What is left here is over.
func (m *machine) gone(code int) {
	h := m.Handing
	m.handed()
	if m.Phase == Over {
		return
	}
	by := "caller"
	if h.By >= 0 {
		if m.Legs[h.By].Phase == LegUp {
			m.do(ReferProgress{h.By, code, phrase(code)})
		}
		if h.By != m.Caller {
			by = "callee"
		}
	}
	if h.Token != 0 {
		m.do(Reply{h.Token, nil})
	}
	done := Reason{"SIP", 200, "Transferred"}
	m.over(ending{disposition: m.soFar(), by: by, why: "went on in call " + h.To + " (" + string(h.How) + ")", toCaller: done, others: done})
}

// relate notes that this call has to do with another one.
func (m *machine) relate(id string, how How) {
	if len(m.Related) < maxRelated {
		m.Related = append(slices.Clip(m.Related), store.RelatedCall{ID: id, How: string(how)})
	}
}

// maxRelated is how many other calls a record names.
const maxRelated = 100
