package call

import (
	"testing"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// cutter plays a file from where a key cut it, and half a second on.
type cutter struct{}

func (c cutter) Next(in script.In) (script.Script, []script.Act) {
	file := script.File{Path: "/long.wav"}
	switch in := in.(type) {
	case script.Began:
		return c, []script.Act{script.Say{Phrases: []script.Phrase{script.Prompt{Name: "first"}}}, script.Say{Phrases: []script.Phrase{file}}}
	case script.Key:
		if in.File == file.Path {
			return c, []script.Act{script.Say{Phrases: []script.Phrase{file, script.Prompt{Name: "last"}}, From: in.At + 0.5}}
		}
	}
	return c, []script.Act{script.End{}}
}

// A script learns which sound a key cut, and where in it; and a sound begins where the script wants.
func TestKeyTellsWhatItCut(t *testing.T) {
	story(t, func(w *world) {
		w.serves("player", "", 0)
		ann := w.dials("ann", "*99")
		w.after(time.Second)
		ann.acks()
		w.after(time.Second)
		s := ann.media()
		s.played() // "first"
		w.after(4 * time.Second)
		if s.playing != "/long.wav" || s.from != 0 {
			t.Fatalf("plays %q from %.1f s", s.playing, s.from)
		}
		ann.presses('1')
		w.after(time.Second)
		if s.playing != "/long.wav" || s.from < 4.4 || s.from > 4.6 {
			t.Fatalf("plays %q from %.1f s, want 4.5", s.playing, s.from)
		}
		ann.presses('1')
		w.after(time.Second)
		if s.from < 5.9 || s.from > 6.1 {
			t.Errorf("plays %q from %.1f s, want 6", s.playing, s.from)
		}
		s.played()
		w.after(time.Second)
		if s.playing == "/long.wav" || s.from != 0 {
			t.Errorf("then plays %q from %.1f s", s.playing, s.from)
		}
		ann.presses('1')
		w.after(time.Second)
		w.record()
	})
}

// A call that the page starts may name a service: it talks with whoever answers, also where nothing could be dialled.
func TestOriginateService(t *testing.T) {
	for _, refused := range []bool{false, true} {
		story(t, func(w *world) {
			w.serves("echo", "", 0)
			if refused {
				w.dialled.Plan.End = &routing.End{Action: routing.EndRefuse, Code: 404, Reason: "no such number"}
			}
			ann := w.registers("ann", store.Desk)
			if _, err := w.manager().Originate(OriginateRequest{User: "ann", To: "*97", Service: "invalid", Arg: "x"}); err != nil {
				t.Fatal(err)
			}
			ann.rings()
			ann.answers()
			w.after(time.Second)
			if shots := w.m.Active(); len(shots) != 1 || shots[0].Service != "invalid" {
				t.Errorf("runs %+v", shots)
			}
			ann.hangsUp()
			w.after(time.Second)
			w.record()
		})
	}
}
