package call

import (
	"time"

	"strowger/sip/call/script"
)

// Effect is something that the actor shall do: one of the types below. Effects are done in order.
type Effect interface{ effect() }

// Effects of the call.
type (
	// Decide asks routing; Planned follows.
	Decide struct{}

	// Lookup asks for the endpoints of a stage; Found follows.
	Lookup struct{ Stage int }

	// StartTimer posts Timer after a while.
	StartTimer struct {
		Timer int
		After time.Duration
	}

	// StopTimer stops one that was started.
	StopTimer struct{ Timer int }

	// OpenRecord journals the call.
	OpenRecord struct{}

	// CloseRecord writes the record. Exactly one per call.
	CloseRecord struct{}

	// OpenMailbox asks for greeting and file; MailboxReady follows. Busy: it answers for somebody who is on a call.
	OpenMailbox struct {
		Turn int
		Busy bool
	}

	// SaveVoicemail stores the message; DropVoicemail removes the file of one that says nothing.
	SaveVoicemail struct{}
	DropVoicemail struct{}

	// WalkOn asks what the workflow State.Walk does next; WorkflowSays follows. Key and Answer are what came of its last
	// action (routing.Input).
	WalkOn struct{ Key, Answer string }

	// MakeSound asks for the prompt of the workflow's action; SoundMade follows.
	MakeSound struct{ Token int }

	// AskWeb asks the web server of the workflow's action; WebSays follows.
	AskWeb struct{ Token int }

	// DecideTransfer asks routing for the target that the transferor, leg By, named; TransferPlanned follows.
	DecideTransfer struct {
		By     int
		Target string
	}

	// OpenScript asks for what answers for State.Service; ScriptReady follows.
	OpenScript struct{}

	// MakePhrases asks for the files of what a service says; PhrasesMade follows.
	MakePhrases struct {
		Token   int
		Phrases []script.Phrase
	}

	// AskService puts a question of a service; ServiceSays follows. Without a token nobody waits for the answer.
	AskService struct {
		Token    int
		Question any
	}

	// DecideDial asks routing for what a service dials; DialPlanned follows.
	DecideDial struct{ Target string }

	// Yield sends a leg, which was in this state, to another call; Joined or Returned follows.
	Yield struct {
		Leg   int
		To    Place
		How   How
		State LegState
	}

	// Adopt gives the leg that came with Adopted its place; Welcome tells its call so, and whom it talks to. GiveBack sends
	// it back instead, and TakeBack gives one that came back its old place.
	Adopt struct{ Leg int }
	// Pending: it rings still, and Settle tells the call To how that has ended.
	Welcome struct {
		From, Who string
		Pending   bool
	}
	Settle struct {
		To   string
		Code int
	}
	TakeBack struct{ Leg int }
	GiveBack struct {
		Code int
		Why  string
	}

	// FindRoom asks for the call of a conference room, other than Not; RoomFound follows.
	FindRoom struct{ Room, Not string }

	// LookupPage asks for the phones of users who are not on a call; PageFound follows.
	LookupPage struct{ Users []string }

	// OpenMixer makes the room's mixer; CloseMixer frees it.
	OpenMixer  struct{ Tones bool }
	CloseMixer struct{}
	// Reply answers a command.
	Reply struct {
		Token int
		Err   error
	}

	// ClaimOrbit asks for an orbit; OrbitClaimed follows. FreeOrbit leaves it. FindOrbit asks who is parked there; OrbitFound
	// follows.
	ClaimOrbit struct{ Orbit string }
	FreeOrbit  struct{ Orbit string }
	FindOrbit  struct{ Orbit string }

	// FindRinging asks where one of these users is rung; RingingFound follows.
	FindRinging struct{ Users []string }

	// Finish is the last effect: no leg, media session or timer is left.
	Finish struct{}

	// Note is a line of the call's story.
	Note struct {
		Leg  int // noLeg = the call
		Text string
	}
)

// Effects on a leg.
type (
	// TakeOffer makes the caller's media session and takes its offer; OfferTaken or MediaBroken follows.
	TakeOffer struct{ Leg int }

	// Dial rings State.Legs[Leg].To with an offer of these codecs (nil = all).
	Dial struct {
		Leg    int
		Codecs []string
	}

	// Ring sends 180 to the caller.
	Ring struct{ Leg int }

	// EarlyAnswer sends 183 with the SDP answer to the caller. A later Answer repeats the same SDP.
	EarlyAnswer struct {
		Leg    int
		Codecs []string
	}

	// Accept sends 200 with SDP to the caller: an answer, or for a delayed offer the offer.
	Accept struct {
		Leg    int
		Codecs []string
	}

	// Reject sends a final error to the caller.
	Reject struct {
		Leg    int
		Code   int
		Phrase string
		Reason Reason
	}

	// Hangup ends a leg in whatever phase; PeerGone or PeerFailed confirms it.
	Hangup struct {
		Leg    int
		Reason Reason
	}

	// Show tells a phone with whom it talks now: State.Legs[With], or rather its party, of which the name may be missing.
	Show struct{ Leg, With int }

	// ReferProgress tells the transferor how it goes; a Code of 200 or more is the outcome.
	ReferProgress struct {
		Leg, Code int
		Phrase    string
	}

	// AskCarrier asks the peer, a trunk, by REFER to let the party talk to whoever talks over the leg With, or else to a
	// number; CarrierSays follows.
	AskCarrier struct {
		Leg, With int // With noLeg = Number
		Number    string
	}

	// AcceptReoffer answers a re-INVITE with these codecs, or offers them to a peer that wants our offer; RejectReoffer
	// refuses it.
	AcceptReoffer struct {
		Leg    int
		Codecs []string
		Offer  bool
	}
	RejectReoffer struct {
		Leg  int
		Code int
	}

	// PassDigit sends a key to the party, as RFC 4733 event or else by INFO.
	PassDigit struct {
		Leg    int
		Digit  byte
		Millis int
	}

	// Play sends a sound to the party; PlayDone with its Token follows unless it loops. StopPlay ends it.
	Play struct {
		Leg   int
		What  Prompt
		File  string // Spoken only
		Token int
		From  float64 // seconds into it; Spoken only
	}

	// MakeWhisper asks for what the party that answered an outside line is told; SoundMade follows.
	MakeWhisper struct{ Leg, Token int }

	StopPlay struct{ Leg int }

	// Echo sends back to the party what it says, until StopEcho.
	Echo     struct{ Leg int }
	StopEcho struct{ Leg int }

	// RecordVoice records the party into the mailbox's file, or a service's; RecordDone follows. StopRecord ends it.
	RecordVoice struct {
		Leg          int
		File         string // "" = the mailbox's
		Max, Silence int    // seconds; 0 = the mailbox's
	}
	StopRecord struct{ Leg int }

	// Mix lets the party talk to all in the mixer; Unmix takes it out.
	Mix struct {
		Leg   int
		Muted bool
		Quiet bool // the others hear no tone
	}
	Unmix struct{ Leg int }

	// MuteMember stops, or lets pass again, what the party says to the room.
	MuteMember struct {
		Leg int
		On  bool
	}

	// Bridge joins two legs' media both ways; Unbridge parts them.
	Bridge   struct{ Leg, Other int }
	Unbridge struct{ Leg, Other int }

	// CloseMedia takes the statistics and frees the leg's media.
	CloseMedia struct{ Leg int }
)

// Prompt is a sound by its meaning; the actor knows the file or the tone.
type Prompt int

// The prompts.
const (
	Ringback Prompt = iota // loops
	Greeting               // of the mailbox
	Beep
	PressOne     // loops
	Music        // on hold; loops
	Announcement // that the call is recorded
	Silence      // loops
	Spoken       // the file that came with SoundMade
	ReviewMenu   // of the mailbox
	Message      // that the caller left
)

func (Decide) effect()         {}
func (Lookup) effect()         {}
func (StartTimer) effect()     {}
func (StopTimer) effect()      {}
func (OpenRecord) effect()     {}
func (CloseRecord) effect()    {}
func (OpenMailbox) effect()    {}
func (SaveVoicemail) effect()  {}
func (DropVoicemail) effect()  {}
func (WalkOn) effect()         {}
func (MakeSound) effect()      {}
func (MakeWhisper) effect()    {}
func (AskWeb) effect()         {}
func (DecideTransfer) effect() {}
func (Show) effect()           {}
func (ReferProgress) effect()  {}
func (AskCarrier) effect()     {}
func (OpenScript) effect()     {}
func (MakePhrases) effect()    {}
func (AskService) effect()     {}
func (DecideDial) effect()     {}
func (Echo) effect()           {}
func (StopEcho) effect()       {}
func (Yield) effect()          {}
func (Adopt) effect()          {}
func (Welcome) effect()        {}
func (TakeBack) effect()       {}
func (GiveBack) effect()       {}
func (Settle) effect()         {}
func (FindRoom) effect()       {}
func (LookupPage) effect()     {}
func (OpenMixer) effect()      {}
func (CloseMixer) effect()     {}
func (Mix) effect()            {}
func (Unmix) effect()          {}
func (MuteMember) effect()     {}
func (Reply) effect()          {}
func (ClaimOrbit) effect()     {}
func (FreeOrbit) effect()      {}
func (FindOrbit) effect()      {}
func (FindRinging) effect()    {}
func (Finish) effect()         {}
func (Note) effect()           {}
func (TakeOffer) effect()      {}
func (Dial) effect()           {}
func (Ring) effect()           {}
func (EarlyAnswer) effect()    {}
func (Accept) effect()         {}
func (Reject) effect()         {}
func (Hangup) effect()         {}
func (AcceptReoffer) effect()  {}
func (RejectReoffer) effect()  {}
func (PassDigit) effect()      {}
func (Play) effect()           {}
func (StopPlay) effect()       {}
func (RecordVoice) effect()    {}
func (StopRecord) effect()     {}
func (Bridge) effect()         {}
func (Unbridge) effect()       {}
func (CloseMedia) effect()     {}
