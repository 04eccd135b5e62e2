package mailbox

import (
	"strowger/sip/call/script"
	"strowger/store"
)

const longestGreeting = 120 // seconds

// RecordGreeting records a greeting of a box and does nothing else: for whoever has asked for that on the page.
type RecordGreeting struct {
	Box  store.Mailbox
	Kind string // unavailable | busy | temporary
}

var greetingTitles = map[string]string{"unavailable": "vm-unavailable", "busy": "vm-busy-greeting", "temporary": "vm-temporary"}

// Next implements script.Script.
func (g RecordGreeting) Next(in script.In) (script.Script, []script.Act) {
	title, ok := greetingTitles[g.Kind]
	if _, began := in.(script.Began); !began || !ok {
		return over{}, nil
	}
	h := hearing{Menu: Menu{Box: g.Box}, once: true}
	return before(prompts(title), func() (script.Script, []script.Act) { return h.recordGreeting(g.Kind) })
}

// options are the greetings and the PIN.
func (h hearing) options() (script.Script, []script.Act) { return h.optionsAfter(nil) }

func (h hearing) optionsAfter(first []script.Phrase) (script.Script, []script.Act) {
	return choose(first, prompts("vm-options"), func(key byte) reaction {
		switch key {
		case '1':
			return h.greeting("unavailable", "vm-unavailable")
		case '2':
			return h.greeting("busy", "vm-busy-greeting")
		case '3':
			return h.greeting("temporary", "vm-temporary")
		case '5':
			return h.newPIN
		case '*', '#':
			return func() (script.Script, []script.Act) { return h.main(nil) }
		}
		return nil
	})
}

// greeting is the menu of one greeting.
func (h hearing) greeting(kind, title string) reaction {
	return func() (script.Script, []script.Act) { return h.greetingMenu(kind, prompts(title)) }
}

func (h hearing) greetingMenu(kind string, first []script.Phrase) (script.Script, []script.Act) {
	if h.once {
		return before(first, end)
	}
	again := func(said ...script.Phrase) (script.Script, []script.Act) { return h.greetingMenu(kind, said) }
	return choose(first, prompts("vm-greeting-menu"), func(key byte) reaction {
		switch key {
		case '1':
			return func() (script.Script, []script.Act) {
				return ask(Greeting{h.Menu.Box, kind}, func(a script.Answer) (script.Script, []script.Act) {
					if file, _ := a.Value.(string); a.Err == "" && file != "" {
						return again(script.File{Path: file})
					}
					return again(prompts("vm-greeting-none")...)
				})
			}
		case '2':
			return func() (script.Script, []script.Act) { return h.recordGreeting(kind) }
		case '3':
			return func() (script.Script, []script.Act) {
				return ask(DeleteGreeting{h.Menu.Box, kind}, func(a script.Answer) (script.Script, []script.Act) {
					if a.Err != "" {
						return again(prompts("sorry")...)
					}
					return again(prompts("vm-greeting-deleted")...)
				})
			}
		case '*', '#':
			return h.options
		}
		return nil
	})
}

func (h hearing) recordGreeting(kind string) (script.Script, []script.Act) {
	back := func(name string) reaction {
		return func() (script.Script, []script.Act) { return h.greetingMenu(kind, prompts(name)) }
	}
	return record(prompts("vm-record"), longestGreeting, func(r script.Recorded) (script.Script, []script.Act) {
		if r.File == "" {
			return back("vm-too-short")()
		}
		return h.review(kind, r.File, nil)
	}, back("sorry"))
}

// review lets the caller keep a recorded greeting, hear it or record it anew.
func (h hearing) review(kind, file string, first []script.Phrase) (script.Script, []script.Act) {
	return choose(first, prompts("vm-review-greeting"), func(key byte) reaction {
		switch key {
		case '1':
			return func() (script.Script, []script.Act) {
				return ask(KeepGreeting{h.Menu.Box, kind, file}, func(a script.Answer) (script.Script, []script.Act) {
					if a.Err != "" {
						return h.greetingMenu(kind, prompts("sorry"))
					}
					return h.greetingMenu(kind, prompts("vm-greeting-kept"))
				})
			}
		case '2':
			return func() (script.Script, []script.Act) {
				return h.review(kind, file, []script.Phrase{script.File{Path: file}})
			}
		case '3':
			return func() (script.Script, []script.Act) { return h.recordGreeting(kind) }
		case '*':
			return func() (script.Script, []script.Act) { return h.greetingMenu(kind, prompts("cancelled")) }
		}
		return nil
	})
}

// newPIN asks for a new PIN twice.
func (h hearing) newPIN() (script.Script, []script.Act) {
	cancelled := func() (script.Script, []script.Act) { return h.optionsAfter(prompts("cancelled")) }
	return enter(prompts("vm-new-pin"), func(pin string) (script.Script, []script.Act) {
		if pin == "" {
			return cancelled()
		}
		return enter(prompts("vm-new-pin-again"), func(again string) (script.Script, []script.Act) {
			if again != pin {
				return h.optionsAfter(prompts("vm-pin-differs"))
			}
			return ask(SetPIN{h.Menu.Box, pin}, func(a script.Answer) (script.Script, []script.Act) {
				taken, _ := a.Value.(bool)
				switch {
				case a.Err != "":
					return h.optionsAfter(prompts("sorry"))
				case !taken:
					return h.optionsAfter(prompts("vm-pin-weak"))
				}
				return h.optionsAfter(prompts("vm-pin-changed"))
			})
		}, cancelled)
	}, cancelled)
}
