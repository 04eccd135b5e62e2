package call

import (
	"slices"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// keys presses keys one after the other.
func (p *phone) keys(s string) {
	for i := range len(s) {
		p.presses(s[i])
		p.w.after(200 * time.Millisecond)
	}
}

func TestBlindTransferByKeys(t *testing.T) {
	story(t, func(w *world) {
		cyd := w.registers("cyd", store.Desk)
		alice, bob := talking(w)
		w.toPhone("cyd", "203")
		alice.keys("##") // is no user of ours
		alice.talksTo(bob)
		bob.keys("##")
		alice.hears("music.wav")
		bob.hears("transfer-to")
		bob.keys("203#")
		alice.hears("ringback")
		cyd.rings()
		cyd.answers()
		alice.talksTo(cyd)
		bob.saw("hangup 200")
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

func TestTransferByKeysIsGivenUp(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		bob.keys("*2*")
		alice.talksTo(bob)
		alice.hears("")
		bob.hears("")
		bob.keys("##")
		w.after(10 * time.Second) // nothing is keyed in
		alice.talksTo(bob)
		w.dialled = &Dialled{Plan: routing.Plan{End: &routing.End{Action: routing.EndRefuse, Code: 404}}}
		bob.keys("##99#")
		alice.talksTo(bob)
		bob.keys("*2")
		alice.hangsUp()
		bob.saw("hangup 0")
		w.ends(store.Answered, "caller", 200)
	})
}

func TestAttendedTransferByKeys(t *testing.T) {
	consulted := func(w *world) (alice, bob, cyd *phone) {
		cyd = w.registers("cyd", store.Desk)
		alice, bob = talking(w)
		w.toPhone("cyd", "203")
		bob.keys("*2203")
		w.after(targetEnd)
		alice.hears("music.wav")
		bob.hears("ringback")
		cyd.rings()
		return alice, bob, cyd
	}
	t.Run("completed", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.answers()
			bob.talksTo(cyd)
			alice.hears("music.wav")
			bob.hangsUp()
			alice.talksTo(cyd)
			alice.hears("")
			cyd.hangsUp()
			r := w.ends(store.Answered, "callee", 200)
			if !slices.Contains(r.Participants, "cyd") || !slices.Contains(r.Participants, "bob") {
				t.Errorf("participants %v", r.Participants)
			}
		})
	})
	t.Run("taken back", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.answers()
			bob.keys("*")
			alice.talksTo(bob)
			cyd.saw("hangup 480")
			alice.hangsUp()
		})
	})
	t.Run("taken back while it rings", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			bob.keys("*")
			alice.talksTo(bob)
			bob.hears("")
			cyd.saw("hangup 480")
			alice.hangsUp()
		})
	})
	t.Run("hung up while it rings", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			bob.hangsUp()
			alice.hears("ringback")
			cyd.answers()
			alice.talksTo(cyd)
			alice.hangsUp()
		})
	})
	t.Run("hung up, and nobody answers", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			bob.hangsUp()
			cyd.refuses(486)
			bob.rings()
			bob.answers()
			alice.talksTo(bob)
			alice.hangsUp()
		})
	})
	t.Run("the target declines", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.refuses(603)
			alice.talksTo(bob)
			alice.hears("")
			alice.hangsUp()
		})
	})
	t.Run("the target hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.answers()
			cyd.hangsUp()
			alice.talksTo(bob)
			alice.hangsUp()
		})
	})
	t.Run("who waits hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.answers()
			alice.hangsUp()
			bob.talksTo(cyd)
			cyd.hangsUp()
			bob.saw("shown 203", "hangup 0")
		})
	})
	t.Run("the media of who waits is lost", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, cyd := consulted(w)
			cyd.answers()
			alice.media().says(MediaEvent{Type: MediaLost, Why: "network"})
			bob.talksTo(cyd)
			cyd.hangsUp()
		})
	})
	t.Run("all is ended", func(t *testing.T) {
		story(t, func(w *world) { consulted(w) })
	})
}

// TestEmergency: no limit holds for a call for help, and the console is told.
func TestEmergency(t *testing.T) {
	story(t, func(w *world) {
		w.limits = Limits{Calls: 1, PerUser: 1, PerTrunk: map[string]int{"trunk": 1}}
		w.serves("echo", "", 0)
		other := w.dials("ann", "*43")
		told := &routing.Emergency{Location: "Main Street 1", Callback: "+12025550001"}
		w.dialled = &Dialled{Direction: store.Outbound, To: "911", Caller: Party{Number: "+12025550001"},
			Plan: routing.Plan{Emergency: told, Stages: []routing.Stage{stage(120, outside("911"))}, End: toHangup()}}
		if busy := w.dials("ann", "202"); !slices.Contains(busy.log, "503") {
			t.Errorf("the limit does not hold: %q", busy.log)
		}
		ann := w.dials("ann", "911")
		dispatcher := w.line("trunk", "911")
		dispatcher.rings()
		dispatcher.answers()
		ann.acks()
		ann.talksTo(dispatcher)
		seen := false
		for _, c := range w.changes {
			seen = seen || c.Kind == CallStarted && c.Call.Emergency != nil && *c.Call.Emergency == *told
		}
		if !seen {
			t.Error("the console is not told")
		}
		ann.hangsUp()
		other.hangsUp()
		w.after(time.Second)
		if !slices.ContainsFunc(w.closed, func(r store.CallRecord) bool { return r.Emergency && r.To == "911" }) {
			t.Error("the record is not marked")
		}
	})
}

func TestRecordingByKeys(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		bob.keys("*1")
		w.after(time.Second)
		on := w.m.Active()[0]
		bob.keys("*1")
		w.after(time.Second)
		if off := w.m.Active()[0]; on.Recording == off.Recording {
			t.Errorf("recording is %v, and then %v", on.Recording, off.Recording)
		}
		alice.hangsUp()
	})
}
