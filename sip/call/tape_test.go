package call

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/routing"
	"strowger/store"
)

// tape is a fake Tape: who is on it, and a log of what was done.
type tape struct {
	w      *world
	opt    TapeOptions
	left   []*session
	right  []*session
	log    []string
	paused bool
	closed bool
	begun  time.Time
}

func (w *world) NewTape(o TapeOptions) (Tape, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &tape{w: w, opt: o, begun: time.Now()}
	w.tapes = append(w.tapes, t)
	return t, nil
}

func (t *tape) Add(s MediaSession, channel int) error {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if channel == 0 {
		t.left = append(t.left, s.(*session))
	} else {
		t.right = append(t.right, s.(*session))
	}
	return nil
}

func (t *tape) Remove(s MediaSession) {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	is := func(o *session) bool { return o == s.(*session) }
	t.left, t.right = slices.DeleteFunc(t.left, is), slices.DeleteFunc(t.right, is)
}

func (t *tape) Pause(on bool) { t.paused = on }

func (t *tape) Close() { t.ends(TapeEvent{Why: "stopped"}) }

func (t *tape) ends(e TapeEvent) {
	if !t.closed {
		t.closed = true
		e.Seconds = time.Since(t.begun).Seconds()
		t.opt.Post(e)
	}
}

// holds checks who is on which side.
func (t *tape) holds(left, right *phone) {
	t.w.t.Helper()
	synctest.Wait()
	on := func(p *phone) []*session {
		if p == nil {
			return nil
		}
		return []*session{p.media()}
	}
	if !slices.Equal(t.left, on(left)) || !slices.Equal(t.right, on(right)) {
		t.w.t.Errorf("on the tape are %d left and %d right, or others than wanted", len(t.left), len(t.right))
	}
}

// recorded makes routing say so.
func (w *world) recorded(r routing.Recording) { w.plan.Recording = &r }

func (w *world) asksTape(user, do string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := w.m.Control(ctx, w.m.Active()[0].ID, RecordCall{user, do})
	w.after(50 * time.Millisecond)
	return err
}

// recordedCall is a call from alice, outside, to bob's desk, under a rule.
func recordedCall(w *world, r routing.Recording) (alice, bob *phone) {
	bob = w.registers("bob", store.Desk)
	w.plans(toHangup(), stage(20, user("bob", store.Desk)))
	w.recorded(r)
	alice = w.calls("+12025550900")
	bob.rings()
	bob.answers()
	alice.acks()
	w.after(50 * time.Millisecond)
	return alice, bob
}

func always() routing.Recording {
	return routing.Recording{Mode: store.RecordAlways, Why: routing.RecordedByNumber}
}

func TestRecordedByRule(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := recordedCall(w, always())
		if len(w.tapes) != 1 {
			t.Fatalf("%d tapes", len(w.tapes))
		}
		w.tapes[0].holds(alice, bob)
		if got := w.m.Active()[0].Recording; got != "on" {
			t.Errorf("live: %q", got)
		}
		w.after(10 * time.Second)
		if err := w.asksTape("bob", "stop"); !refused(err, "always recorded (number)") {
			t.Errorf("bob stops: %v", err)
		}
		if err := w.asksTape("bob", "pause"); err != nil || !w.tapes[0].paused || w.m.Active()[0].Recording != "paused" {
			t.Errorf("bob pauses: %v", err)
		}
		w.after(5 * time.Second)
		if err := w.asksTape("bob", "resume"); err != nil || w.tapes[0].paused {
			t.Errorf("bob resumes: %v", err)
		}
		if err := w.asksTape("eve", "pause"); !errors.Is(err, ErrNotInCall) {
			t.Errorf("eve pauses: %v", err)
		}
		alice.hangsUp()
		r := w.ends(store.Answered, "caller", 200)
		if len(r.Recordings) != 1 {
			t.Fatalf("recordings %+v", r.Recordings)
		}
		got := r.Recordings[0]
		if got.ID != r.ID+"-1" || got.File != "recordings/"+r.ID+"-1.wav" || got.Seconds < 15 || got.Ended != "stopped" || got.Why != "by rule: number" ||
			len(got.Pauses) != 1 || got.Pauses[0].To-got.Pauses[0].From < 5 || got.Pauses[0].By != "bob" {
			t.Errorf("%+v", got)
		}
		for _, want := range []string{"recording begins: by rule: number", "recording is paused", "recording goes on", "recorded 15 s (stopped)"} {
			if !strings.Contains(tale(r), want) {
				t.Errorf("the story does not say %q:\n%s", want, tale(r))
			}
		}
	})
}

// TestRecordingIsAnnounced: both hear it, and only then it begins.
func TestRecordingIsAnnounced(t *testing.T) {
	story(t, func(w *world) {
		rule := always()
		rule.Announce = true
		alice, bob := recordedCall(w, rule)
		alice.hears("recorded.wav")
		bob.hears("recorded.wav")
		alice.media().played()
		synctest.Wait()
		if len(w.tapes) != 0 || w.m.Active()[0].Recording != "announcing" {
			t.Error("it began before bob was told")
		}
		bob.media().played()
		synctest.Wait()
		if len(w.tapes) != 1 {
			t.Fatal("it did not begin")
		}
		w.tapes[0].holds(alice, bob)
		alice.talksTo(bob)
	})
}

func TestRecordedOnDemand(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		if err := w.asksTape("bob", "pause"); !refused(err, "not recorded") {
			t.Errorf("pause of nothing: %v", err)
		}
		if err := w.asksTape("bob", "start"); err != nil || len(w.tapes) != 1 {
			t.Fatalf("start: %v", err)
		}
		w.tapes[0].holds(alice, bob)
		if err := w.asksTape("bob", "start"); err != nil || len(w.tapes) != 1 {
			t.Errorf("a second start: %v, %d tapes", err, len(w.tapes))
		}
		w.after(3 * time.Second)
		if err := w.asksTape("bob", "stop"); err != nil || !w.tapes[0].closed {
			t.Errorf("stop: %v", err)
		}
		if err := w.asksTape("", "toggle"); err != nil || len(w.tapes) != 2 { // an administrator
			t.Fatalf("toggle: %v", err)
		}
		w.tapes[1].holds(alice, bob)
		w.tapes[1].ends(TapeEvent{Why: "failed", Err: errors.New("no space left on device")})
		w.after(time.Second)
		alice.talksTo(bob) // the call goes on
		bob.hangsUp()
		r := w.record()
		if len(r.Recordings) != 2 || r.Recordings[0].By != "bob" || r.Recordings[1].Ended != "failed" || !strings.Contains(tale(r), "no space left") {
			t.Errorf("%+v\n%s", r.Recordings, tale(r))
		}
		if err := w.m.Control(context.Background(), r.ID, RecordCall{"", "start"}); !errors.Is(err, ErrNoCall) {
			t.Errorf("after the call: %v", err)
		}
	})
}

// TestNotRecorded: never holds against everybody, and a full disk does not harm the call.
func TestNotRecorded(t *testing.T) {
	story(t, func(w *world) {
		rule := always()
		rule.Users = map[string]string{"bob": store.RecordNever}
		alice, bob := recordedCall(w, rule)
		if err := w.asksTape("bob", "start"); !refused(err, "may not be recorded (user bob)") || len(w.tapes) != 0 {
			t.Errorf("%v, %d tapes", err, len(w.tapes))
		}
		alice.talksTo(bob)
	})
	story(t, func(w *world) {
		w.diskless = errors.New("the disk is nearly full")
		alice, bob := recordedCall(w, always())
		alice.talksTo(bob)
		alice.hangsUp()
		if r := w.record(); len(w.tapes) != 0 || len(r.Recordings) != 0 || !strings.Contains(tale(r), "not recorded: the disk is nearly full") {
			t.Errorf("%d tapes\n%s", len(w.tapes), tale(r))
		}
	})
}

// TestRecordingFollowsATransfer: the target takes the side of the transferor; nobody is recorded while it rings.
func TestRecordingFollowsATransfer(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := recordedCall(w, always())
		cyd := w.registers("cyd", store.Desk)
		w.dialled = &Dialled{Plan: routing.Plan{Policy: "internal", Contacts: []string{}, Stages: []routing.Stage{stage(20, user("cyd", store.Desk))}, End: toHangup()},
			Direction: store.Internal, To: "203", Caller: Party{Number: "+12025550900"}}
		bob.does(LegEvent{Type: Referred, Target: "203"})
		cyd.rings()
		w.tapes[0].holds(nil, nil)
		cyd.answers()
		w.tapes[0].holds(alice, cyd)
		alice.hangsUp()
		r := w.record()
		if len(w.tapes) != 1 || len(r.Recordings) != 1 {
			t.Errorf("%d tapes, %d recordings\n%s", len(w.tapes), len(r.Recordings), tale(r))
		}
	})
	story(t, func(w *world) { // the caller transfers: the callee keeps its side
		bob := w.registers("bob", store.Desk)
		cyd := w.registers("cyd", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		w.recorded(always())
		ann := w.dials("ann", "202")
		bob.rings()
		bob.answers()
		ann.acks()
		w.after(50 * time.Millisecond)
		w.tapes[0].holds(ann, bob)
		w.plans(toHangup(), stage(20, user("cyd", store.Desk)))
		ann.does(LegEvent{Type: Referred, Target: "203"})
		cyd.rings()
		cyd.answers()
		w.tapes[0].holds(cyd, bob)
	})
}

// TestNobodyIsRecordedOnHold: neither who holds nor who hears the music; the record marks it. A pause goes on over a hold.
func TestNobodyIsRecordedOnHold(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := recordedCall(w, always())
		w.after(2 * time.Second)
		bob.reoffers("sendonly PCMU")
		alice.hears("music.wav")
		w.tapes[0].holds(nil, nil)
		w.after(3 * time.Second)
		if err := w.asksTape("bob", "pause"); err != nil {
			t.Errorf("pause on hold: %v", err)
		}
		bob.reoffers("sendrecv PCMU")
		w.tapes[0].holds(alice, bob) // as before, and paused
		w.after(2 * time.Second)
		if err := w.asksTape("bob", "resume"); err != nil {
			t.Errorf("resume: %v", err)
		}
		alice.reoffers("inactive PCMU")
		w.tapes[0].holds(nil, nil)
		w.after(time.Second)
		alice.hangsUp()
		r := w.record()
		if len(r.Recordings) != 1 || len(r.Recordings[0].Pauses) != 3 {
			t.Fatalf("recordings %+v", r.Recordings)
		}
		p := r.Recordings[0].Pauses
		near := func(got, want float64) bool { return got > want-0.3 && got < want+0.5 }
		if !p[0].Hold || p[0].By != "bob" || !near(p[0].To-p[0].From, 3) || p[1].Hold || !near(p[1].To-p[1].From, 2) || !p[2].Hold || p[2].By != "" || !near(p[2].To-p[2].From, 1) ||
			p[1].From > p[0].To {
			t.Errorf("pauses %+v", p)
		}
	})
}

// TestRecordingOfACrash: what was recorded until a call fails inside stands in its record.
func TestRecordingOfACrash(t *testing.T) {
	story(t, func(w *world) {
		recordedCall(w, always())
		id := w.m.Active()[0].ID
		w.m.actor(id).mail.post(letter{what: crashed{"test"}})
		w.after(time.Second)
		if r := w.record(); len(r.Recordings) != 1 || r.Recordings[0].File == "" || !w.tapes[0].closed {
			t.Errorf("%s", fmt.Sprint(r.Recordings))
		}
	})
}

func refused(err error, why string) bool {
	var not ErrNotNow
	return errors.As(err, &not) && strings.Contains(string(not), why)
}
