package call

import (
	"slices"
	"time"

	"strowger/routing"
	"strowger/store"
)

// The stages of the plan: who rings, who fails, who is next.

func (m *machine) enterStage(n int) {
	m.Phase, m.Stage = Ringing, n
	m.newRound()
	if n >= len(m.Plan.Plan.Stages) {
		m.planOver()
		return
	}
	st := &m.Plan.Plan.Stages[n]
	_, match := whyRings(&m.Plan.Plan, n)
	m.note(noLeg, "stage %d: %s (%s)", n+1, st.Step, match)
	if st.Workflow != "" {
		m.beginWalk(st.Workflow, numbersTo(&m.Plan.Plan, m.to(), st.Number), nil)
		return
	}
	m.Looking = true
	m.do(Lookup{n})
}

// newRound forgets what the last round of ringing came to.
func (m *machine) newRound() {
	m.Looking, m.Expired, m.Late, m.Declined, m.FirstLeg = false, false, nil, nil, len(m.Legs)
	for i := range m.Legs {
		m.Legs[i].Deflecting = false
	}
}

// stageEmpty reports whether nothing rings any more, nor will in this stage.
func (m *machine) stageEmpty() bool {
	if m.Looking || m.Walk.busy() || m.Carrier.waits() || m.Handing.To != "" || m.Park.Step == ParkAsking {
		return false
	}
	for i := range m.Legs {
		if m.rings(i) || m.Legs[i].Deflecting {
			return false
		}
	}
	return true
}

func (m *machine) nextStage() {
	m.stop(&m.RingTimer)
	if m.Walk.Step == WalkRinging {
		m.ringNext(m.Walk.At + 1)
		return
	}
	if m.Stage < 0 {
		m.over(ending{disposition: store.Missed, by: "caller", why: "no device of " + m.Start.User + " answered", code: 480})
		return
	}
	m.enterStage(m.Stage + 1)
}

func (m *machine) found(w Found) {
	if m.Phase != Ringing || !m.Looking || w.Stage != m.Stage {
		return
	}
	m.Looking = false
	if m.carrierTakes(w.Lines) {
		m.Late = nil
		return
	}
	m.ring(w.Lines)
}

// ring rings the lines of the stage.
func (m *machine) ring(lines []Line) {
	late := m.Late
	m.Late = nil
	for _, line := range lines {
		if len(line.To) > 0 && line.Target >= 0 && line.Target < len(m.targets()) {
			m.dial(line.Target, line.To)
		}
	}
	for _, one := range late {
		m.registered(one)
	}
	if len(lines) == 0 && m.stageEmpty() {
		m.note(noLeg, "nobody can be rung now")
		outside := func(t routing.Target) bool { return t.Phone != "" }
		if m.Worst == 0 && slices.ContainsFunc(m.targets(), outside) { // congestion, to a caller from the inside
			m.Worst, m.WorstOf = 503, Reason{"SIP", 503, "No trunk is free"}
		}
		return
	}
	m.start(&m.RingTimer, m.ringTime())
	if m.Machine || m.Transfer.Step == TransferRinging { // whom a workflow answered waits with an open ear
		m.alert()
	}
}

// targets of the current stage; an originated call first rings its own user, or the user's outside line, which must
// press 1 lest a machine picks up.
func (s *State) targets() []routing.Target {
	if s.Stage < 0 && s.Start.Phone != "" {
		return []routing.Target{{User: s.Start.User, Via: []string{store.Phone}, Phone: s.Start.Phone, CallConnect: true}}
	}
	if s.Stage < 0 {
		return []routing.Target{{User: s.Start.User, Via: []string{store.Browser, store.Desk, store.Mobile}}}
	}
	if st := s.stage(); st != nil {
		return st.Targets
	}
	return nil
}

// stage is the one that rings now: the plan's, or the workflow's in its place; nil when there is none.
func (s *State) stage() *routing.Stage {
	switch {
	case s.Walk.Step == WalkRinging && s.Walk.At < len(s.Walk.Stages):
		return &s.Walk.Stages[s.Walk.At]
	case s.Stage >= 0 && s.Stage < len(s.Plan.Plan.Stages):
		return &s.Plan.Plan.Stages[s.Stage]
	}
	return nil
}

func (m *machine) ringTime() time.Duration {
	if m.Stage < 0 {
		return 30 * time.Second
	}
	if st := m.stage(); st != nil && st.RingSeconds > 0 {
		return time.Duration(st.RingSeconds) * time.Second
	}
	return noRingTime
}

// dial starts a leg to the first of to; the others are kept for failover.
func (m *machine) dial(target int, to []Endpoint) {
	m.dialFor(target, m.targets()[target], to, nil, Party{})
}

// dialFor is dial for t, which may be another one than the stage's target: where the phones of users, the last of them by,
// sent the call.
func (m *machine) dialFor(target int, t routing.Target, to []Endpoint, deflected []string, by Party) {
	if len(m.Legs) >= maxLegs {
		m.note(noLeg, "too many legs; one is not rung")
		return
	}
	e := to[0]
	leg := LegState{ID: m.newLegID(), Phase: LegDialling, Stage: m.Stage, Moved: m.Transfer.Step == TransferRinging, Target: target, To: e, Next: to[1:], User: t.User, WebRTC: e.WebRTC,
		Media: true, Start: m.at, Deflected: deflected, DeflectedBy: by}
	if len(deflected) > 0 {
		leg.Goal = t
	}
	if st := m.stage(); st != nil {
		leg.AutoAnswer = st.AutoAnswer && len(deflected) == 0
	}
	if e.Binding != nil {
		leg.Peer, leg.Device, leg.Kind = t.User, e.Binding.Device, e.Binding.Kind
	} else {
		leg.Peer, leg.Trunk, leg.Refer, leg.Kind = e.Number, e.Trunk, e.Refer, store.Phone
		leg.CallConnect = t.CallConnect
	}
	leg.Party = m.calledParty(&leg)
	if c := m.callerLeg(); c != nil {
		leg.Shown = c.ID // by the INVITE
	}
	m.Legs = append(m.Legs, leg)
	i := len(m.Legs) - 1
	m.note(i, "rings %s", describe(&leg))
	m.do(Dial{i, offerTo(m.Offered, m.Committed, e.Codecs, m.Start.Opus)})
}

// registered: a device that appears while its user rings joins in (ROUTING §5).
func (m *machine) registered(w Registered) {
	if m.Phase != Ringing || m.Expired || w.To.Binding == nil {
		return
	}
	if m.Looking { // it may have come after the others were looked up
		m.Late = append(slices.Clone(m.Late), w)
		return
	}
	for n, t := range m.targets() {
		if t.User != w.User || !slices.Contains(t.Via, w.To.Binding.Kind) || slices.Contains(m.Declined, n) {
			continue
		}
		if !slices.ContainsFunc(m.Legs[m.FirstLeg:], func(l LegState) bool { return stands(&l, w.To.Binding) }) {
			m.dial(n, []Endpoint{w.To})
		}
		return
	}
}

// stands reports whether the leg already speaks for this contact: it rings there, or somebody there said no.
func stands(l *LegState, b *store.Binding) bool {
	o := l.To.Binding
	if o == nil || (l.Phase == LegEnded && l.Code != 408 && l.Code != 480 && l.Code < 500) {
		return o != nil && sameContact(o, b)
	}
	return l.Phase.live() && sameContact(o, b)
}

// sameContact compares registrations as RFC 5626 §4 does: by instance where there is one.
func sameContact(a, b *store.Binding) bool {
	if a.Instance != "" || b.Instance != "" {
		return a.Instance == b.Instance && a.RegID == b.RegID
	}
	return a.Contact == b.Contact
}

func (m *machine) progress(i int, w PeerProgress) {
	leg := &m.Legs[i]
	if m.Phase != Ringing || i == m.Caller || leg.Phase > LegRinging || w.Code < 180 {
		return
	}
	if leg.Phase == LegDialling {
		leg.Phase, leg.Ringing = LegRinging, m.at
		m.note(i, "ringing")
	}
	if w.Codecs != nil {
		leg.Early, leg.Codecs = true, w.Codecs
	}
	if m.Stage < 0 || m.Peer == i {
		return
	}
	if m.RingingAt.IsZero() {
		m.RingingAt = m.at
	}
	if w.Codecs != nil && m.passesEarly(i) {
		m.earlyBridge(i)
		return
	}
	m.alert()
}

// passesEarly reports whether the caller may hear leg i before it answers: a carrier's tones and announcements, when
// nothing else rings.
func (m *machine) passesEarly(i int) bool {
	leg := &m.Legs[i]
	if leg.Trunk == "" || leg.CallConnect || (m.Start.Delayed && m.Final == 0) {
		return false
	}
	for k := range m.Legs {
		if k != i && m.rings(k) {
			return false
		}
	}
	return true
}

func (m *machine) earlyBridge(i int) {
	c := m.callerLeg()
	m.stopRingback()
	if m.Final == 0 && m.Committed == nil {
		m.Committed = answerWith(m.Offered, m.Legs[i].Codecs, m.Start.Codecs)
		m.do(EarlyAnswer{m.Caller, m.Committed})
	}
	if c.Phase == LegIdle {
		c.Phase, c.Ringing = LegRinging, m.at
	}
	m.Alerted = true
	m.do(Bridge{m.Caller, i})
	m.Peer = i
	m.note(i, "early media")
}

// alert lets the caller know that it rings: by 180, or by our ringback once media is flowing to it.
func (m *machine) alert() {
	c := m.callerLeg()
	if c == nil || m.Peer != 0 {
		return
	}
	switch {
	case m.Final != 0 || m.Committed != nil:
		if !m.Ringback {
			m.Ringback = true
			m.play(m.Caller, Ringback, "")
		}
	case m.Alerted:
	case m.Start.EarlyMedia && !m.Start.Delayed:
		m.Committed = speakable(m.Offered)
		m.Ringback = true
		m.do(EarlyAnswer{m.Caller, m.Committed})
		m.play(m.Caller, Ringback, "")
	default:
		m.do(Ring{m.Caller})
	}
	m.Alerted = true
	if c.Phase == LegIdle {
		c.Phase, c.Ringing = LegRinging, m.at
	}
}

func (m *machine) stopRingback() {
	if m.Ringback {
		m.Ringback = false
		m.stopPlay(m.Caller)
	}
}

// lineLost draws the conclusions of the failure of leg i, which is not live any more and was in this phase before.
func (m *machine) lineLost(i, code int, r Reason, was LegPhase) {
	leg := m.Legs[i]
	if m.Phase != Ringing || leg.Stage != m.Stage {
		return
	}
	declined := slices.Contains(m.Declined, leg.Target)
	if was == LegDialling && failsOver(code) && len(leg.Next) > 0 && !m.Expired && !declined {
		m.note(i, "trunk %s: %d, next is %s", leg.Trunk, code, leg.Next[0].Trunk)
		m.redial(&leg, leg.Next)
		return
	}
	if was == LegDialling && code == 488 && leg.To.SRTP == SRTPOptional && !m.Expired && !declined {
		// It may insist on SRTP, and take keys only in an offer of RTP/SAVP.
		again := leg.To
		again.SRTP = SRTPRequired
		m.note(i, "refuses optional encryption, is offered SRTP alone")
		m.redial(&leg, append([]Endpoint{again}, leg.Next...))
		return
	}
	if tells(code) > tells(m.Worst) {
		m.Worst, m.WorstOf = code, r
	}
	if code >= 600 && !declined { // for all devices of that user (RFC 3261 §21.6), nobody else's
		m.Declined = append(slices.Clone(m.Declined), leg.Target)
		for k := range m.Legs {
			if m.rings(k) && m.Legs[k].Target == leg.Target {
				m.note(k, "stopped: declined on another device")
				m.hangup(k, Reason{"SIP", code, "Declined"})
			}
		}
	}
	for k := range m.Legs {
		if k != m.Caller && m.Legs[k].Phase == LegRinging {
			m.alert() // what was heard of leg i is over, others still ring
			return
		}
	}
}

// drop hangs up on a leg that rang or answered, and counts it as failed.
func (m *machine) drop(i, code int, r Reason) {
	was := m.Legs[i].Phase
	m.Legs[i].Code = code
	m.hangup(i, r)
	if i != m.Caller {
		m.lineLost(i, code, r, was)
	}
}

func (m *machine) ringTimeOver() {
	if m.Phase != Ringing {
		return
	}
	m.Expired = true
	m.note(noLeg, "ring time is over")
	for i := range m.Legs {
		m.Legs[i].Deflecting = false
		if !m.rings(i) || m.Legs[i].Phase == LegConfirming { // who is asked to press 1 may still do so
			continue
		}
		m.hangup(i, Reason{"SIP", 480, "No answer"})
	}
}
