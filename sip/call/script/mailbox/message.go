package mailbox

import (
	"time"

	"strowger/sip/call/script"
)

// play tells who left the message, plays it, and offers what can be done. It counts as heard as soon as it is played.
func (h hearing) play(intro string) (script.Script, []script.Act) {
	return ask(Heard{h.message().ID}, func(a script.Answer) (script.Script, []script.Act) {
		if a.Err != "" { // deleted meanwhile, by the page
			return h.next(prompts("vm-gone"))
		}
		h := h.with(func(m *Message) { m.Heard = true })
		return h.playFrom(append(prompts(intro), h.from()...), 0)
	})
}

// from is who left the message.
func (h hearing) from() []script.Phrase {
	m := h.message()
	switch {
	case m.FromUser != "" && m.CallBack != "":
		return append(prompts("vm-from-user", "vm-extension"), script.Digits{S: m.CallBack})
	case m.CallBack != "":
		return append(prompts("vm-from"), script.Digits{S: m.CallBack})
	case m.From == "anonymous":
		return prompts("vm-from-hidden")
	}
	return prompts("vm-from-unknown")
}

// envelope is who and when.
func (h hearing) envelope() []script.Phrase {
	m := h.message()
	at := m.Left.In(h.Zone)
	said := append(h.from(), prompts("vm-received")...)
	said = append(said, script.Date{At: at}, script.Prompt{Name: "at"}, script.Time{At: at}, script.Prompt{Name: "vm-length"})
	return append(said, script.Length{D: time.Duration(m.Seconds * float64(time.Second))})
}

// offer says something and waits for what shall be done with the message.
func (h hearing) offer(first []script.Phrase) (script.Script, []script.Act) {
	return choose(first, messageMenu(), h.messageKey)
}

func messageMenu() []script.Phrase { return prompts("vm-message-menu", "vm-playback-keys") }

// messageKey is what a key does with the message.
func (h hearing) messageKey(key byte) reaction {
	switch key {
	case '1':
		return func() (script.Script, []script.Act) { return h.offer(h.envelope()) }
	case '2':
		return h.callBack
	case '3':
		return h.reply
	case '4':
		return h.previous
	case '5':
		return func() (script.Script, []script.Act) { return h.play("vm-message") }
	case '6':
		return func() (script.Script, []script.Act) { return h.next(nil) }
	case '7':
		return h.deleteOrUndo
	case '8':
		return h.forward
	case '9':
		return h.save
	case '*':
		return func() (script.Script, []script.Act) { return h.offer(nil) }
	case '#':
		return func() (script.Script, []script.Act) { return h.main(h.whatThereIs()) }
	}
	return nil
}

func (h hearing) next(first []script.Phrase) (script.Script, []script.Act) {
	if h.at+1 >= len(h.list) {
		return h.main(append(first, prompts("vm-no-more")...))
	}
	h.at++
	intro := "vm-next"
	if h.at+1 == len(h.list) {
		intro = "vm-last"
	}
	if len(first) == 0 {
		return h.play(intro)
	}
	return before(first, func() (script.Script, []script.Act) { return h.play(intro) })
}

func (h hearing) previous() (script.Script, []script.Act) {
	h.at = max(h.at-1, 0)
	intro := "vm-message"
	if h.at == 0 {
		intro = "vm-first"
	}
	return h.play(intro)
}

// changes asks for a change of the message; done says so.
func (h hearing) changes(question any, done string, change func(*Message)) (script.Script, []script.Act) {
	return ask(question, func(a script.Answer) (script.Script, []script.Act) {
		if a.Err != "" {
			return h.offer(prompts("sorry"))
		}
		return h.with(change).offer(prompts(done))
	})
}

// deleteOrUndo deletes the message; the same key takes that back.
func (h hearing) deleteOrUndo() (script.Script, []script.Act) {
	m := h.message()
	if m.Deleted.IsZero() {
		return h.changes(Delete{m.ID}, "vm-deleted", func(m *Message) { m.Deleted = m.Left.Add(1) })
	}
	return h.changes(Undelete{m.ID}, "vm-undeleted", func(m *Message) { m.Deleted = time.Time{} })
}

func (h hearing) save() (script.Script, []script.Act) {
	return h.changes(Save{h.message().ID}, "vm-kept", func(m *Message) { m.Saved = true })
}

func (h hearing) callBack() (script.Script, []script.Act) {
	to := h.message().CallBack
	switch {
	case !h.Dials:
		return h.offer(prompts("not-allowed"))
	case to == "":
		return h.offer(prompts("vm-no-callback"))
	}
	refused := asking{func(script.Answer) (script.Script, []script.Act) { return h.offer(prompts("sorry")) }}
	return refused, []script.Act{script.Say{Phrases: prompts("vm-calling-back"), Whole: true}, script.Dial{Target: to}}
}

const longestReply = 180 // seconds

func (h hearing) reply() (script.Script, []script.Act) {
	to := h.message().ReplyTo
	if to == "" {
		return h.offer(prompts("vm-no-reply"))
	}
	return record(prompts("vm-reply"), longestReply, func(r script.Recorded) (script.Script, []script.Act) {
		if r.File == "" {
			return h.offer(prompts("vm-too-short"))
		}
		return h.sends(Reply{To: to, File: r.File}, "vm-reply-sent")
	}, h.failed)
}

// forward asks for a colleague and a comment.
func (h hearing) forward() (script.Script, []script.Act) {
	id := h.message().ID
	return enter(prompts("vm-forward-to"), func(digits string) (script.Script, []script.Act) {
		if digits == "" {
			return h.offer(prompts("cancelled"))
		}
		return record(prompts("vm-comment"), longestReply, func(r script.Recorded) (script.Script, []script.Act) {
			return h.sends(Forward{ID: id, To: digits, Comment: r.File}, "vm-forward-sent")
		}, h.failed)
	}, func() (script.Script, []script.Act) { return h.offer(prompts("cancelled")) })
}

func (h hearing) sends(question any, done string) (script.Script, []script.Act) {
	return ask(question, func(a script.Answer) (script.Script, []script.Act) {
		if a.Err != "" {
			return h.offer(prompts("vm-not-sent"))
		}
		return h.offer(prompts(done))
	})
}

func (h hearing) failed() (script.Script, []script.Act) { return h.offer(prompts("sorry")) }
