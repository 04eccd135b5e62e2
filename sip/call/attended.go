package call

// Attended transfer (RFC 5589 §7): who has two calls lets the two others talk to each other. The one that the REFER is about
// moves to the transferor's other call and takes its seat there, also while that one still rings; the trunk has no part in it.

// attend sends leg k, which leg i talks to, to the seat that i's user has in another call.
func (m *machine) attend(i, k int, with Place) {
	if with.Call == "" || with.Call == m.Start.ID {
		m.note(i, "asked for a transfer to a call that is over")
		m.do(ReferProgress{i, 481, phrase(481)})
		return
	}
	with.User = m.Legs[i].User // nobody gives others' calls away
	m.note(i, "transfers %s to its other call", m.Legs[k].Peer)
	m.do(ReferProgress{i, 180, "Ringing"})
	m.yield(k, with, HowTransfer, i)
}
