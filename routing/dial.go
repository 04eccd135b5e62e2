package routing

import (
	"cmp"
	"time"

	"strowger/store"
)

// Names in the plans of calls that users make.
const (
	PolicyInternal  = "internal"
	PolicyOutbound  = "outbound"
	StepExtension   = "extension"
	StepOutbound    = "outbound"
	MatchDialled    = "dialled"
	outboundSeconds = longestRing // as long as carriers let a phone ring
)

// DialRequest is what a user's device dialled.
type DialRequest struct {
	User     string `json:"user"`                // who dials
	Dialled  string `json:"dialled"`             // an extension, a user's id, or a number
	CallFrom string `json:"call_from,omitempty"` // the number that the user asked to show; "" = the default
}

// Dialled is the decision on a DialRequest.
type Dialled struct {
	Plan      Plan
	Direction string // store.Outbound or store.Internal
	To        string // E.164, or extension, or as dialled when it is neither
	CallerID  string // the number to show to the other side; the extension (or id) inside
	Outside   string // the number to show where an outside line is rung; "" when the user has none to show
}

// Dial decides a call that a user makes: to a colleague, to a number of ours, or to the outside. Anything else is refused
// with 404.
func Dial(req DialRequest, dir Directory, now time.Time) Dialled {
	caller := req.User
	if u := dir.User(req.User); u != nil {
		caller = cmp.Or(u.Extension, u.ID)
	}
	shown := callerID(dir, req.User, req.CallFrom)
	if IsEmergency(dir, req.Dialled) {
		plan := emergency(req.User, shown, req.Dialled, dir)
		return Dialled{plan, store.Outbound, req.Dialled, plan.Emergency.Callback, plan.Emergency.Callback}
	}
	d := decider{dir: dir, company: dir.Company(), callingUser: req.User, at: dir.Company().moment(now)}
	if plan, ok := dialFeature(&d, req, caller); ok {
		return Dialled{plan, store.Internal, req.Dialled, caller, shown}
	}
	if u := colleague(dir, req.Dialled); u != nil {
		plan := internal(req.User, caller, u, dir, now)
		plan.Recording = recording(dir, store.Internal, nil, req.User, plan.Stages)
		return Dialled{plan, store.Internal, plan.Called, caller, shown}
	}
	to, ok := ParseNumber(req.Dialled, dir.Company().Region)
	switch {
	case ok && dir.Number(to) != nil:
		from := cmp.Or(shown, caller)
		plan := Decide(Request{Kind: KindCall, To: to, From: from, User: req.User}, dir, now)
		return Dialled{plan, store.Internal, to, from, shown}
	case ok:
	default:
		plan := Plan{Caller: caller, Called: req.Dialled, Contacts: []string{}, Trace: []Row{}}
		refuse(&plan, false, 404, ReasonUnknownNumber)
		return Dialled{plan, store.Outbound, req.Dialled, shown, shown}
	}
	plan := outbound(shown, to)
	plan.Recording = recording(dir, store.Outbound, nil, req.User, plan.Stages)
	return Dialled{plan, store.Outbound, to, shown, shown}
}

func colleague(dir Directory, dialled string) *User {
	if u := dir.Extension(dialled); u != nil {
		return u
	}
	return dir.User(dialled)
}

// internal plans a call from a user to a colleague, wherever that one can be reached.
func internal(user, caller string, to *User, dir Directory, now time.Time) Plan {
	company := dir.Company()
	d := decider{dir: dir, company: company, callingUser: user, at: company.moment(now)}
	row := Row{Step: StepExtension}
	d.ring(&row, &Number{}, false, choice{match: MatchDialled, users: to.alone})
	end, endRow := &End{Action: EndHangup, Code: 480}, Row{Step: StepHangup, Outcome: OutcomeEnd, Reason: MatchHangup}
	if to.HasVoicemail() {
		end = &End{Action: EndVoicemail, Mailbox: &Mailbox{User: to.ID}}
		endRow = Row{Step: StepVoicemail, Outcome: OutcomeEnd, Reason: MatchVoicemail}
	}
	stages := d.stages
	if stages == nil {
		stages = []Stage{}
	}
	return Plan{Policy: PolicyInternal, Caller: caller, Called: cmp.Or(to.Extension, to.ID), Contacts: []string{},
		Trace: []Row{row, endRow}, Stages: stages, End: end}
}

// outbound plans a call to an outside line.
func outbound(shown, to string) Plan {
	return Plan{
		Policy: PolicyOutbound, Caller: shown, Called: to, Contacts: []string{},
		Trace: []Row{
			{Step: StepOutbound, Outcome: OutcomeStage, Reason: MatchDialled},
			{Step: StepHangup, Outcome: OutcomeEnd, Reason: MatchHangup},
		},
		Stages: []Stage{{Step: StepOutbound, RingSeconds: outboundSeconds, Targets: []Target{{Phone: to}}}},
		End:    &End{Action: EndHangup, Code: 480},
	}
}

// Kinds of CallFromOption.
const (
	FromPersonal = "personal"
	FromCompany  = "company"
	FromBridge   = "bridge"
)

// CallFromOption is a way for a user to call out.
type CallFromOption struct {
	Kind    string `json:"kind"`             // personal | company | bridge
	Number  string `json:"number,omitempty"` // shown to the other side; bridge: the User Phone, which rings first
	Label   string `json:"label,omitempty"`
	Default bool   `json:"default,omitempty"`
}

// CallFrom lists the ways for a user to call out: the personal number, every company number in the directory's order, and
// bridge, which first rings the user's own User Phone, then the other party, and joins them. The default is the personal
// number, else the user's company number, else the first company number.
func CallFrom(dir Directory, user string) []CallFromOption {
	options := []CallFromOption{}
	best := 0 // of the options
	for _, n := range dir.Numbers() {
		if n.Kind == store.PersonalNumber && n.User == user {
			options = append(options, CallFromOption{Kind: FromPersonal, Number: n.Number.Number, Label: n.Label})
		}
	}
	personal := len(options) > 0
	for _, n := range dir.Numbers() {
		if n.Kind != store.CompanyNumber {
			continue
		}
		if !personal && best == 0 && n.User == user {
			best = len(options)
		}
		options = append(options, CallFromOption{Kind: FromCompany, Number: n.Number.Number, Label: n.Label})
	}
	if len(options) > 0 {
		options[best].Default = true
	}
	if u := dir.User(user); u != nil && u.Phone != "" {
		options = append(options, CallFromOption{Kind: FromBridge, Number: u.Phone, Label: "Bridge"})
	}
	return options
}

// callerID is the number to show: wanted when the user may show it, else the default; "" when there is none.
func callerID(dir Directory, user, wanted string) string {
	if e164, ok := ParseNumber(wanted, dir.Company().Region); ok {
		wanted = e164
	}
	shown := ""
	for _, o := range CallFrom(dir, user) {
		switch {
		case o.Kind == FromBridge:
		case o.Number == wanted:
			return wanted
		case o.Default:
			shown = o.Number
		}
	}
	return shown
}

// TextFrom is the number that automatic texts to a user's contacts go out from: the company's text sender, else the user's
// personal number, else the user's company number; "" when there is none.
func TextFrom(dir Directory, user string) string {
	if sender := dir.Company().TextSender; sender != "" {
		return sender
	}
	found := ""
	for _, n := range dir.Numbers() {
		switch {
		case user == "" || n.User != user:
		case n.Kind == store.PersonalNumber:
			return n.Number.Number
		case found == "":
			found = n.Number.Number
		}
	}
	return found
}
