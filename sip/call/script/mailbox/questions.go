// Package mailbox is the voice menu of mailboxes: it lets callers hear, keep and delete messages, answer and forward them, and
// set greetings and PINs. It knows the questions that it asks, and nothing of who answers them (cmd/strowger/app).
package mailbox

import "strowger/store"

// The questions of the menu, for script.Ask. Errors are told by the caller's hearing "that did not work", but where said.
type (
	// Find asks for the box that somebody names by an extension or a number; the answer is a store.Mailbox, or an error.
	Find struct{ Name string }

	// CheckPIN asks whether a PIN is right; the answer is a PINResult.
	CheckPIN struct {
		Box store.Mailbox
		PIN string
	}

	// Open asks for what is in a box; the answer is Contents.
	Open struct{ Box store.Mailbox }

	// Heard, Save, Delete and Undelete change a message; no answer.
	Heard    struct{ ID string }
	Save     struct{ ID string }
	Delete   struct{ ID string }
	Undelete struct{ ID string }

	// Draft asks for a file to record into; the answer is its path.
	Draft struct{}

	// Reply puts a draft into the box of the user who left a message; Forward copies a message, after the comment in a draft
	// ("" = none), into the box that To names. The answer of both is nil, or an error: the message could not be delivered.
	Reply struct {
		To   string // User.ID
		File string
	}
	Forward struct{ ID, To, Comment string }

	// Greeting asks for the file of a greeting of the box's own; the answer is a path, "" = there is none.
	Greeting struct {
		Box  store.Mailbox
		Kind string // unavailable | busy | temporary
	}

	// KeepGreeting makes a draft the greeting; DeleteGreeting goes back to the standard one. No answer.
	KeepGreeting struct {
		Box        store.Mailbox
		Kind, File string
	}
	DeleteGreeting struct {
		Box  store.Mailbox
		Kind string
	}

	// SetPIN sets the PIN; the answer is a bool: false = it is too easy.
	SetPIN struct {
		Box store.Mailbox
		PIN string
	}
)

// PINResult is what became of a PIN.
type PINResult int

// The results.
const (
	Right PINResult = iota
	Wrong
	Locked  // too many wrong ones
	Without // the box has no PIN
)

// Contents are a box as its caller finds it.
type Contents struct {
	Box          store.Mailbox
	Messages     []Message // oldest first
	Full, Almost bool
	Shared       []store.Mailbox // other boxes that the caller may open, with new messages
}

// Message is one of the messages.
type Message struct {
	store.Voicemail
	File     string // absolute path of its audio
	CallBack string // what to dial, "" = the caller hid the number
	ReplyTo  string // User.ID of who can be replied to, "" = nobody
}
