package call

import (
	"slices"
	"strings"
)

// How the parties sound: what is wrong with whom, for the story and for those who watch.

// Trouble is something wrong with what a party sends, in the words of the story.
type Trouble string

// The troubles. OneWay: the party is talked to and sends nothing, though nobody holds. SilentMic: it sends packets without
// any sound in them.
const (
	HighLoss   Trouble = "high packet loss"
	HighJitter Trouble = "high jitter"
	OneWay     Trouble = "one-way audio"
	SilentMic  Trouble = "silent microphone"
)

// Judged: a trouble of the party began or goes on, or ended. Value is what was measured as it began: loss in percent, jitter
// in milliseconds.
type Judged struct {
	Trouble Trouble
	On      bool
	Value   float64
}

func (Judged) what() {}

// judged notes what begins and ends, once each.
func (m *machine) judged(i int, w Judged) {
	leg := &m.Legs[i]
	had := slices.Contains(leg.Troubles, w.Trouble)
	k := m.other(i)
	excused := w.Trouble == OneWay && (leg.held() || k >= 0 && m.Legs[k].held()) // hold is no fault
	if m.Phase != Up || leg.Phase != LegUp || w.On == had || w.On && excused {
		return
	}
	if !w.On {
		leg.Troubles = slices.DeleteFunc(slices.Clone(leg.Troubles), func(t Trouble) bool { return t == w.Trouble })
		m.note(i, "%s is over", w.Trouble)
		return
	}
	leg.Troubles = append(slices.Clip(leg.Troubles), w.Trouble)
	switch {
	case w.Trouble == OneWay:
		m.note(i, "%s: nothing is received from %s", w.Trouble, leg.Peer)
	case w.Trouble == HighLoss && w.Value > 0:
		m.note(i, "%s: %.0f %%", w.Trouble, w.Value)
	case w.Trouble == HighJitter && w.Value > 0:
		m.note(i, "%s: %.0f ms", w.Trouble, w.Value)
	default:
		m.note(i, "%s", w.Trouble)
	}
}

// expose shows the sessions of the legs to those who measure.
func (a *actor) expose() {
	var old []MediaSession
	if p := a.media.Load(); p != nil {
		old = *p
	}
	same := len(old) == len(a.wires)
	for i := 0; same && i < len(old); i++ {
		same = old[i] == a.wires[i].media
	}
	if same {
		return
	}
	list := make([]MediaSession, len(a.wires))
	for i := range a.wires {
		list[i] = a.wires[i].media
	}
	a.media.Store(&list)
}

// Measure takes the figures of all calls in progress as they are now, oldest call first. It takes no notice of what the calls
// do at the moment, and costs them nothing.
func (m *Manager) Measure() []Measured {
	m.mu.Lock()
	out := make([]Measured, 0, len(m.shots))
	media := make([]*[]MediaSession, 0, len(m.shots))
	for id, shot := range m.shots {
		if a := m.calls[id]; a != nil {
			out = append(out, Measured{Call: shot})
			media = append(media, a.media.Load())
		}
	}
	m.mu.Unlock()
	for i := range out {
		if media[i] == nil {
			continue
		}
		for n, s := range *media[i] {
			if s != nil && n < len(out[i].Call.Legs) {
				out[i].Legs = append(out[i].Legs, LegMeasured{Leg: n, Media: s.Stats()})
			}
		}
	}
	slices.SortFunc(out, func(a, b Measured) int { return strings.Compare(a.Call.ID, b.Call.ID) })
	return out
}
