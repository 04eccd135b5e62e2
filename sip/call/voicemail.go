package call

import (
	"time"

	"strowger/routing"
	"strowger/store"
)

// The machine that answers when nobody does.

// Services that a caller reaches from a mailbox by a key, and one that the page starts.
const (
	ServiceOperator = "operator" // 0; Arg: the box that the caller leaves
	ServiceMailbox  = "mailbox"  // *: the box from inside, with its PIN; Arg: the box
	ServiceGreeting = "greeting" // records a greeting; Arg: BOX/KIND
)

const (
	reviewTime = 10 * time.Second // without a key, after which the message is sent
	maxReviews = 10               // messages recorded anew
)

// voicemail answers the caller by machine.
func (m *machine) voicemail(box Box) {
	m.Phase, m.VM = Up, VMState{Step: VMOpening, Box: box, Turn: m.VM.Turn + 1, Earlier: m.VM.Earlier || m.VM.Saved}
	m.transferDone("in the mailbox")
	m.note(noLeg, "voicemail of %s%s", box.User, box.Number)
	m.stop(&m.RingTimer)
	m.accept(speakable(m.offeredOrAll()))
	m.stopRingback()
	m.do(OpenMailbox{Turn: m.VM.Turn, Busy: m.Worst == 486 || m.Worst == 600})
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
	m.VM.Open, m.VM.Full, m.VM.Review, m.VM.Operator = true, w.Full, w.Review, w.Operator
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

// voicemailPlayed: what was played to the caller is over.
func (m *machine) voicemailPlayed() {
	switch m.VM.Step {
	case VMGreeting:
		if m.VM.Full {
			m.over(ending{disposition: m.voicemailOr(store.Missed), by: "us", why: "the mailbox is full"})
			return
		}
		m.beep()
	case VMBeep:
		m.VM.Step = VMRecording
		m.do(RecordVoice{Leg: m.Caller})
	case VMReviewing:
		m.VM.Step = VMReviewKey
		m.start(&m.VM.Timer, reviewTime)
	case VMReplaying:
		m.review()
	}
}

func (m *machine) beep() {
	m.VM.Step = VMBeep
	m.play(m.Caller, Beep, "")
}

// review says what the caller can do with the message.
func (m *machine) review() {
	m.VM.Step = VMReviewing
	m.play(m.Caller, ReviewMenu, "")
}

// voicemailDigit: # skips the greeting, and finishes the message; 0 leaves for the operator, * for the box from inside.
func (m *machine) voicemailDigit(d byte) {
	switch {
	case m.VM.Step == VMRecording && (d == '#' || d == '0' && m.VM.Operator):
		m.VM.Step, m.VM.Key = VMStopping, d
		m.do(StopRecord{m.Caller})
	case m.VM.reviewing():
		m.reviewDigit(d)
	case m.VM.Step != VMGreeting && m.VM.Step != VMBeep:
	case d == '0' && m.VM.Operator:
		m.leaveVoicemail(ServiceOperator)
	case d == '*':
		m.leaveVoicemail(ServiceMailbox)
	case d == '#' && m.VM.Step == VMGreeting && !m.VM.Full:
		m.stopPlay(m.Caller)
		m.beep()
	}
}

func (m *machine) reviewDigit(d byte) {
	switch {
	case d == '2':
		m.VM.Step = VMReplaying
		m.play(m.Caller, Message, "")
	case d == '3' && m.VM.Reviews < maxReviews:
		m.VM.Reviews++
		m.stopPlay(m.Caller)
		m.beep()
	case d == '1' || d == '#':
		m.stopPlay(m.Caller)
		m.sendMessage("by key")
	case d == '0' && m.VM.Operator:
		m.keepMessage()
		m.leaveVoicemail(ServiceOperator)
	default:
		return
	}
	m.stop(&m.VM.Timer)
}

// leaveVoicemail hands the caller over to a service.
func (m *machine) leaveVoicemail(service string) {
	m.stopPlay(m.Caller)
	m.stop(&m.VM.Timer)
	box := m.VM.Box
	m.VM = VMState{Box: box, Turn: m.VM.Turn, Seconds: m.VM.Seconds, Saved: m.VM.Saved, Earlier: m.VM.Earlier}
	m.service(&routing.End{Action: routing.EndService, Service: service, Arg: box.String()})
}

// messageRecorded: the message is complete, perhaps because the caller is gone.
func (m *machine) messageRecorded(w RecordDone) {
	if m.VM.Step != VMRecording && m.VM.Step != VMStopping {
		return
	}
	m.VM.Seconds = w.Seconds
	said := w.Seconds-w.Silence >= shortestMessage
	switch {
	case w.Why == "failed" && !said: // what was written stays, and is recovered with the next start
		m.VM.Step = VMDone
		m.messageOver("the message could not be recorded")
	case !said:
		m.do(DropVoicemail{})
		if m.Phase != Over && m.VM.Key == '0' {
			m.leaveVoicemail(ServiceOperator)
			return
		}
		m.VM.Step = VMDone
		m.messageOver("no message left (" + w.Why + ")")
	case m.Phase != Over && m.VM.Key == '0':
		m.keepMessage()
		m.leaveVoicemail(ServiceOperator)
	case m.Phase != Over && m.VM.Review && m.VM.Key == '#':
		m.VM.Key = 0
		m.review()
	default:
		m.sendMessage(w.Why)
	}
}

// keepMessage stores the message.
func (m *machine) keepMessage() {
	m.VM.Saved = true
	m.do(SaveVoicemail{})
	m.note(noLeg, "message of %.0f s", m.VM.Seconds)
}

// sendMessage stores the message and ends the call. One that failed is there up to where it did.
func (m *machine) sendMessage(why string) {
	m.keepMessage()
	m.VM.Step = VMDone
	m.messageOver("message left (" + why + ")")
}

// messageOver ends the call after its message; when it has ended already, its disposition may still change.
func (m *machine) messageOver(why string) {
	if m.Phase == Over {
		m.Disposition = m.voicemailOr(m.Disposition)
		return
	}
	m.over(ending{disposition: m.voicemailOr(store.Missed), by: "us", why: why})
}

func (m *machine) voicemailOr(disposition string) string {
	if m.VM.Saved || m.VM.Earlier {
		return store.VoicemailOK
	}
	return disposition
}
