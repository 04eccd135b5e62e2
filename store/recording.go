package store

import "time"

// Whether a call is recorded. The zero value leaves it to others: a user's word counts before a number's, and a number's
// before the company's.
const (
	RecordAlways   = "always"
	RecordNever    = "never"     // also nobody may switch it on
	RecordOnDemand = "on_demand" // who is on the call may switch it on
)

// Who may listen to recordings, besides owners and admins.
const (
	ListenAdmins       = "admins"       // nobody
	ListenParticipants = "participants" // who answered and who called
)

// RecordingRules are the company's: what holds where neither users nor numbers say anything.
type RecordingRules struct {
	Inbound  string `yaml:"inbound,omitempty" json:"inbound,omitempty"`   // always | never | on_demand; empty = on_demand
	Outbound string `yaml:"outbound,omitempty" json:"outbound,omitempty"` // the same
	Internal string `yaml:"internal,omitempty" json:"internal,omitempty"` // the same
	Announce bool   `yaml:"announce,omitempty" json:"announce,omitempty"` // both parties are told before it begins
	Listen   string `yaml:"listen,omitempty" json:"listen,omitempty"`     // admins | participants; empty = admins
}

// Recording is a recorded part of a call: a file in stereo, the caller left, everybody else right.
type Recording struct {
	ID      string           `json:"id"`   // of the call, and a number
	File    string           `json:"file"` // relative to the data folder
	Start   time.Time        `json:"start"`
	Seconds float64          `json:"seconds"`
	By      string           `json:"by,omitempty"`      // who asked for it: User.ID; empty = by rule
	Why     string           `json:"why"`               // for people
	Pauses  []RecordingPause `json:"pauses,omitempty"`  // silent in the file
	Missing float64          `json:"missing,omitempty"` // seconds of it that are silent because the disk did not keep up
	Ended   string           `json:"ended"`             // stopped | limit | failed | interrupted
	// Deleted is when the file was removed, and By whom: User.ID, or "retention".
	Deleted   time.Time `json:"deleted,omitzero"`
	DeletedBy string    `json:"deleted_by,omitempty"`
}

// RecordingPause is a silent part of a recording, in seconds from its start: it was left out on demand, or a party held.
type RecordingPause struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
	By   string  `json:"by,omitempty"`   // User.ID
	Hold bool    `json:"hold,omitempty"` // nobody asked for it: By had put the other party on hold
}
