package mailbox

import "strowger/sip/call/script"

// While a message is heard, three keys move in it; all others do what they do after it.
//
//	*  five seconds back
//	#  five seconds forward
//	0  pause; again: go on

const (
	skip      = 5.0 // seconds
	pauseTime = 60  // seconds without a key, maxRounds times
)

// playFrom says something and plays the message from so many seconds on; then it says what can be done.
func (h hearing) playFrom(first []script.Phrase, from float64) (script.Script, []script.Act) {
	from = max(from, 0)
	if m := h.message(); m.Seconds > 0 && from >= m.Seconds {
		return h.offer(first)
	}
	p := playback{h, choice{menu: messageMenu(), key: h.messageKey}}
	return p, append(say(first), script.Say{Phrases: []script.Phrase{script.File{Path: h.message().File}}, From: from},
		script.Say{Phrases: p.after.menu}, script.Listen{Seconds: choiceTime})
}

// playback is a message that is heard.
type playback struct {
	hearing
	after choice
}

// Next implements script.Script.
func (p playback) Next(in script.In) (script.Script, []script.Act) {
	if key, ok := in.(script.Key); ok && key.File == p.message().File {
		if react := p.moves(key.Digit, key.At); react != nil {
			return react()
		}
		if key.Digit == '0' {
			return p.pause(key.At)
		}
	}
	return p.after.Next(in)
}

// moves is what a key does that moves within the message, nil for others.
func (h hearing) moves(key byte, at float64) reaction {
	switch key {
	case '*':
		at -= skip
	case '#':
		at += skip
	default:
		return nil
	}
	return func() (script.Script, []script.Act) { return h.playFrom(nil, at) }
}

// pause waits until the message shall go on.
func (h hearing) pause(at float64) (script.Script, []script.Act) {
	c := choice{menu: prompts("vm-paused"), wait: pauseTime, key: func(key byte) reaction {
		if key == '0' {
			return func() (script.Script, []script.Act) { return h.playFrom(nil, at) }
		}
		if react := h.moves(key, at); react != nil {
			return react
		}
		return h.messageKey(key)
	}}
	return c, append(say(c.menu), script.Listen{Seconds: pauseTime})
}
