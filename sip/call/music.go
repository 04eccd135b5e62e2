package call

// Hold (RFC 3264 §8.4): who holds is not sent anything, by the media's own rules; who is held hears music. Neither side's
// re-INVITE is passed to the other: its session does not change, only what is played into it.

// holds reports whether the party put us on hold: it will not listen, or only plays to us what it likes.
func (l *LegState) holds() bool { return l.Direction == "sendonly" || l.Direction == "inactive" }

// music lets whoever is held hear music, and stops it when the other side resumes. Of two who hold nobody listens.
func (m *machine) music() {
	for i := range m.Legs {
		leg := &m.Legs[i]
		k := m.other(i)
		held := m.Phase == Up && k >= 0 && leg.Phase == LegUp && m.Legs[k].holds() && !leg.holds()
		switch {
		case held == leg.Music || !leg.Media:
		case held:
			leg.Music = true
			m.play(i, Music, "")
		default:
			leg.Music = false
			m.stopPlay(i)
		}
	}
}
