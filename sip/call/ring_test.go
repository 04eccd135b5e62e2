package call

import (
	"slices"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

func TestDeclineAndBusyWithinAStage(t *testing.T) {
	story(t, func(w *world) {
		bobDesk, bobWeb, ann := w.registers("bob", store.Desk), w.registers("bob", store.Browser), w.registers("ann", store.Desk)
		w.plans(toVoicemail("bob"), stage(20, user("ann", store.Desk), user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		bobDesk.rings()
		bobWeb.rings()
		ann.rings()
		bobDesk.refuses(603)
		bobWeb.saw("hangup 603")
		w.registers("bob", store.Browser)
		w.after(time.Second)
		if bobWeb.count != 1 {
			t.Error("bob declined, and another device of his rings")
		}
		ann.saw()
		ann.refuses(486)
		alice.saw("180", "200") // at once: nobody is left
		w.after(time.Second)
		alice.acks()
		alice.hears("greeting.wav")
	})
}

func TestBusyStopsThatDeviceAlone(t *testing.T) {
	story(t, func(w *world) {
		desk, web := w.registers("bob", store.Desk), w.registers("bob", store.Browser)
		w.plans(toHangup(), stage(20, user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		desk.refuses(486)
		web.rings()
		web.answers()
		alice.saw("180", "200")
	})
}

func TestPhoneThatInsistsOnEncryption(t *testing.T) {
	story(t, func(w *world) {
		w.srtp = SRTPOptional
		desk := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		desk.refuses(488)
		if desk.count != 2 || desk.req.To.SRTP != SRTPRequired {
			t.Errorf("bob was rung %d times, at last with SRTP %d", desk.count, desk.req.To.SRTP)
		}
		desk.rings()
		desk.answers()
		alice.saw("180", "200")
	})
	story(t, func(w *world) { // no more than once
		w.srtp = SRTPOptional
		desk := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Desk)))
		alice := w.calls("+12025550900")
		desk.refuses(488)
		desk.refuses(488)
		if desk.count != 2 {
			t.Errorf("bob was rung %d times", desk.count)
		}
		alice.saw("480")
		w.ends(store.Missed, "us", 480)
	})
}

func TestDeviceJoinsWhileItsUserRings(t *testing.T) {
	story(t, func(w *world) {
		desk := w.registers("bob", store.Desk)
		w.plans(toHangup(), stage(20, user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		w.after(5 * time.Second)
		web := w.registers("bob", store.Browser)
		web.rings()
		w.registers("bob", store.Desk) // a second REGISTER of the one that rings
		w.after(time.Second)
		if desk.count != 1 {
			t.Error("the desk phone was called twice")
		}
		mobile := w.registers("bob", store.Mobile)
		mobile.silent() // not in via
		web.answers()
		alice.acks()
		alice.talksTo(web)
		desk.saw("hangup 200")
	})
}

func TestReloadedPageRingsAgain(t *testing.T) {
	story(t, func(w *world) {
		desk, web := w.registers("bob", store.Desk), w.registers("bob", store.Browser)
		w.plans(toHangup(), stage(20, user("bob", store.Browser, store.Desk)))
		alice := w.calls("+12025550900")
		desk.rings()
		web.rings()
		web.refuses(503) // its WebSocket is gone
		w.registers("bob", store.Browser)
		w.after(time.Second)
		if web.count != 2 {
			t.Errorf("the page was rung %d times, want again", web.count)
		}
		desk.refuses(486)
		w.registers("bob", store.Desk)
		w.after(time.Second)
		if desk.count != 1 {
			t.Error("a phone that said busy was rung again")
		}
		web.rings()
		web.answers()
		alice.acks()
		alice.talksTo(web)
	})
}

func TestStagesWithoutAnybody(t *testing.T) {
	story(t, func(w *world) {
		carrier := w.line("trunk", "+12025550150")
		w.plans(toHangup(), stage(20, user("bob", store.Desk)), routing.Stage{Step: "workflow", Workflow: "ivr"}, stage(20, outside("+12025550150")))
		w.calls("+12025550900")
		carrier.rings()
		carrier.refuses(486)
		r := w.ends(store.Missed, "us", 480)
		if !slices.ContainsFunc(r.Events, func(e store.RecordEvent) bool { return e.What == "workflow ivr continues with the next step" }) {
			t.Errorf("no line about the workflow:\n%s", tale(r))
		}
	})
}

func TestTrunkFailover(t *testing.T) {
	setting := func(w *world) (alice, first, second *phone) {
		w.trunks = []string{"one", "two"}
		w.plans(toHangup(), stage(20, outside("+12025550150")))
		return w.calls("+12025550900"), w.line("one", "+12025550150"), w.line("two", "+12025550150")
	}
	t.Run("503", func(t *testing.T) {
		story(t, func(w *world) {
			alice, first, second := setting(w)
			first.refuses(503)
			second.rings()
			second.answers()
			alice.saw("180", "200")
			alice.hangsUp()
			if r := w.ends(store.Answered, "caller", 200); len(r.Legs) != 3 || r.Legs[1].Code != 503 {
				t.Errorf("legs %+v", r.Legs)
			}
		})
	})
	t.Run("cannot be dialled", func(t *testing.T) {
		story(t, func(w *world) {
			w.line("one", "+12025550150").unreachable = true
			_, _, second := setting(w)
			second.rings()
		})
	})
	t.Run("busy is an answer", func(t *testing.T) {
		story(t, func(w *world) {
			alice, first, second := setting(w)
			first.refuses(486)
			second.silent()
			alice.saw("480")
		})
	})
	t.Run("rang already", func(t *testing.T) {
		story(t, func(w *world) {
			alice, first, second := setting(w)
			first.rings()
			first.refuses(503)
			second.silent()
			alice.saw("180", "480")
		})
	})
	t.Run("both fail", func(t *testing.T) {
		story(t, func(w *world) {
			alice, first, second := setting(w)
			first.refuses(408)
			second.refuses(500)
			alice.saw("480")
		})
	})
}

// outward is a user's call to an outside number.
func outward(w *world) (ann, carrier *phone) {
	w.dialled = &Dialled{
		Plan:      routing.Plan{Stages: []routing.Stage{stage(60, outside("+12025559000"))}, End: toHangup()},
		Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"},
	}
	return w.dials("ann", "2025559000"), w.line("trunk", "+12025559000")
}

// TestColleaguesOutsideLine: a call inside that rings a User Phone shows a number there, not an extension.
func TestColleaguesOutsideLine(t *testing.T) {
	story(t, func(w *world) {
		w.dialled = &Dialled{
			Plan:      routing.Plan{Stages: []routing.Stage{stage(20, outside("+12025559111"))}, End: toHangup()},
			Direction: store.Internal, To: "202", Caller: Party{Number: "201", Name: "Ann"}, Outside: "+12025550001",
		}
		w.dials("ann", "202")
		if from := w.line("trunk", "+12025559111").req.From; from.Number != "+12025550001" || from.Name != "Ann" {
			t.Errorf("the outside line was shown %+v", from)
		}
	})
}

func TestOutboundCarriesTheCarriersMeaning(t *testing.T) {
	tests := []struct {
		carrier, caller int
		disposition, by string
	}{
		{486, 486, store.Busy, "callee"},
		{600, 600, store.Busy, "callee"},
		{603, 603, store.Busy, "callee"},
		{480, 480, store.Missed, "callee"},
		{404, 404, store.Failed, "carrier"},
		{484, 484, store.Failed, "carrier"},
		{403, 403, store.Failed, "carrier"},
		{503, 503, store.Failed, "carrier"},
		{502, 503, store.Failed, "carrier"},
		{500, 500, store.Failed, "carrier"},
		{407, 503, store.Failed, "carrier"},
		{408, 503, store.Failed, "carrier"},
		{302, 480, store.Failed, "carrier"},
	}
	for _, tt := range tests {
		t.Run(phrase(tt.carrier), func(t *testing.T) {
			story(t, func(w *world) {
				ann, carrier := outward(w)
				carrier.refuses(tt.carrier)
				if !ann.final || ann.reason.Cause != tt.carrier {
					t.Errorf("caller got %v, reason %+v", ann.log, ann.reason)
				}
				r := w.ends(tt.disposition, tt.by, tt.caller)
				if r.Direction != store.Outbound || r.FromUser != "ann" || r.Unclaimed || !slices.Equal(r.Participants, []string{"ann"}) {
					t.Errorf("record %+v", r)
				}
			})
		})
	}
	t.Run("no trunk is free", func(t *testing.T) {
		story(t, func(w *world) {
			w.limits.PerTrunk = map[string]int{"trunk": 1}
			first, _ := outward(w)
			second, _ := outward(w)
			first.saw()
			second.saw("503")
			w.ends(store.Failed, "carrier", 503)
		})
	})
	t.Run("no answer", func(t *testing.T) {
		story(t, func(w *world) {
			ann, carrier := outward(w)
			carrier.rings()
			w.after(61 * time.Second)
			ann.saw("180", "480")
			w.ends(store.Missed, "us", 480)
		})
	})
}

func TestEarlyMedia(t *testing.T) {
	t.Run("then the answer", func(t *testing.T) {
		story(t, func(w *world) {
			ann, carrier := outward(w)
			if len(carrier.req.Diverted) != 0 || carrier.req.From.Number != "+12025550001" {
				t.Errorf("carrier was shown %+v", carrier.req)
			}
			carrier.earlyMedia("sendrecv PCMU")
			ann.saw("183")
			ann.talksTo(carrier)
			early := ann.sdp
			carrier.earlyMedia("sendrecv PCMU") // repeated
			ann.saw("183")
			carrier.answers("sendrecv PCMU")
			ann.saw("183", "200")
			if ann.sdp != early || early != "sendrecv PCMU #0" {
				t.Errorf("183 had %q, 200 has %q", early, ann.sdp)
			}
			ann.talksTo(carrier)
			ann.acks()
			carrier.hangsUp()
			w.ends(store.Answered, "callee", 200)
		})
	})
	t.Run("then a 200 without SDP", func(t *testing.T) {
		story(t, func(w *world) {
			ann, carrier := outward(w)
			carrier.earlyMedia("sendrecv PCMU")
			carrier.answers("")
			ann.saw("183", "200")
		})
	})
	t.Run("then busy", func(t *testing.T) {
		story(t, func(w *world) {
			ann, carrier := outward(w)
			carrier.earlyMedia("sendrecv PCMU")
			carrier.refuses(486)
			ann.saw("183", "486")
			w.ends(store.Busy, "callee", 486)
		})
	})
	t.Run("then the next stage", func(t *testing.T) {
		story(t, func(w *world) {
			bob := w.registers("bob", store.Browser)
			w.plans(toHangup(), stage(20, outside("+12025550150")), stage(20, user("bob", store.Browser)))
			alice := w.calls("+12025550900")
			carrier := w.line("trunk", "+12025550150")
			carrier.earlyMedia("sendrecv PCMA")
			alice.talksTo(carrier)
			carrier.refuses(404)
			bob.rings()
			alice.saw("183")
			alice.hears("ringback") // ours: its phone plays what we send since the 183
			if got := string(bob.req.SDP); got != "sendrecv PCMA,G722,PCMU #2" {
				t.Errorf("bob was offered %q", got)
			}
			bob.answers()
			alice.saw("183", "200")
			alice.hears("")
			alice.talksTo(bob)
		})
	})
	t.Run("not while others ring", func(t *testing.T) {
		story(t, func(w *world) {
			w.registers("bob", store.Desk)
			w.plans(toHangup(), stage(20, user("bob", store.Desk, store.Phone)))
			alice := w.calls("+12025550900")
			w.line("trunk", "+12025550177").earlyMedia("sendrecv PCMU")
			alice.saw("180")
		})
	})
	t.Run("our ringback where the trunk wants it", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := bobRings(w, func(in *Incoming) { in.EarlyMedia = true })
			alice.saw("183")
			alice.hears("ringback")
			bob.answers()
			alice.saw("183", "200")
			alice.hears("")
			alice.talksTo(bob)
		})
	})
}

func TestCodecs(t *testing.T) {
	tests := []struct {
		name                    string
		caller                  string
		trunk                   []string // allowed on the callee's trunk
		offer, answer, toCaller string
	}{
		{"what the caller offers, in its order", webOffer, nil, "opus,G722,PCMU,PCMA", "G722", "G722"},
		{"as far as the trunk allows", webOffer, []string{"PCMA", "PCMU"}, "PCMU,PCMA", "PCMA,PCMU", "PCMA,PCMU"},
		{"nothing shared: transcoded", "sendrecv PCMU", []string{"G722"}, "G722", "G722", "PCMU"},
		{"after what passes, what can be transcoded", "sendrecv PCMU", nil, "PCMU,G722,PCMA", "G722", "PCMU"},
		{"what cannot be transcoded stays alone", "sendrecv opus", nil, "opus", "opus", "opus"},
		{"delayed: all, then what the callee takes", "", nil, "opus,G722,PCMU,PCMA", "G722,PCMU", "G722,PCMU"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(w *world) {
				w.codecs = tt.trunk
				w.plans(toHangup(), stage(20, outside("+12025550150")))
				alice := w.calls("+12025550900", func(in *Incoming) { in.SDP = []byte(tt.caller) })
				carrier := w.line("trunk", "+12025550150")
				if got, want := string(carrier.req.SDP), "sendrecv "+tt.offer+" #1"; got != want {
					t.Errorf("offered %q, want %q", got, want)
				}
				carrier.answers("sendrecv " + tt.answer)
				if got, want := alice.sdp, "sendrecv "+tt.toCaller+" #0"; got != want {
					t.Errorf("the caller got %q, want %q", got, want)
				}
			})
		})
	}
}
