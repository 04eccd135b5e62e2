package call

import "time"

// Transfers by the carrier. When both parties of a transferred call are outside, over one trunk that is configured so, the
// carrier is asked by REFER (RFC 3515) to let them talk without us: for a blind transfer before the target is rung, by its
// number, and else when the two talk already, with Replaces (RFC 3891). Until it has done so, all stays with us; when it will
// not, the call goes on as any other transfer does.

// ByCarrier is such a transfer.
type ByCarrier struct {
	Due   bool   // the parties were brought together by a transfer, the carrier was not asked yet
	Tried bool   // it was asked
	Leg   int    // whom the REFER is about
	With  int    // whom it shall talk to, noLeg = the target of Lines
	Lines []Line // to be rung by us when the carrier will not
	Taken bool   // it has accepted the REFER
	Rang  bool   // it has rung the target
	Timer int    // runs until its outcome is known
}

// joinTime is how long the carrier may take to join two who talk. They hear each other meanwhile.
const joinTime = 20 * time.Second

// waits reports whether the carrier's answer is awaited.
func (c *ByCarrier) waits() bool { return c.Timer != 0 }

// carrierTakes asks the carrier for a blind transfer, if the stage is one number on the trunk that the transferred party is
// on already. It reports whether it was asked.
func (m *machine) carrierTakes(lines []Line) bool {
	t, c := &m.Transfer, m.callerLeg()
	if t.Step != TransferRinging || t.Consult || t.Recall || t.Replaces != "" || m.Carrier.Tried || m.Walk.busy() || m.Tape.Step != TapeOff ||
		c == nil || c.Phase != LegUp || len(lines) != 1 || len(m.targets()) != 1 || len(lines[0].To) == 0 {
		return false
	}
	to := lines[0].To[0]
	if !to.Refer || to.Trunk != c.Trunk || lines[0].Target != 0 || m.targets()[0].CallConnect {
		return false
	}
	m.Carrier = ByCarrier{Tried: true, Leg: m.Caller, With: noLeg, Lines: lines}
	m.note(m.Caller, "%s is asked to transfer it to %s", to.Trunk, to.Number)
	m.start(&m.Carrier.Timer, m.ringTime())
	m.do(AskCarrier{m.Caller, noLeg, to.Number})
	m.alert()
	return true
}

// carrierJoins asks the carrier to join two who were brought together by a transfer.
func (m *machine) carrierJoins() {
	c := m.callerLeg()
	if !m.Carrier.Due || m.Carrier.Tried || m.Phase != Up || m.Peer == 0 || c == nil || c.Phase != LegUp || m.Legs[m.Peer].Phase != LegUp {
		return
	}
	p := &m.Legs[m.Peer]
	if c.Trunk == "" || c.Trunk != p.Trunk || !c.Refer && !p.Refer || m.Tape.Step != TapeOff || m.Transfer.Step != TransferNone || m.Handing.To != "" {
		return
	}
	m.Carrier = ByCarrier{Tried: true, Leg: m.Caller, With: m.Peer}
	m.note(m.Caller, "%s is asked to join it with %s", c.Trunk, p.Peer)
	m.start(&m.Carrier.Timer, joinTime)
	m.do(AskCarrier{m.Caller, m.Peer, p.Peer})
}

// carrierSays takes the carrier's progress, and the outcome.
func (m *machine) carrierSays(i int, w CarrierSays) {
	c := &m.Carrier
	switch {
	case !c.waits() || i != c.Leg:
	case w.Code < 200:
		c.Taken = true
		if w.Code >= 180 && !c.Rang {
			c.Rang = true
			m.note(i, "the carrier rings the target")
		}
	case w.Code < 300:
		m.carrierDone()
	default:
		m.carrierFailed(w.Code)
	}
}

// carrierDone: the two talk to each other, and not over us.
func (m *machine) carrierDone() {
	by := "us"
	if t := &m.Transfer; t.Step == TransferRinging {
		if by = "caller"; t.By != t.Caller {
			by = "callee"
		}
		m.tellTransferor(200, "OK")
		m.Transfer = Transfer{}
	}
	m.stop(&m.Carrier.Timer)
	done := Reason{"SIP", 200, "Transferred"}
	m.over(ending{disposition: m.soFar(), by: by, why: "went on at the carrier", toCaller: done, others: done})
}

// carrierFailed: the carrier will not, or cannot. What we can do ourselves is done; that the target is busy or did not answer
// is the outcome.
func (m *machine) carrierFailed(code int) {
	c := m.Carrier
	m.stop(&m.Carrier.Timer)
	m.note(c.Leg, "the carrier does not transfer it: %d %s", code, phrase(code))
	m.Carrier.Lines = nil
	switch {
	case c.With >= 0:
	case c.Rang || code == 486 || code >= 600:
		m.Worst, m.WorstOf = code, Reason{"SIP", code, phrase(code)}
	default:
		m.ring(c.Lines)
	}
}

// carrierLeft: leg i of two whom the carrier joins is over. It reports whether that was the carrier's doing: with Replaces it
// ends what we have with the one when the other has taken its place.
func (m *machine) carrierLeft(i int, r Reason) bool {
	c := &m.Carrier
	if !c.waits() || c.With != i || !c.Taken {
		return false
	}
	m.ended(i, 0, orText(r, "replaced"))
	m.carrierDone()
	return true
}

// carrierAgain ends the wait for the carrier; it may be asked anew, due at once or when the next transfer is done.
func (m *machine) carrierAgain(due bool) {
	m.stop(&m.Carrier.Timer)
	m.Carrier = ByCarrier{Due: due}
}
