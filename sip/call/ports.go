// Package call is the heart: a call's state machine and the actor that runs it.
//
// Step is pure. The actor (one goroutine per call) takes an event from its mailbox, steps, and performs the effects
// through the interfaces of the files ports*.go. Nothing here knows sipgo, pion, sockets or bbolt; package sip implements Leg and
// Dialer, an adapter over package media implements MediaSession, and cmd binds them.
//
// No method of these interfaces blocks: what takes time is started, and its outcome is posted back as an event.
package call

import (
	"context"
	"encoding/json"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// Reason says why a leg is ended, for the Reason header (RFC 3326) and the record.
type Reason struct {
	Protocol string // "SIP" or "Q.850"
	Cause    int    // 200, 486, ... or a Q.850 cause
	Text     string
}

// AnsweredElsewhere stops the legs that lost a fork.
var AnsweredElsewhere = Reason{"SIP", 200, "Call completed elsewhere"}

// Party is one end of a call as signalling shows it.
type Party struct {
	Number string // E.164, extension, user id, or "anonymous"
	Name   string // display name
}

// Leg is the SIP side of one party: one dialog, from the first INVITE to the last BYE. The sip package implements it,
// for both directions. All methods return at once and are safe in any state: one that no longer fits does nothing.
type Leg interface {
	// SIPCallID is the Call-ID header, for the record.
	SIPCallID() string
	// Remote describes the peer for logs and records ("sip:bob@10.0.0.7:5060;transport=udp").
	Remote() string

	// Provisional sends 180, or 183 with SDP (UAS legs).
	Provisional(code int, sdp []byte)
	// Answer sends 200 with SDP and retransmits it until ACK (UAS legs); Acked or Failed follows.
	Answer(sdp []byte)
	// Reject sends a final error (UAS legs), with Reason when its Cause is set.
	Reject(code int, phrase string, r Reason)

	// Hangup ends the leg whatever its state: CANCEL while it rings (with the Reason header), BYE once it is up, a 480 for
	// an unanswered UAS leg. A 2xx that crosses the CANCEL is ACKed and ended with BYE by the leg itself, without an event.
	// Ended is posted when the peer or the transaction timer has confirmed.
	Hangup(r Reason)

	// Reinvite sends a re-INVITE with this offer; Reanswered or ReinviteFailed follows. Glare (491) is retried inside.
	Reinvite(sdp []byte)
	// AnswerReinvite answers a peer's Reoffered with SDP; RejectReinvite refuses it (488, 491).
	AnswerReinvite(sdp []byte)
	RejectReinvite(code int)

	// Ack sends the pending ACK with SDP, after an Answered event whose offer came in the 2xx (our INVITE had no SDP).
	Ack(sdp []byte)

	// ReferProgress tells a peer that asked for a transfer (Referred) how it goes, by NOTIFY (RFC 3515 §2.4.4). A code of 200
	// or more is the outcome, and the last that it hears of it.
	ReferProgress(code int, phrase string)

	// Refer asks the peer, a trunk, to let its party talk to somebody else without us (RFC 3515): to whoever talks over the leg
	// with, which is of the same trunk (RFC 5589 §7), or, with being nil, to a number in E.164. ReferTold follows until one
	// has a Code of 200 or more.
	Refer(number string, with Leg)

	// Info sends an INFO with this body (DTMF as application/dtmf-relay).
	Info(contentType string, body []byte)

	// Show tells the peer with whom it talks now, for its display: by UPDATE (RFC 3311) where the peer takes it, else by a
	// re-INVITE with the SDP in force, with P-Asserted-Identity (RFC 3325). It waits for the dialog and for other requests;
	// only the last of several wishes is sent, a repetition not at all, and nobody is told when the peer refuses. A trunk is
	// told nothing.
	Show(p Party)

	// PickUp asks a phone that rings to answer by itself: NOTIFY with Event: talk, which desk phones know. What comes of it, is an
	// Answered like any other; a phone that does not know it rings on.
	PickUp()
}

// LegEvent is what a Leg posts. Post never blocks. Events of one leg arrive in order; exactly one of Failed, Cancelled and
// Ended is the last.
type LegEvent struct {
	Type LegEventType
	Code int    // Progress, Failed, ReferTold: the SIP status; 408 for a timeout, 503 for an unreachable peer
	SDP  []byte // Progress, Answered, Acked, Reoffered, Reanswered
	// Reason is from the peer's Reason header or, failing that, the status phrase.
	Reason Reason
	// Digit and Millis: Digit events from SIP INFO.
	Digit  byte
	Millis int
	// Target and By: Referred events: the number or name to call instead, and the Referred-By header as it was sent.
	Target, By string
	// Replaces: Referred events: an attended transfer (RFC 5589 §7). The party shall be joined with whoever talks over this
	// leg, which is one of the referrer's own; Target is then only for people. ReplacesHeader is set instead when Refer-To
	// names a dialog that is not ours: it goes into the DialRequest to Target.
	Replaces       Leg
	ReplacesHeader string
	// Contacts: Failed events: a user's phone redirects the call (3xx) to these, numbers or names as its user would dial them,
	// best first. Redirections of trunks are followed by the leg itself.
	Contacts []string
	// ToTag tells forks apart in Progress events (RFC 3261 §12.1.2).
	ToTag string
}

// LegEventType says what happened on a leg.
type LegEventType int

// The events of a leg.
const (
	Progress       LegEventType = iota // UAC: 18x arrived, perhaps with SDP (early media)
	Answered                           // UAC: 2xx arrived; already ACKed unless SDP is an offer
	Failed                             // UAC: final error, timeout or no route; UAS: 200 never acknowledged (Code 408)
	Acked                              // UAS: ACK for our 200 arrived, with SDP when our 200 carried the offer
	Cancelled                          // UAS: CANCEL arrived; sip has answered 200 and 487 already
	Ended                              // BYE from the peer, session timer expired, our Hangup confirmed, or our Reject sent
	Reoffered                          // re-INVITE (or UPDATE with SDP) from the peer; SDP empty = it wants our offer
	Reanswered                         // answer to our Reinvite
	ReinviteFailed                     // our Reinvite was refused (Code); the session goes on as before
	Digit                              // SIP INFO with a DTMF digit
	ReferTold                          // how our Refer goes (Code); below 200: it was accepted, 200 and more: the outcome
	Referred                           // REFER from a user's phone: call Target for the other party; answered with 202 already
)

// Post delivers a leg's event to its call. It never blocks and may be called from any goroutine.
type Post func(LegEvent)

// Endpoint is one way to ring somebody: a registered contact, or an outside number by a trunk.
type Endpoint struct {
	Binding *store.Binding // a device of a user
	Trunk   string         // or: the trunk's name, with Number
	Number  string         // E.164
	WebRTC  bool           // wants a WebRTC media session
	SRTP    SRTPPolicy     // what the SDP must offer
	Codecs  []string       // allowed on this trunk, in order; nil = all
	Refer   bool           // the trunk transfers calls by itself when asked
	Host    string         // our address as this peer reaches it, for SDP; "" = the media's own
}

// SRTPPolicy of an RTP leg.
type SRTPPolicy int

// The policies: plain RTP; SDES offered where the peer is known to take it; SDES demanded.
const (
	SRTPNone SRTPPolicy = iota
	SRTPOptional
	SRTPRequired
)

// DialRequest starts an outgoing leg.
type DialRequest struct {
	CallID   string // our call's id, for logs
	To       Endpoint
	From     Party    // caller ID to show
	Asserted Party    // P-Asserted-Identity on trusted trunks; zero = as From
	Called   string   // the number that was called, for To display and Diversion
	Diverted []Party  // Diversion, nearest last (forwarded calls)
	SDP      []byte   // our offer; nil = delayed offer
	Headers  []Header // extra headers (Alert-Info, ...)
	// MaxForwards is how many hops may follow; 0 = 70. A call that goes on is no new one (RFC 7332).
	MaxForwards int
	// Replaces is the value of a Replaces header (RFC 3891): the peer shall put this call in the place of a dialog that it
	// has with somebody else. "" = none.
	Replaces string
}

// Header is one SIP header line.
type Header struct{ Name, Value string }

// Dialer starts outgoing legs and knows who can be rung.
type Dialer interface {
	// Dial starts an INVITE. Everything that can go wrong later arrives as Failed; an error means that nothing was started.
	Dial(ctx context.Context, req DialRequest, post Post) (Leg, error)
	// Endpoints of a user, now, of these kinds (browser, desk, mobile).
	Endpoints(user string, kinds []string) []Endpoint
	// Trunks that can take a call to this number now, best first (down trunks last). caller is the chosen caller ID.
	Trunks(number, caller string) []Endpoint
	// OnRegister calls f whenever a contact of a user appears (not on refreshes). f must not block. The returned function ends it.
	OnRegister(f func(user string, e Endpoint)) (stop func())
}

// Incoming is a new call at the door, authenticated and authorised by the sip package.
type Incoming struct {
	Trunk  string         // set when it came by a trunk
	User   string         // set when it came from a user's device
	Device *store.Binding // the device, when registered (browser and desk phones)
	Kind   string         // browser | desk | mobile | trunk
	From   Party
	To     string // dialled: the R-URI's user part as given
	// CallerID is the number that a user's device asked to show (P-Preferred-Identity or X-Caller-ID), "" = default.
	CallerID   string
	SDP        []byte // offer; empty = delayed offer
	WebRTC     bool
	SRTP       SRTPPolicy // what the offer shows
	Codecs     []string   // allowed on this trunk; nil = all
	Host       string     // our address as the caller reaches it, for SDP; "" = the media's own
	EarlyMedia bool       // the trunk wants 183 with early media instead of a bare 180
	// MaxForwards is the INVITE's, 0 = it had none.
	MaxForwards int
	Refer       bool // the trunk transfers calls by itself when asked
	Leg         Leg
	// Replaces is the leg whose place this call takes (RFC 3891): whoever talks over it, or is rung by it, gets the caller
	// instead and the leg is ended. The sip package has checked that the caller may do so. It may have ended since: the call is
	// then refused with 603. nil = an ordinary call.
	Replaces Leg
	// EarlyOnly: the caller wants it only as long as it is not answered; 486 otherwise.
	EarlyOnly bool
	// Bind gives the leg its mailbox; the sip package holds events back until it is called.
	Bind func(Post)
}

// Router decides. The implementation joins routing.Decide with the store and the live state that Manager supplies.
type Router interface {
	// Inbound decides a call from a trunk, or from a user to a number of ours. request is kept in the record for replay.
	Inbound(req routing.Request, live LiveState, now time.Time) (plan routing.Plan, request json.RawMessage)
	// Dialled decides what a user's device dialled: an extension, a number of ours, an outside number (normalised by the
	// company's region), or nothing we know (End refuse 404). callerID is what the user asked to show, "" = default.
	Dialled(user, dialled, callerID string, live LiveState, now time.Time) Dialled
	// UserName is the display name of a user; Company the company's name; Whose is the contact's name for a caller ("" = unknown).
	UserName(user string) string
	ContactName(number string) string
	// Whisper is what somebody who answers an outside line for a call to this number of ours is told; "" = nothing.
	Whisper(number string, caller Party) string
	// MaxInbound of a number of ours.
	MaxInbound(number string) int
	// IsEmergency reports whether what a user dials is an emergency number: such a call goes out whatever the limits say.
	IsEmergency(dialled string) bool
	// InCall are the codes that users key in during a call.
	InCall() InCall
	// Room says how many parties the conference room with this extension takes, 0 = 100; ok is false when there is none.
	Room(extension string) (max int, ok bool)
}

// Dialled is the decision on an outgoing call.
type Dialled struct {
	Plan      routing.Plan
	Request   json.RawMessage
	Direction string // store.Outbound or store.Internal
	To        string // normalised: E.164 or extension
	Caller    Party  // caller ID to show to the other side
	// Outside is the number to show on outside lines when Caller is an extension: a colleague's User Phone, or a number
	// that forwards. "" = Caller's.
	Outside string
}

// Workflows says how the workflows of ROUTING §7 go on, and asks the web servers that they name.
type Workflows interface {
	// Next is the action that follows (routing.Next), and for one that rings, whom (routing.WorkflowStage).
	Next(w Walk, live LiveState, now time.Time) WalkAction
	// Ask tells a web server of the call and returns the node that it names. Unlike the other methods of this file it blocks,
	// until ctx is done at the latest.
	Ask(ctx context.Context, q Question) (node string, err error)
}

// Question is what a workflow's web server is told.
type Question struct {
	URL      string `json:"-"`
	Call     string `json:"call"` // the call's id, which its record will have
	Workflow string `json:"workflow"`
	Node     string `json:"node"`
	From     string `json:"from"`
	FromName string `json:"from_name,omitempty"`
	FromUser string `json:"from_user,omitempty"`
	To       string `json:"to"`
	Source   string `json:"source,omitempty"`
	Tag      string `json:"tag,omitempty"`
}

// Speech makes texts audible.
type Speech interface {
	// Prompt is the path of the file that an administrator calls so, "" when there is none.
	Prompt(name string) string
	// Say makes a WAV file of a text, "" when there is no voice. Unlike the other methods of this file it blocks, until ctx is
	// done at the latest.
	Say(ctx context.Context, text string) (file string, err error)
	// Phrases makes the WAV files of what a script says, in order. With an error come those that could be made. It blocks
	// as Say does.
	Phrases(ctx context.Context, phrases []script.Phrase) (files []string, err error)
}

// Services are the voice applications that a plan may end in (routing.EndService).
type Services interface {
	// Script answers for a service, nil when there is no such service.
	Script(c ServiceCall) script.Script
	// Ask answers a question of a script (script.Ask), which both know. It blocks, until ctx is done at the latest.
	Ask(ctx context.Context, q ServiceQuestion) (any, error)
}

// ServiceCall says which service has answered whom.
type ServiceCall struct {
	Call    string // the call's id
	Service string // routing.End.Service
	Arg     string
	User    string // who calls, "" = somebody from outside
	Device  string // of that user
	From    Party  // as shown
	To      string // as dialled, normalised
}

// ServiceQuestion is a question of the script that serves a call.
type ServiceQuestion struct {
	ServiceCall
	What any
}

// LiveState is what routing must know of the moment.
type LiveState struct {
	Busy   []string       // users on a call
	Active map[string]int // inbound calls per number, this one not counted
}

// Records keeps what calls leave behind. Methods may take milliseconds: the actor calls them on a goroutine of their own.
type Records interface {
	// Open journals a call that began, so that a crash leaves a record (disposition interrupted).
	Open(rec store.CallRecord) error
	// Close writes the final record and takes the call from the journal.
	Close(rec store.CallRecord) error
	// AddVoicemail stores the message of a completed recording.
	AddVoicemail(vm store.Voicemail) error
	// OpenMailbox says where a new message belongs and what its caller hears. busy: who is called is on another call.
	OpenMailbox(box store.Mailbox, id string, busy bool) (MailboxOpened, error)
	// RecordingFile returns an absolute path for recording n of a call and its path relative to the data folder. It fails when
	// the disk is nearly full.
	RecordingFile(call string, n int) (abs, rel string, err error)
}

// MailboxOpened is a box in which a message can be left.
type MailboxOpened struct {
	File, Rel string // the message's file: its absolute path, and the one relative to the data folder
	Greeting  string // WAV; "" = the beep alone
	Full      bool   // no message can be left; Greeting says so
	Review    string // WAV that tells what can be done with the message; "" = it is sent as it is
	Operator  bool   // 0 leads to somebody (ServiceOperator)
}
