package call

import (
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
)

// Services: a script (package script) that talks with the caller in place of a party. The plan ends in one
// (routing.EndService). See the drawing above Step.

// ServiceStep is where a service stands.
type ServiceStep int

// The steps of a service.
const (
	ServiceNone      ServiceStep = iota
	ServiceOpening               // its script is being looked up, or the caller's ACK and media are awaited
	ServiceMaking                // what shall be said is being made
	ServicePlaying               // the caller listens
	ServiceListening             // a key is awaited
	ServiceAsking                // a question is being answered
	ServiceEcho                  // the caller hears itself
	ServiceRecording             // the caller speaks
	ServiceDialling              // routing is asked for what the script dials
	ServiceJoining               // the caller moves into a conference room
	ServiceStopping              // the caller is gone; a recording is being completed
	ServiceDone
)

// ServiceState is a service that runs. Its slices are replaced as a whole.
type ServiceState struct {
	Step      ServiceStep
	Name, Arg string
	Early     int // it speaks before the answer, and ends with this status; 0 = it has answered
	Script    script.Script
	Acts      []script.Act // still to be done
	Whole     bool         // keys do not cut what is said now
	Files     []string     // still to be said
	Heard     heard        // what is being said
	Token     int          // names the sound or the question under way
	Keys      string       // pressed before they were asked for
	Timer     int          // of a Listen, 0 = not running
	Record    script.Record
	Key       byte // that ended the recording
	Join      script.Join
	Tries     int // to join
}

// heard is a sound that the caller hears.
type heard struct {
	File  string
	From  float64   // where it began, seconds into it
	Since time.Time // zero = it has not begun
}

// at is how many seconds into it the caller is.
func (h heard) at(now time.Time) float64 {
	if h.Since.IsZero() {
		return h.From
	}
	return h.From + now.Sub(h.Since).Seconds()
}

const longestListen = 60 // seconds

// service lets a script have the caller.
func (m *machine) service(end *routing.End) {
	if m.machineService(end) {
		return
	}
	m.Phase = Up
	m.Service = ServiceState{Step: ServiceOpening, Name: end.Service, Arg: end.Arg}
	m.note(noLeg, "service %s %s", end.Service, end.Arg)
	m.stop(&m.RingTimer)
	m.stopRingback()
	if end.Code < 400 || m.Final != 0 {
		m.transferDone("with the service " + end.Service)
		m.answerForService()
		m.do(OpenScript{})
		return
	}
	if m.Start.Delayed { // there is no offer that an early answer could answer
		m.serviceEnds(end.Code)
		return
	}
	m.Service.Early = end.Code
	if m.Committed == nil {
		m.Committed = speakable(m.Offered)
		m.do(EarlyAnswer{m.Caller, m.Committed})
	}
	if c := m.callerLeg(); c.Phase == LegIdle {
		c.Phase, c.Ringing = LegRinging, m.at
	}
	m.do(OpenScript{})
}

func (m *machine) answerForService() {
	m.accept(speakable(m.offeredOrAll()))
	if m.AnswerAt.IsZero() {
		m.AnswerAt = m.at
	}
}

func (m *machine) scriptReady(w ScriptReady) {
	s := &m.Service
	switch {
	case s.Step != ServiceOpening || s.Script != nil:
	case w.Script == nil:
		m.note(noLeg, "there is no service %s", s.Name)
		m.serviceEnds(404)
	default:
		s.Script = w.Script
		m.serviceBegins()
	}
}

// serviceBegins starts the script as soon as the caller can hear it.
func (m *machine) serviceBegins() {
	s, c := &m.Service, m.callerLeg()
	if s.Step != ServiceOpening || s.Script == nil || c == nil || (c.WebRTC && !c.MediaReady) {
		return
	}
	if c.Phase == LegUp || s.Early != 0 && c.Phase == LegRinging {
		m.tellScript(script.Began{})
	}
}

// tellScript gives the script an input and begins what it answers.
func (m *machine) tellScript(in script.In) {
	s := &m.Service
	m.stop(&s.Timer)
	s.Token, s.Files, s.Heard = 0, nil, heard{}
	s.Script, s.Acts = s.Script.Next(in)
	m.nextAct()
}

// nextAct begins the next of the script's acts.
func (m *machine) nextAct() {
	s := &m.Service
	if len(s.Acts) == 0 {
		m.serviceEnds(0)
		return
	}
	act := s.Acts[0]
	s.Acts = s.Acts[1:]
	switch act := act.(type) {
	case script.Say:
		s.Whole = act.Whole
		if !s.Whole && m.keyAhead() {
			return
		}
		m.Gen++
		s.Step, s.Token, s.Heard = ServiceMaking, m.Gen, heard{From: act.From}
		if len(act.Phrases) > 0 {
			if file, ok := act.Phrases[0].(script.File); ok {
				s.Heard.File = file.Path
			}
		}
		m.do(MakePhrases{m.Gen, act.Phrases})
	case script.Listen:
		if m.keyAhead() {
			return
		}
		s.Step = ServiceListening
		seconds := act.Seconds
		if seconds == 0 {
			seconds = 5
		}
		m.start(&s.Timer, time.Duration(min(max(seconds, 1), longestListen))*time.Second)
	case script.Record:
		s.Step, s.Record, s.Key = ServiceRecording, act, 0
		m.do(RecordVoice{Leg: m.Caller, File: act.File, Max: act.Max, Silence: act.Silence})
	case script.Ask:
		m.Gen++
		s.Step, s.Token = ServiceAsking, m.Gen
		m.do(AskService{m.Gen, act.Question})
	case script.Echo:
		s.Step = ServiceEcho
		m.do(Echo{m.Caller})
	case script.Dial:
		s.Step = ServiceDialling
		m.do(DecideDial{act.Target})
	case script.Retrieve: // dialling an orbit does that
		s.Step = ServiceDialling
		m.do(DecideDial{act.Orbit})
	case script.Join:
		s.Step, s.Join, s.Tries = ServiceJoining, act, 0
		m.do(FindRoom{Room: act.Room})
	case script.End:
		m.serviceEnds(act.Code)
	default:
		m.tellScript(script.Answer{Err: "this cannot be done here"})
	}
}

// keyAhead answers the script with a key that was pressed before it asked.
func (m *machine) keyAhead() bool {
	s := &m.Service
	if s.Keys == "" {
		return false
	}
	key := s.Keys[0]
	s.Keys = s.Keys[1:]
	m.tellScript(script.Key{Digit: key})
	return true
}

func (m *machine) phrasesMade(w PhrasesMade) {
	s := &m.Service
	if s.Step != ServiceMaking || w.Token != s.Token {
		m.announced(w)
		return
	}
	s.Step, s.Files = ServicePlaying, w.Files
	if len(w.Files) == 0 { // there is no voice: something must be heard all the same
		m.play(m.Caller, Beep, "")
		return
	}
	m.sayNext()
}

func (m *machine) sayNext() {
	s := &m.Service
	from := 0.0
	if s.Heard.Since.IsZero() { // it is the first
		from = s.Heard.From
	}
	s.Heard = heard{s.Files[0], from, m.at}
	m.playFrom(m.Caller, Spoken, s.Files[0], from)
	s.Files = s.Files[1:]
}

// said: one file was heard to its end.
func (m *machine) said() {
	s := &m.Service
	switch {
	case s.Step != ServicePlaying:
	case len(s.Files) > 0:
		m.sayNext()
	case len(s.Acts) > 0:
		s.Heard = heard{}
		m.nextAct()
	default:
		m.tellScript(script.SoundOver{})
	}
}

// serviceKey takes a key of the caller's.
func (m *machine) serviceKey(digit byte) {
	s := &m.Service
	cut := !s.Whole && (s.Step == ServiceMaking || s.Step == ServicePlaying)
	switch {
	case cut || s.Step == ServiceEcho:
		if s.Step == ServicePlaying {
			m.stopPlay(m.Caller)
		}
		if s.Step == ServiceEcho {
			m.do(StopEcho{m.Caller})
		}
		m.tellScript(script.Key{Digit: digit, File: s.Heard.File, At: s.Heard.at(m.at)})
	case s.Step == ServiceListening:
		m.tellScript(script.Key{Digit: digit})
	case s.Step == ServiceRecording:
		if s.Key == 0 {
			s.Key = digit
			m.do(StopRecord{m.Caller})
		}
	case len(s.Keys) < maxKeys:
		s.Keys += string(rune(digit))
	}
}

func (m *machine) serviceNoKey() {
	if m.Service.Step == ServiceListening {
		m.tellScript(script.NoKey{})
	}
}

// roomFound sends the caller into the room.
func (m *machine) roomFound(w RoomFound) {
	s := &m.Service
	switch {
	case s.Step != ServiceJoining || m.Handing.To != "":
	case w.Err != "":
		m.tellScript(script.Answer{Err: w.Err})
	default:
		m.yield(m.Caller, Place{Call: w.Call, Moderator: s.Join.Moderator}, HowRoom, noLeg)
	}
}

// maxJoins is how many rooms may end just before the caller comes.
const maxJoins = 3

// notAdmitted: the room did not take the caller, who is back.
func (m *machine) notAdmitted(w Returned) {
	s := &m.Service
	if s.Tries++; w.Code == 481 && s.Tries < maxJoins { // it ended in this moment
		m.do(FindRoom{s.Join.Room, w.Call})
		return
	}
	m.tellScript(script.Answer{Err: w.Why})
}

func (m *machine) serviceSays(w ServiceSays) {
	if s := &m.Service; s.Step == ServiceAsking && w.Token == s.Token {
		m.tellScript(script.Answer{Value: w.Value, Err: w.Err})
	}
}

// dialPlanned: routing has decided on what the script dials. It is the call's plan from now on.
func (m *machine) dialPlanned(w Planned) {
	s := &m.Service
	if s.Step != ServiceDialling {
		return
	}
	if end := w.Plan.End; len(w.Plan.Stages) == 0 && end != nil && end.Action == routing.EndRefuse {
		m.tellScript(script.Answer{Err: orText(Reason{Text: end.Reason}, phrase(end.Code))})
		return
	}
	m.note(noLeg, "service %s dials %s", s.Name, w.To)
	if m.Start.User == "" && m.Start.Trunk != "" { // the operator sees who calls, and the record keeps what was called
		if m.First.Direction == "" {
			m.First = m.Plan
		}
		w.Caller, w.Direction = m.Plan.Caller, m.Plan.Direction
	}
	m.Service = ServiceState{}
	m.Plan, m.AnswerAt = w, time.Time{} // who answers now is who is talked to
	m.enterStage(0)
}

// busy reports whether the service has the caller.
func (s *ServiceState) busy() bool {
	return s.Step != ServiceNone && s.Step != ServiceDone && s.Step != ServiceStopping
}

// takes reports whether the plan ends with something that takes the call when no stage does.
func takes(end *routing.End) bool {
	return end != nil && (end.Action == routing.EndVoicemail && end.Mailbox != nil || end.Action == routing.EndService && end.Service != "")
}
