package routing

// Request is a call or a text that asks who should answer.
type Request struct {
	Kind string `json:"kind"` // call | text
	To   string `json:"to"`   // the called number, E.164
	From string `json:"from"` // the caller as given by the trunk
}

// Plan is the answer: whom to ring in which order, how it ends, and why. Its JSON is the contract's section 10.
type Plan struct {
	Policy   string   `json:"policy,omitempty"`
	Caller   string   `json:"caller"`
	Called   string   `json:"called"`
	Known    bool     `json:"known"`
	Contacts []string `json:"contacts"`
	Owner    string   `json:"owner,omitempty"`
	Trace    []Row    `json:"trace"`
	Stages   []Stage  `json:"stages"`            // calls
	End      *End     `json:"end,omitempty"`     // calls, and texts to numbers that are not ours
	Deliver  *Deliver `json:"deliver,omitempty"` // texts
}

// Row is one step of the policy in the trace.
type Row struct {
	Step    string    `json:"step"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
	Match   string    `json:"match,omitempty"`
	Users   []RowUser `json:"users,omitempty"`
	Number  string    `json:"number,omitempty"` // decided by another number of ours
	Trace   *[]Row    `json:"trace,omitempty"`  // that number's trace
}

// RowUser is a user whom the step named: rung at Rings, or not because of Unavailable.
type RowUser struct {
	User        string   `json:"user"`
	Rings       []string `json:"rings,omitempty"`
	Unavailable string   `json:"unavailable,omitempty"`
}

// Stage is a set of targets that ring at once, or a workflow.
type Stage struct {
	Step        string   `json:"step"`
	Number      string   `json:"number,omitempty"` // the number of ours whose plan this stage is from
	Workflow    string   `json:"workflow,omitempty"`
	RingSeconds int      `json:"ring_seconds,omitempty"`
	Targets     []Target `json:"targets,omitempty"`
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
)

// End is what happens when no stage answers.
type End struct {
	Action  string   `json:"action"` // voicemail | hangup | refuse
	Mailbox *Mailbox `json:"mailbox,omitempty"`
	Code    int      `json:"code,omitempty"`
	Reason  string   `json:"reason,omitempty"`
}

// Mailbox is a user's box or a number's shared one.
type Mailbox struct {
	User   string `json:"user,omitempty"`
	Number string `json:"number,omitempty"`
}

// Deliver says who gets a text: users, or an outside line.
type Deliver struct {
	Users     []string `json:"users,omitempty"`
	Unclaimed *bool    `json:"unclaimed,omitempty"`
	Phone     string   `json:"phone,omitempty"`
}
