package script

import (
	"reflect"
	"testing"
)

// walk gives a script inputs and returns the acts after the last.
func walk(s Script, inputs ...In) []Act {
	var acts []Act
	for _, in := range inputs {
		s, acts = s.Next(in)
	}
	return acts
}

func says(name string) Act {
	return Say{Phrases: []Phrase{Prompt{Name: name}}}
}

// plain leaves out texts, and which says must be heard whole.
func plain(acts []Act) []Act {
	out := []Act{}
	for _, a := range acts {
		if s, ok := a.(Say); ok {
			var phrases []Phrase
			for _, p := range s.Phrases {
				if prompt, ok := p.(Prompt); ok {
					p = Prompt{Name: prompt.Name}
				}
				phrases = append(phrases, p)
			}
			a = Say{Phrases: phrases}
		}
		out = append(out, a)
	}
	return out
}

func keys(s string) []In {
	var list []In
	for i := range len(s) {
		list = append(list, Key{Digit: s[i]})
	}
	return list
}

func TestScripts(t *testing.T) {
	room := Room{Extension: "801", Ask: true}
	for _, c := range []struct {
		name   string
		script Script
		inputs []In
		want   []Act
	}{
		{"echo", EchoTest{}, []In{Began{}}, []Act{says("echo-test"), Echo{}}},
		{"echo, a key", EchoTest{}, []In{Began{}, Key{Digit: '1'}}, []Act{End{}}},
		{"dnd", DoNotDisturb(true), []In{Began{}}, []Act{Ask{SetDND{true}}}},
		{"dnd is on", DoNotDisturb(true), []In{Began{}, Answer{}}, []Act{says("dnd-on"), End{}}},
		{"dnd fails", DoNotDisturb(false), []In{Began{}, Answer{Err: "no disk"}}, []Act{says("sorry"), End{}}},
		{"no forwarding", NoForward(), []In{Began{}, Answer{Value: ""}}, []Act{says("forward-off"), End{}}},
		{"unknown", Unknown(), []In{Began{}}, []Act{says("unknown-code"), End{}}},
		{"forward", Forward{Target: "202"}, []In{Began{}}, []Act{Ask{SetForward{"202"}}}},
		{"forwarded", Forward{Target: "202"}, []In{Began{}, Answer{Value: "202"}}, []Act{Say{Phrases: []Phrase{Prompt{Name: "forward-on"}, Digits{"202"}}}, End{}}},
		{"forward asks", Forward{}, []In{Began{}}, []Act{says("forward-to"), Listen{8}}},
		{"forward to keys", Forward{}, append([]In{Began{}}, keys("202#")...), []Act{Ask{SetForward{"202"}}}},
		{"forward to keys and no more", Forward{}, append([]In{Began{}}, Key{Digit: '2'}, NoKey{}), []Act{Ask{SetForward{"2"}}}},
		{"forward, no key", Forward{}, []In{Began{}, NoKey{}}, []Act{End{}}},
		{"forward refused", Forward{}, append(append([]In{Began{}}, keys("2#")...), Answer{Err: "no"}), []Act{says("forward-refused"), says("forward-to"), Listen{8}}},
		{"redial", Redial{}, []In{Began{}, Answer{Value: "+12025550100"}}, []Act{says("redial"), Dial{"+12025550100"}}},
		{"redial nobody", Redial{}, []In{Began{}, Answer{Value: ""}}, []Act{says("redial-none"), End{}}},
		{"redial refused", Redial{}, []In{Began{}, Answer{Value: "1"}, Answer{Err: "not found"}}, []Act{says("redial-none"), End{}}},
		{"room without PIN", Room{Extension: "801"}, []In{Began{}}, []Act{Join{Room: "801"}}},
		{"room, PIN", room, append([]In{Began{}}, keys("4711#")...), []Act{Ask{RoomPass{"801", "4711"}}}},
		{"room, right", room, append(append([]In{Began{}}, keys("4711#")...), Answer{Value: RoomPassed{true, true}}), []Act{Join{"801", true}}},
		{"room, wrong", room, []In{Began{}, Key{Digit: '#'}, Answer{Value: RoomPassed{}}}, []Act{says("conf-pin-wrong"), says("conf-pin"), Listen{8}}},
		{"room, wrong three times", room, []In{Began{}, Answer{Value: RoomPassed{}}, Answer{Value: RoomPassed{}}, Answer{Value: RoomPassed{}}},
			[]Act{says("conf-pin-wrong"), End{}}},
		{"room, locked", room, []In{Began{}, Answer{Err: RoomLocked}}, []Act{says("conf-locked"), End{}}},
	} {
		if got := plain(walk(c.script, c.inputs...)); !reflect.DeepEqual(got, plain(c.want)) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
