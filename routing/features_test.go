package routing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

func featureOrg() store.Directory {
	dir := dialOrg()
	dir.Features = store.Features{
		Codes:     store.Codes{Echo: "*99", Redial: "off"},
		Rooms:     []store.Room{{Extension: "801", PIN: "4711"}},
		Pages:     []store.Page{{Extension: "850", Users: []string{"ann", "bob", "cyd"}}},
		Emergency: store.Emergency{Numbers: []string{"333"}, Callback: num("#0001"), Location: "Main Street 1"},
	}
	dir.Users[1].Location = "Second floor"
	return dir
}

func TestDialFeatures(t *testing.T) {
	ix, err := NewIndex(featureOrg())
	if err != nil {
		t.Fatal(err)
	}
	live := atDesks()
	live.Busy = []string{"eve"}
	now, _ := time.Parse(time.RFC3339, openHour)
	for _, c := range []struct {
		dialled string
		want    End
	}{
		{"*99", End{Service: ServiceEcho}},
		{"*43", End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode}},
		{"*69", End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode}},
		{"#", End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode}},
		{"*97", End{Service: ServiceVoicemail, Arg: "ann"}},
		{"*98", End{Service: ServiceAnyVoicemail}},
		{"*98202", End{Service: ServiceAnyVoicemail, Arg: "202"}},
		{"*78", End{Service: ServiceDNDOn}},
		{"*79", End{Service: ServiceDNDOff}},
		{"*72", End{Service: ServiceForwardOn}},
		{"*722025556000", End{Service: ServiceForwardOn, Arg: "2025556000"}},
		{"*73", End{Service: ServiceForwardOff}},
		{"*8", End{Service: ServicePickup, Users: []string{"bob", "cyd", "eve"}}},
		{"**202", End{Service: ServicePickup, Arg: "202", Users: []string{"bob"}}},
		{"**705", End{Service: ServiceOrbit, Arg: "705"}},
		{"*96999", End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode}},
		{"**999", End{Service: ServiceInvalid, Code: 404, Reason: ReasonUnknownCode}},
		{"705", End{Service: ServiceOrbit, Arg: "705"}},
		{"801", End{Service: ServiceRoom, Arg: "801"}},
		{"850", End{Service: ServicePage, Arg: "850", Users: []string{"bob", "cyd"}}},
	} {
		got := Dial(DialRequest{User: "ann", Dialled: c.dialled}, ix.With(live), now)
		end := *got.Plan.End
		c.want.Action = EndService
		if end.Action != EndService || end.Service != c.want.Service || end.Arg != c.want.Arg || end.Code != c.want.Code ||
			end.Reason != c.want.Reason || !slices.Equal(end.Users, c.want.Users) {
			t.Errorf("%s: got %+v, want %+v", c.dialled, end, c.want)
		}
		if got.Direction != store.Internal || len(got.Plan.Trace) != 1 || got.Plan.Trace[0].Step != StepFeature || got.Plan.Stages == nil {
			t.Errorf("%s: %+v", c.dialled, got)
		}
	}
}

// Whose calls somebody may take is decided by the groups, where there are any, however the call is taken.
func TestDialPickupGroups(t *testing.T) {
	dir := featureOrg()
	dir.Features.Pickup = []store.Group{{Users: []string{"ann", "bob"}}, {Users: []string{"bob", "cyd"}}}
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	now, _ := time.Parse(time.RFC3339, openHour)
	for _, c := range []struct {
		user, dialled string
		want          []string
	}{
		{"ann", "*8", []string{"bob"}}, {"bob", "*8", []string{"ann", "cyd"}}, {"eve", "*8", nil},
		{"ann", "**202", []string{"bob"}}, {"ann", "**203", nil}, {"ann", "**201", []string{"ann"}},
	} {
		end := Dial(DialRequest{User: c.user, Dialled: c.dialled}, ix.With(atDesks()), now).Plan.End
		if end.Service != ServicePickup || !slices.Equal(end.Users, c.want) {
			t.Errorf("%s dials %s: %+v, want %v", c.user, c.dialled, end, c.want)
		}
	}
}

func TestDialIntercomAndEmergency(t *testing.T) {
	ix, err := NewIndex(featureOrg())
	if err != nil {
		t.Fatal(err)
	}
	live := atDesks()
	live.Busy = []string{"eve"}
	now, _ := time.Parse(time.RFC3339, openHour)
	for dialled, want := range map[string]string{
		"*80202": "intercom=dialled[bob:desk] hangup.\nintercom/20: bob:desk\nhangup 480",
		"*80204": "intercom!nobody_available/dialled[eve:busy]\nrefuse 486 busy",
		"333":    "emergency=emergency hangup.\nemergency/120: 333\nhangup 480",
		"911":    "emergency=emergency hangup.\nemergency/120: 911\nhangup 480",
		"9114":   "\nrefuse 404 unknown_number", // no extension; and nobody is called out for it
	} {
		got := Dial(DialRequest{User: "bob", Dialled: dialled}, ix.With(live), now)
		if dialled == "*80202" {
			got = Dial(DialRequest{User: "ann", Dialled: dialled}, ix.With(live), now)
			if !got.Plan.Stages[0].AutoAnswer {
				t.Error("the intercom rings")
			}
		}
		if text := compact(got.Plan); text != want {
			t.Errorf("%s: got\n%s\nwant\n%s", dialled, text, want)
		}
		if e := got.Plan.Emergency; (e != nil) != (len(dialled) == 3) || e != nil && (e.Location != "Second floor" || e.Callback != num("#0001") || got.CallerID != e.Callback) {
			t.Errorf("%s: the console is told %+v", dialled, e)
		}
	}
}

// Who is not to be disturbed is not paged.
func TestPageAndDoNotDisturb(t *testing.T) {
	dir := featureOrg()
	i := slices.IndexFunc(dir.Users, func(u store.User) bool { return u.ID == "cyd" })
	dir.Users[i].DND = true
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := Dial(DialRequest{User: "ann", Dialled: "850"}, ix.With(atDesks()), time.Now())
	if end := got.Plan.End; end == nil || !slices.Equal(end.Users, []string{"bob"}) {
		t.Errorf("paged: %+v", end)
	}
}

// A colleague's extension is never taken for a code of the region or a default orbit.
func TestExtensionsComeFirst(t *testing.T) {
	dir := featureOrg()
	dir.Users[1].Extension, dir.Users[2].Extension = "911", "705"
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]string{"911": "911", "705": "705"} {
		got := Dial(DialRequest{User: "ann", Dialled: dialled}, ix.With(atDesks()), time.Unix(1e9, 0))
		if got.Plan.Policy != PolicyInternal || got.To != want {
			t.Errorf("%s: %+v", dialled, got.Plan)
		}
	}
}

func TestForwardedUsers(t *testing.T) {
	for _, c := range []struct {
		name, from string
		change     func(users []store.User)
		want       string
	}{
		{"to an outside line", "#6000", func(u []store.User) { u[1].ForwardTo = num("#7000") },
			"extension=dialled[bob:phone] voicemail.\nextension/20: bob:phone=#7000\nmail bob"},
		{"to a colleague", "#6000", func(u []store.User) { u[1].ForwardTo = "203" },
			"extension=dialled[bob:desk] voicemail.\nextension/20: cyd:desk\nmail bob"},
		{"to a colleague, and on", "#6000", func(u []store.User) { u[1].ForwardTo, u[2].ForwardTo = "203", num("#7000") },
			"extension=dialled[bob:phone] voicemail.\nextension/20: bob:phone=#7000\nmail bob"},
		{"in a circle", "#6000", func(u []store.User) { u[1].ForwardTo, u[2].ForwardTo = "203", "202" },
			"extension!nobody_available/dialled[bob:unreachable] voicemail.\nmail bob"},
		{"to who calls", "#6000", func(u []store.User) { u[1].ForwardTo = "201" },
			"extension!nobody_available/dialled[bob:is_caller] voicemail.\nmail bob"},
		{"who does not want to be disturbed", "#6000", func(u []store.User) { u[1].ForwardTo, u[1].DND = num("#7000"), true },
			"extension!nobody_available/dialled[bob:dnd] voicemail.\nmail bob"},
		{"to whom that holds for", "#6000", func(u []store.User) { u[1].ForwardTo, u[2].DND = "203", true },
			"extension!nobody_available/dialled[bob:dnd] voicemail.\nmail bob"},
	} {
		dir := dialOrg()
		c.change(dir.Users)
		ix, err := NewIndex(dir)
		if err != nil {
			t.Fatal(err)
		}
		now, _ := time.Parse(time.RFC3339, openHour)
		live := atDesks()
		live.Busy = []string{"bob"}
		got := Dial(DialRequest{User: "ann", Dialled: "202"}, ix.With(live), now)
		if text := compact(got.Plan); text != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, text, c.want)
		}
	}
}

// TestDialAnything: whatever is dialled, there is a plan that says how it ends, and a trace that says why.
func TestDialAnything(t *testing.T) {
	ix, err := NewIndex(featureOrg())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		dialled := rapid.OneOf(rapid.StringMatching(`[*#]{0,2}[0-9*#]{0,12}`), rapid.String()).Draw(t, "dialled")
		got := Dial(DialRequest{User: rapid.SampledFrom([]string{"ann", "bob", "nobody"}).Draw(t, "user"), Dialled: dialled}, ix.With(atDesks()), time.Unix(1e9, 0))
		p := got.Plan
		if p.End == nil || p.Stages == nil || p.Trace == nil || got.Direction == "" {
			t.Fatalf("%q: %+v", dialled, got)
		}
		if p.End.Action != EndRefuse && len(p.Trace) == 0 {
			t.Fatalf("%q: nobody can say why", dialled)
		}
	})
}

// A message can be left without ringing anybody: whoever transfers a caller to a mailbox dials this.
func TestMessageCode(t *testing.T) {
	ix, err := NewIndex(featureOrg())
	if err != nil {
		t.Fatal(err)
	}
	now, _ := time.Parse(time.RFC3339, openHour)
	got := Dial(DialRequest{User: "ann", Dialled: "*96202"}, ix.With(atDesks()), now)
	if end := got.Plan.End; len(got.Plan.Stages) != 0 || end == nil || end.Action != EndVoicemail || end.Mailbox == nil || end.Mailbox.User != "bob" {
		t.Errorf("*96202 plans %+v", got.Plan)
	}
}

func TestFeatureNames(t *testing.T) {
	ix, err := NewIndex(store.Directory{
		Users:    []store.User{{ID: "ann", Name: "Ann", Extension: "201"}},
		Features: store.Features{Rooms: []store.Room{{Extension: "801", Name: "Everybody"}, {Extension: "802"}}, Pages: []store.Page{{Extension: "850", Users: []string{"ann"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for dialled, want := range map[string]string{
		"*43": "Echo test", "*97": "Voicemail", "*98202": "Voicemail 202", "*72": "Forwarding", "*96202": "Message for 202", "*72+12025550190": "Forwarding +12025550190",
		"701": "Parking place 701", "801": "Everybody", "802": "Conference 802", "850": "Page 850", "201": "", "*5": "", "": "",
	} {
		if got := ix.Features().Name(dialled); got != want {
			t.Errorf("%q is called %q, not %q", dialled, got, want)
		}
	}
}
