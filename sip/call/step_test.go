package call

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/routing"
	"strowger/store"
)

// The plans of the random calls.
var (
	testPlans = []routing.Plan{
		{End: toVoicemail("bob"), Stages: []routing.Stage{stage(20, user("bob", "browser", "desk", "phone")), stage(0, outside("+1500"))}},
		{End: toHangup(), Stages: []routing.Stage{stage(20, user("ann", "desk"), user("bob", "desk", "mobile"), outside("+1500"))}},
		{End: toHangup(), Stages: []routing.Stage{stage(20, routing.Target{Phone: "+1500", CallConnect: true}), {Step: "workflow", Workflow: "w"}}},
		{End: toVoicemail("bob"), Stages: []routing.Stage{stage(20, outside("+1500"))}},
		{End: toVoicemail("bob")},
		{End: toHangup(), Stages: []routing.Stage{{Step: "workflow", Workflow: "w"}, stage(20, user("bob", "desk"))}},
		{End: toVoicemail("bob"), Stages: []routing.Stage{{Step: "workflow", Workflow: "w", Number: "+3"}}},
		{},
		{End: &routing.End{Action: routing.EndRefuse, Code: 404}},
		{End: &routing.End{Action: routing.EndService, Service: "s"}},
		{End: &routing.End{Action: routing.EndService, Service: routing.ServicePage, Users: []string{"bob"}}},
		{End: &routing.End{Action: routing.EndService, Service: routing.ServiceOrbit, Arg: "701"}},
		{End: &routing.End{Action: routing.EndService, Service: routing.ServicePickup, Users: []string{"bob"}}},
		{End: &routing.End{Action: routing.EndService, Service: "s", Code: 404}, Stages: []routing.Stage{stage(20, user("bob", "desk"))}},
	}
	testCodecs  = [][]string{{"PCMU", "PCMA"}, {"opus", "G722"}, nil, {"G722"}}
	testCodes   = []int{180, 183, 302, 404, 408, 480, 486, 487, 488, 500, 503, 600, 603}
	testActions = []string{routing.ActMenu, routing.ActMenu, routing.ActSay, routing.ActPlay, routing.ActRing, routing.ActRing, routing.ActRing,
		routing.ActWebhook, routing.ActVoicemail, routing.ActHangup, routing.ActContinue}
	testWays   = []string{"", "sendonly", "sendrecv", "inactive"}
	testDigits = []byte("1#50*23#")
	testBy     = []string{store.Inbound, store.Outbound, store.Internal}
	testTo     = []Endpoint{{Binding: &store.Binding{User: "bob", Kind: "desk", Contact: "a"}},
		{Binding: &store.Binding{User: "bob", Kind: "browser", Contact: "b"}, WebRTC: true},
		{Trunk: "t1", Number: "+1500", Refer: true}, {Trunk: "t2", Number: "+1500", Codecs: []string{"PCMA"}}}
)

// pick draws numbers: below n, from whatever source a test has.
type pick func(n int) int

func (p pick) one(codes []int) int { return codes[p(len(codes))] }

// begin are the first events of a call.
func (p pick) begin(c *stepped) {
	begun := Started{ID: "x", From: Party{Number: "+1"}, To: "+2", Delayed: p(4) == 0, EarlyMedia: p(3) == 0, WebRTC: p(3) == 0, Originate: p(8) == 0}
	if p(2) == 0 && begun.Originate {
		begun.Phone = "+1600"
	}
	if p(3) == 0 || begun.Originate {
		begun.User = "ann"
	}
	if p(8) == 0 && begun.User == "" {
		begun.RoomMax, begun.Originate = 1+p(4), false
	}
	if begun.User == "" && p(2) == 0 {
		begun.Trunk, begun.Refer = "t1", p(4) != 0
	}
	begun.InCall = InCall{Transfer: "*2", Blind: "##"}
	if p(50) == 0 {
		begun.Refuse = 503
	}
	if p(20) == 0 && !begun.Originate {
		begun.Replaces = Place{Call: "y", Leg: "y.1"}
	}
	c.step(Event{Leg: noLeg, What: begun})
	if p(20) != 0 {
		c.step(Event{Leg: noLeg, What: Planned{Plan: testPlans[p(len(testPlans))], Direction: testBy[p(3)], To: "+2"}})
	}
	if p(20) != 0 && !begun.Originate && begun.RoomMax == 0 {
		offer := OfferTaken{Codecs: testCodecs[p(2)]}
		if begun.Delayed {
			offer.Codecs = nil
		}
		c.step(Event{Leg: 0, What: offer})
	}
}

// event is any event, on any leg, likely or not.
func (p pick) event(s *State) Event {
	e := Event{Leg: noLeg}
	if p(4) == 0 {
		e.What = p.callEvent(s)
		return e
	}
	if s.Keying.On && p(2) == 0 {
		return Event{Leg: s.Keying.By, What: PeerDigit{Digit: testDigits[p(len(testDigits))]}}
	}
	if s.Phase == Up && s.Peer != 0 && p(4) == 0 { // codes within the call
		e.Leg, e.What = []int{s.Caller, s.Peer}[p(2)], PeerDigit{Digit: "*2##"[p(4)]}
		return e
	}
	if s.Transfer.Consult && p(6) == 0 {
		e.Leg, e.What = s.Transfer.By, []What{PeerDigit{Digit: '*'}, PeerGone{}}[p(2)]
		return e
	}
	if s.Room.Kind != RoomNone && p(3) == 0 {
		return p.roomEvent(s)
	}
	if s.Transfer.Step == TransferAsking && p(3) == 0 {
		e.What = p.transferPlan()
		return e
	}
	e.Leg = p(len(s.Legs) + 1)
	if s.Phase == Up && s.Peer != 0 && p(5) == 0 {
		e.What = PeerReferred{Target: "203", Attended: p(3) == 0, With: Place{Call: []string{"", "x", "y", "y"}[p(4)]}}
		return e
	}
	if s.Carrier.waits() && p(2) == 0 || p(200) == 0 {
		e.Leg, e.What = s.Carrier.Leg, CarrierSays{p.one(append([]int{100, 200}, testCodes...))}
		return e
	}
	if s.Handing.To != "" && p(3) == 0 || p(60) == 0 {
		e.Leg, e.What = noLeg, p.outcome(s)
		return e
	}
	if p(20) == 0 {
		e.Leg, e.What = noLeg, p.newcomer(s)
		return e
	}
	if i := slices.IndexFunc(s.Legs, func(l LegState) bool { return l.Deflecting }); i >= 0 && p(2) == 0 || p(100) == 0 {
		e.Leg, e.What = noLeg, p.deflection(i)
		return e
	}
	if p(8) == 0 || s.Park.Step == ParkAsking && p(2) == 0 {
		e.Leg, e.What = noLeg, p.command(s)
		return e
	}
	switch k := p(24); {
	case k < 4:
		e.What = PeerProgress{Code: p.one(testCodes[:2]), Codecs: testCodecs[p(3)]}
	case k < 8:
		e.What = PeerAnswered{Codecs: testCodecs[p(2)]}
	case k < 11:
		e.What = PeerFailed{Code: p.one(testCodes[2:])}
		if p(6) == 0 {
			e.What = PeerDeflected{Code: 302, To: []string{"203"}}
		}
	case k < 13:
		e.What = PeerAcked{}
	case k == 13:
		e.What = PeerGone{Reason{"SIP", p.one(testCodes), "x"}}
	case k == 14:
		e.What = PeerCancelled{}
	case k == 15:
		e.What = PeerReoffered{Codecs: testCodecs[p(4)], Direction: testWays[p(4)]}
	case k == 16:
		e.What = PeerDigit{Digit: testDigits[p(len(testDigits))], Relayed: p(2) == 0}
	case k == 17:
		e.What = MediaBroken{Code: []int{488, 408, 503}[p(3)], Why: "x"}
	case k == 18:
		e.What = MediaQuiet{}
	case k == 19:
		e.What = RecordDone{Seconds: float64(p(3)), Why: "limit"}
	case k == 20:
		e.What = MediaUp{}
	case k == 21:
		e.What = PeerRedirected{testWays[p(4)]}
	default:
		e.What = p.played(s, e.Leg)
	}
	return e
}

// played is the end of what the leg hears, or of something that it heard before.
func (p pick) played(s *State, leg int) What {
	if leg < len(s.Legs) && p(4) != 0 {
		return PlayDone{s.Legs[leg].Sound}
	}
	return PlayDone{p(s.Gen + 1)}
}

func (p pick) callEvent(s *State) What {
	if s.Walk.busy() && p(3) != 0 {
		return p.walkEvent(s)
	}
	if s.Service.busy() && p(3) != 0 {
		return p.serviceEvent(s)
	}
	if (s.Peer != 0 || s.Tape.Step != TapeOff) && p(2) == 0 {
		return p.tapeEvent(s)
	}
	switch p(9) {
	case 0, 1, 2:
		var lines []Line
		for range p(4) {
			to := testTo[p(len(testTo)):]
			lines = append(lines, Line{p(3), to})
		}
		return Found{Stage: s.Stage, Lines: lines}
	case 3, 4:
		return Registered{"bob", testTo[p(2)]}
	case 5:
		return Timer{p(s.Gen + 1)}
	case 6:
		return MailboxReady{Full: p(6) == 0, Review: p(2) == 0, Operator: p(2) == 0}
	case 7:
		if p(6) == 0 {
			return HangupCall{}
		}
		return Timer{[]int{s.RingTimer, s.Keying.Timer}[p(2)]}
	}
	if p(30) == 0 {
		return p.transferPlan()
	}
	if p(8) == 0 {
		return MailboxReady{Err: "no disk"}
	}
	return MailboxReady{Full: p(6) == 0, Review: p(2) == 0, Operator: p(2) == 0}
}

// deflection is where the phone of a leg sent the call.
func (p pick) deflection(leg int) What {
	found := DeflectionFound{Leg: leg, By: Party{Number: "+3"}, Refused: []string{"911"}}
	for range p(3) {
		t := []routing.Target{user("bob", "desk"), user("eve", "desk"), outside("+1500")}[p(3)]
		found.Lines = append(found.Lines, DeflectedLine{t, testTo[p(len(testTo)):]})
	}
	return found
}

func (p pick) transferPlan() What {
	return TransferPlanned{Planned{Plan: testPlans[p(len(testPlans))], Direction: testBy[p(3)], To: "203"}}
}

// command is one that people give, or the answer to what one needed to know.
func (p pick) command(s *State) What {
	user := []string{"", "ann", "bob", "dee"}[p(4)]
	leg := "x.9"
	if k := p(len(s.Legs) + 1); k < len(s.Legs) {
		leg = s.Legs[k].ID
	}
	k := p(14)
	if s.Park.Step == ParkAsking && p(2) == 0 {
		k = 8 + p(2)
	}
	switch k {
	case 8:
		return OrbitClaimed{"701", p(3) != 0}
	case 9:
		return OrbitFound{[]string{"", "z"}[p(2)]}
	case 10:
		return RingingFound{Place{Call: []string{"", "z"}[p(2)], User: "bob"}}
	case 11:
		return Timer{s.Park.Timer}
	}
	commands := []Command{Hold{user}, Hold{user}, Resume{user}, TransferTo{user, "203"}, ParkOn{user, "701"}, Complete{user, "z"},
		SendDigits{user, "12"}, PlayTo{Leg: leg, file: "x.wav"}, HangupLeg{leg}}
	commands = append(commands, Mute{user, leg, p(2) == 0}, Kick{user, leg}, Lock{user, p(2) == 0}, mergeInto{user, "y"})
	return Commanded{1 + p(1<<40), commands[p(len(commands))]}
}

// outcome of a leg's move to another call.
func (p pick) outcome(s *State) What {
	to := s.Handing.To
	if p(10) == 0 {
		to = "z"
	}
	if p(2) == 0 {
		return Joined{to, "cyd", p(2) == 0}
	}
	if s.Handing.Taken {
		return Settled{to, []int{200, 486}[p(2)]}
	}
	return Returned{to, 481, "the other call is over"}
}

// newcomer is a leg that another call sends: one that talks, or that waits for an answer.
func (p pick) newcomer(s *State) What {
	l := LegState{ID: "z.1", Phase: LegUp, Peer: "dee", User: []string{"", "dee"}[p(2)], Kind: "desk", Media: true, Codecs: testCodecs[p(2)],
		Direction: testWays[p(4)]}
	if p(3) == 0 && s.Park.Step == Parked {
		return Adopted{From: "z", How: HowRetrieve, Seat: Place{Call: "x", Orbit: s.Park.Orbit}, Leg: l}
	}
	if p(2) == 0 {
		l.Phase, l.Called, l.Codecs = []LegPhase{LegIdle, LegRinging, LegAnswered}[p(3)], true, testCodecs[p(3)]
	}
	if l.User == "" && p(2) == 0 {
		l.Trunk, l.Refer = "t1", true
	}
	seat := Place{Call: "x", User: []string{"", "bob", "ann"}[p(3)]}
	if k := p(len(s.Legs) + 1); k < len(s.Legs) && p(4) != 0 {
		seat = Place{Call: "x", Leg: s.Legs[k].ID}
	}
	return Adopted{From: "z", How: []How{HowTransfer, HowReplaces, HowPickup, HowMerge, HowMerge, HowRoom}[p(6)], Seat: seat, Leg: l}
}

// walkEvent is what a workflow waits for, or something else that one might get.
func (p pick) walkEvent(s *State) What {
	switch k := p(8); {
	case k == 0:
		return Timer{s.WalkTimer}
	case k == 1:
		return SoundMade{s.Walk.Token + p(2), []string{"", "hello.wav"}[p(2)]}
	case k == 2:
		return WebSays{Token: s.Walk.Token + p(2), Node: "n"}
	case s.Walk.Step == WalkFetching:
		return SoundMade{s.Walk.Token, []string{"", "hello.wav"}[p(2)]}
	case s.Walk.Step == WalkHook:
		return WebSays{Token: s.Walk.Token, Err: []string{"", "no route"}[p(2)]}
	}
	next := WalkAction{Action: routing.Action{Kind: testActions[p(len(testActions))], Node: "n", Try: p(3), Tag: []string{"", "x"}[p(2)]}}
	if next.Kind == routing.ActRing {
		next.Stages = [][]routing.Stage{
			{stage(20, user("bob", "desk"), outside("+1500"))},
			{stage(0, user("ann", "desk")), {Step: "workflow", Workflow: "inner", Number: "+4"}, stage(9, routing.Target{Phone: "+1500", CallConnect: true})},
			nil,
		}[p(3)]
	}
	return WorkflowSays{next}
}

// run plays one random call to its end and returns what was wrong with it.
func (p pick) run(steps int) string {
	var c stepped
	p.begin(&c)
	for range steps {
		if p(4) == 0 {
			p.keyTransfer(&c)
		}
		c.step(p.event(&c.s))
	}
	c.drive(p(2) == 0)
	return c.j.fault
}

// random is splitmix64: cheap, and good enough to reach every corner.
func random(seed uint64) pick {
	x := seed << 32
	return func(n int) int {
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return int((z ^ z>>31) >> 1 % uint64(n))
	}
}

// TestStepMillion plays a million random calls.
func TestStepMillion(t *testing.T) {
	const workers = 4
	calls := 1_000_000
	if testing.Short() {
		calls = 50_000
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w; n < calls; n += workers {
				if fault := random(uint64(n)).run(8 + n%40); fault != "" {
					t.Errorf("call %d: %s", n, fault)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestStepProperties lets rapid look for the shortest sequence of events that breaks a rule.
func TestStepProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pick(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") })
		if fault := p.run(p(30)); fault != "" {
			t.Fatal(fault)
		}
	})
}

// FuzzStep lets the fuzzer choose the events.
func FuzzStep(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 1, 1, 1, 2, 2, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := pick(func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		})
		if fault := p.run(min(len(data)/3, 60)); fault != "" {
			t.Fatal(fault)
		}
	})
}

// TestStepIsPure: the same state and event give the same result, and the state that was given stays as it was.
func TestStepIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pick(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") })
		var c stepped
		p.begin(&c)
		for range p(30) {
			e := p.event(&c.s)
			e.At = time.Unix(1, 0)
			before := c.s
			before.Legs = slices.Clone(before.Legs)
			s1, e1 := Step(c.s, e)
			if !reflect.DeepEqual(before, c.s) {
				t.Fatalf("%T changed the state it was given", e.What)
			}
			s2, e2 := Step(c.s, e)
			if !reflect.DeepEqual(s1, s2) || !reflect.DeepEqual(e1, e2) {
				t.Fatalf("%T gave two results", e.What)
			}
			c.step(e)
		}
	})
}

func BenchmarkStep(b *testing.B) {
	b.ReportAllocs()
	p := random(1)
	for b.Loop() {
		p.run(20)
	}
}

// tapeEvent is about a recording.
func (p pick) tapeEvent(s *State) What {
	switch n := s.Tape.Count; p(6) {
	case 0:
		return TapeReady{N: n, Err: []string{"", "no room"}[p(8)/7]}
	case 1:
		if s.Tape.Step == TapeOn || s.Tape.Step == TapePaused || s.Tape.Step == TapeStopping {
			return TapeDone{N: n, Seconds: 3, Why: []string{"stopped", "failed", "limit"}[p(3)]}
		}
		return TapeReady{N: n, File: "f"}
	case 2:
		return TapeReady{N: n, File: "f"}
	}
	return Commanded{1 + p(1<<40), RecordCall{[]string{"", "bob", "ann"}[p(3)], []string{"start", "start", "start", "stop", "pause", "resume", "toggle"}[p(7)]}}
}
