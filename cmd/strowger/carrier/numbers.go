package carrier

import "time"

// Number is a telephone number of the carrier with a behaviour of its own, so that everybody can try failure by hand.
type Number struct {
	Number string `json:"number"` // E.164
	Label  string `json:"label"`
	What   string `json:"what"` // what happens to who calls it

	answer   time.Duration // rings so long, then answers; < 0 = never
	code     int           // final error instead of an answer
	phrase   string
	early    bool          // announces before the answer (183 with media)
	mute     bool          // sends no audio at all
	hangUp   time.Duration // ends the call so long after the answer; 0 = never
	digits   string        // sent after the answer
	greeting bool          // speaks first, then echoes
}

// Numbers lists the numbers that behave in a special way. Every other number rings for two seconds, answers, echoes,
// and hangs up after OtherTalks.
func Numbers() []Number {
	return []Number{
		{Number: "+12025550190", Label: "Echo", What: "answers after a second, greets you, then repeats what you say", answer: time.Second, greeting: true},
		{Number: "+12025550191", Label: "Busy", What: "is busy (486)", code: 486, phrase: "Busy Here"},
		{Number: "+12025550192", Label: "No answer", What: "rings and never answers", answer: -1},
		{Number: "+12025550193", Label: "Not in service", What: "does not exist (404)", code: 404, phrase: "Not Found"},
		{Number: "+12025550194", Label: "Congestion", What: "the carrier fails (503)", code: 503, phrase: "Service Unavailable"},
		{Number: "+12025550195", Label: "Silence", What: "answers and sends no audio", answer: time.Second, mute: true},
		{Number: "+12025550196", Label: "Hangs up", What: "answers and hangs up after a second", answer: time.Second, hangUp: time.Second},
		{Number: "+12025550197", Label: "Digits", What: "answers and sends the keys 1 2 3 4 #", answer: time.Second, digits: "1234#"},
		{Number: "+12025550198", Label: "Announcement", What: "speaks before it answers (early media), then echoes", answer: 6 * time.Second, early: true},
		{Number: "+12025550199", Label: "Declines", What: "declines the call (603)", code: 603, phrase: "Decline"},
	}
}

// OtherTalks is how long a number without a behaviour of its own stays on the line. A call of the carrier that nobody here
// answered may have been sent on to it, and then nobody is left to hang up.
const OtherTalks = time.Minute

// behaviour of a called number.
func behaviour(number string) Number {
	for _, n := range Numbers() {
		if n.Number == number {
			return n
		}
	}
	return Number{Number: number, answer: 2 * time.Second, hangUp: OtherTalks}
}
