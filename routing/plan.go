package routing

// Kinds of Request.
const (
	KindCall = "call"
	KindText = "text"
)

// Request is a call or a text that asks who should answer.
type Request struct {
	Kind string `json:"kind"`           // call | text; empty = call
	To   string `json:"to"`             // the called number, E.164 or as the company's region writes it
	From string `json:"from"`           // the caller as given by the trunk
	User string `json:"user,omitempty"` // the user who calls, for calls from the inside; never rung
}

// Outcomes of a Row.
const (
	OutcomeStage      = "stage"       // its targets ring
	OutcomeMatch      = "match"       // texts: it decides
	OutcomeSkipped    = "skipped"     // it does not apply
	OutcomeDropped    = "dropped"     // it applies, but nobody can ring; Row.Match says why it applies
	OutcomeEnd        = "end"         // it ends the plan
	OutcomeNotReached = "not_reached" // never asked
)

// Reasons of rows that are not a match, and of refusals.
const (
	ReasonWhenNotMet      = "when_not_met"
	ReasonNoWorkflow      = "no_workflow"
	ReasonNoUser          = "no_user"
	ReasonNoOwner         = "no_owner"
	ReasonHasOwner        = "has_owner"
	ReasonNoRule          = "no_rule"
	ReasonNoRingGroup     = "no_ring_group"
	ReasonNoForwarding    = "no_forwarding"
	ReasonNoCompanyPhone  = "no_company_phone"
	ReasonNoUserPhone     = "no_user_phone"
	ReasonNotForTexts     = "not_for_texts"
	ReasonNobodyAvailable = "nobody_available"
	ReasonLoop            = "loop"
	ReasonOverLimit       = "over_limit"
	ReasonAfterMatch      = "after_match"
	ReasonAfterEnd        = "after_end"
	ReasonUnknownNumber   = "unknown_number"
)

// Match reasons. A custom rule's is RulePrefix and its name.
const (
	MatchWorkflow     = "workflow"
	MatchUserAssigned = "user_assigned"
	MatchContactOwned = "contact_owned"
	MatchDefaultRule  = "default_rule"
	MatchRingGroup    = "ring_group"
	MatchForwardTo    = "forward_to"
	MatchCompanyPhone = "company_phone"
	MatchVoicemail    = "voicemail"
	MatchHangup       = "hangup"
	RulePrefix        = "rule:"
)

// Why a user is not rung, in the order in which it is asked.
const (
	IsCaller     = "is_caller"
	OnDND        = "dnd"
	OutsideHours = "outside_hours"
	OnCall       = "busy"
	Unreachable  = "unreachable"
)

// Plan is the answer: whom to ring in which order, how it ends, and why. Its JSON is the contract's section 10.
type Plan struct {
	Policy    string     `json:"policy,omitempty"`
	Caller    string     `json:"caller"`
	Called    string     `json:"called"`
	Known     bool       `json:"known"`
	Contacts  []string   `json:"contacts"`
	Owner     string     `json:"owner,omitempty"`
	Trace     []Row      `json:"trace"`
	Stages    []Stage    `json:"stages,omitzero"`     // calls: never nil; texts: nil
	End       *End       `json:"end,omitempty"`       // calls, and texts to numbers that are not ours
	Deliver   *Deliver   `json:"deliver,omitempty"`   // texts
	Recording *Recording `json:"recording,omitempty"` // calls; nil = on demand, by nobody's rule
	// Emergency is set for calls that go out whatever else holds.
	Emergency *Emergency `json:"emergency,omitempty"`
}

// Row is one step of the policy in the trace.
type Row struct {
	Step    string    `json:"step"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
	Match   string    `json:"match,omitempty"`
	Users   []RowUser `json:"users,omitempty"`
	Number  string    `json:"number,omitempty"` // decided by another number of ours
	Trace   []Row     `json:"trace,omitzero"`   // that number's trace; empty, not nil, when that number is full
}

// RowUser is a user whom the step named: rung at Rings, or not because of Unavailable.
type RowUser struct {
	User        string   `json:"user"`
	Rings       []string `json:"rings,omitempty"`
	Unavailable string   `json:"unavailable,omitempty"`
	Forwarded   string   `json:"forwarded,omitempty"` // where the user's calls go: that rings, at Rings
}

// Stage is a set of targets that ring at once, or a workflow.
type Stage struct {
	Step        string   `json:"step"`
	Number      string   `json:"number,omitempty"` // the number of ours whose plan this stage is from
	Workflow    string   `json:"workflow,omitempty"`
	RingSeconds int      `json:"ring_seconds,omitempty"` // 5 to 120; 0 for a workflow
	Targets     []Target `json:"targets,omitempty"`
	AutoAnswer  bool     `json:"auto_answer,omitempty"` // intercom: phones shall answer by themselves
}

// Target is a user rung via kinds of endpoint, or an outside line.
type Target struct {
	User        string   `json:"user,omitempty"`
	Via         []string `json:"via,omitempty"` // browser, desk, mobile, phone, in this order
	Phone       string   `json:"phone,omitempty"`
	CallConnect bool     `json:"call_connect,omitempty"`
}

// Actions of End.
const (
	EndVoicemail = "voicemail"
	EndHangup    = "hangup"
	EndRefuse    = "refuse"
	EndService   = "service"
)

// End is what happens when no stage answers.
type End struct {
	Action  string   `json:"action"` // voicemail | hangup | refuse | service
	Mailbox *Mailbox `json:"mailbox,omitempty"`
	Code    int      `json:"code,omitempty"` // service: it speaks before the call is answered, and then refuses it with this
	Reason  string   `json:"reason,omitempty"`
	Service string   `json:"service,omitempty"` // the voice application that takes the call
	Arg     string   `json:"arg,omitempty"`     // what it is about: an extension, a number, a room
	Users   []string `json:"users,omitempty"`   // whom it concerns: whose calls are picked up, who is paged
}

// Mailbox is a user's box or a number's shared one.
type Mailbox struct {
	User   string `json:"user,omitempty"`
	Number string `json:"number,omitempty"`
}

// Deliver says who gets a text: users, or an outside line.
type Deliver struct {
	Users     []string `json:"users,omitzero"`      // directory order; nil when Phone is set
	Unclaimed *bool    `json:"unclaimed,omitempty"` // several see it until one claims it; nil when Phone is set
	Phone     string   `json:"phone,omitempty"`
}
