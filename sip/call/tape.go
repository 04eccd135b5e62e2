package call

import (
	"fmt"
	"slices"
	"time"

	"strowger/store"
)

// Recording of calls, in stereo: what the caller says left, what everybody else says right. It is begun by rule
// (routing.Recording) or by somebody on the call, and never before the answer. It goes on through transfers: whoever comes
// takes the side of whoever left; a leg that moves to another call (adoption) is recorded there, in that call's record.
//
//	TapeOff ─by rule, on demand─▶ TapeOpening ─file─▶ TapeAnnouncing ─both were told─▶ TapeOn ◀─pause, resume─▶ TapePaused
//	   ▲                              │no room              └─not to be announced────▲    └──── stop, call over ─────┤
//	   └──────────────────────────────┴───────────────────────────────── file ───────── TapeStopping ◀───────────────┘

// TapeStep is where the recording of a call stands.
type TapeStep int

// The steps of a recording.
const (
	TapeOff        TapeStep = iota
	TapeOpening             // a file is being looked for
	TapeAnnouncing          // the parties are being told
	TapeOn
	TapePaused   // silence is recorded
	TapeStopping // the file is being completed
)

var tapeStepNames = [...]string{"", "starting", "announcing", "on", "paused", ""}

// Sides of a recording; 0 = none yet.
const (
	sideLeft  = 1
	sideRight = 2
)

// maxTapes is how many recordings a call may have, and maxPauses how many pauses one.
const (
	maxTapes  = 50
	maxPauses = 200
)

// TapeState is the recording of a call. Its slices are replaced as a whole.
type TapeState struct {
	Step     TapeStep
	Count    int             // recordings begun so far; it names the one at hand
	Now      store.Recording // the one at hand
	Announce bool
	Pair     [2]int // the legs that were asked for a rule last
	On       []int  // legs that are recorded
	Pause    gap    // that goes on
	Hold     gap    // the same: a party holds
	Told     []told // who hears the announcement
	Done     []store.Recording
}

// gap is a part of a recording that is silent, from when and by whom (LegState.User).
type gap struct {
	from time.Time
	by   string
}

// told is a leg that hears the announcement, and the sound's token.
type told struct{ leg, sound int }

// Events and effects of recordings.
type (
	// TapeReady: there is a file for recording N, or Err says why there is none.
	TapeReady struct {
		N    int
		File string
		Err  string
	}

	// TapeDone: the file of recording N is complete, or ended early.
	TapeDone struct {
		N                int
		Seconds, Missing float64
		Why              string // stopped | limit | failed
		Err              string
	}

	// OpenTape asks for a file; TapeReady follows.
	OpenTape struct{ N int }
	// StartTape begins to record, with nobody. TapeDone follows when it has ended, for whatever reason.
	StartTape struct{ N int }
	// StopTape completes the file.
	StopTape struct{}
	// PauseTape records silence, or no longer.
	PauseTape struct{ On bool }
	// TapeLeg adds a leg, or takes it off.
	TapeLeg struct {
		Leg     int
		Channel int // 0 left, 1 right
		On      bool
	}
)

func (TapeReady) what()   {}
func (TapeDone) what()    {}
func (OpenTape) effect()  {}
func (StartTape) effect() {}
func (StopTape) effect()  {}
func (PauseTape) effect() {}
func (TapeLeg) effect()   {}

// RecordCall is a command: it starts, stops, pauses, resumes or toggles (Do) the recording of the call. A rule may forbid the
// start, or the stop to whoever is no administrator. In a pause, silence is recorded.
type RecordCall struct{ User, Do string }

func (RecordCall) command() {}

// takeTape handles the events of recordings.
func (m *machine) takeTape(what What) {
	switch w := what.(type) {
	case TapeReady:
		m.tapeReady(w)
	case TapeDone:
		m.tapeDone(w)
	}
}

// conversing are the legs that talk with each other, the caller's first; nil while nobody does.
func (m *machine) conversing() []int {
	if m.Phase == Up && (m.Room.Kind == RoomConference || m.Room.Kind == RoomMerged) {
		return m.inRoom()
	}
	if m.Phase != Up || m.Peer == 0 || m.Caller < 0 {
		return nil
	}
	for _, i := range []int{m.Caller, m.Peer} {
		if p := m.Legs[i].Phase; p != LegUp && p != LegAnswered || !m.Legs[i].Media {
			return nil
		}
	}
	return []int{m.Caller, m.Peer}
}

// inRoom are the members of a conference; nil while there are fewer than two.
func (m *machine) inRoom() []int {
	var in []int
	for i := range m.Legs {
		if l := &m.Legs[i]; l.In && l.Media && l.Phase.live() {
			in = append(in, i)
		}
	}
	if len(in) < 2 {
		return nil
	}
	return in
}

// tapes draws the conclusions for the recording after every step.
func (m *machine) tapes() {
	t := &m.Tape
	talking := m.conversing()
	if m.Phase == Over {
		return // over has ended it
	}
	if pair := m.pair(talking); t.Step == TapeOff && talking != nil && pair != t.Pair {
		t.Pair = pair
		m.tapeByRule(talking)
	}
	if t.Step == TapeAnnouncing && talking == nil { // those who were told have parted
		m.tapeStop()
		t.Pair = [2]int{}
	}
	if t.Step == TapeAnnouncing && !slices.ContainsFunc(t.Told, func(w told) bool { return m.Legs[w.leg].Sound == w.sound && m.Legs[w.leg].Phase.live() }) {
		m.tapeStart()
	}
	m.tapeLegs(talking)
}

func (m *machine) pair(talking []int) [2]int {
	switch {
	case talking == nil:
		return [2]int{}
	case m.Peer == 0: // a conference: whoever comes may have been recorded before
		return [2]int{-1, len(talking)}
	}
	return [2]int{talking[0], talking[1]}
}

// tapeRule is the rule for those who talk now.
func (m *machine) tapeRule(talking []int) (mode, why string) {
	var users []string
	for _, i := range talking {
		users = append(users, m.Legs[i].User)
	}
	return m.Plan.Plan.Recording.With(users...)
}

// tapeByRule begins a recording where a rule wants it, or where one of the parties was being recorded in another call.
func (m *machine) tapeByRule(talking []int) {
	mode, why := m.tapeRule(talking)
	for _, i := range talking {
		if l := &m.Legs[i]; l.Taped && l.From != "" && mode != store.RecordNever {
			m.tapeOpen("", "goes on from call "+l.From, false)
			return
		}
	}
	if mode == store.RecordAlways {
		m.tapeOpen("", "by rule: "+why, m.Plan.Plan.Recording.Announce)
	}
}

func (m *machine) tapeOpen(by, why string, announce bool) {
	t := &m.Tape
	if t.Count >= maxTapes {
		return
	}
	t.Count++
	t.Step, t.Announce, t.Now = TapeOpening, announce, store.Recording{By: by, Why: why}
	m.do(OpenTape{t.Count})
}

func (m *machine) tapeReady(w TapeReady) {
	t := &m.Tape
	switch {
	case t.Step != TapeOpening || w.N != t.Count:
	case w.Err != "":
		t.Step = TapeOff
		m.note(noLeg, "not recorded: %s", w.Err)
	case m.Phase == Over:
		t.Step = TapeOff
	default:
		t.Now.File = w.File
		t.Step, t.Told = TapeAnnouncing, nil
		for _, i := range m.conversing() {
			if l := &m.Legs[i]; t.Announce && !l.Music && !l.held() {
				m.play(i, Announcement, "")
				t.Told = append(slices.Clip(t.Told), told{i, l.Sound})
			}
		}
		if len(t.Told) > 0 {
			m.note(noLeg, "the parties are told that the call is recorded")
		}
	}
}

func (m *machine) tapeStart() {
	t := &m.Tape
	t.Step, t.Told, t.Now.Start = TapeOn, nil, m.at
	t.Now.ID = fmt.Sprintf("%s-%d", m.Start.ID, t.Count)
	why := t.Now.Why
	if t.Now.By != "" {
		why = "by " + t.Now.By
	}
	m.note(noLeg, "recording begins: %s", why)
	m.do(StartTape{t.Count})
}

// tapeStop completes the file, if there is one.
func (m *machine) tapeStop() {
	t := &m.Tape
	switch t.Step {
	case TapeOpening, TapeAnnouncing:
		for _, w := range t.Told {
			if m.Legs[w.leg].Sound == w.sound && m.Legs[w.leg].Media {
				m.stopPlay(w.leg)
			}
		}
		t.Step, t.Told = TapeOff, nil
	case TapeOn, TapePaused:
		m.resume()
		m.endGap(&t.Hold, true)
		for _, i := range t.On {
			m.Legs[i].Taped = false
			m.untape(i)
		}
		t.Step = TapeStopping
		m.do(StopTape{})
	}
}

func (m *machine) tapeDone(w TapeDone) {
	t := &m.Tape
	if w.N != t.Count || t.Step != TapeOn && t.Step != TapePaused && t.Step != TapeStopping {
		return
	}
	for _, i := range t.On { // it ended by itself
		m.untape(i)
	}
	m.resume()
	m.endGap(&t.Hold, true)
	rec := t.Now
	rec.Seconds, rec.Missing, rec.Ended = w.Seconds, w.Missing, w.Why
	t.Done = append(slices.Clip(t.Done), rec)
	t.Step, t.Now = TapeOff, store.Recording{}
	switch w.Why {
	case "failed":
		m.note(noLeg, "the recording ended after %.0f s: %s", w.Seconds, w.Err)
	default:
		m.note(noLeg, "recorded %.0f s (%s)", w.Seconds, w.Why)
	}
}

// record does what a user on the call asks of the recording, or an administrator ("").
func (m *machine) record(user, do string) error {
	t := &m.Tape
	talking := m.conversing()
	mode, why := m.tapeRule(talking)
	if do == "toggle" {
		do = "start"
		if t.Step == TapeOn || t.Step == TapePaused || t.Step == TapeAnnouncing || t.Step == TapeOpening {
			do = "stop"
		}
	}
	switch {
	case talking == nil:
		return ErrNotNow("nobody talks in this call")
	case user != "" && !slices.ContainsFunc(talking, func(i int) bool { return m.Legs[i].User == user }):
		return ErrNotInCall
	case do == "start":
		return m.recordStart(user, mode, why)
	case do == "stop" && mode == store.RecordAlways && user != "":
		return ErrNotNow("this call is always recorded (" + why + "); it can be paused")
	case do == "stop":
		m.tapeStop()
	case do == "pause" && t.Step == TapeOn && len(t.Now.Pauses) < maxPauses:
		t.Step, t.Pause = TapePaused, gap{m.at, user}
		m.note(noLeg, "recording is paused")
		m.do(PauseTape{true})
	case do == "resume" && t.Step == TapePaused:
		m.resume()
		m.note(noLeg, "recording goes on")
		m.do(PauseTape{false})
	case do == "pause" && t.Step == TapePaused, do == "resume" && t.Step == TapeOn:
	case !slices.Contains([]string{"stop", "pause", "resume"}, do):
		return fmt.Errorf("%q is nothing that a recording does: want start, stop, pause, resume or toggle", do)
	default:
		return ErrNotNow("the call is not recorded")
	}
	return nil
}

func (m *machine) recordStart(user, mode, why string) error {
	t := &m.Tape
	switch {
	case mode == store.RecordNever:
		return ErrNotNow("this call may not be recorded (" + why + ")")
	case t.Step == TapeStopping || t.Step == TapeOff && t.Count >= maxTapes:
		return ErrNotNow("the last recording is being completed")
	case t.Step == TapeOff:
		m.tapeOpen(user, "on demand", m.Plan.Plan.Recording != nil && m.Plan.Plan.Recording.Announce)
	}
	return nil
}

// toggleRecording is record for the key of leg i's user.
func (m *machine) toggleRecording(i int) {
	if err := m.record(m.Legs[i].User, "toggle"); err != nil {
		m.note(i, "asked for a recording: %s", err)
	}
}
