package mailbox

import "strowger/sip/call/script"

// Operator connects a caller who does not want to leave a message.
type Operator struct{ Target string } // "" = there is none

// Next implements script.Script.
func (o Operator) Next(in script.In) (script.Script, []script.Act) {
	if _, ok := in.(script.Began); ok && o.Target != "" {
		return o, []script.Act{script.Say{Phrases: prompts("vm-operator"), Whole: true}, script.Dial{Target: o.Target}}
	}
	return over{}, []script.Act{script.Say{Phrases: prompts("vm-no-operator"), Whole: true}, script.End{}}
}
