package mailbox

import (
	"cmp"

	"strowger/sip/call/script"
)

// The menu is put together of a few parts. Each is a script that does one thing and then goes on with what its function
// returns. The functions are pure, and hold what the parts before them have learnt.

// reaction is what a script does next.
type reaction func() (script.Script, []script.Act)

// prompts are phrases by the names of their recordings.
func prompts(names ...string) []script.Phrase {
	phrases := make([]script.Phrase, len(names))
	for i, n := range names {
		phrases[i] = script.Prompt{Name: n}
	}
	return phrases
}

// end says goodbye.
func end() (script.Script, []script.Act) {
	return over{}, []script.Act{script.Say{Phrases: prompts("goodbye"), Whole: true}, script.End{}}
}

// over ends the call, whatever happens.
type over struct{}

func (o over) Next(script.In) (script.Script, []script.Act) { return o, []script.Act{script.End{}} }

// before does acts first: for something to be said on the way.
func before(phrases []script.Phrase, next reaction) (script.Script, []script.Act) {
	s, acts := next()
	return s, append([]script.Act{script.Say{Phrases: phrases, Whole: true}}, acts...)
}

// ask asks a question, and goes on with its answer.
func ask(question any, then func(script.Answer) (script.Script, []script.Act)) (script.Script, []script.Act) {
	return asking{then}, []script.Act{script.Ask{Question: question}}
}

type asking struct {
	then func(script.Answer) (script.Script, []script.Act)
}

func (a asking) Next(in script.In) (script.Script, []script.Act) {
	if answer, ok := in.(script.Answer); ok {
		return a.then(answer)
	}
	return a, []script.Act{script.End{}} // the caller is gone
}

// choiceTime in seconds is how long a menu waits for a key; after maxRounds of it the call ends.
const (
	choiceTime = 6
	maxRounds  = 3
)

// say is one that keys cut; none when there is nothing to say.
func say(phrases []script.Phrase) []script.Act {
	if len(phrases) == 0 {
		return nil
	}
	return []script.Act{script.Say{Phrases: phrases}}
}

// choose says something and then what the keys are, until one is pressed. key returns nil for keys that mean nothing.
func choose(first, menu []script.Phrase, key func(byte) reaction) (script.Script, []script.Act) {
	c := choice{menu: menu, key: key}
	return c, []script.Act{script.Say{Phrases: append(append([]script.Phrase{}, first...), menu...)}, script.Listen{Seconds: choiceTime}}
}

type choice struct {
	menu  []script.Phrase
	key   func(byte) reaction
	round int
	wait  int // seconds, 0 = choiceTime
}

func (c choice) Next(in script.In) (script.Script, []script.Act) {
	said := c.menu
	if in, ok := in.(script.Key); ok {
		if react := c.key(in.Digit); react != nil {
			return react()
		}
		said = append(prompts("invalid"), said...)
	}
	if _, gone := in.(script.HungUp); gone {
		return over{}, nil
	}
	if c.round++; c.round >= maxRounds {
		return end()
	}
	return c, []script.Act{script.Say{Phrases: said}, script.Listen{Seconds: cmp.Or(c.wait, choiceTime)}}
}

// enter collects digits up to #, or a pause; "" when none came. * cancels.
func enter(phrases []script.Phrase, then func(digits string) (script.Script, []script.Act), cancel reaction) (script.Script, []script.Act) {
	return entering{then: then, cancel: cancel}, []script.Act{script.Say{Phrases: phrases}, script.Listen{Seconds: 10}}
}

const maxDigits = 20

type entering struct {
	digits string
	then   func(string) (script.Script, []script.Act)
	cancel reaction
}

func (e entering) Next(in script.In) (script.Script, []script.Act) {
	switch in := in.(type) {
	case script.Key:
		switch {
		case in.Digit == '#' || len(e.digits) == maxDigits:
			return e.then(e.digits)
		case in.Digit == '*':
			return e.cancel()
		}
		e.digits += string(rune(in.Digit))
		return e, []script.Act{script.Listen{Seconds: 5}}
	case script.NoKey:
		return e.then(e.digits)
	case script.SoundOver:
		return e, []script.Act{script.Listen{Seconds: 10}}
	}
	return over{}, nil
}

// record asks for a draft, beeps and records into it. What is shorter than a second of speech is no recording: File is "" then.
func record(phrases []script.Phrase, seconds int, then func(script.Recorded) (script.Script, []script.Act), failed reaction) (script.Script, []script.Act) {
	return ask(Draft{}, func(a script.Answer) (script.Script, []script.Act) {
		file, _ := a.Value.(string)
		if a.Err != "" || file == "" {
			return failed()
		}
		return recording{then}, []script.Act{script.Say{Phrases: append(append([]script.Phrase{}, phrases...), prompts("beep")...)},
			script.Record{File: file, Max: seconds, Silence: 5}}
	})
}

const shortest = 1.0 // seconds of speech

type recording struct {
	then func(script.Recorded) (script.Script, []script.Act)
}

func (r recording) Next(in script.In) (script.Script, []script.Act) {
	switch in := in.(type) {
	case script.Recorded:
		if in.Speech < shortest || in.Why == "failed" {
			in.File = ""
		}
		return r.then(in)
	case script.Key: // before the beep: nothing is to be recorded
		return r.then(script.Recorded{Why: "key", Key: in.Digit})
	}
	return over{}, nil
}
