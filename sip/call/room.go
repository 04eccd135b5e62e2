package call

import (
	"slices"
	"time"

	"strowger/sip/call/script"
	"strowger/store"
)

// Rooms: more than two parties talk in one call, by a Mixer in place of the bridge. A conference room is a call of its own,
// into which the legs of those who dialled it move (see adopt.go); merged calls and pages become rooms where they are.

// RoomKind says what makes a call a room.
type RoomKind int

// The kinds of room.
const (
	RoomNone       RoomKind = iota
	RoomConference          // has an extension; it lasts until the last one leaves
	RoomMerged              // calls that somebody joined; with two left it is a plain call again
	RoomPage                // the caller speaks, phones that answered by themselves listen
)

var roomKinds = [...]string{"", "conference", "merged", "page"}

func (k RoomKind) String() string { return roomKinds[k] }

// RoomState is the room of a call.
type RoomState struct {
	Kind      RoomKind
	Extension string
	Max       int // members at once
	Locked    bool
	Looking   bool // phones to page are being looked up
	Timer     int  // until somebody must be here, 0 = not running
}

// HowRoom and HowMerge move a leg into a room.
const (
	HowRoom  How = "conference" // it has dialled the room
	HowMerge How = "merge"      // a party joins two of its calls
)

const (
	// roomPatience is how long a conference waits for whoever made it, and a page for phones to answer.
	roomPatience = 15 * time.Second
	// maxRoomLegs bounds the legs of a room over its lifetime: who leaves stays in its record.
	maxRoomLegs = 1000
	// maxMembers of a room that sets no limit of its own.
	maxMembers = 100
)

// openRoom makes this call a conference room, empty as yet.
func (m *machine) openRoom(w Started) {
	m.Caller, m.Phase = -1, Up
	m.Plan = Planned{Direction: store.Internal, To: w.To, Caller: w.From}
	m.Room = RoomState{Kind: RoomConference, Extension: w.To, Max: w.RoomMax}
	m.note(noLeg, "conference room %s opens", w.To)
	m.do(OpenRecord{})
	m.do(OpenMixer{Tones: true})
	m.start(&m.Room.Timer, roomPatience)
}

// members counts who is in the room.
func (m *machine) members() int {
	n := 0
	for i := range m.Legs {
		if m.Legs[i].In {
			n++
		}
	}
	return n
}

// enter lets leg i talk to all others.
func (m *machine) enter(i int) {
	leg := &m.Legs[i]
	leg.OnHold = false
	leg.In, leg.Silent = true, leg.Muted || leg.holds()
	if m.AnswerAt.IsZero() {
		m.AnswerAt, m.Final = m.at, 200
	}
	m.do(Mix{i, leg.Silent, m.Room.Kind != RoomConference})
	if m.Room.Kind != RoomConference {
		return
	}
	m.stop(&m.Room.Timer)
	m.note(i, "%s enters the conference", leg.name())
	if m.members() == 1 {
		m.announce(i, "conf-alone")
	}
}

// admits says whether a leg of another call may enter, else why not.
func (m *machine) admits(w Adopted) (code int, why string) {
	switch {
	case m.Start.ID == "" || m.Phase != Up || m.Handing.To != "" || m.Service.busy() || m.Keying.On || m.Park.Step != ParkNone || m.VM.Step != VMNone || w.Leg.Phase != LegUp:
		return 481, "this call takes nobody now"
	case w.How == HowMerge && m.Room.Kind == RoomNone && (m.Peer == 0 || m.Transfer.Step != TransferNone):
		return 481, "this call takes nobody now"
	case w.How == HowMerge && w.Seat.User != "" && !m.has(w.Seat.User): // nobody is merged into others' calls
		return 403, "this is another user's call"
	case w.How == HowMerge && m.Room.Kind != RoomNone && m.Room.Kind != RoomMerged, w.How == HowRoom && m.Room.Kind != RoomConference:
		return 481, "this call takes nobody now"
	case m.Room.Locked && !w.Seat.Moderator:
		return 403, script.RoomLocked
	case len(m.Legs) >= maxRoomLegs || m.Room.Kind != RoomNone && m.members() >= m.Room.Max:
		return 486, script.RoomFull
	}
	return 0, ""
}

// adoptMember takes a leg of another call into the room.
func (m *machine) adoptMember(w Adopted) {
	if code, why := m.admits(w); code != 0 {
		m.note(noLeg, "%s of call %s may not enter: %s", w.Leg.name(), w.From, why)
		m.do(GiveBack{code, why})
		return
	}
	l := w.Leg
	l.Stage, l.Moved, l.Target, l.Next, l.From = -1, true, 0, nil, w.From
	l.Moderator, l.Muted, l.Speaking = w.Seat.Moderator, false, false
	m.Legs = append(m.Legs, l)
	i := len(m.Legs) - 1
	m.Reseated = true
	m.relate(w.From, w.How)
	m.do(Adopt{i})
	if m.Room.Kind == RoomNone {
		m.merge()
	}
	m.enter(i)
	m.do(Welcome{From: w.From, Who: m.to()})
}

// merge makes a room of two who talk.
func (m *machine) merge() {
	caller, peer := m.Caller, m.Peer
	m.part(caller)
	m.music()
	m.note(noLeg, "calls are merged")
	m.Room = RoomState{Kind: RoomMerged, Max: maxMembers}
	m.do(OpenMixer{})
	m.enter(caller)
	m.enter(peer)
}

// settleRoom draws the conclusions of who is in the room.
func (m *machine) settleRoom() {
	if m.Room.Kind == RoomNone {
		return
	}
	if m.Phase == Over {
		m.closeRoom()
		return
	}
	for i := range m.Legs {
		leg := &m.Legs[i]
		if silent := leg.Muted || leg.holds(); leg.In && silent != leg.Silent {
			leg.Silent = silent
			m.do(MuteMember{i, silent})
		}
	}
	n := m.members()
	switch {
	case m.Room.Kind == RoomConference && n == 0 && m.Room.Timer == 0:
		m.over(ending{disposition: m.soFar(), by: "caller", why: "the last one left the conference"})
	case m.Room.Kind == RoomMerged && !m.oursIn():
		m.over(ending{disposition: m.soFar(), by: "callee", why: "nobody of the company is left in the call"})
	case m.Room.Kind == RoomMerged && n == 2:
		m.unmerge()
		return
	case m.Room.Kind == RoomMerged && n < 2:
		m.over(ending{disposition: m.soFar(), by: "caller", why: "the others left"})
	case m.Room.Kind == RoomPage && !m.Legs[m.Caller].In:
		m.over(ending{disposition: m.soFar(), by: "caller", why: "the page is over"})
	case m.Room.Kind == RoomPage && !m.Room.Looking && !m.pages():
		m.over(ending{disposition: m.soFar(), by: "us", why: "nobody hears the page", code: 480})
	}
	if m.Phase == Over {
		m.closeRoom()
	}
}

// oursIn reports whether a user is among the members: outside lines do not talk to each other at the company's expense.
func (m *machine) oursIn() bool {
	return slices.ContainsFunc(m.Legs, func(l LegState) bool { return l.In && l.User != "" })
}

// unmerge bridges the two who are left.
func (m *machine) unmerge() {
	var two []int
	for i := range m.Legs {
		if m.Legs[i].In {
			two = append(two, i)
			m.part(i)
		}
	}
	m.closeRoom()
	m.Caller, m.Peer = two[0], two[1]
	m.note(noLeg, "two are left, and talk to each other")
	m.do(Bridge{m.Caller, m.Peer})
	m.music()
}

func (m *machine) closeRoom() {
	m.stop(&m.Room.Timer)
	m.Room = RoomState{}
	m.do(CloseMixer{})
}

// roomTimeOver: nobody came, or phones that are paged do not answer by themselves.
func (m *machine) roomTimeOver() {
	for i := range m.Legs {
		if m.Room.Kind == RoomPage && i != m.Caller && m.Legs[i].Phase.live() && !m.Legs[i].In {
			m.hangup(i, Reason{"SIP", 480, "No answer"})
		}
	}
}

// memberLost lets a member go of whom nothing is heard, or whose media fails; the others go on.
func (m *machine) memberLost(i int, r Reason) {
	m.note(i, "leaves the conference: %s", r.Text)
	m.hangup(i, r)
}

// memberKey takes a key of somebody in a conference.
func (m *machine) memberKey(i int, digit byte) {
	leg := &m.Legs[i]
	if m.Room.Kind != RoomConference {
		return
	}
	switch {
	case digit == '1':
		m.muteMember(i, !leg.Muted)
		m.announce(i, choose(leg.Muted, "conf-muted", "conf-unmuted"))
	case digit == '3':
		m.note(i, "leaves the conference")
		m.hangup(i, Reason{"SIP", 200, "Left"})
	case digit == '4' && leg.Moderator:
		m.lockRoom(!m.Room.Locked)
		m.announce(i, choose(m.Room.Locked, "conf-now-locked", "conf-now-open"))
	default:
		m.announce(i, "conf-menu")
	}
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func (m *machine) muteMember(i int, on bool) {
	m.Legs[i].Muted = on
	m.note(i, "%s", choose(on, "is muted", "can be heard again"))
}

func (m *machine) lockRoom(on bool) {
	m.Room.Locked = on
	m.note(noLeg, "%s", choose(on, "the conference is locked", "the conference is open again"))
}

// announce lets one member hear a prompt, instead of the others.
func (m *machine) announce(i int, prompt string) {
	m.Gen++
	m.Legs[i].Token = m.Gen
	m.do(MakePhrases{m.Gen, []script.Phrase{script.Prompt{Name: prompt}}})
}

// announced: the prompt of a member is there.
func (m *machine) announced(w PhrasesMade) {
	i := slices.IndexFunc(m.Legs, func(l LegState) bool {
		return (l.In || m.Keying.On && l.ID == m.Legs[m.Keying.By].ID) && w.Token != 0 && l.Token == w.Token
	})
	if i < 0 || m.Phase != Up {
		return
	}
	m.Legs[i].Token = 0
	if len(w.Files) > 0 {
		m.play(i, Spoken, w.Files[0])
	}
}
