// Package script is the language of voice applications: what answers a caller by voice, listens to keys and records.
//
// A Script is an immutable value. The call's machine tells it what happened (In) and does what it answers (Act); it knows
// neither calls nor media, so that an application is tested without either. Which application serves which code is decided in
// cmd/strowger/app, by call.Services.
package script

import "time"

// Script is an application in one of its states. Next must be pure: the same input in the same state gives the same answer.
//
// The acts are done one after the other. When the last one was a Say, SoundOver follows; after a Listen a Key or NoKey;
// after a Record, Recorded; after an Ask, Answer. An input drops whatever is left of earlier acts. No acts at all end the call.
type Script interface {
	Next(In) (Script, []Act)
}

// In is something that happened: one of the types below.
type In interface{ in() }

type (
	// Began is the first input: the caller listens.
	Began struct{}

	// Key is a key of the caller's: 0-9 * # A-D. It cuts short what is being said, unless that must be heard to its end; then,
	// and while a question is being answered, keys are kept for the next Listen, or Say that can be cut (at most eight).
	Key struct {
		Digit byte
		// File is the sound that it cut, At how many seconds into it that was; "" = nothing was being said.
		File string
		At   float64
	}

	// NoKey: a Listen is over without a key.
	NoKey struct{}

	// SoundOver: everything was said.
	SoundOver struct{}

	// Recorded is the outcome of a Record.
	Recorded struct {
		File    string
		Seconds float64 // length
		Speech  float64 // seconds of it in which something was said
		Why     string  // key | silence | limit | hangup | failed
		Key     byte    // that ended it, 0 = none
	}

	// Answer is what an Ask brought, or why a Dial, Join or Retrieve could not be done: then Err is set.
	Answer struct {
		Value any
		Err   string
	}

	// HungUp is the last input: the caller is gone. Of the acts that follow only Ask is done, without an answer.
	HungUp struct{}
)

// Act is something to do: one of the types below.
type Act interface{ act() }

type (
	// Say lets the caller hear phrases, one after the other. Keys cut it, unless Whole.
	Say struct {
		Phrases []Phrase
		Whole   bool
		From    float64 // seconds into the first sound, where it begins
	}

	// Listen waits for a key, 1 to 60 seconds; 0 = 5.
	Listen struct{ Seconds int }

	// Record writes what the caller says to File (an absolute path, WAV) until a key, Max seconds (0 = 300) or Silence
	// seconds without speech (0 = 8).
	Record struct {
		File         string
		Max, Silence int
	}

	// Ask puts a question to call.Services.Ask, which may take up to ten seconds; Answer follows.
	Ask struct{ Question any }

	// Dial goes on as if the caller's user had dialled Target. An Answer follows only when that is refused.
	Dial struct{ Target string }

	// Echo sends back what the caller says, until a key.
	Echo struct{}

	// Join takes the caller into a conference room. An Answer follows only when that is refused.
	Join struct {
		Room      string
		Moderator bool
	}

	// Retrieve connects with the call that is parked on an orbit; when there is none, the call ends. An Answer follows only
	// when this is no orbit.
	Retrieve struct{ Orbit string }

	// End hangs up. Code (400 to 699) is told to a caller that has not been answered; 0 = 480.
	End struct{ Code int }
)

// Phrase is a piece of speech: one of the types below. Numbers, dates and times are put together from recordings, in the
// language of the prompts; see call.Speech.Phrases.
type Phrase interface{ phrase() }

type (
	// Prompt is a recording by its name in the prompts' folder. Text is spoken where there is no such recording.
	Prompt struct{ Name, Text string }

	// Number is spoken as a quantity: "twenty-one".
	Number struct{ N int }

	// Digits are spoken one by one: "two one". Characters other than digits are left out.
	Digits struct{ S string }

	// Date is spoken as a day, relative to the time of speaking ("today", "Monday", "June third"); Time as a clock time.
	// Both are in the location of At.
	Date struct{ At time.Time }
	Time struct{ At time.Time }

	// Length is spoken as hours, minutes and seconds.
	Length struct{ D time.Duration }

	// Count is a number of things: One and Many are the prompts of the noun ("message", "messages").
	Count struct {
		N         int
		One, Many string
	}

	// File is a WAV file by its absolute path.
	File struct{ Path string }

	// Text is spoken by the voice that the administrator has set up.
	Text struct{ S string }
)

func (Began) in()     {}
func (Key) in()       {}
func (NoKey) in()     {}
func (SoundOver) in() {}
func (Recorded) in()  {}
func (Answer) in()    {}
func (HungUp) in()    {}

func (Say) act()      {}
func (Listen) act()   {}
func (Record) act()   {}
func (Ask) act()      {}
func (Dial) act()     {}
func (Echo) act()     {}
func (Join) act()     {}
func (Retrieve) act() {}
func (End) act()      {}

func (Prompt) phrase() {}
func (Number) phrase() {}
func (Digits) phrase() {}
func (Date) phrase()   {}
func (Time) phrase()   {}
func (Length) phrase() {}
func (Count) phrase()  {}
func (File) phrase()   {}
func (Text) phrase()   {}
