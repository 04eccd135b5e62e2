package mailbox

import (
	"slices"
	"time"

	"strowger/sip/call/script"
	"strowger/store"
)

// Menu is the menu of one box. Its zero value but for Box is ready to begin.
type Menu struct {
	Box store.Mailbox
	// PIN must be given first: somebody calls from elsewhere, or the company wants it so.
	PIN bool
	// Zone is where the callers are, for the times that they hear.
	Zone *time.Location
	// Dials: the caller may call back.
	Dials bool
}

// Next implements script.Script.
func (m Menu) Next(in script.In) (script.Script, []script.Act) {
	if _, ok := in.(script.Began); !ok {
		return over{}, nil
	}
	if m.Zone == nil {
		m.Zone = time.UTC
	}
	if m.PIN {
		return m.askPIN(0)
	}
	return m.open()
}

// Login is the menu of a box that the caller names, with its PIN; Name when it is known already.
type Login struct {
	Name  string
	Zone  *time.Location
	Dials bool
}

// Next implements script.Script.
func (l Login) Next(in script.In) (script.Script, []script.Act) {
	if _, ok := in.(script.Began); !ok {
		return over{}, nil
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	if l.Name != "" {
		return l.find(l.Name, maxRounds)
	}
	return l.askBox(0)
}

func (l Login) askBox(round int) (script.Script, []script.Act) {
	if round == maxRounds {
		return end()
	}
	return enter(prompts("vm-box"), func(digits string) (script.Script, []script.Act) {
		if digits == "" {
			return l.askBox(round + 1)
		}
		return l.find(digits, round)
	}, end)
}

func (l Login) find(name string, round int) (script.Script, []script.Act) {
	return ask(Find{name}, func(a script.Answer) (script.Script, []script.Act) {
		box, ok := a.Value.(store.Mailbox)
		if a.Err == "" && ok {
			return Menu{Box: box, PIN: true, Zone: l.Zone, Dials: l.Dials}.askPIN(0)
		}
		return before(prompts("vm-no-box"), func() (script.Script, []script.Act) { return l.askBox(min(round+1, maxRounds)) })
	})
}

func (m Menu) askPIN(round int) (script.Script, []script.Act) {
	if round == maxRounds {
		return end()
	}
	return enter(prompts("vm-pin"), func(digits string) (script.Script, []script.Act) {
		return ask(CheckPIN{m.Box, digits}, func(a script.Answer) (script.Script, []script.Act) {
			result, ok := a.Value.(PINResult)
			switch {
			case a.Err != "" || !ok:
				return before(prompts("sorry"), end)
			case result == Right:
				return m.open()
			case result == Locked:
				return before(prompts("vm-locked"), end)
			case result == Without:
				return before(prompts("vm-no-pin"), end)
			}
			return before(prompts("vm-pin-wrong"), func() (script.Script, []script.Act) { return m.askPIN(round + 1) })
		})
	}, end)
}

// open looks into the box and says what there is.
func (m Menu) open() (script.Script, []script.Act) {
	return ask(Open{m.Box}, func(a script.Answer) (script.Script, []script.Act) {
		c, ok := a.Value.(Contents)
		if a.Err != "" || !ok {
			return before(prompts("sorry"), end)
		}
		c.Box = m.Box
		h := hearing{Menu: m, Contents: c}
		return h.main(h.whatThereIs())
	})
}

// hearing is a menu whose box was opened.
type hearing struct {
	Menu
	Contents
	once bool  // one greeting is recorded, and there is no menu
	at   int   // place in list of the message that is heard
	list []int // places in Messages that are gone through
}

// whatThereIs counts the messages.
func (h hearing) whatThereIs() []script.Phrase {
	fresh, old := h.places(false), h.places(true)
	var said []script.Phrase
	if h.Contents.Box.User == "" {
		said = append(prompts("vm-shared"), script.Digits{S: h.Contents.Box.Number})
	}
	switch {
	case len(fresh)+len(old) == 0:
		return append(said, prompts("vm-none")...)
	case len(fresh) > 0:
		said = append(append(said, prompts("vm-you-have")...), script.Count{N: len(fresh), One: "vm-new-one", Many: "vm-new"})
	default:
		said = append(said, prompts("vm-none-new")...)
	}
	if len(old) > 0 {
		said = append(append(said, prompts("vm-you-have")...), script.Count{N: len(old), One: "vm-saved-one", Many: "vm-saved"})
	}
	switch {
	case h.Full:
		said = append(said, prompts("vm-full-own")...)
	case h.Almost:
		said = append(said, prompts("vm-almost-full")...)
	}
	return said
}

// places in Messages of those that were heard or not, without the deleted ones.
func (h hearing) places(heard bool) []int {
	var list []int
	for i, msg := range h.Messages {
		if msg.Heard == heard && msg.Deleted.IsZero() {
			list = append(list, i)
		}
	}
	return list
}

// main is the first menu.
func (h hearing) main(first []script.Phrase) (script.Script, []script.Act) {
	menu := prompts("vm-menu")
	if len(h.Shared) > 0 {
		menu = append(prompts("vm-shared-menu"), menu...)
	}
	return choose(first, menu, func(key byte) reaction {
		switch key {
		case '1':
			return func() (script.Script, []script.Act) { return h.through(h.places(false), "vm-none-new") }
		case '2':
			return func() (script.Script, []script.Act) { return h.through(h.places(true), "vm-none-saved") }
		case '3':
			if len(h.Shared) > 0 {
				return h.nextBox
			}
		case '0':
			return h.options
		case '*':
			return func() (script.Script, []script.Act) { return h.main(h.whatThereIs()) }
		case '#':
			return end
		}
		return nil
	})
}

// nextBox goes on with the next of the shared boxes.
func (h hearing) nextBox() (script.Script, []script.Act) {
	m := h.Menu
	m.Box = h.Shared[0]
	return m.open()
}

// through begins to go through messages.
func (h hearing) through(list []int, none string) (script.Script, []script.Act) {
	if len(list) == 0 {
		return h.main(prompts(none))
	}
	h.list, h.at = list, 0
	return h.play("vm-first")
}

func (h hearing) message() Message { return h.Messages[h.list[h.at]] }

// with is h with the message that is heard changed. What h was before is not touched.
func (h hearing) with(change func(*Message)) hearing {
	h.Messages = slices.Clone(h.Messages)
	change(&h.Messages[h.list[h.at]])
	return h
}
