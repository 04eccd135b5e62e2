package call

import (
	"time"

	"strowger/routing"
)

// Parking: a party waits on an orbit, an extension from which any phone takes it. One gets there by a transfer to the orbit;
// a caller who dials the orbit is joined with who waits there. After a while, whoever parked is rung;
// who gets no answer there goes back to the orbit, and in the end to a mailbox.

// ParkStep is where the parking stands.
type ParkStep int

// The steps.
const (
	ParkNone   ParkStep = iota
	ParkAsking          // it is being looked up whether the orbit is free, who is on it, or what can be picked up
	Parked
)

// Park is a party's stay on an orbit.
type Park struct {
	Step  ParkStep
	Orbit string // "" while a call to pick up is looked for
	By    int    // who parked it: a leg that is over by now; noLeg
	Turns int    // how often it has been put there
	Timer int
}

const (
	// parkTime is how long a party waits before whoever parked it is rung.
	parkTime = 3 * time.Minute
	// parkTurns is how often it is put on the orbit before a machine takes its message.
	parkTurns = 3
)

// orbit is the plan's end: the party that a transfer sends there is parked, a caller retrieves.
func (m *machine) orbit(name string) {
	if m.Transfer.Step == TransferRinging && !m.Transfer.Recall {
		m.Park = Park{Step: ParkAsking, Orbit: name, By: m.Transfer.By}
		m.do(ClaimOrbit{name})
		return
	}
	m.Park = Park{Step: ParkAsking, Orbit: name, By: noLeg}
	m.do(FindOrbit{name})
}

// orbitClaimed: the orbit is this call's, or somebody else's.
func (m *machine) orbitClaimed(w OrbitClaimed) {
	switch {
	case m.Park.Step != ParkAsking || m.Park.By < 0 || m.Phase != Ringing || m.Transfer.Step != TransferRinging:
		if w.Free {
			m.do(FreeOrbit{w.Orbit})
		}
	case !w.Free && m.Transfer.Recall:
		m.Park = Park{}
		m.parkedForGood()
	case !w.Free:
		m.Park = Park{}
		m.Worst, m.WorstOf = 486, Reason{"SIP", 486, "The orbit is taken"}
		m.transferFailed()
	default:
		m.stopRingback()
		m.Phase, m.Park.Step = Up, Parked
		m.Park.Turns++
		m.note(m.Caller, "is parked on %s by %s", w.Orbit, m.Legs[m.Park.By].name())
		m.start(&m.Park.Timer, parkTime)
		m.transferDone("parked")
	}
}

// orbitFound: who waits on the orbit that the caller has dialled.
func (m *machine) orbitFound(w OrbitFound) {
	if m.Park.Step != ParkAsking || m.Park.Orbit == "" || m.Park.By >= 0 || m.Phase != Ringing {
		return
	}
	orbit := m.Park.Orbit
	m.Park = Park{}
	m.takeOver(w.Call, Place{Call: w.Call, Orbit: orbit}, HowRetrieve, "nobody is parked on "+orbit)
}

// takeOver sends the caller to a call that waits for somebody, or refuses it when there is none.
func (m *machine) takeOver(call string, to Place, how How, otherwise string) {
	c := m.callerLeg()
	if call == "" || c == nil || !c.Media || m.Transfer.Step != TransferNone {
		m.takeOverFailed(otherwise)
		return
	}
	m.yield(m.Caller, to, how, noLeg)
}

func (m *machine) takeOverFailed(why string) {
	if m.Transfer.Step == TransferRinging {
		m.transferFailed()
		return
	}
	m.note(noLeg, "%s", why)
	m.over(ending{disposition: m.soFar(), by: "us", why: why, code: 480, toCaller: Reason{"SIP", 480, why}})
}

// retrieve joins leg i, which has come for the parked party, with it.
func (m *machine) retrieve(i int) {
	m.note(i, "takes the call from %s", m.Park.Orbit)
	m.unpark()
	m.acceptLeg(i, m.Legs[m.Caller].Codecs)
	m.Peer = i
	m.music()
	m.do(Bridge{m.Caller, i})
	if m.AnswerAt.IsZero() {
		m.AnswerAt, m.AnsweredBy = m.at, m.Legs[i].name()
	}
}

// parkedTooLong rings whoever parked.
func (m *machine) parkedTooLong() {
	by, orbit, turns := m.Park.By, m.Park.Orbit, m.Park.Turns
	m.note(noLeg, "nobody has taken the call from %s", orbit)
	m.unpark()
	m.music()
	if m.First.Direction == "" {
		m.First = m.Plan
	}
	m.Worst, m.WorstOf = 408, Reason{"SIP", 408, "Nobody has taken the call"}
	m.Offered, m.Committed = m.Legs[m.Caller].Codecs, nil
	m.Transfer = Transfer{Step: TransferRinging, By: by, Target: orbit, Turns: turns}
	m.transferFailed()
}

// parkAgain puts a party back on its orbit for whom the one who parked it did not answer.
func (m *machine) parkAgain() {
	t := &m.Transfer
	if t.Turns >= parkTurns {
		m.parkedForGood()
		return
	}
	m.note(noLeg, "%s does not answer; the party goes back to %s", m.Legs[t.By].name(), t.Target)
	m.Park = Park{Step: ParkAsking, Orbit: t.Target, By: t.By, Turns: t.Turns}
	m.do(ClaimOrbit{t.Target})
}

// parkedForGood: nobody comes for the parked party. It goes the way of a call that nobody answers, or leaves a message to
// whoever parked it.
func (m *machine) parkedForGood() {
	end := m.first().Plan.End
	m.note(noLeg, "nobody comes for the party that was parked on %s", m.Transfer.Target)
	if takes(end) && end.Action == routing.EndVoicemail {
		m.voicemail(Box{User: end.Mailbox.User, Number: end.Mailbox.Number})
		return
	}
	m.voicemail(Box{User: m.Legs[m.Transfer.By].User})
}

// unpark leaves the orbit.
func (m *machine) unpark() {
	if m.Park.Step == Parked {
		m.do(FreeOrbit{m.Park.Orbit})
	}
	m.stop(&m.Park.Timer)
	m.Park = Park{}
}

// machineService does those services that are the machine's own: they move parties between calls. It reports whether it was
// one.
func (m *machine) machineService(end *routing.End) bool {
	switch end.Service {
	case routing.ServiceOrbit:
		m.orbit(end.Arg)
	case routing.ServicePickup:
		m.pickup(end)
	case routing.ServicePage:
		m.page(end)
	default:
		return false
	}
	return true
}

// claimOrbit gives a free orbit to a call.
func (m *Manager) claimOrbit(orbit, call string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orbits[orbit] != "" {
		return false
	}
	m.orbits[orbit] = call
	return true
}

func (m *Manager) freeOrbit(orbit, call string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orbits[orbit] == call {
		delete(m.orbits, orbit)
	}
}

// onOrbit is the call whose party is parked there, "" = none.
func (m *Manager) onOrbit(orbit string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.orbits[orbit]
}
