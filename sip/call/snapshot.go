package call

import (
	"slices"
	"time"

	"strowger/routing"
	"strowger/store"
)

// Snapshot is a call as the page shows it. It is never changed after it was made.
type Snapshot struct {
	ID        string `json:"id"`
	Direction string `json:"direction"` // "" until routing has spoken
	From      Party  `json:"from"`
	FromUser  string `json:"from_user,omitempty"`
	To        string `json:"to"`
	Trunk     string `json:"trunk,omitempty"`
	Phase     string `json:"phase"`               // routing | ringing | up | ended
	Recording string `json:"recording,omitempty"` // starting | announcing | on | paused
	Voicemail bool   `json:"voicemail,omitempty"`
	// Emergency is set for a call for help: where the caller sits and which number the dispatcher sees.
	Emergency   *routing.Emergency `json:"emergency,omitempty"`
	Room        *RoomSnapshot      `json:"room,omitempty"`
	Service     string             `json:"service,omitempty"` // the voice application that has the caller
	Stage       int                `json:"stage"`             // index of the plan's stage
	Step        string             `json:"step,omitempty"`    // the policy's step that the stage comes from
	Match       string             `json:"match,omitempty"`   // why that step applied
	Start       time.Time          `json:"start"`
	Ringing     time.Time          `json:"ringing,omitzero"`
	Answer      time.Time          `json:"answer,omitzero"`
	End         time.Time          `json:"end,omitzero"`
	Disposition string             `json:"disposition,omitempty"` // once ended
	Orbit       string             `json:"orbit,omitempty"`       // where it is parked
	Transfer    *TransferSnapshot  `json:"transfer,omitempty"`
	AnsweredBy  string             `json:"answered_by,omitempty"`
	Reason      string             `json:"reason,omitempty"`
	// Related are other calls that this one has to do with: whence legs came, and whither they went.
	Related []store.RelatedCall `json:"related,omitempty"`
	Legs    []LegSnapshot       `json:"legs"`
}

// TransferSnapshot is a transfer under way.
type TransferSnapshot struct {
	Step   string `json:"step"` // asking | ringing | moving (to another call)
	By     string `json:"by"`   // user or number
	Target string `json:"target"`
}

// LegSnapshot is one leg. SIPCallID is the Call-ID header by which a phone knows the call.
type LegSnapshot struct {
	ID        string    `json:"id"` // names it in commands, also after it has moved to another call
	Peer      string    `json:"peer"`
	User      string    `json:"user,omitempty"`
	Device    string    `json:"device,omitempty"`
	Kind      string    `json:"kind,omitempty"`
	Trunk     string    `json:"trunk,omitempty"`
	SIPCallID string    `json:"sip_call_id,omitempty"`
	Caller    bool      `json:"caller,omitempty"`
	State     string    `json:"state"` // idle | dialling | ringing | confirming | answered | up | ending | ended | moved
	Held      bool      `json:"held,omitempty"`
	Member    bool      `json:"member,omitempty"` // of the room
	Moderator bool      `json:"moderator,omitempty"`
	Muted     bool      `json:"muted,omitempty"`
	Speaking  bool      `json:"speaking,omitempty"`
	HeldBy    string    `json:"held_by,omitempty"` // phone | us (by a command)
	Music     bool      `json:"music,omitempty"`   // it hears music on hold
	Since     time.Time `json:"since"`
	Step      string    `json:"step,omitempty"`  // why it rings: the policy's step
	Match     string    `json:"match,omitempty"` // and why that step applied
	Code      int       `json:"code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Troubles  []Trouble `json:"troubles,omitempty"` // what is wrong with what it sends
}

// Measured is the quality of a call in progress.
type Measured struct {
	Call Snapshot
	Legs []LegMeasured // those that have media
}

// LegMeasured is that of one leg; Leg is its index in Call.Legs.
type LegMeasured struct {
	Leg   int
	Media store.MediaStat
}

// RoomSnapshot is the room of a call in which more than two talk.
type RoomSnapshot struct {
	Kind      string `json:"kind"` // conference | merged | page
	Extension string `json:"extension,omitempty"`
	Locked    bool   `json:"locked,omitempty"`
}

// Change is a live event for subscribers.
type Change struct {
	Kind string   `json:"kind"` // started | changed | ended
	Call Snapshot `json:"call"`
}

// The kinds of Change.
const (
	CallStarted = "started"
	CallChanged = "changed"
	CallEnded   = "ended"
)

// snapshot makes the picture of s. id is separate because it is known before the first event.
func snapshot(s *State, callIDs func(leg int) string) Snapshot {
	plan := s.first()
	out := Snapshot{
		ID: s.Start.ID, Direction: plan.Direction, From: plan.Caller, FromUser: s.Start.User, To: s.called(), Trunk: s.Start.Trunk,
		Phase: s.Phase.String(), Voicemail: s.VM.Step != VMNone, Stage: s.Stage, Ringing: s.RingingAt, Answer: s.AnswerAt,
		Start: s.Start.At, End: s.EndAt, Disposition: s.Disposition, AnsweredBy: s.AnsweredBy, Reason: s.Why, Related: s.Related,
		Recording: tapeStepNames[s.Tape.Step],
		Legs:      make([]LegSnapshot, len(s.Legs)),
	}
	if plan.Direction == "" {
		out.From = s.Start.From
	}
	out.Emergency = plan.Plan.Emergency
	if r := s.Room; r.Kind != RoomNone {
		out.Room = &RoomSnapshot{r.Kind.String(), r.Extension, r.Locked}
	}
	if s.Service.busy() {
		out.Service = s.Service.Name
	}
	if s.Park.Step == Parked {
		out.Orbit = s.Park.Orbit
	}
	out.Transfer = s.transferring()
	out.Step, out.Match = whyRings(&s.Plan.Plan, s.Stage)
	for i := range s.Legs {
		l := &s.Legs[i]
		out.Legs[i] = LegSnapshot{
			ID: l.ID, Peer: l.Peer, User: l.User, Device: l.Device, Kind: l.Kind, Trunk: l.Trunk, SIPCallID: callIDs(i), Caller: i == s.Caller,
			State: l.Phase.String(), Held: l.held() || l.OnHold, HeldBy: l.heldBy(), Music: l.Music, Member: l.In, Moderator: l.Moderator, Muted: l.Muted, Speaking: l.Speaking, Since: l.since(), Code: l.Code, Reason: l.Reason,
			Troubles: l.Troubles,
		}
		if l.GoneTo != "" {
			out.Legs[i].State = "moved"
		}
		if l.Moved {
			out.Legs[i].Step = "transfer"
			if l.AutoAnswer {
				out.Legs[i].Step = "page"
			}
			continue
		}
		out.Legs[i].Step, out.Legs[i].Match = whyRings(&plan.Plan, l.Stage)
	}
	return out
}

// transferring is the transfer under way, nil = none.
func (s *State) transferring() *TransferSnapshot {
	t := &TransferSnapshot{Target: s.Transfer.Target}
	switch {
	case s.Phase == Over:
		return nil
	case s.Handing.To != "":
		t.Step, t.By, t.Target = "moving", s.Handing.Was.name(), s.Handing.To
		return t
	case s.Transfer.Step == TransferAsking:
		t.Step = "asking"
	case s.Transfer.Step == TransferRinging:
		t.Step = "ringing"
	default:
		return nil
	}
	t.By = s.Legs[s.Transfer.By].name()
	return t
}

// heldBy says who holds for the party: its phone, or we.
func (l *LegState) heldBy() string {
	switch {
	case l.OnHold:
		return "us"
	case l.held():
		return "phone"
	}
	return ""
}

// to is the called number as routing understood it.
func (s *State) to() string {
	if s.Plan.To != "" {
		return s.Plan.To
	}
	return s.Start.To
}

// called is the number that the call began with.
func (s *State) called() string {
	if to := s.first().To; to != "" {
		return to
	}
	return s.Start.To
}

// since is when the leg came into its phase, as far as it was noted.
func (l *LegState) since() time.Time {
	for _, t := range []time.Time{l.End, l.Answer, l.Ringing} {
		if !t.IsZero() {
			return t
		}
	}
	return l.Start
}

// whyRings finds the trace's reason for a stage: the step, and why it applied.
func whyRings(p *routing.Plan, stage int) (step, match string) {
	if stage < 0 || stage >= len(p.Stages) {
		return "", ""
	}
	st := &p.Stages[stage]
	if row := findRow(p.Trace, "", st); row != nil {
		return st.Step, row.Reason
	}
	return st.Step, ""
}

// findRow looks for the row that made the stage, in the trace of the number whose plan it is from.
func findRow(rows []routing.Row, number string, st *routing.Stage) *routing.Row {
	if number == st.Number {
		if k := slices.IndexFunc(rows, func(r routing.Row) bool { return r.Step == st.Step && r.Outcome == "stage" }); k >= 0 {
			return &rows[k]
		}
	}
	for i := range rows {
		if len(rows[i].Trace) > 0 {
			if row := findRow(rows[i].Trace, rows[i].Number, st); row != nil {
				return row
			}
		}
	}
	return nil
}

// looksAlike reports whether two states show the same picture, so that subscribers need not be told.
func looksAlike(a, b *State) bool {
	if a.Phase != b.Phase || a.Stage != b.Stage || a.Plan.Direction != b.Plan.Direction || a.VM.Step != b.VM.Step || a.Tape.Step != b.Tape.Step ||
		a.Service.busy() != b.Service.busy() || a.Room.Kind != b.Room.Kind || a.Room.Locked != b.Room.Locked ||
		a.Disposition != b.Disposition || len(a.Legs) != len(b.Legs) || len(a.Related) != len(b.Related) ||
		a.Transfer.Step != b.Transfer.Step || a.Park.Step != b.Park.Step || a.Handing.To != b.Handing.To {
		return false
	}
	for i := range a.Legs {
		if x, y := &a.Legs[i], &b.Legs[i]; x.In != y.In || x.Muted != y.Muted || x.Speaking != y.Speaking {
			return false
		}
		if a.Legs[i].OnHold != b.Legs[i].OnHold || a.Legs[i].Music != b.Legs[i].Music || a.Legs[i].Phase != b.Legs[i].Phase || a.Legs[i].held() != b.Legs[i].held() ||
			len(a.Legs[i].Troubles) != len(b.Legs[i].Troubles) {
			return false
		}
	}
	return true
}
