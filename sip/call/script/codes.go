package script

// Applications behind feature codes. Their questions are answered in cmd/strowger/app.

type (
	// SetDND switches the caller's do-not-disturb; no answer.
	SetDND struct{ On bool }

	// SetForward has all of the caller's calls forwarded to what they dialled, "" = no longer. The answer is the target as
	// it is kept (a string), and an error when calls cannot go there.
	SetForward struct{ Target string }

	// LastCaller asks for the number of whoever called the caller last (a string), "" = nobody did.
	LastCaller struct{}
)

var sorry = []Phrase{Prompt{"sorry", "Sorry, that did not work."}}

// DoNotDisturb switches it on or off.
func DoNotDisturb(on bool) Script {
	said := Prompt{"dnd-off", "Do not disturb is off."}
	if on {
		said = Prompt{"dnd-on", "Do not disturb is on."}
	}
	return Then{Question: SetDND{on}, Done: func(any) []Phrase { return []Phrase{said} }, Failed: sorry}
}

// NoForward ends forwarding.
func NoForward() Script {
	return Then{Question: SetForward{}, Failed: sorry,
		Done: func(any) []Phrase { return []Phrase{Prompt{"forward-off", "Your calls are no longer forwarded."}} }}
}

// Unknown tells a caller that there is no such code; Code is the status that the call is refused with.
func Unknown() Script {
	return Announcement{Phrases: []Phrase{Prompt{"unknown-code", "This code is not known here."}}}
}

// maxNumber is how many keys a number may have.
const maxNumber = 20

// entry is a number that is being keyed in.
type entry string

// take adds a key; whole is true when the number is complete.
func (e entry) take(in In) (next entry, whole bool) {
	switch in := in.(type) {
	case Key:
		if in.Digit == '#' {
			return e, true
		}
		if len(e) < maxNumber {
			e += entry(in.Digit)
		}
		return e, false
	case NoKey:
		return e, true
	}
	return e, false
}

// Forward has the caller's calls forwarded to Target, or asks where to.
type Forward struct {
	Target string
	keys   entry
	tries  int
}

// Next implements Script.
func (f Forward) Next(in In) (Script, []Act) {
	switch in := in.(type) {
	case Began:
		if f.Target != "" {
			return f, []Act{Ask{SetForward{f.Target}}}
		}
		return f.ask()
	case Answer:
		to, _ := in.Value.(string)
		switch {
		case in.Err == "":
			return f, []Act{Say{Phrases: []Phrase{Prompt{"forward-on", "Your calls are forwarded to"}, Digits{to}}, Whole: true}, End{}}
		case f.Target == "" && f.tries < 3:
			script, acts := f.ask()
			return script, append([]Act{Say{Phrases: refused, Whole: true}}, acts...)
		}
		return f, []Act{Say{Phrases: refused, Whole: true}, End{}}
	case SoundOver:
		return f, []Act{Listen{8}}
	}
	keys, whole := f.keys.take(in)
	f.keys = keys
	switch {
	case !whole:
		return f, []Act{Listen{5}}
	case keys == "":
		return f, []Act{End{}}
	}
	return f, []Act{Ask{SetForward{string(keys)}}}
}

var refused = []Phrase{Prompt{"forward-refused", "Calls cannot be forwarded there."}}

func (f Forward) ask() (Script, []Act) {
	f.keys, f.tries = "", f.tries+1
	return f, []Act{Say{Phrases: []Phrase{Prompt{"forward-to", "Please enter the number, then press pound."}}}, Listen{8}}
}

// Redial calls whoever called last.
type Redial struct{}

// Next implements Script.
func (r Redial) Next(in In) (Script, []Act) {
	switch in := in.(type) {
	case Began:
		return r, []Act{Ask{LastCaller{}}}
	case Answer:
		if number, _ := in.Value.(string); in.Err == "" && number != "" {
			return r, []Act{Say{Phrases: []Phrase{Prompt{"redial", "Calling again"}}, Whole: true}, Dial{number}}
		}
		return r, []Act{Say{Phrases: []Phrase{Prompt{"redial-none", "There is no number to call again."}}, Whole: true}, End{}}
	}
	return r, []Act{End{}}
}
