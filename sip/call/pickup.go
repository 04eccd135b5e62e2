package call

import (
	"slices"

	"strowger/routing"
)

// Pickup: a caller answers what rings at a colleague's, or in its group.

// pickup is the plan's end: it is looked for a call that rings at one of these users.
func (m *machine) pickup(end *routing.End) {
	m.Park = Park{Step: ParkAsking, By: noLeg}
	m.do(FindRinging{end.Users})
}

func (m *machine) ringingFound(w RingingFound) {
	if m.Phase != Ringing || m.Park.Step != ParkAsking || m.Park.Orbit != "" {
		return
	}
	m.Park = Park{}
	m.takeOver(w.At.Call, w.At, HowPickup, "nothing rings there")
}

// ringing finds the call that rings longest at one of the users.
func (m *Manager) ringing(users []string, not string) Place {
	m.mu.Lock()
	defer m.mu.Unlock()
	var at Place
	for id, s := range m.shots {
		if s.Phase != phaseNames[Ringing] || id == not || at.Call != "" && id > at.Call { // ids are in the order of time
			continue
		}
		for i := range s.Legs {
			l := &s.Legs[i]
			if !l.Caller && slices.Contains(users, l.User) && (l.State == legPhaseNames[LegRinging] || l.State == legPhaseNames[LegDialling]) {
				at = Place{Call: id, User: l.User}
				break
			}
		}
	}
	return at
}
