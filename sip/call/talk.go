package call

// Answer is a command: the call that rings User is answered for them, by the phone that rings on the leg, or when Leg is "" by
// the first desk phone of theirs. A page of ours is told by its own way; see package web.
type Answer struct {
	User string
	Leg  string // LegSnapshot.ID
}

func (Answer) command() {}

// PickUp asks the phone that rings to answer.
type PickUp struct{ Leg int }

func (PickUp) effect() {}

// pickUpFor has a ringing phone answer.
func (m *machine) pickUpFor(c Answer) error {
	if c.User != "" && !m.has(c.User) {
		return ErrNotInCall
	}
	for i := range m.Legs {
		l := &m.Legs[i]
		if l.Phase != LegRinging || l.User == "" || l.Trunk != "" || (c.User != "" && l.User != c.User) ||
			(c.Leg != "" && l.ID != c.Leg) || (c.Leg == "" && l.WebRTC) {
			continue
		}
		m.note(i, "is asked to pick up")
		m.do(PickUp{i})
		return nil
	}
	return ErrNotNow("no phone of this user rings that could be asked to pick up")
}
