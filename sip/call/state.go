package call

import (
	"time"

	"strowger/routing"
	"strowger/store"
)

// Phase is where a call stands as a whole.
type Phase int

// The phases of a call, in the order in which they follow each other.
const (
	Routing Phase = iota // the plan is being made
	Ringing              // stages of the plan are tried
	Up                   // the caller has been answered, by a party or by a machine (State.VM)
	Over                 // ended: legs and a recording are on their way out
)

var phaseNames = [...]string{"routing", "ringing", "up", "ended"}

func (p Phase) String() string { return phaseNames[p] }

// LegPhase is where one leg stands.
type LegPhase int

// The phases of a leg. Which may follow which is drawn above Step.
const (
	LegIdle       LegPhase = iota // the caller's INVITE is here and nothing but 100 was sent
	LegDialling                   // our INVITE is out
	LegRinging                    // 180 or 183 went by
	LegConfirming                 // an outside line answered and is asked to press 1
	LegAnswered                   // the caller's 200 is out, its ACK is awaited
	LegUp                         // the dialog is confirmed
	LegEnding                     // we hung up; the peer has not confirmed yet
	LegEnded
)

var legPhaseNames = [...]string{"idle", "dialling", "ringing", "confirming", "answered", "up", "ending", "ended"}

func (p LegPhase) String() string { return legPhaseNames[p] }

// live reports whether a party may be at the other end: not ending and not ended.
func (p LegPhase) live() bool { return p < LegEnding }

// talking reports whether the party has picked up, so that its user is on a call.
func (p LegPhase) talking() bool { return p == LegConfirming || p == LegAnswered || p == LegUp }

// State is everything that a call knows of itself. It is a value: Step never changes the one it was given. Legs are
// copied by Step, all other slices are replaced as a whole and never written to.
type State struct {
	Phase Phase
	Start Started // who calls; set once
	Plan  Planned // who shall answer; zero until routing has spoken

	Legs   []LegState
	Caller int // the calling party's leg: 0, or for an originated call the device that picked up; -1 = none yet
	Peer   int // the leg bridged with the caller's, 0 = none

	Offered   []string // codecs of the caller's offer; nil until taken, and for a delayed offer
	Committed []string // codecs of the SDP answer that the caller was given by a 183; nil = none
	Alerted   bool     // the caller was told that it rings
	Ringback  bool     // the caller's media plays ringback now
	Final     int      // final status given to the caller, 0 = none yet

	Stage    int          // index into Plan.Plan.Stages; -1 while an originated call rings its own user
	Looking  bool         // the stage's endpoints are being looked up
	Expired  bool         // the ring time is over; only confirming legs keep the stage alive
	Late     []Registered // contacts that appeared meanwhile
	Declined []int        // targets of this stage whose user declined (6xx)

	VM      VMState
	Service ServiceState
	Room    RoomState // more than two talk
	Keying  Keying    // a user keys in whom to transfer to

	Tape TapeState

	First    Planned  // once the call was transferred: the plan that it began with; Plan is the transfer's
	Transfer Transfer // under way

	Park     Park                // on an orbit
	Handing  Handing             // of a leg to another call, under way
	Carrier  ByCarrier           // the transfer, if its trunk is configured so
	Related  []store.RelatedCall // other calls that this one has to do with
	Reseated bool                // somebody came from another call: the legs tell who talks, not Start

	Walk      WalkState // the workflow that runs, if one does
	Walked    []walked  // what workflows did so far, oldest first
	Source    string    // noted by a workflow
	Tag       string
	Machine   bool // a workflow answered the caller
	FirstLeg  int  // the legs of this round of ringing begin here
	WalkTimer int  // of a menu that waits for a key, 0 = not running

	Gen       int // the last timer given out
	RingTimer int // running timers, 0 = not running
	Watchdog  int

	Worst   int    // the most telling failure of a leg so far (RFC 3261 §16.7), 0 = none
	WorstOf Reason // its reason

	RingingAt   time.Time
	AnswerAt    time.Time
	EndAt       time.Time
	Disposition string
	AnsweredBy  string
	EndedBy     string
	Why         string
	Code        int // of the record

	RecordClosed bool // the one record is written
	Done         bool // nothing is left; the actor may go
}

// LegState is what the machine knows of one leg.
type LegState struct {
	ID     string // names it for other calls, also after a move
	Phase  LegPhase
	Called bool   // it called us
	From   string // the call that it came from, "" = it is from here
	GoneTo string // the call that it has moved to
	Stage  int    // index of the plan's stage; -1 for the caller's
	Moved  bool   // rung by a transfer: Stage is of the transfer's plan
	Target int    // index of the target within the stage
	To     Endpoint
	Next   []Endpoint // further trunks to try for the same line

	Deflecting  bool           // the phone sent the call elsewhere, and routing is asked where that leads
	Deflected   []string       // the users whose phones sent the call here, one to the next; replaced as a whole
	DeflectedBy Party          // the last of them, as known outside
	Goal        routing.Target // where it was sent, when it was

	Peer   string // for people: a user, a number
	User   string
	Party  Party  // as others see it
	Shown  string // the leg that its display shows since places were changed
	Device string
	Kind   string // browser | desk | mobile | phone | trunk
	Trunk  string
	Refer  bool // the trunk transfers by itself

	WebRTC      bool
	CallConnect bool // must press 1
	Media       bool // a media session exists
	Music       bool // it plays music on hold
	AutoAnswer  bool // the phone shall answer by itself
	In          bool // a member of the room
	Moderator   bool
	Muted       bool // by itself or the moderator
	Silent      bool // the mixer does not let it be heard
	Speaking    bool
	Quiet       bool // it plays silence: we hold for the party
	OnHold      bool // by a command
	MediaReady  bool
	Early       bool      // an early answer was taken
	Codecs      []string  // negotiated; of a leg that came unanswered: offered
	Allowed     []string  // on the trunk that it called by, nil = all
	Direction   string    // what the party's last SDP says of itself; "" and sendrecv = not on hold
	Troubles    []Trouble // what is wrong with what it sends; replaced as a whole
	Taped       bool      // it is, or was where it comes from, recorded
	Side        int       // of the recording
	Timer       int       // confirm timer, 0 = not running
	Token       int       // names the whisper that is being made, 0 = none
	Keys        string    // that may become a code
	KeyAt       time.Time // the last of them
	Sound       int       // names what is played to the party, 0 = nothing

	Start   time.Time
	Ringing time.Time
	Answer  time.Time
	End     time.Time
	Code    int
	Reason  string
}

// name is the user's, or the number.
func (l *LegState) name() string {
	if l.User != "" {
		return l.User
	}
	return l.Peer
}

// held reports whether the party said that it will not talk or not listen.
func (l *LegState) held() bool { return l.Direction != "" && l.Direction != "sendrecv" }

// VMStep is where a voicemail stands.
type VMStep int

// The steps of a voicemail.
const (
	VMNone      VMStep = iota
	VMOpening          // the box is being looked up, or the caller's ACK and media are awaited
	VMGreeting         // the greeting plays
	VMBeep             // the beep plays
	VMRecording        // the caller speaks
	VMStopping         // the caller is gone or has finished; the file is being completed
	VMReviewing        // the caller hears what can be done with the message
	VMReviewKey        // and chooses
	VMReplaying        // the caller hears the message
	VMDone
)

// VMState is the machine that answers when nobody does.
type VMState struct {
	Step    VMStep
	Box     Box
	Turn    int  // which mailbox of the call it is, from 1
	Open    bool // greeting and file are known
	Seconds float64
	Saved   bool
	Earlier bool // a message was left in an earlier mailbox of the call

	Full     bool // no message can be left
	Review   bool // the message can be heard and recorded anew
	Operator bool // 0 leads to the operator
	Key      byte // that ended the message, 0 = none
	Reviews  int  // messages recorded anew
	Timer    int  // of VMReviewKey, 0 = not running
}

// reviewing reports whether the caller listens to the message, or to what can be done with it.
func (v *VMState) reviewing() bool {
	return v.Step == VMReviewing || v.Step == VMReviewKey || v.Step == VMReplaying
}
