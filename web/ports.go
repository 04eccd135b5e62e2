package web

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/coder/websocket"

	"strowger/sip/call"
	"strowger/store"
)

// Organisation is the directory as it is now. Its methods answer from memory: they are called on every request.
type Organisation interface {
	Company() store.Company
	Features() store.Features
	Users() []store.User
	UserByID(id string) (store.User, bool)
	// UserByEmail compares without regard to case.
	UserByEmail(email string) (store.User, bool)
	Numbers() []store.Number
	Contact(id string) (store.Contact, bool)
	// ContactName is the name of the contact who has this number, "" when nobody does.
	ContactName(number string) string
	// FeatureName is the name of a feature code, room, orbit or group to page, "" of everything else.
	FeatureName(dialled string) string
}

// People changes what users may change of themselves.
type People interface {
	// SetReach sets whether a user wants to be disturbed, and whither their calls go ("" = nowhere else). A target to which calls
	// cannot go is an ErrUnacceptable.
	SetReach(user string, dnd bool, forward string) error
}

// Credentials keeps the hashes of passwords. A user without one signs in by a one-time link only.
type Credentials interface {
	// Credential of a user; the error wraps store.ErrNotFound when there is none.
	Credential(user string) (store.Credential, error)
}

// SigninLink is what the token of a one-time sign-in link stands for.
type SigninLink struct {
	User    string    `json:"user"` // User.ID
	Expires time.Time `json:"expires"`
}

// SigninLinks keeps one-time sign-in links by the SHA-256 of their token in hex; the token itself is kept nowhere.
type SigninLinks interface {
	PutSigninLink(hash string, link SigninLink) error
	// TakeSigninLink removes the link and returns it, atomically: of two takers one gets store.ErrNotFound.
	TakeSigninLink(hash string) (SigninLink, error)
}

// Calls are the records of ended calls.
type Calls interface {
	// Calls selects records, newest first.
	Calls(filter store.CallFilter) ([]store.CallRecord, error)
	// Call returns one record; the error wraps store.ErrNotFound when there is none.
	Call(id string) (store.CallRecord, error)
	// Claim takes an unclaimed missed call for this user, atomically; the error wraps store.ErrClaimed when somebody was faster.
	Claim(id, user string) (store.CallRecord, error)
}

// Active is the calls in progress.
type Active interface {
	ActiveCalls() []call.Snapshot
	// Measure takes the figures of their quality.
	Measure() []call.Measured
	// Control gives a command to a call and returns what the call says: call.ErrNoCall, call.ErrNotInCall, a call.ErrNotNow, or
	// ctx's error.
	Control(ctx context.Context, id string, c call.Command) error
	// Originate calls a user's own devices and then whom they want to talk to. It returns the call's id.
	Originate(r call.OriginateRequest) (string, error)
	// Hangup ends a call for everybody; false when there is no such call.
	Hangup(id string) bool
}

// Recordings are the files of recorded calls, and the audit log that tells who listened.
type Recordings interface {
	// OpenRecording opens the file; the error wraps store.ErrNotFound when it is gone.
	OpenRecording(r store.Recording) (io.ReadSeekCloser, error)
	// DeleteRecording removes the file and notes in the call's record who (by) did so.
	DeleteRecording(call, id, by string) (store.CallRecord, error)
	Audit(e store.AuditEntry) error
	// AuditLog returns at most limit entries, newest first, before a sequence number; 0 = from the newest.
	AuditLog(before uint64, limit int) ([]store.AuditEntry, error)
}

// Voicemails is the mailboxes.
type Voicemails interface {
	// Voicemails of all these boxes, newest first; nil = of every box.
	Voicemails(boxes []store.Mailbox) ([]store.Voicemail, error)
	Voicemail(id string) (store.Voicemail, error)
	// OpenAudio opens the message's WAV file.
	OpenAudio(vm store.Voicemail) (io.ReadSeekCloser, error)
	// SetHeard marks a message as heard by a user, or as new again. Like what follows it makes the live event itself
	// (Server.VoicemailChanged): the phone changes messages too.
	SetHeard(id, user string, heard bool) (store.Voicemail, error)
	// SetSaved keeps a message beyond the time after which those that were heard are removed, or no longer.
	SetSaved(id string, saved bool) (store.Voicemail, error)
	// DeleteVoicemail deletes a message; for a while RestoreVoicemail takes that back.
	DeleteVoicemail(id string) error
	RestoreVoicemail(id string) (store.Voicemail, error)
	// ForwardVoicemail puts a copy into another box, in the name of a user. The error wraps ErrUnacceptable when that is full.
	ForwardVoicemail(id string, to store.Mailbox, by store.User) error
}

// ErrUnacceptable is wrapped by errors whose text is for whoever asked: what was given cannot be taken.
var ErrUnacceptable = errors.New("unacceptable")

// Mailboxes is what their owners set.
type Mailboxes interface {
	// MailboxSettings of a box; PIN is only "" or not.
	MailboxSettings(box store.Mailbox) (store.MailboxSettings, error)
	// SetPIN sets the PIN, "" takes it away. The error wraps ErrUnacceptable for one that is too easy.
	SetPIN(box store.Mailbox, pin string) error
	// SetMail says how a user of the box is told by mail: store.MailOff, MailLink, MailAttach, or "" for the server's default. Of a
	// shared box each user has this for himself; without a user ("") it is what those have who have set nothing.
	SetMail(box store.Mailbox, user, how string) error
	// OpenGreeting opens the WAV file of a greeting (unavailable, busy, temporary); the error wraps store.ErrNotFound when
	// the box has none of its own.
	OpenGreeting(box store.Mailbox, kind string) (io.ReadSeekCloser, error)
	// PutGreeting takes a WAV file, or Opus in Ogg. The error wraps ErrUnacceptable when it is none, or too long.
	PutGreeting(box store.Mailbox, kind string, sound io.Reader) error
	// RecordGreeting rings a user's devices and records the greeting from whoever answers. It returns the call's id, or the errors of
	// Active.Originate.
	RecordGreeting(user string, box store.Mailbox, kind string) (call string, err error)
	// DeleteGreeting goes back to the standard greeting.
	DeleteGreeting(box store.Mailbox, kind string) error
}

// PhoneIdentity is who opened a phone's WebSocket, as the upgrade request shows it.
type PhoneIdentity struct {
	User    string // User.ID of the signed-in user; with Trusted
	Session string // public name of the web session; with Trusted
	Trusted bool   // a page of ours, authenticated by its session: no digest is asked. False = a foreign phone
	Secure  bool   // it came by HTTPS
}

// Phones takes over the WebSockets of phones and knows who is registered.
type Phones interface {
	// ServeWebSocket speaks SIP on the connection until it is closed. remote is the peer's "ip:port".
	ServeWebSocket(conn *websocket.Conn, remote string, id PhoneIdentity) error
	// Registrations of a user; "" = everybody's.
	Registrations(user string) []store.Binding
}

// TrunkStatus is a trunk as it is now.
type TrunkStatus struct {
	Name       string    `json:"name"`
	State      string    `json:"state" doc:"up, down, registering or unknown"`
	Registered bool      `json:"registered" doc:"whether the trunk's registrar has us, for trunks that register"`
	Detail     string    `json:"detail,omitempty" doc:"Why it is down, in words"`
	Since      time.Time `json:"since,omitzero" doc:"When it came into this state"`
	Calls      int       `json:"calls" doc:"Calls in progress over it"`
}

// Trunks is the outside lines.
type Trunks interface {
	TrunkStatuses() []TrunkStatus
}

// DemoNumber is something that somebody can dial in the demo, or press during a call, to try it.
type DemoNumber struct {
	Where  string `json:"where" enum:"carrier,system,call" doc:"carrier = a number of the demo's carrier, system = an extension or a code of ours, call = keys during a call"`
	Number string `json:"number" doc:"What to dial, or the keys"`
	Label  string `json:"label" doc:"A short name"`
	What   string `json:"what" doc:"What happens, in words"`
}

// Demo is the simulated carrier.
type Demo interface {
	// DemoNumbers are what to try, in the order to show.
	DemoNumbers() []DemoNumber
	// CallMe makes the carrier call this user by one of our numbers. from is the caller to show, "" = the carrier chooses.
	// It returns when the call has been started.
	CallMe(ctx context.Context, user store.User, from string) error
}
