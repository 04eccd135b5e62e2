package call

import (
	"slices"
	"time"

	"strowger/routing"
	"strowger/store"
)

// The end of the plan, and the end of the call.

// ending is how a call ends.
type ending struct {
	disposition string
	by, why     string
	code        int    // for a caller without final response, and for the record; 0 = 480 and what was sent
	toCaller    Reason // Reason header for the caller
	others      Reason // and for the other legs
}

// planOver: no stage has answered.
func (m *machine) planOver() {
	end := m.Plan.Plan.End
	switch {
	case m.Transfer.Step == TransferRinging && (!takes(end) || m.Transfer.Consult):
		m.transferFailed()
		return
	case end == nil:
		end = &routing.End{Action: routing.EndHangup, Code: 480}
	case end.Action == routing.EndVoicemail && end.Mailbox != nil:
		m.voicemail(Box{User: end.Mailbox.User, Number: end.Mailbox.Number})
		return
	case takes(end):
		m.service(end)
		return
	}
	e := ending{disposition: m.soFar(), by: "us", why: "nobody answered", code: end.Code}
	if e.code < 400 {
		e.code = 480
	}
	if m.Plan.Direction != store.Inbound && m.Worst != 0 { // the caller is told what the callee or the carrier said
		e = m.meaning()
	}
	m.over(e)
}

// over ends the call: the record's facts are fixed, and every leg is let go.
func (m *machine) over(e ending) {
	if m.Phase == Over {
		return
	}
	m.Phase, m.EndAt, m.Looking = Over, m.at, false
	m.stop(&m.RingTimer)
	m.endWalk("the call ended")
	m.transferOver()
	m.serviceOver()
	m.stop(&m.Keying.Timer)
	m.Keying = Keying{}
	m.tapeStop()
	m.handingOver()
	m.carrierAgain(false)
	m.unpark()
	m.Ringback = false
	switch m.VM.Step {
	case VMNone, VMDone, VMStopping:
	case VMRecording:
		m.VM.Step = VMStopping
		m.do(StopRecord{m.Caller})
	case VMReviewing, VMReviewKey, VMReplaying: // who hangs up instead of choosing has left the message
		m.keepMessage()
		e.disposition, m.VM.Step = m.voicemailOr(e.disposition), VMDone
	default:
		m.VM.Step = VMDone
	}
	m.stop(&m.VM.Timer)
	m.Disposition, m.EndedBy, m.Why = e.disposition, e.by, e.why
	if c := m.callerLeg(); c != nil && c.Phase.live() && m.Final == 0 {
		m.reject(e.code, e.toCaller)
	}
	for i := range m.Legs {
		r := e.others
		if i == m.Caller {
			r = e.toCaller
		}
		m.hangup(i, r)
	}
	m.Code = m.Final
	if m.Code == 0 {
		m.Code = e.code
	}
	m.note(noLeg, "ended by %s: %s", e.by, e.why)
	m.start(&m.Watchdog, watchdog)
}

// reject gives the caller a final error. The transaction is package sip's from then on.
func (m *machine) reject(code int, r Reason) {
	if code < 400 {
		code = 480
	}
	m.Final = code
	m.do(Reject{m.Caller, code, phrase(code), r})
	m.ended(m.Caller, code, orText(r, phrase(code)))
}

// offeredOrAll are the codecs to choose from when we speak ourselves.
func (m *machine) offeredOrAll() []string {
	if m.Start.Delayed {
		return m.Start.Codecs
	}
	return m.Offered
}

func (m *machine) playDone(i int) {
	if i != m.Caller {
		m.whispered(i)
		return
	}
	if m.Service.busy() {
		m.said()
		return
	}
	m.spoken()
	m.voicemailPlayed()
}

func (m *machine) recordDone(w RecordDone) {
	if m.serviceRecorded(w) {
		return
	}
	m.messageRecorded(w)
}

// abort ends a call whose machine or actor failed: whatever is left is let go at once, and the record is written.
func abort(s State, at time.Time, why string) (State, []Effect) {
	m := machine{State: s, at: at}
	m.Legs = slices.Clone(s.Legs)
	m.Service.Script = nil // it may be what failed
	if m.Service.Step == ServiceStopping {
		m.Service.Step = ServiceDone
	}
	m.over(ending{disposition: store.Failed, by: "us", why: why, code: 500,
		toCaller: Reason{"SIP", 500, why}, others: Reason{"SIP", 500, why}})
	m.force()
	m.settle()
	return m.State, m.effects
}
