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
	case m.Transfer.Step == TransferRinging && !takes(end):
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
	e := ending{disposition: store.Missed, by: "us", why: "nobody answered", code: end.Code}
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
	m.Disposition, m.EndedBy, m.Why = e.disposition, e.by, e.why
	m.stop(&m.RingTimer)
	m.endWalk("the call ended")
	m.transferOver()
	m.serviceOver()
	m.handingOver()
	m.unpark()
	m.Ringback = false
	switch m.VM.Step {
	case VMNone, VMDone, VMStopping:
	case VMRecording:
		m.VM.Step = VMStopping
		m.do(StopRecord{m.Caller})
	default:
		m.VM.Step = VMDone
	}
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

// voicemail answers the caller by machine.
func (m *machine) voicemail(box Box) {
	m.Phase, m.VM = Up, VMState{Step: VMOpening, Box: box}
	m.transferDone("in the mailbox")
	m.note(noLeg, "voicemail of %s%s", box.User, box.Number)
	m.stop(&m.RingTimer)
	m.accept(speakable(m.offeredOrAll()))
	m.stopRingback()
	m.do(OpenMailbox{})
}

// offeredOrAll are the codecs to choose from when we speak ourselves.
func (m *machine) offeredOrAll() []string {
	if m.Start.Delayed {
		return m.Start.Codecs
	}
	return m.Offered
}

func (m *machine) mailboxReady(w MailboxReady) {
	if m.VM.Step != VMOpening {
		return
	}
	if w.Err != "" {
		m.VM.Step = VMDone
		m.over(ending{disposition: store.Missed, by: "us", why: "the mailbox could not be opened: " + w.Err,
			toCaller: Reason{"SIP", 500, "Mailbox unavailable"}})
		return
	}
	m.VM.Open = true
	m.greet()
}

// greet plays the greeting as soon as the box is known and the caller can hear it.
func (m *machine) greet() {
	c := m.callerLeg()
	if m.VM.Step != VMOpening || !m.VM.Open || c.Phase != LegUp || (c.WebRTC && !c.MediaReady) {
		return
	}
	m.VM.Step = VMGreeting
	m.play(m.Caller, Greeting, "")
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
	switch m.VM.Step {
	case VMGreeting:
		m.VM.Step = VMBeep
		m.play(m.Caller, Beep, "")
	case VMBeep:
		m.VM.Step = VMRecording
		m.do(RecordVoice{Leg: m.Caller})
	}
}

// voicemailDigit: # skips the greeting, and finishes the message.
func (m *machine) voicemailDigit(d byte) {
	switch {
	case d != '#':
	case m.VM.Step == VMGreeting:
		m.stopPlay(m.Caller)
		m.VM.Step = VMBeep
		m.play(m.Caller, Beep, "")
	case m.VM.Step == VMRecording:
		m.VM.Step = VMStopping
		m.do(StopRecord{m.Caller})
	}
}

func (m *machine) recordDone(w RecordDone) {
	if m.serviceRecorded(w) {
		return
	}
	if m.VM.Step != VMRecording && m.VM.Step != VMStopping {
		return
	}
	m.VM.Step, m.VM.Seconds = VMDone, w.Seconds
	why := "message left (" + w.Why + ")"
	if w.Seconds-w.Silence >= shortestMessage {
		m.VM.Saved = true
		m.do(SaveVoicemail{})
		m.note(noLeg, "message of %.0f s", w.Seconds)
	} else {
		why = "no message left (" + w.Why + ")"
		m.do(DropVoicemail{})
	}
	if m.Phase == Over {
		m.Disposition = m.voicemailOr(m.Disposition)
		return
	}
	m.over(ending{disposition: m.voicemailOr(store.Missed), by: "us", why: why})
}

func (m *machine) voicemailOr(disposition string) string {
	if m.VM.Saved {
		return store.VoicemailOK
	}
	return disposition
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
