package call

import (
	"fmt"
	"slices"
	"time"
)

// Times of the machine.
const (
	// watchdog is how long legs and recordings of an ended call may take: longer than any SIP transaction (RFC 3261
	// Timer B, F, H: 32 s).
	watchdog = 40 * time.Second
	// confirmTime is how long whoever answered an outside line has to press 1.
	confirmTime = 20 * time.Second
	// noRingTime holds for a stage without a ring time: above the 3 minutes of Timer C (RFC 3261 §16.6).
	noRingTime = 185 * time.Second
	// maxLegs of one call: enough for every device of a blast and every trunk, not for a registrar gone wild.
	maxLegs = 100
	// shortestMessage in seconds of speech: a recording with less is a missed call.
	shortestMessage = 1.0
)

// Step is the call's state machine: the only place where it is decided what a call does. It is pure.
//
//	the call
//	Routing ──Planned──▶ Ringing ──a party answers───────▶ Up, Peer ──BYE, hang-up, silence──▶ Over ──▶ Done
//	   │                 │ ▲  │                                                                 ▲
//	   │                 │ └──┘ next stage: all legs failed, or the ring time is over           │
//	   │                 ├──no stage left: voicemail─────▶ Up, VM ───recorded, BYE──────────────┤
//	   └──refused────────┴──no stage left: hang-up; the caller cancels; we shut down────────────┘
//
//	a service, while the call is Up
//	ServiceOpening ─script, ACK, media─▶ next act ─┬─Say─────▶ ServiceMaking ─files─▶ ServicePlaying ─heard, a key──┐
//	                                       ▲       ├─Listen──▶ ServiceListening ─a key, no key─────────────────────┤
//	                                       │       ├─Ask─────▶ ServiceAsking ─answer───────────────────────────────┤
//	                                       │       ├─Echo────▶ ServiceEcho ─a key──────────────────────────────────┤
//	                                       │       ├─Record──▶ ServiceRecording ─a key, silence, limit─────────────┤
//	                                       │       │               └─hung up─▶ ServiceStopping ─file─▶ ServiceDone  │
//	                                       │       ├─Dial────▶ ServiceDialling ─┬─refused──────────────────────────┤
//	                                       │       └─End─▶ Over                 └─planned─▶ Ringing                 │
//	                                       └────────────────────────────────────────────────────────────────────────┘
//
//	a room, while the call is Up: members talk in a mixer
//	conference: its own call ─▶ Up, empty ─a leg moves in─▶ members ─the last one leaves, nobody came─▶ Over
//	merged: Up, Peer ─a leg of another call moves in─▶ three and more ─two are left─▶ Up, Peer
//	page: Up, the caller alone ─phones answer by themselves─▶ members, muted ─the caller leaves, no phone is left─▶ Over
//
//	a transfer by the user's keys
//	Up, Peer ─##, *2─▶ Up, Keying ─┬─given up, no key──▶ Up, Peer as before
//	                               └─target keyed in───▶ TransferAsking; with *2 the user is the one for whom it rings:
//	TransferRinging, Consult ─answered─▶ Up, TransferConsult ─┬─the user hangs up──────────▶ Up, who waited with the target
//	   └─failed, *, the user hangs up: as a blind transfer    └─*, the target hangs up─────▶ Up, Peer as before
//
//	a transfer (the transferor stands aside: its leg is up, and in no bridge)
//	Up ─PeerReferred─▶ Up, TransferAsking ─┬─refused──────────────────────────────▶ Up as before
//	                                       └─target found─▶ Ringing, TransferRinging ─┬─answered, mailbox─▶ Up with the target
//	                                                                                  ├─failed───────────▶ Up as before
//	                                                                                  └─failed, transferor gone: it is rung
//
//	a transfer by the carrier, where both parties are on one trunk that does so
//	Ringing, TransferRinging, asked by number ─┬─200────────────▶ Over
//	                                           ├─refused────────▶ Ringing: we ring the target
//	                                           └─busy, it rang──▶ the transfer failed
//	Up after a transfer, asked with Replaces ──┬─200────────────▶ Over
//	                                           └─refused, late──▶ Up as before
//
//	parking (a transfer whose target is an orbit), and a caller who takes over what waits or rings elsewhere
//	Ringing, TransferRinging ─▶ ParkAsking ─┬─the orbit is free──▶ Up, Parked ─┬─Adopted: retrieved─▶ Up
//	                                        └─it is taken: the transfer failed └─too long─▶ Ringing: who parked is rung
//	Ringing ─orbit, pickup─▶ ParkAsking ─┬─there is such a call─▶ Handing ─┬─Joined──▶ Over
//	                                     └─none─▶ Over                     └─Returned─▶ Over
//	who parked does not answer: ParkAsking again, so often; then Up, VM
//
//	a leg that is on its way to another call (see adopt.go; in an attended transfer the transferor stands aside)
//	Up ─PeerReferred with Replaces, Complete─▶ Up, Handing ─┬─Joined──▶ Over
//	                                                        ├─Returned─▶ Up as before; transferor gone: it is rung
//	                                                        └─Joined, where it rings─▶ Handing, Taken ─Settled, BYE─▶ Over
//
//	a workflow's stage, while the call is Ringing
//	WalkAsking ──menu, say, play─▶ WalkFetching ─sound─▶ WalkOpening ─ACK, media─▶ WalkPlaying ─┬─menu─▶ WalkKey
//	 ▲  ▲  │ │                                                                               │          │
//	 │  │  │ ├──webhook─▶ WalkHook ────────────────────────────▶ answer, time-out ───────────┤          │
//	 │  │  │ └──ring────▶ WalkRinging ─a party answers─▶ Up ───▶ nobody answered ────────────┤          │
//	 │  │  └────continue─▶ next stage; hang-up, voicemail: as above                         │          │
//	 │  └────────────────────────────────────────────────────── what was said is over ──────┘          │
//	 └───────────────────────────────────────────────────────── a key, also while it speaks; no key ───┘
//
//	                 PeerProgress  PeerAnswered  PeerFailed  PeerAcked  PeerCancelled  PeerGone   hung up by us
//	the caller's leg
//	  idle           -            -             ended      -         ended         ended     ended (Reject)
//	  ringing        -            -             ended      -         ended         ended     ended (Reject)
//	  answered       -            -             ended      up        ended         ended     ending
//	  up             -            -             ended      -         ended         ended     ending
//	a leg that we dial
//	  dialling       ringing      up/confirming ended      -         -             ended     ending
//	  ringing        ringing      up/confirming ended      -         -             ended     ending
//	  confirming     -            -             ended      -         -             ended     ending; 1 pressed: up
//	  up             -            -             ended      -         -             ended     ending
//	both
//	  ending         -            -             ended      -         ended         ended     -
//	  ended          -            -             -          -         -             -         -
//
// After the step that an event causes, settle draws the conclusions that hold whatever the event was: a stage without
// legs gives way to the next, an ended call without recording gets its record, one without legs is done.
func Step(s State, e Event) (State, []Effect) {
	if s.Done {
		return s, nil
	}
	m := machine{State: s, at: e.At}
	m.Legs = slices.Clone(s.Legs)
	m.take(e)
	m.settle()
	return m.State, m.effects
}

// machine is the working copy of one Step.
type machine struct {
	State
	at      time.Time
	effects []Effect
}

func (m *machine) take(e Event) {
	if w, ok := e.What.(RecordDone); ok && e.Leg == m.Caller { // the caller may be gone already
		m.recordDone(w)
		return
	}
	if e.Leg != noLeg {
		if e.Leg >= 0 && e.Leg < len(m.Legs) && m.Legs[e.Leg].Phase != LegEnded {
			m.takeLeg(e.Leg, e.What)
		}
		return
	}
	switch w := e.What.(type) {
	case Started:
		m.started(w)
	case Planned:
		m.planned(w)
	case Found:
		m.found(w)
	case Registered:
		m.registered(w)
	case Timer:
		m.timer(w.Timer)
	case MailboxReady:
		m.mailboxReady(w)
	case WorkflowSays:
		m.workflowSays(w.Next)
	case SoundMade:
		m.soundMade(w)
	case WebSays:
		m.webSays(w)
	case TransferPlanned:
		m.transferPlanned(w.Planned)
	case ScriptReady:
		m.scriptReady(w)
	case PhrasesMade:
		m.phrasesMade(w)
	case ServiceSays:
		m.serviceSays(w)
	case DialPlanned:
		m.dialPlanned(w.Planned)
	case Adopted:
		m.adopted(w)
	case Joined:
		m.joined(w)
	case Returned:
		m.returned(w)
	case Settled:
		m.settled(w)
	case RoomFound:
		m.roomFound(w)
	case PageFound:
		m.pageFound(w)
	case Commanded:
		m.commanded(w)
	case OrbitClaimed:
		m.orbitClaimed(w)
	case OrbitFound:
		m.orbitFound(w)
	case RingingFound:
		m.ringingFound(w)
	case DeflectionFound:
		m.deflectionFound(w)
	case HangupCall:
		m.hangupCall(w.Reason)
	case TapeReady, TapeDone:
		m.takeTape(w)
	}
}

func (m *machine) takeLeg(i int, what What) {
	leg := &m.Legs[i]
	switch w := what.(type) {
	case PeerFailed:
		m.legGone(i, w.Code, w.Reason)
		return
	case PeerDeflected:
		m.deflected(i, w)
		return
	case PeerGone:
		m.legGone(i, 0, w.Reason)
		return
	case PeerCancelled:
		m.cancelled(i)
		return
	}
	if !leg.Phase.live() || m.Phase == Over {
		return // what follows is for parties
	}
	switch w := what.(type) {
	case OfferTaken:
		m.offerTaken(i, w)
	case PeerProgress:
		m.progress(i, w)
	case PeerAnswered:
		m.answered(i, w)
	case PeerAcked:
		m.acked(i, w)
	case PeerReoffered:
		m.reoffered(i, w)
	case PeerRedirected:
		leg.Direction = w.Direction
	case PeerReferred:
		m.referred(i, w)
	case CarrierSays:
		m.carrierSays(i, w)
	case PeerDigit:
		m.digit(i, w)
	case MediaBroken:
		m.mediaBroken(i, w)
	case MediaUp:
		leg.MediaReady = true
		m.greet()
		m.speak()
		m.serviceBegins()
	case Judged:
		m.judged(i, w)
	case PeerSpeaks:
		leg.Speaking = leg.In && w.On
	case MediaQuiet:
		m.quiet(i)
	case PlayDone:
		if leg.Sound != 0 && w.Token == leg.Sound {
			leg.Sound = 0
			m.playDone(i)
		}
	}
}

// settle draws the conclusions that hold after any event.
func (m *machine) settle() {
	for m.Phase == Ringing && m.stageEmpty() {
		m.nextStage()
	}
	m.carrierJoins()
	if h := &m.Handing; h.Taken && m.Phase == Up && m.Legs[h.By].Phase != LegUp { // the transferor did not wait
		m.gone(200)
	}
	m.music()
	m.settleRoom()
	m.show()
	m.tapes()
	if m.Phase != Over {
		return
	}
	if !m.RecordClosed && m.VM.Step != VMStopping && m.Service.Step != ServiceStopping && m.Tape.Step != TapeStopping {
		for i := range m.Legs {
			m.closeMedia(i)
		}
		m.RecordClosed = true
		m.do(CloseRecord{})
	}
	if m.RecordClosed && !slices.ContainsFunc(m.Legs, func(l LegState) bool { return l.Phase != LegEnded }) {
		m.stop(&m.Watchdog)
		m.Done = true
		m.do(Finish{})
	}
}

func (m *machine) do(e Effect) { m.effects = append(m.effects, e) }

func (m *machine) note(leg int, format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	m.do(Note{leg, text})
}

// start starts a timer and keeps its name in t, where a running one is stopped first.
func (m *machine) start(t *int, after time.Duration) {
	m.stop(t)
	m.Gen++
	*t = m.Gen
	m.do(StartTimer{m.Gen, after})
}

func (m *machine) stop(t *int) {
	if *t != 0 {
		m.do(StopTimer{*t})
		*t = 0
	}
}

func (m *machine) timer(t int) {
	switch {
	case t == 0:
	case t == m.RingTimer:
		m.RingTimer = 0
		m.ringTimeOver()
	case t == m.WalkTimer:
		m.WalkTimer = 0
		m.noKey()
	case t == m.Service.Timer:
		m.Service.Timer = 0
		m.serviceNoKey()
	case t == m.Handing.Timer:
		m.Handing.Timer = 0
		m.handingLost()
	case t == m.Carrier.Timer:
		m.Carrier.Timer = 0
		m.carrierFailed(408)
	case t == m.Keying.Timer:
		m.Keying.Timer = 0
		m.keyingDone()
	case t == m.Room.Timer:
		m.Room.Timer = 0
		m.roomTimeOver()
	case t == m.Park.Timer:
		m.Park.Timer = 0
		m.parkedTooLong()
	case t == m.VM.Timer:
		m.VM.Timer = 0
		m.sendMessage("no choice made")
	case t == m.Watchdog:
		m.Watchdog = 0
		m.force()
	default:
		for i := range m.Legs {
			if m.Legs[i].Timer == t {
				m.Legs[i].Timer = 0
				m.note(i, "did not press 1")
				m.drop(i, 480, Reason{"SIP", 480, "Not confirmed"})
			}
		}
	}
}

// play sends a sound to leg i in place of what it heard before.
func (m *machine) play(i int, what Prompt, file string) { m.playFrom(i, what, file, 0) }

// playFrom begins so many seconds into the file.
func (m *machine) playFrom(i int, what Prompt, file string, from float64) {
	m.Gen++
	m.Legs[i].Sound = m.Gen
	m.do(Play{Leg: i, What: what, File: file, Token: m.Gen, From: from})
}

func (m *machine) stopPlay(i int) {
	m.Legs[i].Sound = 0
	m.do(StopPlay{i})
}

// callerLeg is the calling party's leg, nil while there is none.
func (m *machine) callerLeg() *LegState {
	if m.Caller < 0 || m.Caller >= len(m.Legs) {
		return nil
	}
	return &m.Legs[m.Caller]
}
