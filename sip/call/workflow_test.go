package call

import (
	"errors"
	"slices"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// ivr is a workflow with a node of every kind.
func ivr() *store.Workflow {
	return &store.Workflow{ID: "ivr", Start: "mark", Nodes: map[string]store.Node{
		"mark":    {Set: &store.SetNode{Source: "Radio", Tag: "spring", Next: "hello"}},
		"hello":   {Play: &store.PlayNode{File: "hello.wav", Next: "menu"}},
		"menu":    {Menu: &store.MenuNode{Prompt: "1 sales", Keys: map[string]string{"1": "sales", "2": "out", "3": "ask", "4": "box", "5": "back", "6": "bye"}, Tries: 2, Timeout: 5, Otherwise: "bye"}},
		"sales":   {Ring: &store.RingNode{Users: []string{"bob"}, Otherwise: "sorry"}},
		"sorry":   {Say: &store.SayNode{Text: "sorry", Next: "menu"}},
		"out":     {Forward: &store.ForwardNode{To: "+12025550150", Otherwise: "sorry"}},
		"ask":     {Webhook: &store.WebhookNode{URL: "https://crm.example/", Timeout: 5, Nodes: []string{"sales"}, Otherwise: "bye"}},
		"box":     {Voicemail: &store.MailboxNode{User: "ann"}},
		"back":    {Continue: &struct{}{}},
		"bye":     {Hangup: &struct{}{}},
		"unnamed": {Voicemail: &store.MailboxNode{}},
	}}
}

// inMenu is a caller who heard the welcome and now hears the menu.
func inMenu(w *world) *phone {
	w.flows, w.voice = map[string]*store.Workflow{"ivr": ivr()}, true
	w.plans(toVoicemail("cyd"), routing.Stage{Step: "workflow", Workflow: "ivr"}, stage(20, user("cyd", store.Desk)))
	alice := w.calls("+12025550900")
	alice.saw("200")
	alice.acks()
	alice.hears("prompts/hello.wav")
	alice.media().played()
	w.after(time.Second)
	alice.hears("say 1 sales")
	return alice
}

// steps are the actions of the record's workflows and what came of them.
func steps(r store.CallRecord) (out []string) {
	for _, s := range r.Workflow {
		out = append(out, s.Node+": "+s.Outcome)
	}
	return out
}

func (w *world) did(r store.CallRecord, want ...string) {
	w.t.Helper()
	if got := steps(r); !slices.Equal(got, want) {
		w.t.Errorf("the workflow did %q, want %q\n%s", got, want, tale(r))
	}
}

func TestWorkflowRings(t *testing.T) {
	story(t, func(w *world) {
		bob := w.registers("bob", store.Desk)
		alice := inMenu(w)
		alice.media().says(MediaEvent{Type: MediaDigit, Digit: '1'}) // while the menu is being read
		alice.hears("ringback")
		bob.rings()
		bob.answers()
		alice.saw("200")
		alice.hears("")
		alice.talksTo(bob)
		alice.hangsUp()
		r := w.ends(store.Answered, "caller", 200)
		w.did(r, "hello: was heard", "menu: key 1", "sales: answered by bob")
		if r.AnsweredBy != "bob" || r.Source != "Radio" || r.Tag != "spring" || r.Legs[1].Stage != 0 || len(r.Workflow[2].Row) == 0 {
			t.Errorf("record %+v", r)
		}
	})
}

func TestWorkflowMenu(t *testing.T) {
	t.Run("no key, a wrong key", func(t *testing.T) {
		story(t, func(w *world) {
			alice := inMenu(w)
			alice.media().played()
			w.after(6 * time.Second)
			alice.hears("say 1 sales")
			alice.presses('9')
			alice.saw("200", "hangup 0")
			w.did(w.ends(store.Missed, "us", 200), "hello: was heard", "menu: no key in time", "menu: key 9", "bye: ends the call")
		})
	})
	t.Run("a key by INFO after the prompt", func(t *testing.T) {
		story(t, func(w *world) {
			bob, alice := w.registers("bob", store.Desk), inMenu(w)
			alice.media().played()
			w.after(3 * time.Second)
			alice.presses('1')
			bob.rings()
			w.after(time.Minute) // rings in vain, says sorry, and reads the menu again
			alice.hears("say sorry")
			alice.media().played()
			w.after(time.Second)
			alice.hears("say 1 sales")
			alice.hangsUp()
			r := w.ends(store.Missed, "caller", 200)
			w.did(r, "hello: was heard", "menu: key 1", "sales: nobody answered", "sorry: was heard", "menu: the call ended")
			if !r.Unclaimed || !slices.Contains(r.Participants, "bob") {
				t.Errorf("participants %v", r.Participants)
			}
		})
	})
	t.Run("keys pressed ahead", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Desk)
			w.flows, w.voice = map[string]*store.Workflow{"ivr": ivr()}, true
			w.plans(toHangup(), routing.Stage{Step: "workflow", Workflow: "ivr"})
			alice := w.calls("+12025550900")
			alice.presses('1') // before the ACK, whose media we wait for
			alice.acks()
			alice.hears("prompts/hello.wav")
			alice.media().played()
			bob.rings()
		})
	})
	t.Run("no voice: a beep", func(t *testing.T) {
		story(t, func(w *world) {
			bob, alice := w.registers("bob", store.Desk), inMenu(w)
			w.voice = false
			alice.presses('1')
			bob.rings()
			bob.refuses(486)
			alice.hears("beep")
		})
	})
}

func TestWorkflowForwards(t *testing.T) {
	story(t, func(w *world) {
		alice := inMenu(w)
		alice.presses('2')
		carrier := w.line("trunk", "+12025550150")
		alice.hears("ringback")
		carrier.earlyMedia("sendrecv PCMU")
		alice.talksTo(carrier)
		alice.hears("")
		carrier.refuses(486)
		w.after(time.Second)
		alice.hears("say sorry")
		alice.hangsUp()
		w.ends(store.Missed, "caller", 200)
	})
}

func TestWorkflowOfAnotherNumber(t *testing.T) {
	story(t, func(w *world) {
		cyd, bob := w.registers("cyd", store.Desk), w.registers("bob", store.Desk)
		alice := inMenu(w)
		w.flows["+12025550150"] = &store.Workflow{ID: "inner", Start: "ring", Nodes: map[string]store.Node{
			"ring": {Ring: &store.RingNode{Users: []string{"cyd"}}}}}
		w.flows["inner"] = w.flows["+12025550150"]
		alice.presses('2')
		cyd.rings()
		cyd.refuses(486) // the inner workflow continues: back to ours, which goes on
		w.after(time.Second)
		alice.hears("say sorry")
		alice.presses('1') // kept for the menu
		bob.rings()
		bob.answers()
		alice.talksTo(bob)
		alice.hangsUp()
		w.did(w.ends(store.Answered, "caller", 200), "hello: was heard", "menu: key 2", "ring: nobody answered", ": continues",
			"out: nobody answered", "sorry: interrupted by a key", "menu: key 1", "sales: answered by bob")
	})
}

func TestWorkflowAsksTheWeb(t *testing.T) {
	for name, c := range map[string]struct {
		web   func(Question) (string, error)
		rings bool
		want  string
	}{
		"an answer":       {func(Question) (string, error) { return "sales", nil }, true, "ask: named sales"},
		"a forbidden one": {func(Question) (string, error) { return "box", nil }, false, "ask: named box"},
		"an error":        {func(Question) (string, error) { return "", errors.New("no route") }, false, "ask: failed: no route"},
		"no answer":       {nil, false, "ask: failed: context deadline exceeded"},
		"a crash":         {func(Question) (string, error) { panic("web") }, false, "ask: failed: failed inside"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.web = c.web
				bob, alice := w.registers("bob", store.Desk), inMenu(w)
				alice.presses('3')
				w.after(6 * time.Second)
				if bob.invited != c.rings {
					t.Errorf("bob rings: %v", bob.invited)
				}
				if c.rings {
					alice.hangsUp()
				}
				if r := w.record(); !slices.Contains(steps(r), c.want) {
					t.Errorf("the workflow did %q", steps(r))
				}
				if q := w.asked[0]; q.From != "+12025550900" || q.To != "+12025550001" || q.Tag != "spring" || q.Node != "ask" {
					t.Errorf("the web server was told %+v", q)
				}
			})
		})
	}
}

func TestWorkflowEnds(t *testing.T) {
	t.Run("in a mailbox", func(t *testing.T) {
		story(t, func(w *world) {
			alice := inMenu(w)
			alice.presses('4')
			w.after(time.Second)
			alice.hears("greeting.wav")
			alice.hangsUp()
			if r := w.ends(store.Missed, "caller", 200); !slices.Contains(r.Participants, "ann") {
				t.Errorf("participants %v", r.Participants)
			}
		})
	})
	t.Run("in the plan's next stage", func(t *testing.T) {
		story(t, func(w *world) {
			cyd, alice := w.registers("cyd", store.Desk), inMenu(w)
			alice.presses('5')
			cyd.rings()
			alice.hears("ringback")
			cyd.answers()
			alice.talksTo(cyd)
			alice.hangsUp()
			w.ends(store.Answered, "caller", 200)
		})
	})
	t.Run("with us", func(t *testing.T) {
		story(t, func(w *world) {
			alice := inMenu(w)
			alice.presses('6')
			alice.saw("200", "hangup 0")
			w.ends(store.Missed, "us", 200)
		})
	})
	t.Run("while the web is asked", func(t *testing.T) {
		story(t, func(w *world) {
			alice := inMenu(w)
			alice.presses('3')
			alice.hangsUp()
			w.did(w.ends(store.Missed, "caller", 200), "hello: was heard", "menu: key 3", "ask: the call ended")
		})
	})
	t.Run("before the ACK", func(t *testing.T) {
		story(t, func(w *world) {
			w.flows = map[string]*store.Workflow{"ivr": ivr()}
			w.plans(toHangup(), routing.Stage{Step: "workflow", Workflow: "ivr"})
			alice := w.calls("+12025550900")
			alice.saw("200")
			alice.leaves()
			alice.does(LegEvent{Type: Failed, Code: 408})
			w.ends(store.Failed, "carrier", 200)
		})
	})
}

func TestNumbersTo(t *testing.T) {
	p := &routing.Plan{Trace: []routing.Row{
		{Step: "forwarding", Number: "+2", Trace: []routing.Row{{Number: "+3", Trace: []routing.Row{{Step: "workflow"}}}}},
		{Step: "company_phone", Number: "+4"},
	}}
	for number, want := range map[string][]string{"": {"+1"}, "+2": {"+1", "+2"}, "+3": {"+1", "+2", "+3"}, "+4": {"+1", "+4"}, "+9": {"+1", "+9"}} {
		if got := numbersTo(p, "+1", number); !slices.Equal(got, want) {
			t.Errorf("to %q: %v, want %v", number, got, want)
		}
	}
}

func TestWhisper(t *testing.T) {
	story(t, func(w *world) {
		w.whisper, w.voice = "Call for the main line", true
		w.plans(toHangup(), stage(20, routing.Target{Phone: "+12025550150", CallConnect: true}))
		alice, carrier := w.calls("+12025550900"), w.line("trunk", "+12025550150")
		carrier.rings()
		carrier.answers()
		w.after(time.Second)
		carrier.hears("say Call for the main line")
		carrier.media().played()
		carrier.hears("beep") // press 1
		carrier.presses('1')
		alice.talksTo(carrier)
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}
