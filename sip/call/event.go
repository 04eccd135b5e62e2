package call

import (
	"encoding/json"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// Event is something that happened, for Step. The actor has done the media work that belongs to it already: codecs and
// directions stand here, SDP never does.
type Event struct {
	At   time.Time
	Leg  int // index into State.Legs; noLeg for events of the call
	What What
}

// noLeg is the leg of events and story lines that belong to the call as a whole.
const noLeg = -1

// What is the kind of an Event: one of the types below.
type What interface{ what() }

// Events of the call.
type (
	// Started is a new call. It is the first event, exactly once.
	Started struct {
		ID         string
		At         time.Time
		Trunk      string
		User       string
		Device     string
		Kind       string // browser | desk | mobile | trunk
		From       Party
		To         string
		CallerID   string
		Delayed    bool // the INVITE has no offer
		WebRTC     bool
		EarlyMedia bool
		Refer      bool     // the caller's trunk transfers by itself
		Codecs     []string // allowed on the caller's trunk, nil = all
		Opus       bool     // Opus can be transcoded
		RoomMax    int      // a conference room of so many, To is its extension; it begins empty
		Originate  bool     // there is no caller's leg yet: ring the user's devices first,
		Phone      string   // or, when set, this outside line of the user
		Service    string   // talks with the user instead of whom To names; "" = To is dialled
		Arg        string   // of Service
		Emergency  bool     // a user calls for help: no limit holds
		InCall     InCall
		// Refuse is set when a limit forbids the call: status and reason, nothing is routed.
		Refuse  int
		Because string
		// Replaces is the seat that the caller asks for (RFC 3891), instead of being routed.
		Replaces Place
	}

	// Planned is routing's decision.
	Planned struct {
		Plan      routing.Plan
		Request   json.RawMessage
		Direction string // store.Inbound, Outbound, Internal
		To        string // normalised
		Caller    Party  // as shown to whoever is rung
		Outside   string // the number shown on outside lines instead of Caller's, when that is an extension
	}

	// Found are the lines of a stage.
	Found struct {
		Stage int
		Lines []Line
	}

	// Registered is a contact that appeared while the call rings.
	Registered struct {
		User string
		To   Endpoint
	}

	// Timer is a timer that ran out. One that was stopped or replaced meanwhile is ignored.
	Timer struct{ Timer int }

	// MailboxReady says that greeting and file of the mailbox are known, or that it cannot be used.
	MailboxReady struct {
		Err      string
		Full     bool // no message can be left; the greeting says so
		Review   bool // who ends the message with # may review it
		Operator bool // there is one, for 0
	}

	// WorkflowSays is the next action of the workflow, and for one that rings: whom.
	WorkflowSays struct{ Next WalkAction }

	// SoundMade: what a MakeSound or MakeWhisper asked for, "" = there is no sound.
	SoundMade struct {
		Token int
		File  string
	}

	// WebSays: a web server named a node of the workflow, or Err says why it did not.
	WebSays struct {
		Token int
		Node  string
		Err   string
	}

	// TransferPlanned is routing's decision on a transfer's target.
	TransferPlanned struct{ Planned }

	// ScriptReady is what answers for a service, nil = there is none.
	ScriptReady struct{ Script script.Script }

	// PhrasesMade are the files of what a service says.
	PhrasesMade struct {
		Token int
		Files []string
	}

	// ServiceSays is the answer to a service's question, or why there is none.
	ServiceSays struct {
		Token int
		Value any
		Err   string
	}

	// DialPlanned is routing's decision on what a service dials.
	DialPlanned struct{ Planned }

	// Adopted: a leg of another call wants a seat in this one; Welcome or GiveBack answers.
	Adopted struct {
		From string // the other call's id
		How  How
		Seat Place
		Leg  LegState
	}

	// Joined: the other call has taken the leg that was sent to it. Who it talks to there is for the record.
	// Pending: it rings there still, and Settled tells how that ends.
	Joined struct {
		Call, Who string
		Pending   bool
	}

	// Settled: the transfer to a call that rang is done, or has failed.
	Settled struct {
		Call string
		Code int
	}

	// Returned: the other call has sent the leg back.
	Returned struct {
		Call string
		Code int
		Why  string
	}

	// RoomFound is the call of a conference room, or Err says why there is none.
	RoomFound struct{ Call, Err string }

	// PageFound are the phones to page.
	PageFound struct{ To []Endpoint }
	// Commanded is a command; Reply answers.
	Commanded struct {
		Token   int
		Command Command
	}

	// OrbitClaimed: the orbit is this call's, if it was free. OrbitFound: who is parked there, "" = nobody.
	OrbitClaimed struct {
		Orbit string
		Free  bool
	}
	OrbitFound struct{ Call string }

	// RingingFound is where one of those rings whose call shall be picked up; no Call = nowhere.
	RingingFound struct{ At Place }

	// HangupCall ends the call on request of us: an operator, the page, shutdown.
	HangupCall struct{ Reason Reason }
)

// Events of a leg.
type (
	// OfferTaken: the caller's offer has these codecs in common with us and its trunk; nil for a delayed offer.
	OfferTaken struct {
		Codecs    []string
		Direction string
	}

	// PeerProgress is an 18x. Codecs is set when its early answer was taken.
	PeerProgress struct {
		Code   int
		Codecs []string
	}

	// PeerAnswered is a 2xx whose answer was taken.
	PeerAnswered struct {
		Codecs    []string
		Direction string
	}

	// PeerFailed is a final error: the leg is over.
	PeerFailed struct {
		Code   int
		Reason Reason
	}

	// PeerAcked: the caller's ACK is here, and its answer was taken when our 200 had the offer.
	PeerAcked struct{ Direction string }

	// PeerCancelled: the caller hung up before the answer.
	PeerCancelled struct{}

	// PeerGone: BYE, session timer, or our hang-up confirmed.
	PeerGone struct{ Reason Reason }

	// PeerReoffered: a re-INVITE with these codecs in common; nil when the peer wants our offer.
	PeerReoffered struct {
		Codecs    []string
		Direction string
	}

	// PeerRedirected: the peer's answer within a re-INVITE came; its direction may be a new one.
	PeerRedirected struct{ Direction string }

	// PeerDigit is a key: by SIP INFO, or by RFC 4733 where the bridge could not relay it.
	PeerDigit struct {
		Digit   byte
		Millis  int
		Relayed bool
	}

	// PeerReferred: the party wants the other one to talk to Target instead. By is for the Referred-By header.
	// Attended: the other one shall take the seat With, in another call; no Call there = no such call is known.
	PeerReferred struct {
		Target, By string
		Replaces   string // Replaces header for the INVITE to Target: a dialog that is not ours
		Attended   bool
		With       Place
	}

	// CarrierSays: the status of what AskCarrier asked for; 200 and more is the outcome.
	CarrierSays struct{ Code int }

	// MediaBroken: SDP that cannot be agreed on (488), or media that is lost.
	MediaBroken struct {
		Code int
		Why  string
	}

	// MediaUp: ICE and DTLS are up, or the first packet came.
	MediaUp struct{}

	// MediaQuiet: nothing was received from the party for the configured time.
	MediaQuiet struct{}

	// PeerSpeaks: a member of a room began to talk, or ceased.
	PeerSpeaks struct{ On bool }

	// PlayDone: the sound that a Play with this Token began is over. One that was stopped or replaced meanwhile is ignored.
	PlayDone struct{ Token int }

	// RecordDone: the recording of the party is complete, or failed.
	RecordDone struct {
		Seconds float64 // of the file
		Silence float64 // seconds of it in which nothing was said
		Why     string
	}
)

// Line is one thing to ring: a device, or an outside line with the trunks that can take it, best first.
type Line struct {
	Target int // index into the stage's targets
	To     []Endpoint
}

// Box is the mailbox that ends a plan.
type Box = store.Mailbox

func (Started) what()         {}
func (Planned) what()         {}
func (Found) what()           {}
func (Registered) what()      {}
func (Timer) what()           {}
func (MailboxReady) what()    {}
func (WorkflowSays) what()    {}
func (SoundMade) what()       {}
func (WebSays) what()         {}
func (ScriptReady) what()     {}
func (PhrasesMade) what()     {}
func (ServiceSays) what()     {}
func (DialPlanned) what()     {}
func (RoomFound) what()       {}
func (PageFound) what()       {}
func (PeerSpeaks) what()      {}
func (HangupCall) what()      {}
func (PeerReferred) what()    {}
func (CarrierSays) what()     {}
func (Adopted) what()         {}
func (Joined) what()          {}
func (Returned) what()        {}
func (Settled) what()         {}
func (Commanded) what()       {}
func (OrbitClaimed) what()    {}
func (OrbitFound) what()      {}
func (RingingFound) what()    {}
func (TransferPlanned) what() {}
func (OfferTaken) what()      {}
func (PeerProgress) what()    {}
func (PeerAnswered) what()    {}
func (PeerFailed) what()      {}
func (PeerAcked) what()       {}
func (PeerCancelled) what()   {}
func (PeerGone) what()        {}
func (PeerReoffered) what()   {}
func (PeerRedirected) what()  {}
func (PeerDigit) what()       {}
func (MediaBroken) what()     {}
func (MediaUp) what()         {}
func (MediaQuiet) what()      {}
func (PlayDone) what()        {}
func (RecordDone) what()      {}
