package script

// Applications of a few lines.

// EchoTest plays an announcement and then sends back what the caller says, until a key or the end of the call.
type EchoTest struct{}

// Next implements Script.
func (e EchoTest) Next(in In) (Script, []Act) {
	switch in.(type) {
	case Began:
		return e, []Act{Say{Phrases: []Phrase{Prompt{"echo-test", "You will now hear what you say."}}}, Echo{}}
	case Key:
		return e, []Act{End{}}
	}
	return e, []Act{Echo{}}
}

// Announcement says something and ends the call with Code.
type Announcement struct {
	Phrases []Phrase
	Code    int // for a caller that has not been answered
}

// Next implements Script.
func (a Announcement) Next(in In) (Script, []Act) {
	if _, ok := in.(Began); ok {
		return a, []Act{Say{Phrases: a.Phrases, Whole: true}, End{a.Code}}
	}
	return a, []Act{End{a.Code}}
}

// Then asks one question and says what came of it: the way of a feature code that changes something.
type Then struct {
	Question any
	// Done makes the phrases of the answer; Failed are said when there is none.
	Done   func(answer any) []Phrase
	Failed []Phrase
}

// Next implements Script.
func (t Then) Next(in In) (Script, []Act) {
	switch in := in.(type) {
	case Began:
		return t, []Act{Ask{t.Question}}
	case Answer:
		phrases := t.Failed
		if in.Err == "" {
			phrases = t.Done(in.Value)
		}
		return t, []Act{Say{Phrases: phrases, Whole: true}, End{}}
	}
	return t, []Act{End{}}
}
