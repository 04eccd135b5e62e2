package mailbox

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"strowger/sip/call/script"
	"strowger/store"
)

// caller drives a menu as the machine does, and answers its questions.
type caller struct {
	t      *testing.T
	s      script.Script
	heard  []string // what was said since the last key
	asked  []string
	ended  bool
	pin    PINResult
	weak   bool
	broken bool // no question is answered
	box    Contents
	dialed string
	speech float64 // of recordings
}

func call(t *testing.T, s script.Script) *caller {
	left := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	c := &caller{t: t, s: s, speech: 3, box: Contents{Messages: []Message{
		{Voicemail: store.Voicemail{ID: "m1", Left: left, Seconds: 62, From: "+12025550100"}, File: "/m1.wav", CallBack: "+12025550100"},
		{Voicemail: store.Voicemail{ID: "m2", Left: left, FromUser: "bob", From: "102"}, File: "/m2.wav", CallBack: "102", ReplyTo: "bob"},
		{Voicemail: store.Voicemail{ID: "old", Left: left, Heard: true, From: "anonymous"}, File: "/old.wav"},
	}}}
	return c
}

func (c *caller) begins() *caller { c.in(script.Began{}); return c }

// in gives an input and does the acts.
func (c *caller) in(in script.In) {
	var acts []script.Act
	c.s, acts = c.s.Next(in)
	for _, a := range acts {
		switch a := a.(type) {
		case script.Say:
			for _, p := range a.Phrases {
				c.heard = append(c.heard, phrase(p))
			}
			if a.From > 0 {
				c.heard = append(c.heard, fmt.Sprintf("from %g", a.From))
			}
		case script.Ask:
			c.asked = append(c.asked, fmt.Sprintf("%T", a.Question)[len("mailbox."):])
			c.in(c.answer(a.Question))
		case script.Record:
			if _, gone := in.(script.HungUp); !gone {
				c.in(script.Recorded{File: a.File, Seconds: c.speech + 1, Speech: c.speech, Why: "key", Key: '#'})
			}
		case script.Dial:
			c.dialed = a.Target
		case script.End:
			c.ended = true
		}
	}
}

func (c *caller) answer(q any) script.In {
	if c.broken {
		return script.Answer{Err: "broken"}
	}
	switch q := q.(type) {
	case Find:
		if q.Name != "101" {
			return script.Answer{Err: "not found"}
		}
		return script.Answer{Value: store.Mailbox{User: "ann"}}
	case CheckPIN:
		return script.Answer{Value: c.pin}
	case Open:
		return script.Answer{Value: c.box}
	case Draft:
		return script.Answer{Value: "/drafts/x.wav"}
	case Greeting:
		return script.Answer{Value: ""}
	case SetPIN:
		return script.Answer{Value: !c.weak}
	}
	return script.Answer{}
}

func phrase(p script.Phrase) string {
	switch p := p.(type) {
	case script.Prompt:
		return p.Name
	case script.File:
		return p.Path
	case script.Digits:
		return "digits " + p.S
	case script.Count:
		return fmt.Sprintf("%d %s", p.N, p.Many)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", p), "script.")
}

func (c *caller) presses(keys string) *caller {
	for _, k := range keys {
		c.heard = nil
		if k == '.' {
			c.in(script.NoKey{})
		} else {
			c.in(script.Key{Digit: byte(k)})
		}
	}
	return c
}

func (c *caller) hears(want ...string) *caller {
	c.t.Helper()
	got := " " + strings.Join(c.heard, ", ") + ","
	for _, w := range want {
		if !strings.Contains(got, " "+w+",") {
			c.t.Errorf("heard%s not %q", got, w)
		}
	}
	return c
}

func (c *caller) wasAsked(want string) {
	c.t.Helper()
	if got := strings.Join(c.asked, " "); got != want {
		c.t.Errorf("asked: %s\nwant: %s", got, want)
	}
}

var own = Menu{Box: store.Mailbox{User: "ann"}, Dials: true}

func TestListening(t *testing.T) {
	c := call(t, own).begins().hears("vm-you-have", "2 vm-new", "1 vm-saved", "vm-menu")
	c.presses("1").hears("vm-first", "digits +12025550100", "/m1.wav", "vm-message-menu")
	c.presses("1").hears("Date", "Time", "Length")
	c.presses("7").hears("vm-deleted")
	c.presses("7").hears("vm-undeleted")
	c.presses("9").hears("vm-kept")
	c.presses("6").hears("vm-last", "vm-from-user", "digits 102", "/m2.wav")
	c.presses("4").hears("vm-first", "/m1.wav")
	c.presses("5").hears("/m1.wav")
	c.presses("66").hears("vm-no-more", "vm-menu")
	c.presses("1").hears("vm-none-new")
	c.presses("2").hears("vm-first")
	c.wasAsked("Open Heard Delete Undelete Save Heard Heard Heard Heard Heard")
	c.presses("##").hears("goodbye")
	if !c.ended {
		t.Error("the call goes on")
	}
}

func TestAnswering(t *testing.T) {
	c := call(t, own).begins().presses("1")
	c.presses("3").hears("vm-no-reply")
	c.presses("63").hears("vm-reply", "beep", "vm-reply-sent")
	c.presses("8102#").hears("vm-comment", "vm-forward-sent")
	c.presses("8*").hears("cancelled")
	c.wasAsked("Open Heard Heard Draft Reply Draft Forward")
	c.speech = 0.2
	c.presses("3").hears("vm-too-short")
	c.presses("8102#").hears("vm-forward-sent") // without a comment
	c.presses("2").hears("vm-calling-back")
	if c.dialed != "102" {
		t.Errorf("dialled %q", c.dialed)
	}
	c.in(script.Answer{Err: "refused"})
	c.hears("sorry", "vm-message-menu")
	stranger := own
	stranger.Dials = false
	call(t, stranger).begins().presses("12").hears("not-allowed")
}

func TestGreetingsAndPIN(t *testing.T) {
	c := call(t, own).begins().presses("0").hears("vm-options")
	c.presses("11").hears("vm-greeting-none")
	c.presses("2").hears("vm-record", "beep", "vm-review-greeting")
	c.presses("2").hears("/drafts/x.wav")
	c.presses("31").hears("vm-greeting-kept")
	c.presses("3").hears("vm-greeting-deleted")
	c.presses("*52580#2580#").hears("vm-pin-changed")
	c.presses("52580#2581#").hears("vm-pin-differs")
	c.presses("5*").hears("cancelled")
	c.weak = true
	c.presses("51111#1111#").hears("vm-pin-weak")
	c.wasAsked("Open Greeting Draft Draft KeepGreeting DeleteGreeting SetPIN SetPIN")
}

func TestLogin(t *testing.T) {
	call(t, Login{}).begins().hears("vm-box").presses("999#").hears("vm-no-box", "vm-box").presses("101#").hears("vm-pin").presses("1.").hears("vm-menu")
	for result, said := range map[PINResult]string{Wrong: "vm-pin-wrong", Locked: "vm-locked", Without: "vm-no-pin"} {
		c := call(t, Login{Name: "101"})
		c.pin = result
		c.begins().presses("1#").hears(said)
		if c.ended != (result != Wrong) {
			t.Errorf("%s: ended %v", said, c.ended)
		}
		c.presses("#")
		if c.presses("#"); !c.ended {
			t.Errorf("%s: three PINs and no end", said)
		}
	}
	if c := call(t, Login{Name: "999"}).begins(); !c.ended {
		t.Error("a box that is not there stays open")
	}
	if c := call(t, Login{}).begins().presses("..."); !c.ended {
		t.Error("nobody answers and the call goes on")
	}
}

func TestNobodyPressesAnything(t *testing.T) {
	if c := call(t, own).begins().presses("..").hears("vm-menu").presses("."); !c.ended {
		t.Error("the call goes on")
	}
}

func TestSharedBox(t *testing.T) {
	c := call(t, own)
	c.box.Shared = []store.Mailbox{{Number: "+12025550001"}}
	c.begins().hears("vm-shared-menu").presses("3").hears("vm-shared", "digits +12025550001")
}

func TestOperator(t *testing.T) {
	if c := call(t, Operator{"100"}).begins().hears("vm-operator"); c.dialed != "100" {
		t.Errorf("dialled %q", c.dialed)
	}
	if c := call(t, Operator{}).begins().hears("vm-no-operator"); !c.ended {
		t.Error("the call goes on")
	}
}

// Whatever somebody presses, and whatever fails, each input is answered with something to do.
func TestRandomCallers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		c := call(t, []script.Script{own, Login{}, Menu{Box: own.Box, PIN: true}}[r.IntN(3)])
		c.pin, c.weak, c.speech = PINResult(r.IntN(4)), r.IntN(2) == 0, float64(r.IntN(3))
		c.begins()
		for range 30 {
			c.broken = r.IntN(10) == 0
			before := len(c.heard)
			var in script.In = script.Key{Digit: "0123456789*#"[r.IntN(12)]}
			switch r.IntN(8) {
			case 0:
				in = script.NoKey{}
			case 1:
				in = script.SoundOver{}
			}
			_, acts := c.s.Next(in)
			if len(acts) == 0 {
				t.Fatalf("%T %+v: no answer", c.s, in)
			}
			_, again := c.s.Next(in)
			if len(again) != len(acts) {
				t.Fatalf("%T is not pure", c.s)
			}
			c.in(in)
			if c.heard = c.heard[min(before, len(c.heard)):]; c.ended {
				break
			}
		}
		c.in(script.HungUp{})
	}
}
