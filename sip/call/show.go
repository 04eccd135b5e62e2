package call

import (
	"cmp"

	"strowger/store"
)

// Displays: once parties have changed places, each phone is told with whom it talks now (Leg.Show). Before that, the INVITE
// has told it.

// show tells those who are joined what they do not know yet.
func (m *machine) show() {
	if m.Phase != Up || m.Peer == 0 || !m.Reseated && m.First.Direction == "" {
		return
	}
	for _, i := range []int{m.Caller, m.Peer} {
		leg, with := &m.Legs[i], m.other(i)
		if leg.Phase == LegUp && leg.Trunk == "" && leg.Shown != m.Legs[with].ID {
			leg.Shown = m.Legs[with].ID
			m.do(Show{i, with})
		}
	}
}

// calledParty is who is rung, as others see it: by what was dialled, or else by user or number.
func (m *machine) calledParty(l *LegState) Party {
	if l.User != "" && m.Plan.Direction == store.Internal && m.Stage >= 0 {
		return Party{Number: cmp.Or(m.Plan.To, l.User)}
	}
	return Party{Number: l.name()}
}

// party is who talks on leg i, with the name by which we know it.
func (a *actor) party(i int) Party {
	p := a.state.Legs[i].Party
	if user := a.state.Legs[i].User; p.Name == "" && user != "" {
		p.Name = a.m.cfg.Router.UserName(user)
	}
	if p.Name == "" {
		p.Name = a.m.cfg.Router.ContactName(p.Number)
	}
	return p
}
