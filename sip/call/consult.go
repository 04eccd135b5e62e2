package call

// Attended transfer by keys: within one call, a user talks to the target while the other party waits with music. The user
// hangs up to join the two, or presses * to have the party back. (Phones and the page do the same with a second call, see
// attended.go.)

// consulting reports whether a user rings or talks to the target of a transfer, while the other party waits.
func (m *machine) consulting() bool {
	return m.Transfer.Consult && (m.Transfer.Step == TransferRinging || m.Transfer.Step == TransferConsult)
}

// consulted: the target has answered the user.
func (m *machine) consulted() {
	m.Transfer.Step = TransferConsult
	m.note(m.Transfer.By, "talks to %s first", m.Transfer.Target)
}

// consultLeft: leg i of a consultation is over. It reports whether the call goes on.
func (m *machine) consultLeft(i int) bool {
	t := m.Transfer
	switch {
	case !m.consulting():
		return false
	case i == t.Held: // what is left is a call of the user's to the target
		m.note(i, "hung up while it waited")
		m.Transfer = Transfer{}
	case i == t.By:
		m.handOver()
	case t.Step == TransferConsult:
		m.transferFailed()
	default:
		return false // one of those that ring
	}
	return true
}

// handOver: the user has hung up. The party that waited has the target, or waits for its answer.
func (m *machine) handOver() {
	t := &m.Transfer
	target := -1
	for k := range m.Legs {
		if k != t.Held && k != t.By && m.Legs[k].Phase == LegUp {
			target = k
		}
	}
	m.Ringback = false // its media is gone
	m.Caller, m.Offered, m.Committed = t.Held, m.Legs[t.Held].Codecs, nil
	t.Consult = false
	if t.Step == TransferRinging {
		m.music()
		if !m.Looking {
			m.alert()
		}
		return
	}
	t.Step = TransferRinging // so that it is done
	m.Peer = target
	m.transferDone("answered")
	m.music()
	m.do(Bridge{m.Caller, m.Peer})
}

// takeBack gives the target up: the user talks to the party that waited.
func (m *machine) takeBack() {
	m.note(m.Transfer.By, "takes the call back")
	m.stop(&m.RingTimer)
	m.Looking = false
	for k := range m.Legs {
		if k != m.Transfer.By && k != m.Transfer.Held {
			m.hangup(k, Reason{"SIP", 480, "Not wanted any more"})
		}
	}
	m.Worst, m.WorstOf = 487, Reason{}
	m.transferFailed()
}
