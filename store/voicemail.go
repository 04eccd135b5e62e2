package store

import (
	"cmp"
	"maps"
	"time"
)

// Mailbox names a box: a user's or a number's shared one.
type Mailbox struct {
	User   string `json:"user,omitempty"`
	Number string `json:"number,omitempty"`
}

// String is the box's name in files and logs: the user's id or the number.
func (b Mailbox) String() string { return b.User + b.Number }

// Voicemail is a message in a mailbox; the audio is a WAV file in the data folder. A message is new until it is heard, then
// old; a saved one is kept beyond the time after which old messages are removed. Deleted is when it was deleted: for a
// while that can be taken back, then the message and its audio are removed.
type Voicemail struct {
	ID        string    `json:"id"`
	Mailbox   Mailbox   `json:"mailbox"`
	Call      string    `json:"call"` // CallRecord.ID
	From      string    `json:"from"`
	FromName  string    `json:"from_name,omitempty"`
	FromUser  string    `json:"from_user,omitempty"` // User.ID of a caller inside, who can be replied to
	Left      time.Time `json:"left"`
	Seconds   float64   `json:"seconds"`
	File      string    `json:"file"` // relative to the data folder
	Heard     bool      `json:"heard"`
	HeardBy   string    `json:"heard_by,omitempty"`
	Saved     bool      `json:"saved,omitempty"`
	Deleted   time.Time `json:"deleted,omitzero"`
	Forwarded string    `json:"forwarded,omitempty"` // User.ID of who forwarded it here
	Text      string    `json:"text,omitempty"`      // what a transcription heard
	// Announced: whom it concerns has been told by mail, as far as that is wanted. A crash before leaves it to the next start.
	Announced bool `json:"announced,omitempty"`
}

// Limits of a mailbox's settings.
const (
	MinPIN = 4 // digits
	MaxPIN = 10
)

// Ways to tell somebody of a message by mail.
const (
	MailOff    = "off"
	MailLink   = "link"   // without the audio
	MailAttach = "attach" // with the audio
)

// MailboxSettings is what its owner has set for a box.
type MailboxSettings struct {
	Mailbox Mailbox `json:"mailbox"`
	PIN     string  `json:"pin,omitempty"` // argon2id, encoded form; "" = none
	// Wrong counts wrong PINs since the last right one; until Locked no PIN is taken.
	Wrong  int       `json:"wrong,omitempty"`
	Locked time.Time `json:"locked,omitzero"`
	Mail   string    `json:"mail,omitempty"` // MailOff, MailLink, MailAttach; "" = the server's default
	// Mails is the same of single users of a shared box, by User.ID; who is not in it has Mail.
	Mails map[string]string `json:"mails,omitempty"`
	// Gone is when the box was first seen to belong to no user and no number any more; zero = it does.
	Gone time.Time `json:"gone,omitzero"`
}

// MailFor is how a user of the box is told by mail; "" = the server's default.
func (s *MailboxSettings) MailFor(user string) string { return cmp.Or(s.Mails[user], s.Mail) }

// SetMailFor sets it; "" = as the box has it. Of a personal box, or without a user, it is the box's.
func (s *MailboxSettings) SetMailFor(user, how string) {
	if s.Mailbox.User != "" || user == "" {
		s.Mail = how
		return
	}
	mails := maps.Clone(s.Mails)
	if mails == nil {
		mails = map[string]string{}
	}
	if mails[user] = how; how == "" {
		delete(mails, user)
	}
	s.Mails = mails
}

// MailJob is a mail that waits to be sent.
type MailJob struct {
	ID        string    `json:"id"` // time-ordered
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	Voicemail string    `json:"voicemail,omitempty"` // whose audio is attached; a message that is gone makes the mail void
	Made      time.Time `json:"made"`
	Next      time.Time `json:"next"` // when it is tried
	Tries     int       `json:"tries"`
	Error     string    `json:"error,omitempty"` // of the last try
	Failed    bool      `json:"failed,omitempty"`
}

// MessageCounts is what a lamp shows of one or several boxes (RFC 3842). Old are those heard and not deleted.
type MessageCounts struct{ New, Old int }
