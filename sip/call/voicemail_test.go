package call

import (
	"testing"
	"time"

	"strowger/routing"
	"strowger/sip/call/script"
	"strowger/store"
)

// dialsOperator is what 0 leads to.
type dialsOperator struct{}

func (d dialsOperator) Next(in script.In) (script.Script, []script.Act) {
	if _, ok := in.(script.Began); ok {
		return d, []script.Act{script.Dial{Target: "202"}}
	}
	return d, []script.Act{script.End{}}
}

// leaves brings a caller into bob's mailbox, who hears the greeting.
func (w *world) leaves() (alice *phone, s *session) {
	w.plans(toVoicemail("bob"))
	alice = w.calls("+12025550900")
	w.after(time.Second)
	alice.acks()
	alice.hears("greeting.wav")
	return alice, alice.media()
}

// speaks lets the greeting and the beep pass.
func speaks(alice *phone, s *session) {
	s.played()
	alice.hears("beep")
	s.played()
}

// TestMessageOfATransferred: a message is of who speaks, not of the colleague who called and sent them to the mailbox.
func TestMessageOfATransferred(t *testing.T) {
	story(t, func(w *world) {
		bob := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		ann := w.dials("ann", "202")
		bob.rings()
		bob.answers()
		ann.acks()
		w.dialled = &Dialled{Plan: routing.Plan{End: toVoicemail("cyd")}, Direction: store.Internal, To: "203"}
		ann.refers("*96203")
		w.after(time.Second)
		bob.hears("greeting.wav")
		s := bob.media()
		speaks(bob, s)
		w.after(3 * time.Second)
		bob.hangsUp()
		w.after(time.Second)
		if v := w.voicemails; len(v) != 1 || v[0].FromUser != "bob" {
			t.Errorf("messages: %+v", v)
		}
	})
}

func TestMessageIsReviewed(t *testing.T) {
	story(t, func(w *world) {
		w.mailbox = MailboxOpened{Review: "review.wav"}
		alice, s := w.leaves()
		speaks(alice, s)
		alice.presses('#')
		alice.hears("review.wav")
		alice.presses('2')
		w.after(time.Millisecond)
		file := s.playing
		if file == "" || file == "review.wav" {
			t.Fatalf("she hears %q instead of her message", file)
		}
		s.played()
		alice.hears("review.wav")
		alice.presses('3')
		alice.hears("beep")
		s.played()
		alice.presses('#')
		alice.hears("review.wav")
		if len(w.voicemails) != 0 {
			t.Errorf("sent before she chose: %+v", w.voicemails)
		}
		alice.presses('1')
		r := w.ends(store.VoicemailOK, "us", 200)
		if len(w.voicemails) != 1 || r.Voicemail != w.voicemails[0].ID {
			t.Errorf("voicemails %+v", w.voicemails)
		}
	})
}

func TestReviewedMessageIsSentAnyway(t *testing.T) {
	for name, leaves := range map[string]func(*world, *phone, *session){
		"hangs up":   func(_ *world, alice *phone, _ *session) { alice.hangsUp() },
		"no choice":  func(w *world, _ *phone, s *session) { s.played(); w.after(reviewTime + time.Second) },
		"while told": func(w *world, alice *phone, s *session) { alice.presses('2'); w.after(time.Second); alice.hangsUp() },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.mailbox = MailboxOpened{Review: "review.wav"}
				alice, s := w.leaves()
				speaks(alice, s)
				alice.presses('#')
				alice.hears("review.wav")
				leaves(w, alice, s)
				w.after(time.Second)
				if r := w.record(); r.Disposition != store.VoicemailOK || len(w.voicemails) != 1 {
					t.Errorf("%s, %d messages", r.Disposition, len(w.voicemails))
				}
			})
		})
	}
}

func TestFullMailbox(t *testing.T) {
	story(t, func(w *world) {
		w.mailbox = MailboxOpened{Full: true}
		_, s := w.leaves()
		s.played()
		r := w.ends(store.Missed, "us", 200)
		if len(w.voicemails) != 0 || r.Reason != "the mailbox is full" {
			t.Errorf("%d messages, %q", len(w.voicemails), r.Reason)
		}
	})
}

// 0 leads to the operator, who sees who calls; what was said before is not lost.
func TestOperator(t *testing.T) {
	for name, said := range map[string]bool{"in the greeting": false, "in the message": true} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.mailbox = MailboxOpened{Operator: true}
				w.registers("cyd", store.Desk)
				w.dialled = &Dialled{Direction: store.Internal, To: "202", Plan: routing.Plan{Stages: []routing.Stage{stage(20, user("cyd", store.Desk))}}}
				alice, s := w.leaves()
				if said {
					speaks(alice, s)
				}
				alice.presses('0')
				w.after(time.Second)
				cyd := w.phone("cyd-desk")
				cyd.rings()
				if cyd.req.From.Number != "+12025550900" {
					t.Errorf("the operator is shown %+v", cyd.req.From)
				}
				cyd.answers()
				w.after(time.Second)
				alice.hangsUp()
				w.after(time.Second)
				r := w.record()
				if r.AnsweredBy != "cyd" || r.Disposition != store.Answered || (r.Voicemail != "") != said {
					t.Errorf("record: %s by %q, voicemail %q", r.Disposition, r.AnsweredBy, r.Voicemail)
				}
			})
		})
	}
}

// The disk is full in the middle of a message: no message without its audio is kept, and what was written of one is.
func TestMessageThatFails(t *testing.T) {
	for _, c := range []struct {
		seconds     float64
		disposition string
		kept        int
		reason      string
	}{
		{0, store.Missed, 0, "the message could not be recorded"},
		{0.5, store.Missed, 0, "the message could not be recorded"},
		{12, store.VoicemailOK, 1, "message left (failed)"},
	} {
		story(t, func(w *world) {
			alice, s := w.leaves()
			speaks(alice, s)
			s.recorded(c.seconds, "failed")
			r := w.ends(c.disposition, "us", 200)
			if len(w.voicemails) != c.kept || r.Reason != c.reason {
				t.Errorf("%.1f s: %d messages, %q", c.seconds, len(w.voicemails), r.Reason)
			}
		})
	}
}
