package call

import (
	"slices"
	"time"

	"strowger/routing"
)

// Workflows (ROUTING §7): a stage of the plan that speaks with the caller. What comes next is routing's to say
// (routing.Next); here it is done. See the drawing above Step.

// Walk is where a workflow stands when it asks what follows.
type Walk struct {
	Workflow string
	Numbers  []string // of ours that the call was handed through: the called one first, the one whose workflow runs last
	Caller   string   // as routing was given it
	User     string   // the calling user, for calls from the inside
	Last     routing.Action
	Key      string // menu: the key pressed, "" = none in time
	Answer   string // webhook: the node named, "" = none
}

// WalkAction is what a workflow does next. Row and Stages belong to ring and forward actions.
type WalkAction struct {
	routing.Action
	Row    routing.Row
	Stages []routing.Stage
}

// WalkStep is where the action of a workflow stands.
type WalkStep int

// The steps. All but the first and the last keep the stage alive although nothing rings.
const (
	WalkNone     WalkStep = iota
	WalkAsking            // what comes next is being decided
	WalkFetching          // the sound is being made
	WalkOpening           // the caller's ACK and media are awaited
	WalkPlaying           // the caller listens
	WalkKey               // a menu waits for a key
	WalkHook              // a web server is asked
	WalkRinging           // the action's stages ring
)

// WalkState is a workflow that runs.
type WalkState struct {
	Step     WalkStep
	Workflow string
	Numbers  []string // see Walk
	Action   WalkAction
	Stages   []routing.Stage // of the action; At is the one that rings
	At       int
	Keys     string // pressed before they were asked for
	Token    int    // names the sound or the question under way
	File     string // of the sound
	// Outer is the workflow that rings the number whose workflow this is. It is never written to.
	Outer *WalkState
}

// walked is one step of a workflow in the record.
type walked struct {
	at       time.Time
	workflow string
	action   WalkAction
	outcome  string
}

const (
	maxWalked = 500 // steps in a record
	maxKeys   = 8   // keys pressed ahead
)

// busy reports whether the workflow keeps the caller although nothing rings.
func (w *WalkState) busy() bool { return w.Step != WalkNone && w.Step != WalkRinging }

// numbersTo are the numbers of ours through which the plan came to this one; "" = the called one.
func numbersTo(p *routing.Plan, called, number string) []string {
	if number == "" {
		return []string{called}
	}
	var find func(rows []routing.Row, way []string) []string
	find = func(rows []routing.Row, way []string) []string {
		for i := range rows {
			if rows[i].Number == "" {
				continue
			}
			further := append(slices.Clip(way), rows[i].Number)
			if rows[i].Number == number {
				return further
			}
			if found := find(rows[i].Trace, further); found != nil {
				return found
			}
		}
		return nil
	}
	if way := find(p.Trace, []string{called}); way != nil {
		return way
	}
	return []string{called, number}
}

func (m *machine) beginWalk(workflow string, numbers []string, outer *WalkState) {
	m.Walk = WalkState{Workflow: workflow, Numbers: numbers, Outer: outer}
	m.note(noLeg, "workflow %s begins", workflow)
	m.walkOn("", "")
}

func (m *machine) walkOn(key, answer string) {
	m.stop(&m.WalkTimer)
	m.Walk.Step, m.Walk.Token = WalkAsking, 0
	m.do(WalkOn{key, answer})
}

// acted notes what came of the workflow's action.
func (m *machine) acted(outcome string) {
	if len(m.Walked) < maxWalked {
		m.Walked = append(slices.Clip(m.Walked), walked{m.at, m.Walk.Workflow, m.Walk.Action, outcome})
	}
	m.note(noLeg, "workflow %s: %s %s: %s", m.Walk.Workflow, m.Walk.Action.Kind, m.Walk.Action.Node, outcome)
}

func (m *machine) workflowSays(a WalkAction) {
	if m.Phase != Ringing || m.Walk.Step != WalkAsking {
		return
	}
	again := a.Kind == routing.ActMenu && a.Try > 1
	m.Walk.Action, m.Walk.Stages, m.Walk.File = a, a.Stages, ""
	if a.Source != "" {
		m.Source = a.Source
	}
	if a.Tag != "" {
		m.Tag = a.Tag
	}
	if a.Source != "" || a.Tag != "" {
		m.note(noLeg, "workflow %s: the call is marked with source %q, tag %q", m.Walk.Workflow, m.Source, m.Tag)
	}
	switch a.Kind {
	case routing.ActMenu, routing.ActSay, routing.ActPlay:
		m.prompt(again)
	case routing.ActRing, routing.ActForward:
		m.Walk.Keys = ""
		m.tellRow(a.Row)
		m.ringNext(0)
	case routing.ActWebhook:
		m.Gen++
		m.Walk.Step, m.Walk.Token = WalkHook, m.Gen
		m.do(AskWeb{m.Gen})
	case routing.ActVoicemail:
		m.acted("the call goes to the mailbox")
		m.endWalk("the call went to a mailbox")
		box := Box{User: a.User}
		if a.User == "" {
			box.Number = m.to()
		}
		m.voicemail(box)
	case routing.ActHangup:
		m.acted("ends the call")
		m.endWalk("the call ended")
		m.over(ending{disposition: m.soFar(), by: "us", why: "the workflow ended the call", code: 480})
	default:
		m.continues()
	}
}

// tellRow tells the story who rings, and who cannot.
func (m *machine) tellRow(row routing.Row) {
	for _, u := range row.Users {
		if u.Unavailable != "" {
			m.note(noLeg, "workflow %s: %s is not rung: %s", m.Walk.Workflow, u.User, u.Unavailable)
		}
	}
	if row.Outcome == routing.OutcomeDropped {
		m.note(noLeg, "workflow %s: nobody is rung: %s", m.Walk.Workflow, row.Reason)
	}
}

// continues gives the call back: to the workflow that rang this one's number, or to the plan's next stage.
func (m *machine) continues() {
	m.acted("continues")
	m.note(noLeg, "workflow %s continues with the next step", m.Walk.Workflow)
	outer := m.Walk.Outer
	m.Walk = WalkState{}
	if outer != nil {
		m.Walk = *outer
		m.ringNext(m.Walk.At + 1)
	}
}

// ringNext rings stage n of the action, or goes on when there is none.
func (m *machine) ringNext(n int) {
	w := &m.Walk
	w.Step, w.At = WalkRinging, n
	if n >= len(w.Stages) {
		m.acted("nobody answered")
		m.walkOn("", "")
		return
	}
	m.newRound()
	if st := &w.Stages[n]; st.Workflow != "" {
		outer := *w
		m.beginWalk(st.Workflow, append(slices.Clip(w.Numbers), numbersWithin(&w.Action.Row, st.Number)...), &outer)
		return
	}
	m.Looking = true
	m.do(Lookup{m.Stage})
}

// numbersWithin is the way from the action's row to the number whose stage it has.
func numbersWithin(row *routing.Row, number string) []string {
	p := routing.Plan{Trace: []routing.Row{*row}}
	return numbersTo(&p, "", number)[1:]
}

// prompt lets the caller hear the action's prompt. A key that was pressed ahead answers a menu at once, unless the menu
// asks again: then the caller did not know what to press.
func (m *machine) prompt(again bool) {
	if again {
		m.Walk.Keys = ""
	}
	if keys := m.Walk.Keys; keys != "" && m.Walk.Action.Kind == routing.ActMenu {
		m.Walk.Keys = keys[1:]
		m.key(keys[:1])
		return
	}
	m.machineAnswers()
	m.Gen++
	m.Walk.Step, m.Walk.Token = WalkFetching, m.Gen
	m.do(MakeSound{m.Gen})
}

// machineAnswers answers the caller, once something has to be said: a workflow that only looks at the clock costs nothing.
func (m *machine) machineAnswers() {
	m.Machine = true
	if m.Final != 0 {
		return
	}
	codecs := m.Committed
	if codecs == nil {
		codecs = speakable(m.offeredOrAll())
	}
	m.note(m.Caller, "answered by the workflow")
	m.accept(codecs)
	m.Committed = codecs
}

func (m *machine) soundMade(w SoundMade) {
	if w.Token != 0 && w.Token == m.Walk.Token && m.Walk.Step == WalkFetching {
		m.Walk.Step, m.Walk.File = WalkOpening, w.File
		m.speak()
		return
	}
	for i := range m.Legs {
		if leg := &m.Legs[i]; w.Token != 0 && leg.Token == w.Token && leg.Phase == LegConfirming {
			m.whisper(i, w.File)
		}
	}
}

// speak plays the prompt as soon as the caller can hear it.
func (m *machine) speak() {
	c := m.callerLeg()
	if m.Walk.Step != WalkOpening || c == nil || c.Phase != LegUp || (c.WebRTC && !c.MediaReady) {
		return
	}
	m.Walk.Step = WalkPlaying
	m.stopRingback()
	if m.Walk.File == "" {
		m.play(m.Caller, Beep, "")
		return
	}
	m.play(m.Caller, Spoken, m.Walk.File)
}

// spoken: the caller has heard it.
func (m *machine) spoken() {
	switch {
	case m.Phase != Ringing || m.Walk.Step != WalkPlaying:
	case m.Walk.Action.Kind == routing.ActMenu:
		m.Walk.Step = WalkKey
		m.start(&m.WalkTimer, max(time.Duration(m.Walk.Action.Seconds)*time.Second, time.Second))
	default:
		m.acted("was heard")
		m.walkOn("", "")
	}
}

// pressed takes a key of the caller's. It interrupts what is being said; outside a menu it is kept for the next one.
func (m *machine) pressed(digit byte) {
	playing := m.Walk.Step == WalkPlaying
	if playing {
		m.stopPlay(m.Caller)
	}
	switch kind := m.Walk.Action.Kind; {
	case kind == routing.ActMenu && m.Walk.Step != WalkAsking:
		m.key(string(digit))
		return
	case len(m.Walk.Keys) < maxKeys:
		m.Walk.Keys += string(digit)
	}
	if playing {
		m.acted("interrupted by a key")
		m.walkOn("", "")
	}
}

// key answers the menu.
func (m *machine) key(key string) {
	m.acted("key " + key)
	m.walkOn(key, "")
}

func (m *machine) noKey() {
	if m.Phase == Ringing && m.Walk.Step == WalkKey {
		m.acted("no key in time")
		m.walkOn("", "")
	}
}

func (m *machine) webSays(w WebSays) {
	if m.Phase != Ringing || m.Walk.Step != WalkHook || w.Token != m.Walk.Token {
		return
	}
	if w.Err != "" {
		m.acted("failed: " + w.Err)
	} else {
		m.acted("named " + w.Node)
	}
	m.walkOn("", w.Node)
}

// endWalk takes leave of the workflow, and of those around it.
func (m *machine) endWalk(outcome string) {
	m.stop(&m.WalkTimer)
	for m.Walk.Step != WalkNone {
		if m.Walk.Step != WalkAsking { // else there is no action whose outcome it could be
			m.acted(outcome)
		}
		outer := m.Walk.Outer
		m.Walk = WalkState{}
		if outer != nil {
			m.Walk = *outer
		}
	}
}

// whisper tells who answered an outside line what the call is about, and then asks to press 1.
func (m *machine) whisper(i int, file string) {
	leg := &m.Legs[i]
	if file == "" {
		leg.Token = 0
		m.play(i, PressOne, "")
		return
	}
	m.note(i, "hears the whisper")
	m.play(i, Spoken, file)
}

func (m *machine) whispered(i int) {
	if leg := &m.Legs[i]; leg.Phase == LegConfirming && leg.Token != 0 {
		leg.Token = 0
		m.play(i, PressOne, "")
	}
}
