package script

// RoomPass asks whether a PIN opens a room; the answer is a RoomPassed.
type RoomPass struct{ Room, PIN string }

// RoomPassed is what a PIN allows.
type RoomPassed struct{ Enter, Moderator bool }

// Room lets a caller into a conference room.
type Room struct {
	Extension string
	Ask       bool // for a PIN
	keys      entry
	tries     int
}

// maxPINTries is how many PINs a caller may try.
const maxPINTries = 3

// Next implements Script.
func (r Room) Next(in In) (Script, []Act) {
	switch in := in.(type) {
	case Began:
		if !r.Ask {
			return r, []Act{Join{Room: r.Extension}}
		}
		return r.askPIN()
	case SoundOver:
		return r, []Act{Listen{8}}
	case Answer:
		return r.answered(in)
	case HungUp:
		return r, nil
	}
	keys, whole := r.keys.take(in)
	r.keys = keys
	if !whole {
		return r, []Act{Listen{5}}
	}
	return r, []Act{Ask{RoomPass{r.Extension, string(keys)}}}
}

func (r Room) askPIN() (Script, []Act) {
	r.keys, r.tries = "", r.tries+1
	return r, []Act{Say{Phrases: []Phrase{Prompt{"conf-pin", "Please enter the PIN of the conference, then press pound."}}}, Listen{8}}
}

// answered: to the PIN, or to a Join that was refused.
func (r Room) answered(in Answer) (Script, []Act) {
	pass, asked := in.Value.(RoomPassed)
	switch {
	case asked && pass.Enter:
		return r, []Act{Join{Room: r.Extension, Moderator: pass.Moderator}}
	case asked && r.tries < maxPINTries:
		script, acts := r.askPIN()
		return script, append([]Act{Say{Phrases: []Phrase{Prompt{"conf-pin-wrong", "That PIN is not right."}}, Whole: true}}, acts...)
	case asked:
		return r, []Act{Say{Phrases: []Phrase{Prompt{"conf-pin-wrong", "That PIN is not right."}}, Whole: true}, End{}}
	}
	said := Prompt{"sorry", "Sorry, that did not work."}
	switch in.Err {
	case RoomLocked:
		said = Prompt{"conf-locked", "The conference is locked."}
	case RoomFull:
		said = Prompt{"conf-full", "The conference is full."}
	}
	return r, []Act{Say{Phrases: []Phrase{said}, Whole: true}, End{}}
}

// Why a Join is refused (Answer.Err).
const (
	RoomLocked = "the conference is locked"
	RoomFull   = "the conference is full"
)
