package routing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"strowger/store"
)

// Services that a plan may end in: what a feature code does.
const (
	ServiceEcho         = "echo"
	ServiceVoicemail    = "voicemail"     // Arg: the user whose mailbox it is
	ServiceAnyVoicemail = "voicemail-any" // Arg: an extension, "" = asks
	ServiceDNDOn        = "dnd-on"
	ServiceDNDOff       = "dnd-off"
	ServiceForwardOn    = "forward-on" // Arg: extension or number as dialled, "" = asks
	ServiceForwardOff   = "forward-off"
	ServiceRedial       = "redial"
	ServicePickup       = "pickup" // Users: of whom a ringing call is taken
	ServiceOrbit        = "orbit"  // Arg: the orbit, to park on or to retrieve from
	ServiceRoom         = "room"   // Arg: the room's extension
	ServicePage         = "page"   // Arg: the page's extension; Users: who hears it
	ServiceInvalid      = "invalid"
)

// Names in the plans of feature codes.
const (
	PolicyFeature   = "feature"
	PolicyEmergency = "emergency"
	StepFeature     = "feature"
	StepIntercom    = "intercom"
	StepEmergency   = "emergency"

	MatchEmergency    = "emergency"
	ReasonUnknownCode = "unknown_code"
)

// Features are the feature codes in compiled form, and what else can be dialled that is no person.
type Features struct {
	store.Features
	codes    map[string]string // code → service
	prefixes []prefix          // longest first
	orbits   map[string]bool
	rooms    map[string]*store.Room
	pages    map[string]*store.Page
}

// prefix is a code that something may follow.
type prefix struct{ code, service string }

// Codes that lead to people are no services of their own: an intercom rings a colleague's phone so that it answers by itself,
// a message goes straight into a colleague's mailbox.
const (
	serviceIntercom = "intercom"
	serviceMessage  = "message"
)

// compileFeatures needs the users.
func (c *compiler) compileFeatures(f store.Features) {
	f.Codes = f.Codes.WithDefaults()
	out := Features{Features: f, codes: map[string]string{}, orbits: map[string]bool{}, rooms: map[string]*store.Room{}, pages: map[string]*store.Page{}}
	for _, e := range []struct {
		code, service string
		follows       bool // something may follow the code
		alone         bool // the code may be dialled by itself
	}{
		{f.Codes.Echo, ServiceEcho, false, true},
		{f.Codes.Voicemail, ServiceVoicemail, false, true},
		{f.Codes.AnyVoicemail, ServiceAnyVoicemail, true, true},
		{f.Codes.DNDOn, ServiceDNDOn, false, true},
		{f.Codes.DNDOff, ServiceDNDOff, false, true},
		{f.Codes.ForwardOn, ServiceForwardOn, true, true},
		{f.Codes.ForwardOff, ServiceForwardOff, false, true},
		{f.Codes.GroupPickup, ServicePickup, false, true},
		{f.Codes.Pickup, ServicePickup, true, false},
		{f.Codes.Redial, ServiceRedial, false, true},
		{f.Codes.Intercom, serviceIntercom, true, false},
		{f.Codes.Message, serviceMessage, true, false},
	} {
		if e.code != "" && e.alone {
			out.codes[e.code] = e.service
		}
		if e.code != "" && e.follows {
			out.prefixes = append(out.prefixes, prefix{e.code, e.service})
		}
	}
	slices.SortStableFunc(out.prefixes, func(a, b prefix) int { return len(b.code) - len(a.code) })
	if len(f.Orbits) == 0 {
		f.Orbits = []string{store.DefaultOrbits}
	}
	for _, s := range f.Orbits {
		list, err := store.Range(s)
		if err != nil {
			c.problem("features: orbits: %w", err)
		}
		for _, ext := range list {
			out.orbits[ext] = c.extensions[ext] == nil
		}
	}
	for i := range f.Rooms {
		out.rooms[f.Rooms[i].Extension] = &f.Rooms[i]
	}
	for i := range f.Pages {
		out.pages[f.Pages[i].Extension] = &f.Pages[i]
	}
	c.features = out
}

// Features implements Directory.
func (ix *Index) Features() *Features { return &ix.features }

// Orbit reports whether an extension is a parking orbit.
func (f *Features) Orbit(ext string) bool { return f.orbits[ext] }

// AllOrbits are the parking orbits in order.
func (f *Features) AllOrbits() []string {
	var all []string
	for ext, ours := range f.orbits {
		if ours {
			all = append(all, ext)
		}
	}
	slices.Sort(all)
	return all
}

// Room is the conference room with this extension, nil when there is none.
func (f *Features) Room(ext string) *store.Room { return f.rooms[ext] }

// Page is the group with this extension, nil when there is none.
func (f *Features) Page(ext string) *store.Page { return f.pages[ext] }

// code finds the service that a code stands for, and what follows the code.
func (f *Features) code(dialled string) (service, arg string, ok bool) {
	if service, ok := f.codes[dialled]; ok {
		return service, "", true
	}
	for _, p := range f.prefixes {
		if rest, ok := strings.CutPrefix(dialled, p.code); ok && rest != "" {
			return p.service, rest, true
		}
	}
	return "", "", false
}

// IsEmergency reports whether a dialled number is one that always goes out: one of the directory's, or of the company's
// region where no colleague has it as an extension. Further digits make another number of it: a mistyped extension calls
// nobody out, and no number passes the limits of calls by how it begins.
func IsEmergency(dir Directory, dialled string) bool {
	if slices.Contains(dir.Features().Emergency.Numbers, dialled) {
		return true
	}
	return dir.Extension(dialled) == nil && phonenumbers.IsEmergencyNumber(dialled, dir.Company().Region)
}

// Emergency is what the console is told of an emergency call.
type Emergency struct {
	Location string `json:"location,omitempty"` // where the caller sits
	Callback string `json:"callback,omitempty"` // the number that the dispatcher sees
}

// emergency plans a call that goes out whatever else holds.
func emergency(user, shown, to string, dir Directory) Plan {
	e := dir.Features().Emergency
	told := Emergency{Location: e.Location, Callback: cmp.Or(e.Callback, shown)}
	if u := dir.User(user); u != nil && u.Location != "" {
		told.Location = u.Location
	}
	plan := outbound(told.Callback, to)
	plan.Policy, plan.Emergency = PolicyEmergency, &told
	plan.Trace[0] = Row{Step: StepEmergency, Outcome: OutcomeStage, Reason: MatchEmergency}
	plan.Stages[0].Step = StepEmergency
	return plan
}

// featurePlan is a plan that ends in a service.
func featurePlan(caller, dialled string, end End) Plan {
	end.Action = EndService
	return Plan{Policy: PolicyFeature, Caller: caller, Called: dialled, Contacts: []string{}, Stages: []Stage{}, End: &end,
		Trace: []Row{{Step: StepFeature, Outcome: OutcomeEnd, Reason: cmp.Or(end.Reason, end.Service)}}}
}

// dialFeature decides codes, orbits, rooms and pages; ok is false for all else.
func dialFeature(d *decider, req DialRequest, caller string) (plan Plan, ok bool) {
	f := d.dir.Features()
	plain := func(end End) (Plan, bool) { return featurePlan(caller, req.Dialled, end), true }
	switch {
	case d.dir.Extension(req.Dialled) != nil:
		return plan, false
	case f.Orbit(req.Dialled):
		return plain(End{Service: ServiceOrbit, Arg: req.Dialled})
	case f.Room(req.Dialled) != nil:
		return plain(End{Service: ServiceRoom, Arg: req.Dialled})
	case f.Page(req.Dialled) != nil:
		return plain(End{Service: ServicePage, Arg: req.Dialled, Users: hearers(d.dir, f.Page(req.Dialled), req.User)})
	case req.Dialled == "" || req.Dialled[0] != '*' && req.Dialled[0] != '#':
		return plan, false
	}
	service, arg, known := f.code(req.Dialled)
	switch {
	case !known:
	case service == ServiceVoicemail:
		return plain(End{Service: service, Arg: req.User})
	case service == serviceIntercom:
		if u := d.dir.Extension(arg); u != nil {
			return d.intercom(caller, req.Dialled, u), true
		}
	case service == serviceMessage:
		if u := d.dir.Extension(arg); u != nil && u.HasVoicemail() {
			return messagePlan(caller, req.Dialled, u.ID), true
		}
	case service == ServicePickup && arg == "":
		return plain(End{Service: service, Users: pickupGroup(d.dir, req.User)})
	case service == ServicePickup:
		if u := d.dir.Extension(arg); u != nil {
			return plain(End{Service: service, Arg: arg, Users: mayTake(d.dir, req.User, u.ID)})
		}
		if f.Orbit(arg) {
			return plain(End{Service: ServiceOrbit, Arg: arg})
		}
	default:
		return plain(End{Service: service, Arg: arg})
	}
	return plain(End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode})
}

// hearers are those of a page who shall hear it. Who does not want to be disturbed is spoken to by no phone.
func hearers(dir Directory, p *store.Page, user string) []string {
	return slices.DeleteFunc(without(p.Users, user), func(id string) bool {
		u := dir.User(id)
		return u != nil && u.DND
	})
}

func without(users []string, user string) []string {
	return slices.DeleteFunc(slices.Clone(users), func(u string) bool { return u == user })
}

// messagePlan ends in a mailbox without ringing.
func messagePlan(caller, dialled, user string) Plan {
	return Plan{Policy: PolicyFeature, Caller: caller, Called: dialled, Contacts: []string{}, Stages: []Stage{},
		Trace: []Row{{Step: StepVoicemail, Outcome: OutcomeEnd, Reason: MatchDialled}},
		End:   &End{Action: EndVoicemail, Mailbox: &Mailbox{User: user}}}
}

// mayTake is the colleague, if the user may take the colleague's calls; on another phone everybody takes their own.
func mayTake(dir Directory, user, colleague string) []string {
	if user == colleague || slices.Contains(pickupGroup(dir, user), colleague) {
		return []string{colleague}
	}
	return nil
}

// pickupGroup are those whose calls a user may take: of the groups that the user is in, or everybody where there are none.
func pickupGroup(dir Directory, user string) []string {
	var users []string
	if groups := dir.Features().Pickup; len(groups) > 0 {
		for _, g := range groups {
			if slices.Contains(g.Users, user) {
				users = append(users, g.Users...)
			}
		}
		slices.Sort(users)
		return without(slices.Compact(users), user)
	}
	for _, u := range dir.Users() {
		users = append(users, u.ID)
	}
	return without(users, user)
}

// intercom rings a colleague's phones, which shall answer by themselves. Who is busy is not disturbed.
func (d *decider) intercom(caller, dialled string, to *User) Plan {
	row := Row{Step: StepIntercom}
	if d.dir.Busy(to.ID) {
		row.Users = []RowUser{{User: to.ID, Unavailable: OnCall}}
		drop(&row, ReasonNobodyAvailable, MatchDialled)
		return Plan{Policy: PolicyFeature, Caller: caller, Called: dialled, Contacts: []string{}, Stages: []Stage{},
			Trace: []Row{row}, End: &End{Action: EndRefuse, Code: 486, Reason: OnCall}}
	}
	d.ring(&row, &Number{}, false, choice{match: MatchDialled, users: to.alone})
	for i := range d.stages {
		d.stages[i].AutoAnswer = true
		for k := range d.stages[i].Targets { // an outside line does not answer by itself
			t := &d.stages[i].Targets[k]
			t.Via, t.Phone = without(t.Via, store.Phone), ""
		}
	}
	return Plan{Policy: PolicyFeature, Caller: caller, Called: dialled, Contacts: []string{}, Stages: append([]Stage{}, d.stages...),
		Trace: []Row{row, {Step: StepHangup, Outcome: OutcomeEnd, Reason: MatchHangup}}, End: &End{Action: EndHangup, Code: 480}}
}
