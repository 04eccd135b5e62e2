package call

import (
	"strowger/sip/call/script"
	"strowger/store"
)

// How a service ends: by its script, or because the caller has gone.

// serviceRecorded: the caller's recording is complete, also when the caller is gone.
func (m *machine) serviceRecorded(w RecordDone) bool {
	s := &m.Service
	if s.Step != ServiceRecording && s.Step != ServiceStopping {
		return false
	}
	why := w.Why
	switch {
	case s.Step == ServiceStopping:
		why = "hangup"
	case s.Key != 0 && why == "stopped":
		why = "key"
	}
	in := script.Recorded{File: s.Record.File, Seconds: w.Seconds, Speech: max(w.Seconds-w.Silence, 0), Why: why, Key: s.Key}
	if s.Step == ServiceRecording {
		m.tellScript(in)
		return true
	}
	m.lastWords(in)
	m.lastWords(script.HungUp{})
	s.Step = ServiceDone
	return true
}

// serviceOver: the call is over.
func (m *machine) serviceOver() {
	s := &m.Service
	m.stop(&s.Timer)
	switch {
	case s.Step == ServiceNone || s.Step == ServiceDone || s.Step == ServiceStopping:
	case s.Step == ServiceRecording:
		s.Step = ServiceStopping
		if s.Key == 0 {
			m.do(StopRecord{m.Caller})
		}
	default:
		if s.Script != nil {
			m.lastWords(script.HungUp{})
		}
		s.Step = ServiceDone
	}
	s.Acts, s.Files, s.Token = nil, nil, 0
}

// lastWords lets the script of an ended call have what it asks for; it will not hear the answer.
func (m *machine) lastWords(in script.In) {
	s := &m.Service
	var acts []script.Act
	s.Script, acts = s.Script.Next(in)
	for _, act := range acts {
		if ask, ok := act.(script.Ask); ok {
			m.do(AskService{0, ask.Question})
		}
	}
}

// serviceEnds: the script has nothing more to say.
func (m *machine) serviceEnds(code int) {
	s := &m.Service
	e := ending{disposition: m.soFar(), by: "us", why: "the service " + s.Name + " ended the call", code: 480}
	if s.Early != 0 && code == 0 {
		code = s.Early
	}
	if code >= 400 {
		e.code = code
	}
	if m.AnswerAt.IsZero() {
		e.disposition = store.Refused
		e.toCaller = Reason{"SIP", e.code, phrase(e.code)}
	}
	m.over(e)
}
