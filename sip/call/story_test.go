package call

import (
	"errors"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

func TestFirstAnswerWins(t *testing.T) {
	story(t, func(w *world) {
		desk, browser := w.registers("bob", store.Desk), w.registers("bob", store.Browser)
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		alice.saw("180")
		browser.rings()
		alice.saw("180")
		browser.answers()
		alice.saw("180", "200")
		alice.acks()
		alice.talksTo(browser)
		desk.saw("hangup 200")
		if desk.reason != AnsweredElsewhere {
			t.Errorf("desk was told %+v", desk.reason)
		}
		w.after(time.Minute)
		alice.hangsUp()
		browser.saw("hangup 0")
		r := w.ends(store.Answered, "caller", 200)
		if r.AnsweredBy != "bob" || r.FromName != "Dee Poe" || len(r.Legs) != 3 || r.Legs[0].Media.Codec != "PCMU" {
			t.Errorf("record %+v", r)
		}
		if len(r.Participants) != 1 || r.Participants[0] != "bob" || r.Unclaimed {
			t.Errorf("participants %v, unclaimed %v", r.Participants, r.Unclaimed)
		}
		if len(w.opened) != 1 || w.opened[0].ID != r.ID || !w.opened[0].End.IsZero() {
			t.Errorf("journal %+v", w.opened)
		}
		if browser.req.From.Name != "Dee Poe" || browser.req.From.Number != "+12025550900" || string(browser.req.SDP) == "" {
			t.Errorf("browser was shown %+v", browser.req)
		}
	})
}

func TestNextStageThenOutsideLine(t *testing.T) {
	story(t, func(w *world) {
		desk, carrier := w.registers("bob", store.Desk), w.line("trunk", "+12025550150")
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)), stage(25, outside("+12025550150")))
		alice := w.calls("+12025550900", func(in *Incoming) { in.MaxForwards = 30 })
		desk.rings()
		w.after(19 * time.Second)
		carrier.silent()
		w.after(2 * time.Second)
		desk.saw("hangup 480")
		carrier.rings()
		carrier.answers()
		alice.saw("180", "200")
		alice.acks()
		alice.talksTo(carrier)
		if d := carrier.req; len(d.Diverted) != 1 || d.Diverted[0].Number != "+12025550001" || d.From.Number != "+12025550900" || d.MaxForwards != 29 {
			t.Errorf("carrier was shown %+v", d)
		}
		carrier.hangsUp()
		alice.saw("180", "200", "hangup 0")
		if r := w.ends(store.Answered, "callee", 200); r.AnsweredBy != "+12025550150" {
			t.Errorf("answered by %q", r.AnsweredBy)
		}
	})
}

// A call that came by its last hop may ring phones, but goes out no more: it may be one that goes round.
func TestTooManyHops(t *testing.T) {
	story(t, func(w *world) {
		desk, carrier := w.registers("bob", store.Desk), w.line("trunk", "+12025550150")
		w.plans(toVoicemail("bob"), stage(20, outside("+12025550150")), stage(25, user("bob", store.Desk)))
		alice := w.calls("+12025550900", func(in *Incoming) { in.MaxForwards = 1 })
		desk.rings()
		carrier.silent()
		desk.answers()
		alice.saw("180", "200")
		alice.acks()
		alice.hangsUp()
		w.ends(store.Answered, "caller", 200)
	})
}

func TestVoicemail(t *testing.T) {
	nobody := func(w *world) (alice *phone, s *session) {
		w.registers("bob", store.Desk)
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)))
		alice = w.calls("+12025550900", func(in *Incoming) { in.SDP = []byte(webOffer) })
		w.phone("bob-desk").rings()
		w.after(21 * time.Second)
		alice.saw("180", "200")
		w.after(time.Second)
		alice.hears("") // nothing before the ACK
		alice.acks()
		alice.hears("greeting.wav")
		s = alice.media()
		s.played()
		alice.hears("beep")
		s.played()
		if s.record == nil || s.codecs[0] != "G722" {
			t.Fatalf("recording %v, codecs %v", s.record, s.codecs)
		}
		return alice, s
	}
	t.Run("caller hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := nobody(w)
			alice.hangsUp() // 5 s were recorded
			r := w.ends(store.VoicemailOK, "caller", 200)
			if len(w.voicemails) != 1 || w.voicemails[0].ID != r.Voicemail || w.voicemails[0].Seconds != 5 || w.voicemails[0].Mailbox.User != "bob" {
				t.Errorf("voicemails %+v", w.voicemails)
			}
			if !r.Unclaimed || len(r.Participants) != 1 || !r.Answer.IsZero() {
				t.Errorf("record %+v", r)
			}
		})
	})
	t.Run("silence", func(t *testing.T) {
		story(t, func(w *world) {
			alice, s := nobody(w)
			s.recorded(12, "silence")
			alice.saw("180", "200", "hangup 0")
			w.ends(store.VoicemailOK, "us", 200)
		})
	})
	t.Run("finished by #", func(t *testing.T) {
		story(t, func(w *world) {
			alice, _ := nobody(w)
			alice.presses('#')
			alice.saw("180", "200", "hangup 0")
			w.ends(store.VoicemailOK, "us", 200)
		})
	})
	t.Run("too short", func(t *testing.T) {
		story(t, func(w *world) {
			_, s := nobody(w)
			s.recorded(0.6, "silence")
			if r := w.ends(store.Missed, "us", 200); len(w.voicemails) != 0 || r.Voicemail != "" || !r.Unclaimed {
				t.Errorf("voicemails %+v, record %+v", w.voicemails, r)
			}
		})
	})
	t.Run("nothing said", func(t *testing.T) {
		story(t, func(w *world) {
			_, s := nobody(w)
			s.recorded(8.2, "silence")
			if w.ends(store.Missed, "us", 200); len(w.voicemails) != 0 {
				t.Errorf("voicemails %+v", w.voicemails)
			}
		})
	})
	t.Run("hung up after minutes of silence", func(t *testing.T) {
		story(t, func(w *world) {
			_, s := nobody(w)
			s.recordedSpeech(200, 0.4, "stopped")
			if w.ends(store.Missed, "us", 200); len(w.voicemails) != 0 {
				t.Errorf("voicemails %+v", w.voicemails)
			}
		})
	})
	t.Run("operator ends it", func(t *testing.T) {
		story(t, func(w *world) {
			nobody(w)
			if err := w.m.Hangup(w.m.Active()[0].ID); err != nil {
				t.Error(err)
			}
			w.ends(store.VoicemailOK, "us", 200)
		})
	})
	t.Run("during the greeting", func(t *testing.T) {
		story(t, func(w *world) {
			w.plans(toVoicemail("bob"))
			alice := w.calls("anonymous")
			alice.saw("200")
			w.after(time.Second)
			alice.acks()
			alice.hears("greeting.wav")
			alice.presses('#')
			alice.hears("beep")
			alice.hangsUp()
			w.ends(store.Missed, "caller", 200)
		})
	})
	t.Run("browser waits for its media", func(t *testing.T) {
		story(t, func(w *world) {
			w.plans(toVoicemail("bob"))
			alice := w.dials("ann", "202", func(in *Incoming) { in.WebRTC = true })
			w.after(time.Second)
			alice.acks()
			alice.hears("")
			alice.media().says(MediaEvent{Type: MediaReady})
			alice.hears("greeting.wav")
		})
	})
	t.Run("the disk fills up meanwhile", func(t *testing.T) {
		story(t, func(w *world) {
			_, s := nobody(w)
			w.broken = errStore
			s.recorded(12, "silence")
			if r := w.ends(store.Missed, "us", 200); r.Voicemail != "" || !r.Unclaimed {
				t.Errorf("record %+v", r)
			}
		})
	})
	t.Run("no disk", func(t *testing.T) {
		story(t, func(w *world) {
			w.broken = errors.New("no space left on device")
			w.plans(toVoicemail("bob"))
			alice := w.calls("anonymous")
			w.after(time.Second)
			alice.saw("200", "hangup 500")
			w.ends(store.Missed, "us", 200)
		})
	})
}

func TestCallerGivesUp(t *testing.T) {
	story(t, func(w *world) {
		desk := w.registers("bob", store.Desk)
		w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		alice.cancels()
		alice.saw("180")
		desk.saw("hangup 0")
		if r := w.ends(store.Missed, "caller", 487); !r.Unclaimed {
			t.Error("not unclaimed")
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Run("unknown number", func(t *testing.T) {
		story(t, func(w *world) {
			w.plans(&routing.End{Action: routing.EndRefuse, Code: 404, Reason: "unknown_number"})
			w.calls("+12025550900").saw("404")
			w.ends(store.Refused, "us", 404)
		})
	})
	t.Run("over a limit", func(t *testing.T) {
		story(t, func(w *world) {
			w.limits = Limits{Calls: 10, PerUser: 1, PerTrunk: map[string]int{"trunk": 1}}
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			w.registers("bob", store.Desk)
			w.calls("+12025550900")
			w.calls("+12025550901").saw("503")
			w.dials("ann", "202").saw()
			w.dials("ann", "202").saw("486")
		})
	})
	t.Run("draining", func(t *testing.T) {
		story(t, func(w *world) {
			w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			w.calls("+12025550900").saw()
			w.m.SetDraining(true)
			w.calls("+12025550901").saw("503")
			w.ends(store.Refused, "us", 503)
		})
	})
	t.Run("no codec", func(t *testing.T) {
		story(t, func(w *world) {
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			w.calls("+12025550900", func(in *Incoming) { in.Codecs = []string{"G722"} }).saw("488")
			w.ends(store.Failed, "caller", 488)
		})
	})
	t.Run("no port", func(t *testing.T) {
		story(t, func(w *world) {
			w.portless = true
			w.plans(toHangup(), stage(20, user("bob", store.Desk)))
			w.calls("+12025550900").saw("503")
			w.ends(store.Failed, "us", 503)
		})
	})
}
