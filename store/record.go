package store

import (
	"encoding/json"
	"time"
)

// Direction of a call.
const (
	Inbound  = "inbound"  // from a trunk to us
	Outbound = "outbound" // from a user to an outside number
	Internal = "internal" // between users
)

// Disposition of a call, as its record says it.
const (
	Answered    = "answered"    // a person answered
	VoicemailOK = "voicemail"   // ended in a mailbox
	Missed      = "missed"      // nobody answered, or the caller gave up
	Refused     = "refused"     // refused before ringing (limit, unknown number, not allowed)
	Busy        = "busy"        // the callee was busy or declined
	Failed      = "failed"      // something broke; EndedBy and Reason say what
	Interrupted = "interrupted" // our process died during the call
)

// CallRecord is what a call leaves behind: exactly one per call, always.
type CallRecord struct {
	ID          string          `json:"id"` // time-ordered, unique (UUIDv7)
	Direction   string          `json:"direction"`
	From        string          `json:"from"` // caller as shown: E.164, extension or "anonymous"
	FromName    string          `json:"from_name,omitempty"`
	FromUser    string          `json:"from_user,omitempty"` // User.ID of an inside caller
	To          string          `json:"to"`                  // called number or extension
	Trunk       string          `json:"trunk,omitempty"`     // the trunk it came by
	Start       time.Time       `json:"start"`
	Ringing     time.Time       `json:"ringing,omitzero"`
	Answer      time.Time       `json:"answer,omitzero"`
	End         time.Time       `json:"end,omitzero"` // zero while the call is open in the journal
	Disposition string          `json:"disposition"`
	AnsweredBy  string          `json:"answered_by,omitempty"` // User.ID or the outside line's E.164
	EndedBy     string          `json:"ended_by,omitempty"`    // caller | callee | us | carrier
	Code        int             `json:"code,omitempty"`        // final SIP status given to the caller, 200 when answered
	Reason      string          `json:"reason,omitempty"`      // why it ended, for people
	Legs        []LegRecord     `json:"legs"`
	Plan        json.RawMessage `json:"plan,omitempty"`      // the routing plan with its trace, as explain prints it
	Request     json.RawMessage `json:"request,omitempty"`   // what was asked of routing: request, live state, directory version
	Voicemail   string          `json:"voicemail,omitempty"` // Voicemail.ID
	Emergency   bool            `json:"emergency,omitempty"` // to an emergency number
	Recordings  []Recording     `json:"recordings,omitempty"`
	Source      string          `json:"source,omitempty"`
	Tag         string          `json:"tag,omitempty"`
	// Participants are the users in whose lists the call shows: those selected by the plan when nobody answered, else who
	// answered and who called. Unclaimed marks a missed call that nobody has acted on yet.
	Participants []string      `json:"participants,omitempty"`
	Unclaimed    bool          `json:"unclaimed,omitempty"`
	ClaimedBy    string        `json:"claimed_by,omitempty"`
	Events       []RecordEvent `json:"events,omitempty"` // the call's story, in order
	// Related are other calls that this one has to do with, by transfer, pickup and the like.
	Related []RelatedCall `json:"related,omitempty"`
	// Workflow is what the number's workflows did: beside the plan's trace, which was made before they ran.
	Workflow []WorkflowStep `json:"workflow,omitempty"`
}

// RelatedCall names another call, from which somebody came or to which somebody went.
type RelatedCall struct {
	ID  string `json:"id"`
	How string `json:"how"` // transfer | replaces | pickup | retrieve | merge
}

// WorkflowStep is an action of a workflow that ran in a call, and what came of it.
type WorkflowStep struct {
	At       time.Time       `json:"at"` // when it was over
	Workflow string          `json:"workflow"`
	Node     string          `json:"node"`
	Action   string          `json:"action"`        // menu | say | play | ring | forward | webhook | voicemail | hangup | continue
	Outcome  string          `json:"outcome"`       // "key 1", "no key in time", "nobody answered", ...
	Row      json.RawMessage `json:"row,omitempty"` // ring and forward: who rings and who does not, as a row of the plan's trace
}

// RecordEvent is a line of the call's story.
type RecordEvent struct {
	At   time.Time `json:"at"`
	Leg  int       `json:"leg"`  // index into Legs; -1 = the call
	What string    `json:"what"` // "stage 1: contact_owner", "ringing", "answered", "cancelled: answered elsewhere", ...
}

// LegRecord is one leg of a call. Leg 0 is the caller's.
type LegRecord struct {
	Peer      string    `json:"peer"`             // user, number, or trunk and number, for people
	User      string    `json:"user,omitempty"`   // User.ID
	Device    string    `json:"device,omitempty"` // Device.ID
	Kind      string    `json:"kind,omitempty"`   // browser | desk | mobile | phone | trunk
	Trunk     string    `json:"trunk,omitempty"`
	Stage     int       `json:"stage"` // index of the plan's stage, -1 for the caller's leg
	SIPCallID string    `json:"sip_call_id,omitempty"`
	Start     time.Time `json:"start"`
	Ringing   time.Time `json:"ringing,omitzero"`
	Answer    time.Time `json:"answer,omitzero"`
	End       time.Time `json:"end,omitzero"`
	Code      int       `json:"code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Media     MediaStat `json:"media,omitzero"`
}

// MediaStat is the quality of one leg's media. In is what we received from the party, Out what we sent to it and what
// its receiver reports said of it.
type MediaStat struct {
	Codec string     `json:"codec,omitempty"`
	SRTP  string     `json:"srtp,omitempty"` // "" | sdes | dtls
	In    StreamStat `json:"in,omitzero"`
	Out   StreamStat `json:"out,omitzero"`
}

// StreamStat counts one direction.
type StreamStat struct {
	Packets  uint64  `json:"packets"`
	Bytes    uint64  `json:"bytes"`
	Lost     uint64  `json:"lost"`
	JitterMS float64 `json:"jitter_ms"` // RFC 3550 §6.4.1
	// RTTMS is the round trip: at Out as we measured it (RTCP SR and RR), at In as the party did (RTCP XR). 0 = not known.
	RTTMS float64 `json:"rtt_ms,omitempty"`
	// Late came in vain. At In: too late for our jitter buffer, or where we only relay, for one of 100 ms; at Out: as the
	// party says (RTCP XR).
	Late        uint64  `json:"late,omitempty"`
	Reordered   uint64  `json:"reordered,omitempty"`    // In only
	Duplicates  uint64  `json:"duplicates,omitempty"`   // In only
	ConcealedMS float64 `json:"concealed_ms,omitempty"` // In only: sound made up for what did not come; an estimate where we only relay
	Burst       float64 `json:"burst,omitempty"`        // BurstR (ITU-T G.107): 1 = losses are random; 0 = not known
	R           float64 `json:"r,omitempty"`            // of the E-model (ITU-T G.107, G.107.1), to 93.2 in narrowband, 129 in wideband; 0 = nothing was heard
	MOS         float64 `json:"mos,omitempty"`          // that goes with R, 1 to 4.5; 0 = nothing was heard
}
