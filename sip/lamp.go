package sip

import "strowger/sip/call"

// Lamps tells what there is to see of extensions, conference rooms and parking orbits: the state behind the event packages
// dialog (RFC 4235) and presence (RFC 3856). Its methods must answer from memory, and may be called from any goroutine.
// Whoever implements it calls LampChanged when a state has become another.
type Lamps interface {
	// Lamp finds what a name that a phone asks for (a user's id or extension, a room, an orbit) stands for: the key that
	// LampChanged will name. ok is false when there is no such thing, or it is not for this user to watch.
	Lamp(watcher, name string) (key string, ok bool)
	// LampState is what this watcher may see now; ok is false when there is nothing to watch any more.
	LampState(watcher, key string) (state LampState, ok bool)
}

// LampState is what a busy lamp shows.
type LampState struct {
	Name  string // for people, "" = none
	Open  bool   // calls can be taken: presence's "open"
	DND   bool   // does not want to be disturbed
	Calls []LampCall
}

// LampCall is a call as a busy lamp shows it.
type LampCall struct {
	ID       string // names it among the lamp's calls, and stays the same as long as it lasts
	Stage    LampStage
	Incoming bool       // the watched party is called, or was
	Held     bool       // the watched party has put it on hold
	Remote   call.Party // the other side; zero = the watcher may not know
	// SIPCallID is the Call-ID of our leg to the watched phone, for a watcher who may pick the call up or take it over
	// (RFC 3891); "" for others.
	SIPCallID string
}

// LampStage is how far a call is (RFC 4235 §3.7.1).
type LampStage string

// The stages of a call; one that is over is simply no longer among a lamp's calls.
const (
	LampTrying    LampStage = "trying"
	LampEarly     LampStage = "early"
	LampConfirmed LampStage = "confirmed"
)

// MessageCounts tells of the messages in mailboxes, for message-waiting lamps (RFC 3842). Its methods must answer from memory,
// and may be called from any goroutine. Whoever implements it calls MessagesChanged when a count has become another.
type MessageCounts interface {
	// Mailbox finds the mailbox that a name (a user's id or extension, the number of a shared mailbox) stands for: the key
	// that MessagesChanged will name. The user's own is asked for by the user's id. ok is false when there is none, or it is
	// not for this user to watch.
	Mailbox(user, name string) (key string, ok bool)
	// Messages are counted; ok is false when there is no such mailbox any more.
	Messages(key string) (count MessageCount, ok bool)
}

// MessageCount is what a mailbox holds.
type MessageCount struct {
	New, Old int
	// Dial is what to dial to listen to them, "" = unknown.
	Dial string
}

// LampChanged has every phone that watches one of these keys told, at once or a little later: no phone is told more often
// than five times a second, and only of the latest state. It does not block.
func (s *Server) LampChanged(keys ...string) {
	for _, key := range keys {
		s.subs.changed(watched{packageDialog, key})
		s.subs.changed(watched{packagePresence, key})
	}
}

// MessagesChanged has every phone that watches this mailbox told, and those of its user that never ask (Config.TellMessages).
// It does not block.
func (s *Server) MessagesChanged(key string) {
	s.subs.changed(watched{packageMessages, key})
	s.messagesChanged(key)
}

// Subscriptions is how many there are (RFC 6665).
func (s *Server) Subscriptions() int { return s.subs.count() }
