package call

// How legs leave: bridge and room first, then their media, and the dialog at last.

// hangup ends leg i, whatever its phase, and frees its media.
func (m *machine) hangup(i int, r Reason) {
	leg := &m.Legs[i]
	if !leg.Phase.live() {
		return
	}
	m.part(i)
	m.stop(&leg.Timer)
	leg.End = m.at
	if leg.Reason == "" {
		leg.Reason = r.Text
	}
	leg.Phase = LegEnding
	m.do(Hangup{i, r})
	m.freeMedia(i)
}

// ended notes that leg i is gone for good.
func (m *machine) ended(i, code int, reason string) {
	leg := &m.Legs[i]
	if leg.Phase == LegEnded {
		return
	}
	m.part(i)
	m.stop(&leg.Timer)
	if leg.Phase != LegEnding {
		leg.End = m.at
		if code != 0 {
			leg.Code = code // a leg that was answered keeps its 200
		}
		if leg.Answer.IsZero() || code == 0 {
			leg.Reason = reason
		}
	}
	m.freeMedia(i)
	leg.Phase = LegEnded
}

// part takes leg i out of the bridge or the room.
func (m *machine) part(i int) {
	m.untape(i)
	if leg := &m.Legs[i]; leg.In {
		leg.In, leg.Speaking, leg.Token = false, false, 0
		m.do(Unmix{i})
	}
	if m.Peer != 0 && (i == m.Peer || i == m.Caller) {
		m.do(Unbridge{m.Caller, m.Peer})
		m.Peer = 0
	}
}

// freeMedia closes a leg's media, unless a recording of it has to be completed first.
func (m *machine) freeMedia(i int) {
	vm, service := m.VM.Step, m.Service.Step
	if i == m.Caller && (vm == VMRecording || vm == VMStopping || service == ServiceRecording || service == ServiceStopping) {
		return
	}
	m.closeMedia(i)
}

func (m *machine) closeMedia(i int) {
	if m.Legs[i].Media {
		m.Legs[i].Media, m.Legs[i].Music, m.Legs[i].Quiet, m.Legs[i].Sound = false, false, false, 0
		m.do(CloseMedia{i})
	}
}

// force gives up waiting for legs and recordings of an ended call.
func (m *machine) force() {
	for i := range m.Legs {
		if m.Legs[i].Phase != LegEnded {
			m.note(i, "released by the watchdog")
			m.Legs[i].Phase = LegEnded
		}
	}
	if m.VM.Step == VMStopping {
		m.VM.Step = VMDone
	}
	if m.Service.Step == ServiceStopping {
		m.Service.Step = ServiceDone
	}
	if m.Tape.Step == TapeStopping {
		m.tapeDone(TapeDone{N: m.Tape.Count, Seconds: m.at.Sub(m.Tape.Now.Start).Seconds(), Why: "interrupted"})
	}
}
