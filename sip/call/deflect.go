package call

import (
	"slices"

	"strowger/routing"
	"strowger/store"
)

// Call forwarding on the phone itself (3xx, RFC 3261 §21.3): a phone that rings sends the call to an extension or a number.
// That is rung in its place, as if the phone's user had dialled it: what the user may not dial, nobody reaches by that phone.

// Bounds of deflections.
const (
	maxDeflections = 3 // one after another
	maxDeflectedTo = 5 // of one phone
)

type (
	// PeerDeflected: a phone sends the call elsewhere, best first.
	PeerDeflected struct {
		Code   int
		Reason Reason
		To     []string
	}
	// DeflectionFound: where the phone of Leg sent the call leads there; Refused are those that lead nowhere.
	DeflectionFound struct {
		Leg     int
		Lines   []DeflectedLine
		By      Party // how the user of the phone is known outside
		Refused []string
	}
	// DecideDeflection asks routing where these lead for the user of a phone; DeflectionFound follows.
	DecideDeflection struct {
		Leg  int
		User string
		To   []string
	}
)

func (PeerDeflected) what()      {}
func (DeflectionFound) what()    {}
func (DecideDeflection) effect() {}

// DeflectedLine is one line to ring, with further trunks to try for it.
type DeflectedLine struct {
	Target routing.Target
	To     []Endpoint
}

// deflected takes the leave of a phone that sends the call elsewhere.
func (m *machine) deflected(i int, w PeerDeflected) {
	leg := &m.Legs[i]
	if m.Phase == Ringing && m.Stage >= 0 && leg.Stage == m.Stage && m.rings(i) && !m.Expired && leg.User != "" && len(leg.Deflected) < maxDeflections {
		leg.Deflecting = true // before it is gone: the stage is not over
	}
	deflecting := leg.Deflecting
	m.legGone(i, w.Code, w.Reason)
	if deflecting && m.Phase == Ringing {
		m.do(DecideDeflection{i, leg.User, w.To[:min(len(w.To), maxDeflectedTo)]})
	}
}

// deflectionFound rings where a phone sent the call.
func (m *machine) deflectionFound(w DeflectionFound) {
	if w.Leg < 0 || w.Leg >= len(m.Legs) || !m.Legs[w.Leg].Deflecting {
		return
	}
	m.Legs[w.Leg].Deflecting = false
	by := m.Legs[w.Leg]
	if m.Phase != Ringing || by.Stage != m.Stage || m.Expired || slices.Contains(m.Declined, by.Target) {
		return
	}
	for _, to := range w.Refused {
		m.note(w.Leg, "sends the call to %s, where %s may not or cannot send it", to, by.User)
	}
	chain := append(slices.Clone(by.Deflected), by.User)
	for _, line := range w.Lines {
		t := line.Target
		switch {
		case len(line.To) == 0:
		case t.User != "" && slices.Contains(chain, t.User):
			m.note(w.Leg, "sends the call in a circle, to %s", t.User)
		case line.To[0].Binding != nil && slices.ContainsFunc(m.Legs[m.FirstLeg:], func(l LegState) bool { return stands(&l, line.To[0].Binding) }):
		default:
			m.note(w.Leg, "sends the call to %s", orUser(t))
			m.dialFor(by.Target, t, line.To, chain, w.By)
		}
	}
}

func orUser(t routing.Target) string {
	if t.User != "" {
		return t.User
	}
	return t.Phone
}

// goal is whom leg rings for: its target of the stage, or where a phone sent the call.
func (m *machine) goal(leg *LegState) routing.Target {
	if len(leg.Deflected) > 0 {
		return leg.Goal
	}
	return m.targets()[leg.Target]
}

// redial rings the line of a leg that failed by other endpoints.
func (m *machine) redial(leg *LegState, to []Endpoint) {
	m.dialFor(leg.Target, m.goal(leg), to, leg.Deflected, leg.DeflectedBy)
}

// decideDeflection asks routing what the user of a phone reaches by these. What is no line to ring (a feature code, a
// voicemail box, an emergency number) is nothing that a phone may send others to.
func (m *Manager) decideDeflection(a *actor, e DecideDeflection) DeflectionFound {
	found := DeflectionFound{Leg: e.Leg}
	for _, to := range e.To {
		m.deciding.Lock()
		m.mu.Lock()
		live := m.counts.live(a.use)
		m.mu.Unlock()
		d := m.cfg.Router.Dialled(e.User, to, "", live, a.at)
		m.deciding.Unlock()
		if len(d.Plan.Stages) == 0 || d.Plan.Emergency != nil {
			found.Refused = append(found.Refused, to)
			continue
		}
		if found.By = d.Caller; d.Outside != "" {
			found.By.Number = d.Outside
		}
		for _, t := range d.Plan.Stages[0].Targets {
			for _, line := range a.linesOf(t, found.By.Number) {
				found.Lines = append(found.Lines, DeflectedLine{t, line})
			}
		}
	}
	return found
}

// linesOf are the ways to ring a target, now; caller is the number to show on trunks.
func (a *actor) linesOf(t routing.Target, caller string) [][]Endpoint {
	var lines [][]Endpoint
	var kinds []string
	phone := t.User == ""
	for _, k := range t.Via {
		if k == store.Phone {
			phone = true
		} else {
			kinds = append(kinds, k)
		}
	}
	if t.User != "" && len(kinds) > 0 {
		for _, e := range a.m.cfg.Dialer.Endpoints(t.User, kinds) {
			lines = append(lines, []Endpoint{e})
		}
	}
	if phone && t.Phone != "" {
		if to := a.m.free(a.m.cfg.Dialer.Trunks(t.Phone, caller), a.state.Start.Emergency); len(to) > 0 {
			lines = append(lines, to)
		}
	}
	return lines
}
