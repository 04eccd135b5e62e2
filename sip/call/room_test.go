package call

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"strowger/routing"
	"strowger/store"
)

// joins lets a user dial room 801; the PIN's keys follow.
func (w *world) joins(name, service, pin string) *phone {
	w.t.Helper()
	w.serves(service, "801", 0)
	p := w.dials(name, "801", func(in *Incoming) { in.From.Number = name })
	p.acks()
	w.after(500 * time.Millisecond)
	for i := range len(pin) {
		p.presses(pin[i])
	}
	w.after(500 * time.Millisecond)
	return p
}

// inRoom checks who is in the mixer that was made last, by the order of their sessions.
func (w *world) inRoom(want ...*phone) {
	w.t.Helper()
	w.after(100 * time.Millisecond)
	var sessions []*session
	for _, p := range want {
		sessions = append(sessions, p.media())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	got := w.mixers[len(w.mixers)-1].members
	if len(got) != len(sessions) {
		w.t.Errorf("%d parties are in the room, want %d", len(got), len(want))
	}
	for i, s := range sessions {
		if !slices.Contains(got, s) {
			w.t.Errorf("%s is not in the room", want[i].name)
		}
	}
}

func (w *world) muted(p *phone) bool {
	s := p.media()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mixers[len(w.mixers)-1].muted[s]
}

func TestConference(t *testing.T) {
	story(t, func(w *world) {
		ann := w.joins("ann", "room", "")
		w.inRoom(ann)
		ann.hears("conf-alone")
		bob := w.joins("bob", "room", "")
		cyd := w.joins("cyd", "room", "")
		w.inRoom(ann, bob, cyd)
		if len(w.mixers) != 1 || len(w.m.Active()) != 1 {
			t.Errorf("%d mixers, %d calls", len(w.mixers), len(w.m.Active()))
		}
		if !slices.Equal(w.m.counts.busyUsers, []string{"ann", "bob", "cyd"}) {
			t.Errorf("busy are %v", w.m.counts.busyUsers)
		}
		w.mixers[0].opt.Post(MixerEvent{Type: MixerSpeaking, Member: 1})
		w.after(time.Second)
		shot := w.m.Active()[0]
		if shot.Room == nil || shot.Room.Extension != "801" || !shot.Legs[1].Speaking || !shot.Legs[1].Member || shot.Legs[0].Speaking {
			t.Errorf("the page sees %+v", shot)
		}
		bob.hangsUp()
		w.inRoom(ann, cyd)
		ann.media().says(MediaEvent{Type: MediaLost, Why: "network"}) // disturbs nobody
		w.inRoom(cyd)
		ann.saw("200", "hangup 408")
		cyd.reoffers("sendonly PCMU")
		w.after(time.Second)
		if !w.muted(cyd) {
			t.Error("who holds plays music into the conference")
		}
		cyd.hangsUp()
		w.after(time.Second)
		if !w.mixers[0].closed || len(w.m.Active()) != 0 {
			t.Error("the conference goes on without anybody")
		}
		if len(w.closed) != 4 {
			t.Fatalf("%d records", len(w.closed))
		}
		for _, r := range w.closed {
			if r.Disposition != store.Answered || len(r.Related) == 0 {
				t.Errorf("record %+v", r)
			}
		}
	})
}

func TestConferencePIN(t *testing.T) {
	story(t, func(w *world) {
		ann := w.joins("ann", "room-pin", "4711#")
		w.inRoom(ann)
		bob := w.joins("bob", "room-pin", "1#")
		w.inRoom(ann)
		bob.hears("conf-pin-wrong")
		bob.hangsUp()
		mod := w.joins("mod", "room-pin", "0815#")
		w.inRoom(ann, mod)
		ann.presses('4') // is no moderator
		mod.presses('4')
		w.after(time.Second)
		mod.hears("conf-now-locked")
		late := w.joins("late", "room-pin", "4711#")
		w.inRoom(ann, mod)
		late.hears("conf-locked")
		late.media().played()
		w.after(time.Second)
		late.saw("200", "hangup 0")
		ann.presses('1')
		w.after(time.Second)
		ann.hears("conf-muted")
		if !w.muted(ann) || w.muted(mod) {
			t.Error("ann is not muted, or mod is")
		}
		ann.presses('3')
		w.inRoom(mod)
		mod.hangsUp()
	})
}

func TestConferenceIsFull(t *testing.T) {
	story(t, func(w *world) {
		w.roomMax = 2
		ann, bob := w.joins("ann", "room", ""), w.joins("bob", "room", "")
		cyd := w.joins("cyd", "room", "")
		cyd.hears("conf-full")
		w.inRoom(ann, bob)
		for _, p := range []*phone{ann, bob, cyd} {
			p.hangsUp()
		}
	})
}

// TestRoomEndsAsOneComes: the last one leaves in the moment in which another is on the way.
func TestRoomEndsAsOneComes(t *testing.T) {
	story(t, func(w *world) {
		ann := w.joins("ann", "room", "")
		bob := w.joins("bob", "room-pin", "4711")
		ann.leaves()
		bob.post(LegEvent{Type: Digit, Digit: '#', Millis: 100})
		ann.post(LegEvent{Type: Ended})
		w.after(time.Second)
		w.inRoom(bob)
		bob.hangsUp()
	})
}

func TestHundredInAConference(t *testing.T) {
	story(t, func(w *world) {
		w.manager().cfg.Limits.PerUser = 0
		w.roomMax = 100
		var all []*phone
		for i := range 100 {
			all = append(all, w.joins(fmt.Sprintf("user%d", i), "room", ""))
		}
		w.inRoom(all...)
		for _, p := range all {
			p.hangsUp()
		}
	})
}

func TestNoSuchRoom(t *testing.T) {
	story(t, func(w *world) {
		w.serves("room", "802", 0)
		ann := w.dials("ann", "802")
		ann.acks()
		w.after(time.Second)
		ann.hears("sorry")
		ann.hangsUp()
	})
}

func TestShutdownEndsConferences(t *testing.T) {
	story(t, func(w *world) {
		w.joins("ann", "room", "")
		w.joins("bob", "room", "")
	})
}

func TestPage(t *testing.T) {
	story(t, func(w *world) {
		bob, cyd := w.registers("bob", store.Desk), w.registers("cyd", store.Desk)
		w.registers("dee", store.Browser)
		eve := w.registers("eve", store.Desk)
		w.serves("echo", "", 0)
		busy := w.dials("eve", "*43")
		w.dialled = &Dialled{Direction: store.Internal, To: "850", Caller: Party{Number: "201"}, Plan: routing.Plan{Stages: []routing.Stage{},
			End: &routing.End{Action: routing.EndService, Service: routing.ServicePage, Arg: "850", Users: []string{"bob", "cyd", "dee", "eve"}}}}
		ann := w.dials("ann", "850")
		ann.acks()
		bob.rings()
		if !slices.ContainsFunc(bob.req.Headers, func(h Header) bool { return h.Name == "Call-Info" }) {
			t.Errorf("bob's phone is told %v", bob.req.Headers)
		}
		eve.silent()
		bob.answers()
		cyd.rings()
		w.inRoom(ann, bob)
		ann.hears("beep")
		if w.muted(ann) || !w.muted(bob) {
			t.Error("the wrong ones are muted")
		}
		w.after(20 * time.Second) // cyd's phone does not answer by itself
		cyd.saw("hangup 480")
		ann.hangsUp()
		bob.saw("hangup 0")
		busy.hangsUp()
	})
}

func TestPageNobody(t *testing.T) {
	story(t, func(w *world) {
		w.serves(routing.ServicePage, "850", 0)
		ann := w.dials("ann", "850")
		w.after(time.Second)
		ann.saw("200", "hangup 0")
	})
}

// TestMerge: bob, who talks to alice from outside and has called cyd, merges the two calls; when one leaves, the others talk
// as before.
func TestMerge(t *testing.T) {
	for _, leaver := range []string{"alice", "bob", "cyd"} {
		t.Run(leaver, func(t *testing.T) {
			story(t, func(w *world) {
				alice, bob, ask, cyd := consults(w, true)
				calls := w.m.Active()
				if err := w.ordersOf(calls[0].ID, Merge{"bob", calls[1].ID}); err != nil {
					t.Fatal(err)
				}
				ask.saw("180", "200", "hangup 200")
				w.inRoom(alice, bob, cyd)
				if !w.muted(bob) {
					t.Error("bob's phone still holds, and plays its music to the others")
				}
				bob.reoffers("sendrecv PCMU")
				w.after(time.Second)
				shot := w.m.Active()[0]
				if w.muted(bob) || shot.Room == nil || shot.Room.Kind != "merged" || len(w.m.Active()) != 1 {
					t.Errorf("the page sees %+v", shot)
				}
				left := map[string]*phone{"alice": alice, "bob": bob, "cyd": cyd}
				left[leaver].hangsUp()
				delete(left, leaver)
				w.after(time.Second)
				var two []*phone
				for _, p := range left {
					two = append(two, p)
				}
				two[0].talksTo(two[1])
				two[0].hangsUp()
				two[1].saw(append(slices.Clone(two[1].log[:len(two[1].log)-1]), "hangup 0")...)
				w.records(2)
			})
		})
	}
}

// Whoever merged two outside lines takes the call along.
func TestMergedOutsideLines(t *testing.T) {
	story(t, func(w *world) {
		alice, bob := talking(w)
		bob.reoffers("sendonly PCMU")
		w.dialled = &Dialled{Plan: routing.Plan{Stages: []routing.Stage{stage(20, routing.Target{Phone: "+12025550150"})}, End: toHangup()},
			Direction: store.Outbound, To: "+12025550150", Caller: Party{Number: "+12025550001"}}
		line := w.line("trunk", "+12025550150")
		ask := w.dials("bob", "+12025550150")
		line.rings()
		line.answers()
		ask.acks()
		calls := w.m.Active()
		if err := w.ordersOf(calls[0].ID, Merge{"bob", calls[1].ID}); err != nil {
			t.Fatal(err)
		}
		w.inRoom(alice, bob, line)
		bob.hangsUp()
		w.after(time.Second)
		if n := len(w.m.Active()); n != 0 {
			t.Errorf("%d calls go on without anybody of ours", n)
		}
		w.records(2)
	})
}

func TestMergeIsRefused(t *testing.T) {
	story(t, func(w *world) {
		alice, bob, ask, cyd := consults(w, true)
		calls := w.m.Active()
		if err := w.ordersOf(calls[0].ID, Merge{"cyd", calls[1].ID}); err == nil {
			t.Error("cyd merges a call of bob's")
		}
		if err := w.ordersOf(calls[0].ID, Merge{"bob", "nothing"}); err == nil {
			t.Error("merged with nothing")
		}
		ask.talksTo(cyd)
		bob.reoffers("sendrecv PCMU")
		alice.talksTo(bob)
		alice.hangsUp()
		ask.hangsUp()
	})
}

func TestModeratorCommands(t *testing.T) {
	story(t, func(w *world) {
		ann, mod := w.joins("ann", "room-pin", "4711#"), w.joins("mod", "room-pin", "0815#")
		shot := w.m.Active()[0]
		annLeg, modLeg := shot.Legs[0].ID, shot.Legs[1].ID
		if w.orders(Kick{"ann", modLeg}) == nil || w.orders(Mute{"ann", modLeg, true}) == nil || w.orders(Lock{"ann", true}) == nil ||
			w.orders(Kick{"eve", annLeg}) == nil {
			t.Error("who is no moderator commands the room")
		}
		w.must(Mute{"ann", annLeg, true})
		w.must(Mute{"mod", annLeg, false})
		w.must(Mute{"", annLeg, true})
		w.must(Lock{"mod", true})
		if shot := w.m.Active()[0]; !shot.Legs[0].Muted || !shot.Room.Locked || !shot.Legs[1].Moderator || !w.muted(ann) {
			t.Errorf("the page sees %+v", shot)
		}
		w.must(Kick{"mod", annLeg})
		w.inRoom(mod)
		w.must(HangupLeg{modLeg})
		ann.saw("200", "hangup 480")
		mod.saw("200", "hangup 480")
	})
}

// TestTransferIntoAConference: who is transferred to a room enters it.
func TestTransferIntoAConference(t *testing.T) {
	story(t, func(w *world) {
		ann := w.joins("ann", "room", "")
		w.dialled = nil
		alice, bob := talking(w)
		w.serves("room", "801", 0)
		bob.refers("801")
		w.inRoom(ann, alice)
		bob.saw("refer 180", "refer 200", "hangup 200")
		alice.hangsUp()
		ann.hangsUp()
	})
}

// TestRoomChurn: many come and go as they like, by every way out; nothing is left of them.
func TestRoomChurn(t *testing.T) {
	story(t, func(w *world) {
		w.manager().cfg.Limits.PerUser = 0
		p, here := random(7), []*phone{}
		for n := range 300 {
			if p(3) > 0 || len(here) == 0 {
				w.serves("room", "801", 0)
				caller := w.dials(fmt.Sprintf("user%d", n), "801")
				caller.acks()
				here = append(here, caller)
				if p(3) == 0 {
					w.after(time.Duration(p(900)) * time.Millisecond)
				}
				continue
			}
			k := p(len(here))
			leaver := here[k]
			here = slices.Delete(here, k, k+1)
			switch {
			case leaver.over:
			case p(3) == 0:
				leaver.presses('3')
			case p(3) == 0:
				leaver.media().says(MediaEvent{Type: MediaLost, Why: "network"})
			}
			if !leaver.over {
				leaver.hangsUp()
			}
		}
		for _, leaver := range here {
			if !leaver.over {
				leaver.hangsUp()
			}
		}
		w.after(time.Minute)
		if n := len(w.m.Active()); n != 0 {
			t.Errorf("%d calls are left", n)
		}
		for i, m := range w.mixers {
			if !m.closed {
				t.Errorf("mixer %d is left", i)
			}
		}
	})
}
