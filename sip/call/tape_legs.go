package call

import (
	"cmp"
	"slices"

	"strowger/store"
)

// Who is on the tape, and which parts of it are silent.

// tapeLegs puts those who talk on the tape, and takes the others off: what is said on hold is for nobody in the call.
func (m *machine) tapeLegs(talking []int) {
	t := &m.Tape
	if t.Step != TapeOn && t.Step != TapePaused {
		talking = nil
	}
	talking = m.tapeHold(talking)
	for _, i := range t.On {
		if !slices.Contains(talking, i) {
			m.untape(i)
		}
	}
	for _, i := range talking {
		if slices.Contains(t.On, i) {
			continue
		}
		m.takeSide(i, talking)
		t.On = append(slices.Clip(t.On), i)
		m.Legs[i].Taped = true
		m.do(TapeLeg{i, m.Legs[i].Side - 1, true})
	}
}

// takeSide gives leg i the side that it had, or the one that is free: left for the caller, and in a conference, which nobody
// called, for who is there longest.
func (m *machine) takeSide(i int, talking []int) {
	leg := &m.Legs[i]
	first := m.Caller
	if first < 0 {
		first = talking[0]
	}
	taken := slices.ContainsFunc(talking, func(k int) bool { return k != i && m.Legs[k].Side == sideLeft })
	switch {
	case taken:
		leg.Side = sideRight
	case leg.Side == 0:
		leg.Side = sideLeft
		if right := slices.ContainsFunc(talking, func(k int) bool { return k != i && m.Legs[k].Side == 0 }); right && i != first {
			leg.Side = sideRight
		}
	case leg.Side == sideRight && slices.ContainsFunc(talking, func(k int) bool { return k != i && m.Legs[k].Side == sideRight }):
		leg.Side = sideLeft
	}
}

// untape takes leg i off the tape, if it is on it.
func (m *machine) untape(i int) {
	t := &m.Tape
	if !slices.Contains(t.On, i) {
		return
	}
	t.On = slices.DeleteFunc(slices.Clone(t.On), func(k int) bool { return k == i })
	if m.Legs[i].Media {
		m.do(TapeLeg{Leg: i})
	}
}

// tapeHold leaves out who holds, and of two who talk the other one too. It marks from when to when two were on hold; whoever
// holds in a conference leaves the others to talk.
func (m *machine) tapeHold(talking []int) []int {
	t := &m.Tape
	holder := slices.IndexFunc(talking, func(i int) bool { return m.Legs[i].holds() })
	switch {
	case holder < 0:
		m.endGap(&t.Hold, true)
		return talking
	case m.Peer == 0: // a conference
		return slices.DeleteFunc(slices.Clone(talking), func(i int) bool { return m.Legs[i].holds() })
	case t.Hold.from.IsZero():
		t.Hold = gap{m.at, m.Legs[talking[holder]].User}
	}
	return nil
}

// endGap puts a part that was silent into the record, if there is one. What is more than maxPauses is silent all the same.
func (m *machine) endGap(g *gap, hold bool) {
	t := &m.Tape
	if !g.from.IsZero() && len(t.Now.Pauses) < maxPauses {
		p := store.RecordingPause{From: max(g.from.Sub(t.Now.Start).Seconds(), 0), To: m.at.Sub(t.Now.Start).Seconds(), By: g.by, Hold: hold}
		pauses := append(slices.Clip(t.Now.Pauses), p)
		slices.SortFunc(pauses, func(a, b store.RecordingPause) int { return cmp.Compare(a.From, b.From) })
		t.Now.Pauses = pauses
	}
	*g = gap{}
}

// resume ends a pause.
func (m *machine) resume() {
	t := &m.Tape
	if t.Step != TapePaused {
		return
	}
	m.endGap(&t.Pause, false)
	t.Step = TapeOn
}
