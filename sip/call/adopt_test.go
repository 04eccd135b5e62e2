package call

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strowger/routing"
	"strowger/store"
)

// consults: bob, who talks to alice from outside, has put her on hold and called cyd. bob is his leg to alice, ask the one
// to cyd.
func consults(w *world, answered bool) (alice, bob, ask, cyd *phone) {
	cyd = w.registers("cyd", store.Desk)
	alice, bob = talking(w)
	bob.reoffers("sendonly PCMU")
	w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(20, user("cyd", store.Desk))}, End: toHangup()},
		Direction: store.Internal, To: "203", Caller: Party{Number: "202", Name: "Bob"}}
	ask = w.dials("bob", "203")
	cyd.rings()
	if answered {
		cyd.answers()
		ask.acks()
		ask.talksTo(cyd)
	}
	alice.hears("music.wav")
	return alice, bob, ask, cyd
}

// records are those of all calls, by the dialled number.
func (w *world) records(n int) map[string]store.CallRecord {
	w.t.Helper()
	w.after(time.Second)
	if len(w.closed) != n {
		w.t.Fatalf("%d records were closed, want %d", len(w.closed), n)
	}
	out := map[string]store.CallRecord{}
	for _, r := range w.closed {
		out[r.To] = r
	}
	return out
}

func related(a, b store.CallRecord) bool {
	return slices.ContainsFunc(a.Related, func(r store.RelatedCall) bool { return r.ID == b.ID }) &&
		slices.ContainsFunc(b.Related, func(r store.RelatedCall) bool { return r.ID == a.ID })
}

func TestAttendedTransfer(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, ask, cyd := consults(w, true)
		bob.attends(ask)
		alice.talksTo(cyd)
		alice.hears("")
		bob.saw("reinvite answered", "refer 180", "refer 200", "hangup 200")
		ask.saw("180", "200", "hangup 200")
		alice.saw("180", "200") // her session was left alone
		if live := w.m.counts; !slices.Equal(live.busyUsers, []string{"cyd"}) || live.trunks["trunk"] != 1 {
			t.Errorf("busy %v, trunks %v", live.busyUsers, live.trunks)
		}
		alice.presses('5')
		if got := cyd.media().playing; got != "digit 5" {
			t.Errorf("cyd's media plays %q", got)
		}
		alice.hangsUp()
		cyd.saw("shown +12025550900", "hangup 0")
		r := w.records(2)
		one, two := r["+12025550001"], r["203"]
		if !related(one, two) || one.Disposition != store.Answered || two.Disposition != store.Answered || one.AnsweredBy != "bob" || two.EndedBy != "caller" {
			t.Errorf("records:\n%s\n%s", tale(one), tale(two))
		}
		w.tells(one, "transfers +12025550900 to its other call", "moves to call "+two.ID)
		w.tells(two, "comes from call "+one.ID)
	})
}

func TestAttendedTransferWhileItRings(t *testing.T) {
	t.Run("answered", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, ask, cyd := consults(w, false)
			bob.attends(ask)
			ask.saw("180", "487")
			alice.hears("ringback")
			bob.saw("reinvite answered", "refer 180") // what is true so far
			if live := w.m.counts; live.trunks["trunk"] != 1 {
				t.Errorf("trunks %v", live.trunks)
			}
			cyd.answers()
			bob.saw("reinvite answered", "refer 180", "refer 200", "hangup 200")
			alice.hears("")
			alice.talksTo(cyd)
			cyd.hangsUp()
			alice.saw("180", "200", "hangup 0")
			w.records(2)
		})
	})
	t.Run("nobody answers: the transferor is rung", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, ask, cyd := consults(w, false)
			bob.attends(ask)
			web := w.registers("bob", store.Browser)
			cyd.refuses(486)
			web.rings()
			want := []string{"reinvite answered", "refer 180", "refer 486", "hangup 200"} // his phone may ring anew before it is told
			if got := slices.Concat(bob.before, bob.log); !slices.Equal(got, want) {
				t.Errorf("bob saw %q, want %q", got, want)
			}
			web.answers()
			alice.talksTo(web)
			alice.hangsUp()
			w.records(2)
		})
	})
	t.Run("the transferor does not wait", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, ask, cyd := consults(w, false)
			bob.attends(ask)
			bob.hangsUp()
			cyd.answers()
			alice.talksTo(cyd)
			alice.hangsUp()
			w.records(2)
		})
	})
	t.Run("alice hangs up", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob, ask, cyd := consults(w, false)
			bob.attends(ask)
			alice.hangsUp()
			cyd.saw("hangup 0")
			w.records(2)
		})
	})
}

// TestAttendedTransferToNobody: the other call has ended in this moment, is not the transferor's, or was never there.
func TestAttendedTransferToNobody(t *testing.T) {
	for name, happens := range map[string]func(w *world, bob, ask, cyd *phone){
		"the target hangs up":       func(_ *world, _, _, cyd *phone) { cyd.leaves(); cyd.post(LegEvent{Type: Ended}) },
		"the transferor ends it":    func(_ *world, _, ask, _ *phone) { ask.leaves(); ask.post(LegEvent{Type: Ended}) },
		"it ended before":           func(_ *world, _, ask, _ *phone) { ask.hangsUp() },
		"it is another user's call": func(w *world, _, ask, _ *phone) { w.m.actor(w.m.seats[ask].call).state.Legs[0].User = "eve" },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				alice, bob, ask, cyd := consults(w, true)
				happens(w, bob, ask, cyd)
				bob.attends(ask)
				if got := bob.log[len(bob.log)-1]; got != "refer 481" {
					t.Errorf("bob saw %q", bob.log)
				}
				alice.hears("music.wav")
				bob.reoffers("sendrecv PCMU")
				alice.talksTo(bob)
				alice.hangsUp()
			})
		})
	}
}

// TestMoveRaces: what is under way from the leg that moves reaches it in its new call; whoever leaves at that moment
// leaves nothing behind.
func TestMoveRaces(t *testing.T) {
	for name, happens := range map[string]func(w *world, alice, bob, ask, cyd *phone){
		"alice hangs up": func(_ *world, alice, _, _, _ *phone) { alice.leaves(); alice.post(LegEvent{Type: Ended}) },
		"bob hangs up both": func(_ *world, _, bob, ask, _ *phone) {
			for _, p := range []*phone{bob, ask} {
				p.leaves()
				p.post(LegEvent{Type: Ended})
			}
		},
		"alice holds": func(_ *world, alice, _, _, _ *phone) {
			alice.post(LegEvent{Type: Reoffered, SDP: []byte("sendonly PCMU")})
		},
		"cyd holds and hangs up": func(_ *world, _, _, _, cyd *phone) {
			cyd.post(LegEvent{Type: Reoffered, SDP: []byte("sendonly PCMU")})
			cyd.leaves()
			cyd.post(LegEvent{Type: Ended})
		},
		"alice's media is lost": func(_ *world, alice, _, _, _ *phone) { alice.media().opt.Post(MediaEvent{Type: MediaLost}) },
		"all calls are ended":   func(w *world, _, _, _, _ *phone) { w.m.each(HangupCall{}) },
		"the other call crashes": func(w *world, _, _, ask, _ *phone) {
			w.m.actor(w.m.seats[ask].call).mail.post(letter{what: crashed{"test"}})
		},
		"its own call crashes": func(w *world, _, bob, _, _ *phone) {
			w.m.actor(w.m.seats[bob].call).mail.post(letter{what: crashed{"test"}})
		},
	} {
		for _, first := range []bool{true, false} {
			for _, answered := range []bool{true, false} {
				t.Run(name, func(t *testing.T) {
					story(t, func(w *world) {
						alice, bob, ask, cyd := consults(w, answered)
						refer := LegEvent{Type: Referred, Target: "203", Replaces: ask}
						if first {
							happens(w, alice, bob, ask, cyd)
							bob.post(refer)
						} else {
							bob.post(refer)
							happens(w, alice, bob, ask, cyd)
						}
						synctest.Wait()
						w.after(time.Second)
						for _, p := range []*phone{alice, bob, ask, cyd} {
							if !p.over {
								p.hangsUp()
							}
						}
						w.after(time.Minute)
						w.records(2)
					})
				})
			}
		}
	}
}

// TestTheyMoveToEachOther: at the same time each of two calls sends a leg to the other. Neither waits for the other.
func TestTheyMoveToEachOther(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, ask, cyd := consults(w, true)
		bob.post(LegEvent{Type: Referred, Target: "203", Replaces: ask})
		ask.post(LegEvent{Type: Referred, Target: "203", Replaces: bob})
		synctest.Wait()
		w.after(time.Second)
		alive := 0
		for _, p := range []*phone{alice, bob, ask, cyd} {
			if !p.over {
				alive++
				p.hangsUp()
			}
		}
		if alive < 2 {
			t.Errorf("%d parties are left", alive)
		}
		w.records(2)
	})
}

// TestReplaces: an INVITE with Replaces takes the place of a leg that talks, or of a phone that rings.
func TestReplaces(t *testing.T) {
	t.Run("who talks", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			cyd := w.dials("cyd", "202", func(in *Incoming) { in.Replaces = bob })
			cyd.saw("200")
			cyd.acks()
			cyd.talksTo(alice)
			bob.saw("hangup 200")
			alice.saw("180", "200")
			cyd.hangsUp()
			alice.saw("180", "200", "hangup 0")
			r := w.records(2)
			if one, two := r["+12025550001"], r["202"]; !related(one, two) || two.AnsweredBy != "+12025550900" {
				t.Errorf("records:\n%s\n%s", tale(one), tale(two))
			}
		})
	})
	t.Run("who rings", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := bobRings(w)
			cyd := w.dials("cyd", "202", func(in *Incoming) { in.Replaces = bob })
			bob.saw("hangup 200")
			if bob.reason != AnsweredElsewhere {
				t.Errorf("bob was told %+v", bob.reason)
			}
			alice.saw("180", "200")
			cyd.saw("200")
			alice.acks()
			cyd.acks()
			cyd.talksTo(alice)
			alice.hangsUp()
			if r := w.records(2)["+12025550001"]; r.AnsweredBy != "cyd" || !slices.Equal(r.Participants, []string{"cyd"}) {
				t.Errorf("record %+v", r)
			}
		})
	})
	t.Run("a dialog that is over", func(t *testing.T) {
		story(t, func(w *world) {
			_, bob := talking(w)
			bob.hangsUp()
			w.dials("cyd", "202", func(in *Incoming) { in.Replaces = bob }).saw("603")
		})
	})
	t.Run("only if it still rings", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			w.dials("cyd", "202", func(in *Incoming) { in.Replaces, in.EarlyOnly = bob, true }).saw("486")
			alice.talksTo(bob)
		})
	})
	t.Run("a carrier that meddles", func(t *testing.T) {
		story(t, func(w *world) {
			alice, bob := talking(w)
			w.calls("+12025550666", func(in *Incoming) { in.Replaces = bob }).saw("403")
			alice.talksTo(bob)
		})
	})
	t.Run("cancelled in that moment", func(t *testing.T) {
		story(t, func(w *world) {
			_, bob := talking(w)
			cyd := &phone{w: w, name: "cyd", uas: true, final: true, over: true}
			w.m.Incoming(Incoming{User: "cyd", Leg: cyd, To: "202", Replaces: bob, SDP: []byte(webOffer), Bind: func(post Post) { post(LegEvent{Type: Cancelled}) }})
			w.records(1)
		})
	})
}

// TestRoutesKeepOrder: letters of many legs reach whoever has the leg, each leg's in order and none twice, however often the
// legs move between mailboxes meanwhile.
func TestRoutesKeepOrder(t *testing.T) {
	const legs, letters, owners = 8, 2000, 3
	type token struct{ way *route }
	mails := make([]*mailbox, owners)
	for i := range mails {
		mails[i] = newMailbox()
	}
	var posting, reading sync.WaitGroup
	next := map[*route]int{}
	var mu sync.Mutex
	for n := range legs {
		way := &route{mail: mails[n%owners]}
		mails[n%owners].post(letter{what: token{way}})
		posting.Go(func() {
			for k := range letters {
				way.post(k)
			}
		})
	}
	for o := range owners {
		reading.Go(func() {
			mine := map[*route]bool{}
			for moved := 0; ; {
				batch := mails[o].take(nil)
				for i, l := range batch {
					switch w := l.what.(type) {
					case token:
						mine[w.way] = true
					case int:
						if !mine[l.way] {
							continue // it went along when the leg moved
						}
						mu.Lock()
						if next[l.way] != w {
							t.Errorf("letter %d, want %d", w, next[l.way])
						}
						next[l.way] = w + 1
						mu.Unlock()
						if moved++; moved%7 == 0 {
							mine[l.way] = !l.way.move(mails[(o+1+moved%2)%owners], letter{what: token{l.way}}, batch[i+1:])
						}
					case string:
						return
					}
				}
			}
		})
	}
	posting.Wait()
	for { // until everything is read
		mu.Lock()
		done := 0
		for _, n := range next {
			done += n
		}
		mu.Unlock()
		if done == legs*letters {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, m := range mails {
		m.post(letter{what: "end"})
	}
	reading.Wait()
}

// TestAttendedTransferIntoAConference: bob, who merged two calls, has taken another one and gives his place to its party.
func TestAttendedTransferIntoAConference(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, _, cyd := consults(w, true)
		calls := w.m.Active()
		bob.reoffers("sendrecv PCMU")
		if err := w.ordersOf(calls[0].ID, Merge{"bob", calls[1].ID}); err != nil {
			t.Fatal(err)
		}
		eve := w.registers("eve", store.Desk)
		w.toPhone("eve", "204")
		third := w.dials("bob", "204")
		eve.rings()
		eve.answers()
		third.acks()
		member := bob // whichever of bob's legs is left
		if bob.over {
			t.Fatalf("bob saw %q", bob.log)
		}
		third.attends(member)
		if third.log[len(third.log)-1] != "hangup 200" || member.log[len(member.log)-1] != "hangup 200" {
			t.Errorf("bob saw %q and %q", third.log, member.log)
		}
		for _, s := range w.m.Active() {
			members := 0
			for _, l := range s.Legs {
				if l.Member {
					members++
				}
			}
			if members != 3 {
				t.Errorf("%d members: %+v", members, s.Legs)
			}
		}
		alice.hangsUp()
		eve.talksTo(cyd)
	})
}

// TestReferToAForeignDialog: the Replaces header of a dialog that is not ours goes to whoever has it.
func TestReferToAForeignDialog(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(60, outside("+12025559000"))}, End: toHangup()},
			Direction: store.Outbound, To: "+12025559000", Caller: Party{Number: "+12025550001"}}
		bob.does(LegEvent{Type: Referred, Target: "+12025559000", ReplacesHeader: "x@there;to-tag=1;from-tag=2"})
		carrier := w.line("trunk", "+12025559000")
		if carrier.req.Replaces != "x@there;to-tag=1;from-tag=2" {
			t.Errorf("carrier was asked for %q", carrier.req.Replaces)
		}
		carrier.answers()
		alice.talksTo(carrier)
	})
}
