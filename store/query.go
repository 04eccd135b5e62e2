package store

import "time"

// CallFilter selects call records; they come newest first. The zero value selects all.
type CallFilter struct {
	User   string    // in whose list the call shows (CallRecord.Participants); "" = anybody's
	Since  time.Time // Start not before; zero = no limit
	Until  time.Time // Start before; zero = no limit
	Before string    // CallRecord.ID: only calls older than this one, for paging; unknown ids select nothing
	Missed bool      // only calls with disposition missed
	// Unclaimed selects only missed calls that nobody has acted on.
	Unclaimed bool
	Limit     int // at most so many; 0 = 100
}

// DefaultCallLimit is how many records a CallFilter without Limit selects.
const DefaultCallLimit = 100

// AuditEntry says who changed what.
type AuditEntry struct {
	Seq    uint64    `json:"seq"` // given by the store, ascending
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`            // User.ID, "cli", or "system"
	Action string    `json:"action"`           // "apply", "device.create", "signin.failed", ...
	Object string    `json:"object,omitempty"` // id of what was changed
	Detail string    `json:"detail,omitempty"` // for people; never holds a secret
	Remote string    `json:"remote,omitempty"` // address the request came from
}

// DirectoryVersion is a line of the directory's history.
type DirectoryVersion struct {
	Version string    `json:"version"` // content address: equal content, equal version
	At      time.Time `json:"at"`      // when it was applied
}
