// Package store holds the nouns of a phone system: the organisation (Company, User, Number, Contact, Policy,
// Workflow), what belongs to it (Device, Session, Binding) and what calls leave behind (CallRecord, Voicemail).
//
// It is types and validation only. It imports none of our packages; adapters such as store/bolt keep the nouns, and
// store/directory reads and writes the administrator's document.
package store

import (
	"slices"
	"time"
)

// Directory is the document that an administrator writes: the whole organisation.
type Directory struct {
	Company   Company           `yaml:"company" json:"company"`
	Users     []User            `yaml:"users" json:"users"`
	Numbers   []Number          `yaml:"numbers" json:"numbers"`
	Contacts  []Contact         `yaml:"contacts" json:"contacts"`
	Policies  map[string]Policy `yaml:"policies,omitempty" json:"policies,omitempty"`
	Workflows []Workflow        `yaml:"workflows,omitempty" json:"workflows,omitempty"`
	Features  Features          `yaml:"features,omitempty" json:"features,omitzero"`
}

// Company is the organisation that owns the numbers.
type Company struct {
	Name        string         `yaml:"name" json:"name"`
	Phone       string         `yaml:"phone,omitempty" json:"phone,omitempty"`               // E.164, the last forwarding target
	Timezone    string         `yaml:"timezone,omitempty" json:"timezone,omitempty"`         // IANA name; empty = UTC
	Region      string         `yaml:"region,omitempty" json:"region,omitempty"`             // ISO 3166 alpha-2; how to read national numbers
	Operator    string         `yaml:"operator,omitempty" json:"operator,omitempty"`         // extension or user id: who is reached by 0 from a mailbox
	RingSeconds int            `yaml:"ring_seconds,omitempty" json:"ring_seconds,omitempty"` // 1 to 600, 0 = not set
	Hours       []Window       `yaml:"hours,omitempty" json:"hours,omitempty"`               // none = open on every day that is not closed
	Closed      []string       `yaml:"closed,omitempty" json:"closed,omitempty"`             // dates "2006-01-02", company time
	Recording   RecordingRules `yaml:"recording,omitempty" json:"recording,omitzero"`
	TextSender  string         `yaml:"text_sender,omitempty" json:"text_sender,omitempty"` // E.164
}

// Window is a weekly wall-clock window in the company's time zone. From is inside, To is outside; To may be "24:00";
// From later than To crosses midnight and belongs to the day it starts on.
type Window struct {
	Days []string `yaml:"days,flow" json:"days"` // mon tue wed thu fri sat sun
	From string   `yaml:"from" json:"from"`      // "15:04"
	To   string   `yaml:"to" json:"to"`
}

// Role is what a user may do.
type Role string

// The roles, most powerful first.
const (
	Owner Role = "owner"
	Admin Role = "admin"
	Agent Role = "agent"
)

// Kinds of endpoint in User.Reach, in the order in which they print.
const (
	Browser = "browser"
	Desk    = "desk"
	Mobile  = "mobile"
	Phone   = "phone" // the user's outside line
)

// User is a person who answers calls.
type User struct {
	ID          string   `yaml:"id" json:"id"`
	Name        string   `yaml:"name" json:"name"`
	Role        Role     `yaml:"role,omitempty" json:"role,omitempty"` // empty = agent
	Email       string   `yaml:"email,omitempty" json:"email,omitempty"`
	Extension   string   `yaml:"extension,omitempty" json:"extension,omitempty"`
	Phone       string   `yaml:"phone,omitempty" json:"phone,omitempty"`      // E.164, the User Phone
	Reach       []string `yaml:"reach,omitempty,flow" json:"reach,omitempty"` // empty = browser, desk, mobile
	RingSeconds int      `yaml:"ring_seconds,omitempty" json:"ring_seconds,omitempty"`
	Hours       []Window `yaml:"hours,omitempty" json:"hours,omitempty"` // none = always reachable
	DND         bool     `yaml:"dnd,omitempty" json:"dnd,omitempty"`
	Record      string   `yaml:"record,omitempty" json:"record,omitempty"` // always | never | on_demand; empty = the number's rule
	CallWaiting bool     `yaml:"call_waiting,omitempty" json:"call_waiting,omitempty"`
	ForwardTo   string   `yaml:"forward_to,omitempty" json:"forward_to,omitempty"` // all calls: E.164, not one of ours, or an extension
	Location    string   `yaml:"location,omitempty" json:"location,omitempty"`     // where the user sits, for emergency calls
	Voicemail   *bool    `yaml:"voicemail,omitempty" json:"voicemail,omitempty"`   // nil = true
}

// HasVoicemail reports whether the user has a mailbox; it is the default.
func (u *User) HasVoicemail() bool { return u.Voicemail == nil || *u.Voicemail }

// Kinds of number.
const (
	CompanyNumber  = "company"
	PersonalNumber = "personal"
)

// Number is a telephone number (DID) of ours.
type Number struct {
	Number      string   `yaml:"number" json:"number"` // E.164
	Kind        string   `yaml:"kind" json:"kind"`     // company | personal
	Label       string   `yaml:"label,omitempty" json:"label,omitempty"`
	Policy      string   `yaml:"policy,omitempty" json:"policy,omitempty"` // empty = standard
	User        string   `yaml:"user,omitempty" json:"user,omitempty"`
	Workflow    string   `yaml:"workflow,omitempty" json:"workflow,omitempty"`
	Ring        []string `yaml:"ring,omitempty,flow" json:"ring,omitempty"`
	ForwardTo   string   `yaml:"forward_to,omitempty" json:"forward_to,omitempty"`
	CallConnect bool     `yaml:"call_connect,omitempty" json:"call_connect,omitempty"`
	Whisper     string   `yaml:"whisper,omitempty" json:"whisper,omitempty"`
	RingSeconds int      `yaml:"ring_seconds,omitempty" json:"ring_seconds,omitempty"`
	Record      string   `yaml:"record,omitempty" json:"record,omitempty"`           // always | never | on_demand; empty = the company's rule
	MaxInbound  int      `yaml:"max_inbound,omitempty" json:"max_inbound,omitempty"` // 0 = 50
	Source      string   `yaml:"source,omitempty" json:"source,omitempty"`
	Tag         string   `yaml:"tag,omitempty" json:"tag,omitempty"`
	Rules       []Rule   `yaml:"rules,omitempty" json:"rules,omitempty"`
	DefaultRule *Rule    `yaml:"default_rule,omitempty" json:"default_rule,omitempty"`
}

// Names reports whether a number's routing names a user: they share its mailbox.
func (n *Number) Names(user string) bool {
	if n.User == user || slices.Contains(n.Ring, user) || n.DefaultRule.names(user) {
		return true
	}
	return slices.ContainsFunc(n.Rules, func(r Rule) bool { return r.names(user) })
}

func (r *Rule) names(user string) bool {
	return r != nil && (r.SpecificUser == user || slices.Contains(r.Blast, user))
}

// Rule says who answers unknown callers: exactly one of Blast, SpecificUser and AnotherNumber.
type Rule struct {
	Name          string   `yaml:"name,omitempty" json:"name,omitempty"`
	Hours         []Window `yaml:"hours,omitempty" json:"hours,omitempty"` // custom rules only
	Blast         []string `yaml:"blast,omitempty,flow" json:"blast,omitempty"`
	SpecificUser  string   `yaml:"specific_user,omitempty" json:"specific_user,omitempty"`
	AnotherNumber string   `yaml:"another_number,omitempty" json:"another_number,omitempty"`
}

// Contact is a person who calls us.
type Contact struct {
	ID      string    `yaml:"id" json:"id"`
	Name    string    `yaml:"name,omitempty" json:"name,omitempty"`
	Phones  []string  `yaml:"phones,omitempty,flow" json:"phones,omitempty"` // E.164
	Owner   string    `yaml:"owner,omitempty" json:"owner,omitempty"`
	Source  string    `yaml:"source,omitempty" json:"source,omitempty"`
	Tags    []string  `yaml:"tags,omitempty,flow" json:"tags,omitempty"`
	Created time.Time `yaml:"created,omitempty" json:"created,omitzero"`
}

// Policy is an ordered list of steps and a mode (routing contract, section 4).
type Policy struct {
	Mode  string       `yaml:"mode" json:"mode"`                       // cascade | first_match
	Reach string       `yaml:"reach,omitempty" json:"reach,omitempty"` // "" | phone
	Steps []PolicyStep `yaml:"steps" json:"steps"`
}

// PolicyStep is one step of a policy; in YAML a bare name or {step, when}.
type PolicyStep struct {
	Step string `yaml:"step" json:"step" strict:"bare"`
	When string `yaml:"when,omitempty" json:"when,omitempty"`
}

// Workflow is an IVR: a graph of nodes, entered at Start.
type Workflow struct {
	ID    string          `yaml:"id" json:"id"`
	Start string          `yaml:"start" json:"start"`
	Nodes map[string]Node `yaml:"nodes" json:"nodes"`
}

// Node is one node of a workflow: exactly one field is set.
type Node struct {
	Menu      *MenuNode    `yaml:"menu,omitempty" json:"menu,omitempty"`
	Say       *SayNode     `yaml:"say,omitempty" json:"say,omitempty"`
	Play      *PlayNode    `yaml:"play,omitempty" json:"play,omitempty"`
	Hours     *HoursNode   `yaml:"hours,omitempty" json:"hours,omitempty"`
	Ring      *RingNode    `yaml:"ring,omitempty" json:"ring,omitempty"`
	Forward   *ForwardNode `yaml:"forward,omitempty" json:"forward,omitempty"`
	Voicemail *MailboxNode `yaml:"voicemail,omitempty" json:"voicemail,omitempty"`
	Hangup    *struct{}    `yaml:"hangup,omitempty" json:"hangup,omitempty"`
	Continue  *struct{}    `yaml:"continue,omitempty" json:"continue,omitempty"`
	Set       *SetNode     `yaml:"set,omitempty" json:"set,omitempty"`
	Webhook   *WebhookNode `yaml:"webhook,omitempty" json:"webhook,omitempty"`
}

// MenuNode plays a prompt and goes where the pressed key leads.
type MenuNode struct {
	Prompt    string            `yaml:"prompt" json:"prompt"`
	Keys      map[string]string `yaml:"keys" json:"keys"`                               // 0-9 * # → node
	Tries     int               `yaml:"tries,omitempty" json:"tries,omitempty"`         // 0 = 1
	Timeout   int               `yaml:"timeout,omitempty" json:"timeout,omitempty"`     // seconds, 0 = 5
	Otherwise string            `yaml:"otherwise,omitempty" json:"otherwise,omitempty"` // after the last try; empty = continue
}

// SayNode speaks a text; PlayNode plays a file.
type SayNode struct {
	Text string `yaml:"text" json:"text"`
	Next string `yaml:"next,omitempty" json:"next,omitempty"`
}

// PlayNode plays an audio file.
type PlayNode struct {
	File string `yaml:"file" json:"file"`
	Next string `yaml:"next,omitempty" json:"next,omitempty"`
}

// HoursNode branches on windows, or on the company's hours when it has none.
type HoursNode struct {
	Hours  []Window `yaml:"hours,omitempty" json:"hours,omitempty"`
	Open   string   `yaml:"open" json:"open"`
	Closed string   `yaml:"closed" json:"closed"`
}

// RingNode rings users at once.
type RingNode struct {
	Users     []string `yaml:"users,flow" json:"users"`
	Seconds   int      `yaml:"seconds,omitempty" json:"seconds,omitempty"`
	Otherwise string   `yaml:"otherwise,omitempty" json:"otherwise,omitempty"`
}

// ForwardNode rings an outside line.
type ForwardNode struct {
	To        string `yaml:"to" json:"to"`
	Seconds   int    `yaml:"seconds,omitempty" json:"seconds,omitempty"`
	Otherwise string `yaml:"otherwise,omitempty" json:"otherwise,omitempty"`
}

// MailboxNode ends in a mailbox: a user's, or the called number's when User is empty.
type MailboxNode struct {
	User string `yaml:"user,omitempty" json:"user,omitempty"`
}

// SetNode notes a source or a tag on the call.
type SetNode struct {
	Source string `yaml:"source,omitempty" json:"source,omitempty"`
	Tag    string `yaml:"tag,omitempty" json:"tag,omitempty"`
	Next   string `yaml:"next,omitempty" json:"next,omitempty"`
}

// WebhookNode asks a URL, which answers with the name of a node.
type WebhookNode struct {
	URL       string   `yaml:"url" json:"url"`
	Timeout   int      `yaml:"timeout,omitempty" json:"timeout,omitempty"`
	Nodes     []string `yaml:"nodes,omitempty,flow" json:"nodes,omitempty"` // the answers that are allowed
	Otherwise string   `yaml:"otherwise,omitempty" json:"otherwise,omitempty"`
}
