package call

// Hold (RFC 3264 §8.4): who holds by its phone is not sent anything, by the media's own rules; whom we hold for hears
// silence; who is held, or parked, hears music. Neither side's re-INVITE is passed to the other: its session does not change,
// only what is played into it.

// holds reports whether the party put the other one on hold: it will not listen, or only plays to us what it likes, or has
// asked us to hold for it.
func (l *LegState) holds() bool {
	return l.Direction == "sendonly" || l.Direction == "inactive" || l.OnHold
}

// hears is what is played to leg i for as long as the call stands as it does.
func (m *machine) hears(i int) (music, quiet bool) {
	leg := &m.Legs[i]
	if leg.Phase == LegUp && m.Phase != Over && (m.Keying.On && i == m.Keying.Other || m.consulting() && i == m.Transfer.Held) {
		return true, false
	}
	if m.Phase != Up || leg.Phase != LegUp {
		return false, false
	}
	if m.Park.Step == Parked && i == m.Caller {
		return true, false
	}
	k := m.other(i)
	if k < 0 {
		return false, false
	}
	music = m.Legs[k].holds() && !leg.holds()
	return music, leg.OnHold && !music
}

// music lets whoever is held hear music, and stops it when the other side resumes. Of two who hold nobody listens.
func (m *machine) music() {
	for i := range m.Legs {
		leg := &m.Legs[i]
		music, quiet := m.hears(i)
		if !leg.Media || leg.Music == music && leg.Quiet == quiet {
			continue
		}
		leg.Music, leg.Quiet = music, quiet
		switch {
		case music:
			m.play(i, Music, "")
		case quiet:
			m.play(i, Silence, "")
		default:
			m.stopPlay(i)
		}
	}
}
