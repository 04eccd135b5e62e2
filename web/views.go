package web

import (
	"encoding/json"
	"slices"
	"time"

	"strowger/routing"
	"strowger/sip/call"
	"strowger/store"
)

// Call is a call's record as the API shows it.
type Call struct {
	ID          string    `json:"id"`
	Direction   string    `json:"direction" enum:"inbound,outbound,internal"`
	From        Party     `json:"from"`
	To          Party     `json:"to"`
	Start       time.Time `json:"start"`
	Answer      time.Time `json:"answer,omitzero"`
	End         time.Time `json:"end,omitzero"`
	Disposition string    `json:"disposition" doc:"answered, voicemail, missed, refused, busy, failed or interrupted"`
	AnsweredBy  *Party    `json:"answered_by,omitempty"`
	EndedBy     string    `json:"ended_by,omitempty" doc:"caller, callee, us or carrier"`
	Code        int       `json:"code,omitempty" doc:"Final SIP status given to the caller"`
	Reason      string    `json:"reason,omitempty"`
	Unclaimed   bool      `json:"unclaimed" doc:"A missed call that nobody has acted on yet"`
	ClaimedBy   *Party    `json:"claimed_by,omitempty"`
	Voicemail   string    `json:"voicemail,omitempty" doc:"Id of the message that the caller left"`
	// Participants are those in whose lists the call shows, as long as nobody has claimed it.
	Participants []string     `json:"participants" doc:"Ids of the users in whose lists the call shows"`
	Recorded     bool         `json:"recorded" doc:"There are recordings: see /api/calls/{id}/recordings"`
	Trunk        string       `json:"trunk,omitempty"`
	Contacts     []ContactRef `json:"contacts" doc:"Contacts whose timeline records the call"`
	Legs         []Leg        `json:"legs" doc:"Leg 0 is the caller's"`
	Events       []Happening  `json:"events" doc:"The call's story, in order"`
	// Plan is the routing decision with its trace.
	Plan *routing.Plan `json:"plan,omitempty"`
}

// Party is somebody on a call.
type Party struct {
	Number string `json:"number,omitempty" doc:"E.164, extension or anonymous"`
	Name   string `json:"name,omitempty" doc:"Of the contact, the user or the number's label; else as the caller gave it"`
	User   string `json:"user,omitempty" doc:"User id, for people inside"`
}

// ContactRef names a contact.
type ContactRef struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Owner string `json:"owner,omitempty" doc:"User id"`
}

// Leg is one leg of a call.
type Leg struct {
	Peer    string          `json:"peer" doc:"Whom it reached, for people"`
	User    string          `json:"user,omitempty"`
	Kind    string          `json:"kind,omitempty" doc:"browser, desk, mobile, phone or trunk"`
	Trunk   string          `json:"trunk,omitempty"`
	Stage   int             `json:"stage" doc:"Index of the plan's stage, -1 for the caller's leg"`
	Start   time.Time       `json:"start"`
	Ringing time.Time       `json:"ringing,omitzero"`
	Answer  time.Time       `json:"answer,omitzero"`
	End     time.Time       `json:"end,omitzero"`
	Code    int             `json:"code,omitempty" doc:"Final SIP status"`
	Reason  string          `json:"reason,omitempty"`
	Media   store.MediaStat `json:"media,omitzero"`
}

// Happening is a line of a call's story.
type Happening struct {
	At   time.Time `json:"at"`
	Leg  int       `json:"leg" doc:"Index into legs; -1 = the call"`
	What string    `json:"what"`
}

// LiveCall is a call in progress as the API shows it.
type LiveCall struct {
	ID         string    `json:"id"`
	Direction  string    `json:"direction" doc:"inbound, outbound or internal; empty until routing has spoken"`
	From       Party     `json:"from"`
	To         Party     `json:"to"`
	Phase      string    `json:"phase" doc:"routing, ringing, up or ended"`
	Voicemail  bool      `json:"voicemail" doc:"The caller is in a mailbox"`
	Stage      int       `json:"stage" doc:"Index of the plan's stage that rings, -1 before the first"`
	Start      time.Time `json:"start"`
	Answer     time.Time `json:"answer,omitzero"`
	AnsweredBy *Party    `json:"answered_by,omitempty"`
	Recording  string    `json:"recording,omitempty" doc:"starting, announcing, on or paused; empty: the call is not recorded"`
	Transfer   string    `json:"transfer,omitempty" doc:"To whom the call is being transferred"`
	Orbit      string    `json:"orbit,omitempty" doc:"Where it is parked: dial it to take the call"`
	Service    string    `json:"service,omitempty" doc:"The voice application that has the caller"`
	Room       *LiveRoom `json:"room,omitempty" doc:"Set when more than two talk"`
	// Emergency is set for a call for help.
	Emergency *routing.Emergency `json:"emergency,omitempty"`
	Legs      []LiveLeg          `json:"legs"`
}

// LiveRoom is where more than two talk.
type LiveRoom struct {
	Kind      string `json:"kind" doc:"conference, merged or page"`
	Extension string `json:"extension,omitempty"`
	Name      string `json:"name,omitempty"`
	Locked    bool   `json:"locked" doc:"Nobody else may join"`
}

// LiveLeg is one leg of a call in progress.
type LiveLeg struct {
	ID        string `json:"id" doc:"Names the leg in commands"`
	Peer      string `json:"peer"`
	Name      string `json:"name,omitempty" doc:"What to call the party"`
	User      string `json:"user,omitempty"`
	Kind      string `json:"kind,omitempty"`
	SIPCallID string `json:"sip_call_id,omitempty" doc:"The Call-ID by which the phone knows the call"`
	Caller    bool   `json:"caller" doc:"The caller's own leg"`
	State     string `json:"state" doc:"idle, dialling, ringing, confirming, answered, up, ending or ended"`
	Step      string `json:"step,omitempty" doc:"Why it rings: the policy's step"`
	Match     string `json:"match,omitempty" doc:"And why that step applied, as in a trace"`
	Held      bool   `json:"held" doc:"The party has put the other side on hold"`
	Member    bool   `json:"member" doc:"In the room"`
	Moderator bool   `json:"moderator" doc:"May mute, remove and lock"`
	Muted     bool   `json:"muted" doc:"By a moderator"`
	Speaking  bool   `json:"speaking"`
	// Troubles are what is wrong with the party's sound now.
	Troubles []call.Trouble `json:"troubles,omitempty" doc:"high packet loss, high jitter, one-way audio (it sends nothing), silent microphone"`
}

// Voicemail is a message as the API shows it.
type Voicemail struct {
	ID      string    `json:"id"`
	Mailbox Party     `json:"mailbox" doc:"Whose box: a user's, or a number's shared one"`
	From    Party     `json:"from"`
	Call    string    `json:"call" doc:"Id of the call that left it"`
	Left    time.Time `json:"left"`
	Seconds float64   `json:"seconds"`
	Heard   bool      `json:"heard"`
	HeardBy string    `json:"heard_by,omitempty" doc:"User id"`
	Saved   bool      `json:"saved" doc:"Kept beyond the time after which heard messages are removed"`
	Deleted time.Time `json:"deleted,omitzero" doc:"When it was deleted; for a while that can be taken back"`
	// ForwardedBy is who put a copy into this box.
	ForwardedBy *Party `json:"forwarded_by,omitempty" doc:"Who put this copy into the box"`
	Text        string `json:"text,omitempty" doc:"What a transcription heard"`
}

func (s *Server) callView(rec store.CallRecord) Call {
	v := Call{
		ID: rec.ID, Direction: rec.Direction, Start: rec.Start, Answer: rec.Answer, End: rec.End,
		From: s.party(rec.From, rec.FromName, rec.FromUser), To: s.party(rec.To, "", ""),
		Disposition: rec.Disposition, EndedBy: rec.EndedBy, Code: rec.Code, Reason: rec.Reason,
		Unclaimed: rec.Unclaimed, Voicemail: rec.Voicemail, Trunk: rec.Trunk, Recorded: hasRecordings(rec),
		AnsweredBy: s.who(rec.AnsweredBy), ClaimedBy: s.who(rec.ClaimedBy),
		Participants: append([]string{}, rec.Participants...),
		Legs:         make([]Leg, 0, len(rec.Legs)), Events: make([]Happening, 0, len(rec.Events)),
	}
	if len(rec.Plan) > 0 {
		var plan routing.Plan
		if json.Unmarshal(rec.Plan, &plan) == nil { // a plan of another version is not worth losing the record for
			v.Plan = &plan
		}
	}
	v.Contacts = s.contactRefs(v.Plan)
	for _, l := range rec.Legs {
		v.Legs = append(v.Legs, Leg{
			Peer: l.Peer, User: l.User, Kind: l.Kind, Trunk: l.Trunk, Stage: l.Stage,
			Start: l.Start, Ringing: l.Ringing, Answer: l.Answer, End: l.End, Code: l.Code, Reason: l.Reason, Media: l.Media,
		})
	}
	for _, e := range rec.Events {
		v.Events = append(v.Events, Happening{At: e.At, Leg: e.Leg, What: e.What})
	}
	return v
}

func (s *Server) liveView(c call.Snapshot) LiveCall {
	v := LiveCall{
		ID: c.ID, Direction: c.Direction, From: s.party(c.From.Number, c.From.Name, c.FromUser), To: s.party(c.To, "", ""),
		Phase: c.Phase, Voicemail: c.Voicemail, Recording: c.Recording, Orbit: c.Orbit, Service: c.Service, Emergency: c.Emergency, Stage: c.Stage, Start: c.Start, Answer: c.Answer, AnsweredBy: s.who(c.AnsweredBy),
		Legs: make([]LiveLeg, 0, len(c.Legs)),
	}
	if t := c.Transfer; t != nil {
		v.Transfer = t.Target
	}
	if r := c.Room; r != nil {
		v.Room = &LiveRoom{Kind: r.Kind, Extension: r.Extension, Name: s.ourName(r.Extension, &Party{}), Locked: r.Locked}
	}
	for _, l := range c.Legs {
		v.Legs = append(v.Legs, LiveLeg{
			ID: l.ID, Peer: l.Peer, Name: s.legName(c, l), User: l.User, Kind: l.Kind, SIPCallID: l.SIPCallID, Caller: l.Caller, State: l.State, Step: l.Step, Match: l.Match,
			Held: l.Held, Member: l.Member, Moderator: l.Moderator, Muted: l.Muted, Speaking: l.Speaking, Troubles: l.Troubles,
		})
	}
	return v
}

// legName is what to call the party of a leg.
func (s *Server) legName(c call.Snapshot, l call.LegSnapshot) string {
	if l.Caller && l.User == "" && l.Peer == c.From.Number { // after a transfer it may be somebody else
		return s.party(c.From.Number, c.From.Name, "").Name
	}
	return s.party(l.Peer, "", l.User).Name
}

// hasRecordings reports whether there is something to listen to.
func hasRecordings(rec store.CallRecord) bool {
	return slices.ContainsFunc(rec.Recordings, func(r store.Recording) bool { return r.Deleted.IsZero() })
}

// seesLive: who calls, whom it rings or rang, and who answered see a call in progress; a parked one is everybody's to take.
func seesLive(p Principal, c call.Snapshot) bool {
	if p.Admin || p.User.ID == c.FromUser || p.User.ID == c.AnsweredBy || c.Orbit != "" && p.User.ID != "" {
		return true
	}
	return slices.ContainsFunc(c.Legs, func(l call.LegSnapshot) bool { return l.User == p.User.ID })
}

func (s *Server) voicemailView(vm store.Voicemail) Voicemail {
	box := s.party(vm.Mailbox.Number, "", vm.Mailbox.User)
	return Voicemail{
		ID: vm.ID, Mailbox: box, From: s.party(vm.From, vm.FromName, vm.FromUser), Call: vm.Call,
		Left: vm.Left, Seconds: vm.Seconds, Heard: vm.Heard, HeardBy: vm.HeardBy,
		Saved: vm.Saved, Deleted: vm.Deleted, ForwardedBy: s.who(vm.Forwarded), Text: vm.Text,
	}
}

// party names a number: by the user, the contact, our number's label or extension, or else as it was given.
func (s *Server) party(number, given, user string) Party {
	org := s.cfg.Organisation
	if u, ok := org.UserByID(user); ok {
		return Party{Number: number, Name: u.Name, User: u.ID}
	}
	p := Party{Number: number, Name: org.ContactName(number)}
	if p.Name == "" {
		p.Name = s.ourName(number, &p)
	}
	if p.Name == "" {
		p.Name = given
	}
	return p
}

// ourName is the name of a number, an extension or a feature of ours.
func (s *Server) ourName(number string, p *Party) string {
	if number == "" {
		return ""
	}
	for _, n := range s.cfg.Organisation.Numbers() {
		if n.Number == number {
			return n.Label
		}
	}
	for _, u := range s.cfg.Organisation.Users() {
		if u.Extension == number {
			p.User = u.ID
			return u.Name
		}
	}
	return s.cfg.Organisation.FeatureName(number)
}

// who names somebody given as a User.ID or an outside number; nil when it is empty.
func (s *Server) who(id string) *Party {
	if id == "" {
		return nil
	}
	if u, ok := s.cfg.Organisation.UserByID(id); ok {
		return &Party{Name: u.Name, User: u.ID, Number: u.Extension}
	}
	p := s.party(id, "", "")
	return &p
}

func (s *Server) contactRefs(plan *routing.Plan) []ContactRef {
	refs := []ContactRef{}
	if plan == nil {
		return refs
	}
	for _, id := range plan.Contacts {
		if c, ok := s.cfg.Organisation.Contact(id); ok {
			refs = append(refs, ContactRef{ID: c.ID, Name: c.Name, Owner: c.Owner})
		}
	}
	return refs
}
