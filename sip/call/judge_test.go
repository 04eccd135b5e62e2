package call

import (
	"fmt"
	"slices"
)

// judge watches the effects of one call and knows what must never happen, whatever the events.
type judge struct {
	legs     []judged
	timers   []int
	bridge   [2]int // legs, when joined
	joined   bool
	opened   int
	closed   int
	finished bool
	rec      bool      // a recording runs
	tape     bool      // the call is recorded
	taped    []int     // legs on the tape
	asking   string    // the question of a workflow or a service that is not answered, "" = none
	echo     bool      // the caller hears itself
	mixer    bool      // there is one
	newcomer *LegState // a leg of another call that has got no answer yet
	orbits   int       // claimed and not free
	replied  map[int]bool
	away     judged // the leg that is on its way to another call
	fault    string
}

type judged struct {
	gone, hung, media, dialled, music bool
	mixed, muted                      bool // it is in the mixer
	final                             bool // it has a final response
	refers                            int  // transfers that it asked for and whose outcome it was not told
}

func (j *judge) is(ok bool, format string, args ...any) {
	if !ok && j.fault == "" {
		j.fault = fmt.Sprintf(format, args...)
	}
}

// happens takes note of an event that is about to be stepped.
func (j *judge) happens(e Event) {
	switch w := e.What.(type) {
	case Started:
		if !w.Originate && w.RoomMax == 0 {
			j.leg(0)
		}
	case PeerFailed, PeerGone, PeerCancelled:
		if e.Leg >= 0 && e.Leg < len(j.legs) {
			j.legs[e.Leg].gone = true
		}
	case Timer:
		j.timers = slices.DeleteFunc(j.timers, func(t int) bool { return t == w.Timer })
	case RecordDone:
		j.rec = false
	case OrbitClaimed:
		if w.Free {
			j.orbits++
		}
	case TapeDone:
		j.tape = false
	case Adopted:
		j.newcomer = &w.Leg
	case PeerReferred:
		if e.Leg >= 0 && e.Leg < len(j.legs) {
			j.legs[e.Leg].refers++
		}
	case WorkflowSays, SoundMade, WebSays, PeerDigit, ScriptReady, PhrasesMade, ServiceSays, DialPlanned: // a key makes a prompt that is being made needless
		j.asking = ""
	}
}

// sip checks that leg i can still be signalled to.
func (j *judge) sip(i int, e Effect) {
	j.is(i < len(j.legs) && !j.legs[i].gone && !j.legs[i].hung, "%T on leg %d, which is over", e, i)
}

// responds checks that leg i called us and waits for a final response.
func (j *judge) responds(i int, e Effect) {
	j.sip(i, e)
	j.is(i < len(j.legs) && !j.legs[i].final && !j.legs[i].dialled, "%T after a final response, or to a leg that we called", e)
}

func (j *judge) media(i int, e Effect) {
	j.is(i < len(j.legs) && j.legs[i].media, "%T on leg %d, which has no media", e, i)
}

func (j *judge) leg(i int) *judged {
	for len(j.legs) <= i {
		j.legs = append(j.legs, judged{})
	}
	return &j.legs[i]
}

func (j *judge) sees(effect Effect) {
	j.is(!j.finished, "%T after Finish", effect)
	switch e := effect.(type) {
	case OpenRecord:
		j.opened++
		j.is(j.opened == 1 && j.closed == 0, "record opened %d times, closed %d", j.opened, j.closed)
	case CloseRecord:
		j.closed++
		j.is(j.closed == 1, "record closed %d times", j.closed)
	case SaveVoicemail, DropVoicemail:
		j.is(j.closed == 0, "%T after the record was closed", e)
	case StartTimer:
		j.is(!slices.Contains(j.timers, e.Timer) && e.After > 0, "timer %d started twice", e.Timer)
		j.timers = append(j.timers, e.Timer)
	case StopTimer:
		j.is(slices.Contains(j.timers, e.Timer), "timer %d stopped, but does not run", e.Timer)
		j.timers = slices.DeleteFunc(j.timers, func(t int) bool { return t == e.Timer })
	case FreeOrbit:
		j.orbits--
		j.is(j.orbits >= 0, "an orbit is left that was not taken")
	case Reply:
		j.is(!j.replied[e.Token], "command %d is answered twice", e.Token)
		if j.replied == nil {
			j.replied = map[int]bool{}
		}
		j.replied[e.Token] = true
	case Adopt:
		j.is(j.newcomer != nil && e.Leg == len(j.legs), "nobody came to leg %d", e.Leg)
		if n := j.newcomer; n != nil {
			answered := n.Phase >= LegAnswered
			j.legs = append(j.legs, judged{media: n.Media, dialled: !n.Called, final: n.Called && answered})
		}
	case Welcome, GiveBack:
		j.is(j.newcomer != nil, "%T to nobody", e)
		j.newcomer = nil
	case Yield:
		j.sip(e.Leg, e)
		j.media(e.Leg, e)
		j.is(!j.legs[e.Leg].mixed, "a leg leaves with the mixer")
		j.is(!j.legs[e.Leg].music && (!j.joined || j.bridge[0] != e.Leg && j.bridge[1] != e.Leg), "a leg leaves with music, or the bridge")
		j.away = j.legs[e.Leg]
		j.legs[e.Leg].gone, j.legs[e.Leg].media = true, false
	case TakeBack:
		j.legs[e.Leg] = j.away
	case DecideTransfer:
		j.is(j.closed == 0, "%T after the record was closed", e)
	case WalkOn, MakeSound, AskWeb:
		j.is(j.closed == 0, "%T after the record was closed", e)
		j.asks(e)
	case OpenScript, MakePhrases, DecideDial:
		j.is(j.closed == 0, "%T after the record was closed", e)
		j.asks(e)
	case AskService:
		j.is(j.closed == 0, "%T after the record was closed", e)
		if e.Token != 0 {
			j.asks(e)
		}
	case OpenMixer:
		j.is(!j.mixer && !j.joined, "a second mixer, or one beside the bridge")
		j.mixer = true
	case CloseMixer:
		j.is(j.mixer && !slices.ContainsFunc(j.legs, func(l judged) bool { return l.mixed }), "no mixer to close, or somebody is in it")
		j.mixer = false
	case FindRoom, LookupPage:
		j.is(j.closed == 0, "%T after the record was closed", e)
	case StartTape:
		j.is(!j.tape && (j.joined || j.mixer) && j.closed == 0, "recorded twice, with nobody, or after the record was closed")
		j.tape = true
	case StopTape:
		j.is(j.tape, "no recording to stop")
		j.tape = false
	case Finish:
		j.finished = true
		j.is(!j.tape && len(j.taped) == 0, "finished with a recording")
		j.is(j.orbits == 0, "finished on an orbit")
		j.is(j.closed == 1 && !j.joined && !j.mixer && len(j.timers) == 0, "finished with %d records, bridge %v, timers %v", j.closed, j.joined, j.timers)
		for i, l := range j.legs {
			j.is(!l.media, "finished with media of leg %d", i)
		}
	default:
		j.seesLeg(effect)
	}
}

// asks checks that a workflow waits for one thing at a time.
func (j *judge) asks(effect Effect) {
	name := fmt.Sprintf("%T", effect)
	j.is(j.asking == "", "%s while %s is not answered", name, j.asking)
	j.asking = name
}

func (j *judge) seesLeg(effect Effect) {
	switch e := effect.(type) {
	case TakeOffer:
		j.leg(e.Leg).media = true
	case Dial:
		j.is(e.Leg >= len(j.legs) || !j.legs[e.Leg].media, "leg %d dialled twice", e.Leg)
		j.leg(e.Leg).media = true
		j.leg(e.Leg).dialled = true
	case Ring:
		j.responds(e.Leg, e)
	case EarlyAnswer:
		j.responds(e.Leg, e)
		j.media(e.Leg, e)
	case Accept:
		j.responds(e.Leg, e)
		j.media(e.Leg, e)
		j.legs[e.Leg].final = true
	case Reject:
		j.responds(e.Leg, e)
		j.is(e.Code >= 400 && e.Code < 700, "refused with %d", e.Code)
		j.legs[e.Leg].final, j.legs[e.Leg].gone = true, true
	case Hangup:
		j.sip(e.Leg, e)
		j.legs[e.Leg].hung = true
	case Show:
		j.sip(e.Leg, e)
	case AcceptReoffer:
		j.sip(e.Leg, e)
	case RejectReoffer:
		j.sip(e.Leg, e)
	case AskCarrier:
		j.sip(e.Leg, e)
		if e.With >= 0 {
			j.sip(e.With, e)
			j.is(j.joined && j.bridge[0]+j.bridge[1] == e.Leg+e.With, "the carrier shall join two who do not talk")
		}
	case ReferProgress:
		j.sip(e.Leg, e)
		if e.Code >= 200 {
			j.legs[e.Leg].refers--
			j.is(j.legs[e.Leg].refers >= 0, "a transfer has two outcomes, or one that nobody asked for")
		}
	case PassDigit:
		j.sip(e.Leg, e)
	default:
		j.seesMedia(effect)
	}
}

func (j *judge) seesMedia(effect Effect) {
	switch e := effect.(type) {
	case Play:
		j.media(e.Leg, e)
		j.is(!j.legs[e.Leg].music || e.What == Silence, "%v is played over the music on hold", e.What)
		j.legs[e.Leg].music = e.What == Music
		j.is(e.What != Spoken || e.File != "", "a sound without a file is played")
	case MakeWhisper:
		j.media(e.Leg, e)
	case StopPlay:
		j.media(e.Leg, e)
		j.legs[e.Leg].music = false
	case Echo:
		j.media(e.Leg, e)
		j.is(!j.joined && !j.echo, "an echo in a bridge, or of an echo")
		j.echo = true
	case StopEcho:
		j.media(e.Leg, e)
		j.is(j.echo, "no echo to stop")
		j.echo = false
	case RecordVoice:
		j.media(e.Leg, e)
		j.is(!j.rec, "a party is recorded twice")
		j.rec = true
	case StopRecord:
		j.media(e.Leg, e)
	case Mix:
		j.media(e.Leg, e)
		j.is(j.mixer && !j.legs[e.Leg].mixed && !j.joined && !j.legs[e.Leg].music, "leg %d cannot be mixed", e.Leg)
		j.legs[e.Leg].mixed, j.legs[e.Leg].muted = true, e.Muted
	case Unmix:
		j.media(e.Leg, e)
		j.is(j.legs[e.Leg].mixed, "leg %d is not in the mixer", e.Leg)
		j.legs[e.Leg].mixed = false
	case MuteMember:
		j.media(e.Leg, e)
		j.is(j.legs[e.Leg].mixed && j.legs[e.Leg].muted != e.On, "leg %d is muted for nothing", e.Leg)
		j.legs[e.Leg].muted = e.On
	case Bridge:
		j.is(!j.mixer, "bridged beside a mixer")
		j.media(e.Leg, e)
		j.media(e.Other, e)
		j.is(!j.joined && !j.echo && e.Leg != e.Other, "bridged twice")
		j.joined, j.bridge = true, [2]int{e.Leg, e.Other}
	case Unbridge:
		j.is(j.joined && j.bridge == [2]int{e.Leg, e.Other}, "parted what was not joined")
		j.joined = false
	case TapeLeg:
		j.media(e.Leg, e)
		on := slices.Contains(j.taped, e.Leg)
		j.is(on != e.On && (!e.On || j.tape && (j.joined || j.mixer)), "leg %d is put on a tape, or taken off, twice, or without one", e.Leg)
		j.taped = slices.DeleteFunc(j.taped, func(i int) bool { return i == e.Leg })
		if e.On {
			j.taped = append(j.taped, e.Leg)
		}
	case CloseMedia:
		j.media(e.Leg, e)
		j.is(!j.legs[e.Leg].mixed, "media of leg %d closed in the mixer", e.Leg)
		j.is(!slices.Contains(j.taped, e.Leg), "media of leg %d closed on the tape", e.Leg)
		j.is(!j.joined || (j.bridge[0] != e.Leg && j.bridge[1] != e.Leg), "media of leg %d closed in the bridge", e.Leg)
		j.legs[e.Leg].media, j.legs[e.Leg].music, j.echo = false, false, j.echo && e.Leg != 0
	}
}

// stepped is one call, stepped under the eyes of a judge.
type stepped struct {
	s State
	j judge

	commands int // so far
}

func (c *stepped) step(e Event) {
	if w, ok := e.What.(Commanded); ok { // each command has a token of its own
		c.commands++
		w.Token = c.commands
		e.What = w
	}
	c.j.happens(e)
	next, effects := Step(c.s, e)
	c.s = next
	for _, effect := range effects {
		c.j.sees(effect)
	}
	ended := 0
	for i := range c.s.Legs {
		if c.s.Legs[i].Phase == LegEnded {
			ended++
		}
	}
	c.j.is(!c.s.Done || ended == len(c.s.Legs), "done with legs left")
	c.j.is(c.s.Done || c.j.newcomer == nil, "a newcomer gets no answer")
	c.j.newcomer = nil
	for i, l := range c.j.legs {
		k := c.other(i)
		parked := c.s.Park.Step == Parked
		held := c.s.Phase == Up && c.s.Legs[i].Phase == LegUp && (parked && i == c.s.Caller || k >= 0 && c.s.Legs[k].holds() && !c.s.Legs[i].holds())
		held = held || c.s.Phase != Over && c.s.Legs[i].Phase == LegUp && c.waits(i)
		c.j.is(l.music == held, "leg %d hears music: %v, is held: %v", i, l.music, held)
	}
	c.j.is(c.s.Walk.Step == WalkNone || c.s.Phase == Ringing, "a workflow runs in a call that is %v", c.s.Phase)
	c.transfers()
	c.rooms()
	if k := &c.s.Keying; k.On {
		c.j.is(c.s.Phase == Up && c.s.Peer == 0 && k.Timer != 0 && c.s.Legs[k.By].Phase == LegUp && c.s.Legs[k.Other].Phase == LegUp, "keys for nothing")
	}
	if t := &c.s.Transfer; t.Step == TransferConsult {
		c.j.is(c.s.Peer != 0 && c.s.Caller == t.By && c.s.Legs[t.By].Phase == LegUp && c.s.Legs[t.Held].Phase == LegUp, "a consultation of nobody")
	}
	c.j.is(!c.s.Service.busy() || c.s.Phase == Up && c.s.Peer == 0, "a service in a call that is %v", c.s.Phase)
	c.j.is(c.s.Service.Timer == 0 || c.s.Service.Step == ServiceListening, "a service's timer runs although it does not listen")
	c.j.is(c.s.WalkTimer == 0 || c.s.Walk.Step == WalkKey, "a menu's timer runs without the menu")
	waits := c.s.Handing.To != ""
	c.j.is(c.s.Park.Step != Parked || c.s.Phase == Up && c.s.Peer == 0, "parked in a call that is %v", c.s.Phase)
	c.j.is(c.s.Phase != Ringing || waits || c.s.Carrier.waits() || c.s.Park.Step == ParkAsking || c.s.Looking || c.s.Walk.busy() || slices.ContainsFunc(c.s.Legs, func(l LegState) bool {
		return l.Deflecting || l.Phase.live() && l.Phase != LegIdle && (l.Phase != LegUp || c.s.Transfer.Step == TransferNone)
	}), "ringing, but nothing will ever happen")
	c.j.is(c.s.Phase != Up || waits || c.s.Park.Step == Parked || c.s.Peer != 0 || c.s.VM.Step != VMNone || c.s.Service.busy() || c.s.Room.Kind != RoomNone || c.s.Keying.On, "up with nobody")
	for i := range c.s.Legs {
		c.j.is(c.s.Phase != Up || waits || i == c.s.Caller || i == c.s.Peer || c.s.Room.Kind == RoomPage || c.s.Legs[i].In || c.waits(i) || c.s.Keying.On && i == c.s.Keying.By || !c.s.Legs[i].Phase.live(), "leg %d still rings in an answered call", i)
	}
}

// rooms checks that the mixer has whom the call says, and that a room is there for somebody.
func (c *stepped) rooms() {
	r, n := c.s.Room, 0
	for i := range c.s.Legs {
		l := &c.s.Legs[i]
		c.j.is(i >= len(c.j.legs) && !l.In || i < len(c.j.legs) && l.In == c.j.legs[i].mixed, "leg %d is a member: %v, is not mixed", i, l.In)
		c.j.is(!l.In || l.Phase.live() && c.j.legs[i].muted == (l.Muted || l.holds()), "leg %d is a member, and over or heard while it holds", i)
		if l.In {
			n++
		}
	}
	c.j.is((r.Kind != RoomNone) == c.j.mixer, "a room without a mixer, or the other way")
	c.j.is(r.Kind == RoomNone || c.s.Phase == Up && c.s.Peer == 0, "a room in a call that is %v", c.s.Phase)
	c.j.is(r.Kind != RoomMerged || n > 2, "%d are merged", n)
	c.j.is(r.Kind != RoomConference || n > 0 || r.Timer != 0, "an empty conference goes on")
	c.j.is(r.Kind != RoomPage || c.s.Legs[c.s.Caller].In, "a page of nobody")
}

// waits reports whether leg i hears music until a transfer by keys has got on.
func (c *stepped) waits(i int) bool {
	t, k := &c.s.Transfer, &c.s.Keying
	return k.On && i == k.Other || t.Consult && i == t.Held && (t.Step == TransferRinging || t.Step == TransferConsult)
}

// transfers checks that a transfer is in one place with the call.
func (c *stepped) transfers() {
	t := c.s.Transfer
	want := [...]Phase{TransferAsking: Up, TransferRinging: Ringing, TransferConsult: Up}[t.Step]
	c.j.is(t.Step == TransferNone || c.s.Phase == want, "a transfer is at %d in a call that is %v", t.Step, c.s.Phase)
	c.j.is(t.Step != TransferRinging || t.Consult || c.s.Caller != t.By && (c.s.Peer == 0 || c.s.Peer != t.By), "the transferor is bridged, or rung for")
	for i := range c.s.Legs {
		l := &c.s.Legs[i]
		c.j.is(c.s.Phase != Ringing || l.Phase != LegUp || i == c.s.Caller || t.Step == TransferRinging && !t.Consult && i == t.By || c.waits(i), "leg %d is forgotten", i)
	}
}

// other is the leg that is bridged with leg i, -1 = none.
func (c *stepped) other(i int) int {
	if !c.j.joined || c.j.bridge[0] != i && c.j.bridge[1] != i {
		return -1
	}
	return c.j.bridge[0] + c.j.bridge[1] - i
}

// drive ends the call as peers that behave would (confirm), or as silent ones, whom the watchdog releases.
func (c *stepped) drive(confirm bool) {
	c.step(Event{Leg: noLeg, What: HangupCall{}})
	c.j.is(c.s.Phase == Over, "not over after a hang-up")
	if confirm {
		for i := range c.s.Legs {
			c.step(Event{Leg: i, What: PeerGone{}})
		}
		c.step(Event{Leg: c.s.Caller, What: RecordDone{Seconds: 2}})
		c.step(Event{Leg: noLeg, What: TapeDone{N: c.s.Tape.Count, Seconds: 2, Why: "stopped"}})
	} else if !c.s.Done {
		c.step(Event{Leg: noLeg, What: Timer{c.s.Watchdog}})
	}
	c.j.is(c.s.Done && c.j.finished, "not done at the end")
}
