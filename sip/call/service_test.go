package call

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// dictation asks for a file, records into it, and has it stored.
type dictation struct{ file string }

type needFile struct{}
type keepFile struct{ recorded script.Recorded }

func (d dictation) Next(in script.In) (script.Script, []script.Act) {
	switch in := in.(type) {
	case script.Began:
		return d, []script.Act{script.Ask{Question: needFile{}}}
	case script.Answer:
		if d.file == "" {
			return dictation{in.Value.(string)}, []script.Act{script.Say{Phrases: []script.Phrase{script.Prompt{Name: "speak"}}}, script.Record{File: in.Value.(string)}}
		}
		return d, []script.Act{script.Listen{}}
	case script.Recorded:
		return d, []script.Act{script.Ask{Question: keepFile{in}}}
	case script.Key:
		if in.Digit == '2' {
			return d, []script.Act{script.Dial{Target: "202"}}
		}
		return d, []script.Act{script.Say{Phrases: []script.Phrase{script.Prompt{Name: "one"}, script.Prompt{Name: "two"}}}}
	case script.NoKey:
		return d, []script.Act{script.End{}}
	}
	return d, []script.Act{script.Listen{Seconds: 3}}
}

// serves lets the calls to come end in a service.
func (w *world) serves(name, arg string, code int) {
	w.dialled = &Dialled{Direction: store.Internal, To: name, Caller: Party{Number: "201", Name: "Ann"}, Plan: routing.Plan{Stages: []routing.Stage{},
		End: &routing.End{Action: routing.EndService, Service: name, Arg: arg, Code: code}}}
}

func (w *world) services() Services { return (*worldServices)(w) }

type worldServices world

func (w *worldServices) Script(c ServiceCall) script.Script {
	switch c.Service {
	case "echo":
		return script.EchoTest{}
	case "room":
		return script.Room{Extension: c.Arg}
	case "room-pin":
		return script.Room{Extension: c.Arg, Ask: true}
	case "dictation":
		return dictation{}
	case ServiceOperator:
		return dialsOperator{}
	case "player":
		return cutter{}
	case "invalid":
		return script.Announcement{Phrases: []script.Phrase{script.Prompt{Name: "invalid"}}}
	}
	return nil
}

func (w *worldServices) Ask(_ context.Context, q ServiceQuestion) (any, error) {
	time.Sleep(100 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.questions = append(w.questions, q)
	if _, ok := q.What.(needFile); ok {
		return "/data/dictation.wav", w.broken
	}
	if q, ok := q.What.(script.RoomPass); ok {
		return script.RoomPassed{Enter: q.PIN == "4711" || q.PIN == "0815", Moderator: q.PIN == "0815"}, nil
	}
	return nil, w.broken
}

func TestEchoTest(t *testing.T) {
	story(t, func(w *world) {
		w.serves("echo", "", 0)
		ann := w.dials("ann", "*43")
		ann.saw("200")
		ann.acks()
		w.after(200 * time.Millisecond)
		ann.hears("echo-test")
		if shots := w.m.Active(); len(shots) != 1 || shots[0].Service != "echo" || shots[0].Phase != "up" {
			t.Errorf("the page sees %+v", shots)
		}
		w.sessions[0].played()
		w.after(time.Second)
		if !w.sessions[0].echo {
			t.Error("ann does not hear herself")
		}
		ann.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

func TestEchoEndsByKey(t *testing.T) {
	story(t, func(w *world) {
		w.serves("echo", "", 0)
		ann := w.dials("ann", "*43")
		ann.acks()
		w.after(200 * time.Millisecond)
		ann.hears("echo-test")
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '#'})
		w.after(time.Second)
		w.ends(store.Answered, "us", 200)
	})
}

func TestScriptRecordsAndListens(t *testing.T) {
	story(t, func(w *world) {
		w.serves("dictation", "x", 0)
		ann := w.dials("ann", "*55")
		ann.acks()
		w.after(200 * time.Millisecond)
		ann.hears("speak")
		w.sessions[0].played()
		w.after(time.Second)
		if r := w.sessions[0].record; r == nil || r.File != "/data/dictation.wav" || r.MaxSeconds != 300 {
			t.Fatalf("records %+v", r)
		}
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '#'})
		w.after(time.Second)
		if q := w.questions; len(q) != 2 || q[1].User != "ann" || q[1].Arg != "x" || q[1].What != (keepFile{script.Recorded{File: "/data/dictation.wav", Seconds: 5, Speech: 5, Why: "key", Key: '#'}}) {
			t.Errorf("was asked %+v", q)
		}
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '1'})
		w.after(200 * time.Millisecond)
		ann.hears("one")
		w.sessions[0].opt.Post(MediaEvent{Type: PlayEnded, Token: -1}) // the late end of an earlier sound
		w.after(200 * time.Millisecond)
		ann.hears("one")
		w.sessions[0].played()
		w.after(200 * time.Millisecond)
		ann.hears("two")
		w.sessions[0].played()
		w.after(4 * time.Second)
		w.ends(store.Answered, "us", 200)
	})
}

func TestHangUpWhileAScriptRecords(t *testing.T) {
	story(t, func(w *world) {
		w.serves("dictation", "", 0)
		ann := w.dials("ann", "*55")
		ann.acks()
		w.after(200 * time.Millisecond)
		ann.hears("speak")
		w.sessions[0].played()
		ann.hangsUp()
		w.after(time.Second)
		if q := w.questions; len(q) != 2 || q[1].What.(keepFile).recorded.Why != "hangup" {
			t.Errorf("was asked %+v", q)
		}
		w.ends(store.Answered, "caller", 200)
	})
}

func TestScriptDials(t *testing.T) {
	story(t, func(w *world) {
		bob := w.registers("bob", store.Desk)
		w.serves("dictation", "", 0)
		ann := w.dials("ann", "*55")
		ann.acks()
		w.after(200 * time.Millisecond)
		ann.hears("speak")
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '1'})
		w.after(200 * time.Millisecond)
		ann.hears("one")
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		w.dialled = nil
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '2'})
		w.after(time.Second)
		bob.rings()
		bob.answers()
		w.after(time.Second)
		if w.sessions[0].bridged != w.sessions[1] {
			t.Error("ann and bob cannot talk")
		}
		ann.hangsUp()
		r := w.ends(store.Answered, "caller", 200)
		if r.AnsweredBy != "bob" || r.To != "202" {
			t.Errorf("record says %s answered a call to %s", r.AnsweredBy, r.To)
		}
	})
}

func TestCodeIsRefusedAloud(t *testing.T) {
	story(t, func(w *world) {
		w.serves("invalid", "", 404)
		ann := w.dials("ann", "*99")
		ann.saw("183")
		w.after(200 * time.Millisecond)
		ann.hears("invalid")
		w.sessions[0].says(MediaEvent{Type: MediaDigit, Digit: '1'})
		w.after(200 * time.Millisecond)
		ann.hears("invalid")
		w.sessions[0].played()
		w.after(time.Second)
		ann.saw("183", "404")
		w.ends(store.Refused, "us", 404)
	})
}

func TestServiceThatDoesNotExist(t *testing.T) {
	story(t, func(w *world) {
		w.serves("nonsense", "", 0)
		w.dials("ann", "*99")
		w.after(time.Second)
		w.ends(store.Answered, "us", 200)
	})
}

func TestServiceThatFails(t *testing.T) {
	story(t, func(w *world) {
		w.broken = errors.New("no disk")
		w.serves("dictation", "", 0)
		ann := w.dials("ann", "*55")
		ann.acks()
		w.after(time.Second)
		r := w.ends(store.Failed, "us", 200)
		if slices.ContainsFunc(r.Events, func(e store.RecordEvent) bool { return e.What == "" }) {
			t.Error("empty lines in the story")
		}
	})
}
