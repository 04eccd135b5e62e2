package call

import (
	"fmt"
	"math/bits"

	"strowger/sip/call/script"
)

// chance is a script that answers whatever happens with acts that nobody can foresee, the same ones every time.
type chance struct{ seed uint64 }

func (c chance) Next(in script.In) (script.Script, []script.Act) {
	next := (c.seed+uint64(len(fmt.Sprintf("%T", in))))*0x9e3779b97f4a7c15 + 1
	say := script.Say{Phrases: []script.Phrase{script.Prompt{Name: "x"}}, Whole: next%3 == 0}
	acts := [][]script.Act{
		{say, script.Listen{}}, {say}, {script.Listen{Seconds: int(next % 99)}}, {script.Ask{Question: 1}}, {script.Echo{}}, {say, say},
		{script.Record{File: "x"}}, {say, script.Dial{Target: "202"}}, {script.Join{Room: "801"}}, {script.End{}}, {script.End{Code: 404}}, nil, {script.Ask{}, say},
	}
	return chance{bits.RotateLeft64(next, 17)}, acts[bits.RotateLeft64(next, 7)%uint64(len(acts))]
}

// serviceEvent is what a service waits for, or something else that one might get.
func (p pick) serviceEvent(s *State) What {
	token := s.Service.Token
	if p(6) == 0 {
		token += p(3) - 1
	}
	switch k := p(10); {
	case s.Service.Step == ServiceJoining && k > 5:
		return RoomFound{Call: "y", Err: []string{"", "", "none"}[p(3)]}
	case k == 0:
		return Timer{s.Service.Timer}
	case k == 1:
		return DialPlanned{Planned{Plan: testPlans[p(len(testPlans))], Direction: testBy[p(3)], To: "202"}}
	case k == 2 || s.Service.Step == ServiceAsking:
		return ServiceSays{Token: token, Err: []string{"", "no disk"}[p(2)]}
	case s.Service.Step == ServiceOpening:
		if p(9) == 0 {
			return ScriptReady{}
		}
		return ScriptReady{chance{uint64(p(250))}}
	case s.Service.Step == ServiceDialling:
		return DialPlanned{Planned{Plan: testPlans[p(len(testPlans))], Direction: testBy[p(3)], To: "202"}}
	}
	return PhrasesMade{Token: token, Files: [][]string{nil, {"a"}, {"a", "b"}}[p(3)]}
}

// roomEvent is what happens in a room.
func (p pick) roomEvent(s *State) Event {
	switch p(6) {
	case 0:
		var to []Endpoint
		for range p(4) {
			to = append(to, testTo[p(2)])
		}
		return Event{Leg: noLeg, What: PageFound{to}}
	case 1:
		return Event{Leg: p(len(s.Legs) + 1), What: PeerSpeaks{p(2) == 0}}
	case 2:
		return Event{Leg: noLeg, What: Timer{s.Room.Timer}}
	case 3:
		return Event{Leg: p(len(s.Legs) + 1), What: PeerDigit{Digit: "134*"[p(4)]}}
	}
	l := LegState{ID: "z.1", Phase: LegUp, Peer: "+1", Media: true, Codecs: testCodecs[p(2)], Direction: testWays[p(4)]}
	if p(6) == 0 {
		l.Phase = LegRinging
	}
	seat := Place{Call: "x", Moderator: p(2) == 0}
	return Event{Leg: noLeg, What: Adopted{From: "z", How: []How{HowRoom, HowMerge}[p(2)], Seat: seat, Leg: l}}
}

// keyTransfer is a transfer by keys up to the moment in which the target rings, where the call is such that one can begin.
func (p pick) keyTransfer(c *stepped) {
	s := &c.s
	if s.Phase != Up || s.Peer == 0 || s.Transfer.Step != TransferNone {
		return
	}
	by := []int{s.Caller, s.Peer}[p(2)]
	for _, key := range []string{"*25#", "##5#"}[p(2)] {
		c.step(Event{Leg: by, What: PeerDigit{Digit: byte(key)}})
	}
	if s.Transfer.Step == TransferAsking {
		c.step(Event{Leg: noLeg, What: TransferPlanned{Planned{Plan: testPlans[p(3)], Direction: testBy[p(3)], To: "203"}}})
		c.step(Event{Leg: noLeg, What: Found{Stage: s.Stage, Lines: []Line{{0, testTo[p(3):]}}}})
	}
	if p(2) == 0 {
		c.step(Event{Leg: len(s.Legs) - 1, What: PeerAnswered{Codecs: testCodecs[p(2)]}})
	}
}
