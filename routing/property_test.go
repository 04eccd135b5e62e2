package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

// world is an organisation and a moment, drawn at random but always one that the directory would take.
type world struct {
	dir  store.Directory
	live Live
	req  Request
	at   time.Time
}

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func drawWindows(t *rapid.T, label string) []store.Window {
	var out []store.Window
	for i := range rapid.IntRange(0, 2).Draw(t, label) {
		from := rapid.OneOf(rapid.IntRange(0, dayMinutes-1), rapid.SampledFrom(edges[1:])).Draw(t, label+" from")
		to := rapid.OneOf(rapid.IntRange(0, dayMinutes), rapid.SampledFrom(edges)).Filter(func(m int) bool { return m != from }).Draw(t, label+" to")
		out = append(out, store.Window{Days: days[i*3 : i*3+rapid.IntRange(1, 3+i).Draw(t, label+" days")],
			From: clock(from), To: clock(to)})
	}
	return out
}

// edges are minutes at which windows begin and end more often than by chance.
var edges = []int{dayMinutes, 0, 90, 540, 1020, 1320, 1439}

// drawMoment draws any moment, or an edge on a day that is special: a holiday, the days after it across the week's end, the
// days on which the clocks change.
func drawMoment(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "any moment") {
		return time.Unix(rapid.Int64Range(1_760_000_000, 1_800_000_000).Draw(t, "at"), 0).UTC()
	}
	day := rapid.SampledFrom([]string{"2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-03-08", "2026-11-01"}).Draw(t, "day")
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(time.Duration(rapid.SampledFrom(edges).Draw(t, "edge")) * time.Minute)
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// drawWorld makes three users, up to four numbers that may hand calls on to each other, and some contacts.
func drawWorld(t *rapid.T) world {
	flag := func(label string) bool { return rapid.Bool().Draw(t, label) }
	users := []string{"u1", "u2", "u3"}
	lines := []string{num("#0001"), num("#0002"), num("#0003"), num("#0004"), num("#6000"), num("#9001"), num("#8000")}
	line := func(label string) string { return rapid.SampledFrom(lines).Draw(t, label) }
	some := func(label string) []string { return rapid.SliceOfN(rapid.SampledFrom(users), 1, 3).Draw(t, label) }
	w := world{dir: store.Directory{Company: store.Company{Timezone: "America/New_York", Region: "US",
		RingSeconds: rapid.SampledFrom([]int{0, 1, 30, 600}).Draw(t, "ring"), Hours: drawWindows(t, "company")}}}
	if flag("company phone") {
		w.dir.Company.Phone = line("company line")
	}
	w.dir.Company.Closed = []string{"2026-11-20"}
	w.live = Live{Registered: map[string][]string{}, Active: map[string]int{}}
	for i, id := range users {
		no := flag(id + " voicemail")
		u := store.User{ID: id, Role: store.Agent, DND: flag(id + " dnd"), CallWaiting: flag(id + " waiting"), Hours: drawWindows(t, id), Voicemail: &no,
			RingSeconds: rapid.SampledFrom([]int{0, 0, 2, 50, 300}).Draw(t, id+" ring"),
			Reach:       rapid.SliceOfDistinct(rapid.SampledFrom([]string{"browser", "desk", "mobile", "phone"}), rapid.ID).Draw(t, id+" reach")}
		if flag(id + " has phone") {
			u.Phone = num(fmt.Sprintf("#900%d", i+1))
		}
		w.dir.Users = append(w.dir.Users, u)
		if flag(id + " registered") {
			w.live.Registered[id] = []string{rapid.SampledFrom([]string{"browser", "desk", "mobile"}).Draw(t, id+" kind")}
		}
		if flag(id + " busy") {
			w.live.Busy = append(w.live.Busy, id)
		}
	}
	w.dir.Workflows = []store.Workflow{{ID: "ivr", Start: "on", Nodes: map[string]store.Node{"on": {Continue: &struct{}{}}}}}
	steps := rapid.Custom(func(t *rapid.T) store.PolicyStep {
		return store.PolicyStep{Step: rapid.SampledFrom(StepNames()).Draw(t, "step"),
			When: rapid.SampledFrom(append([]string{"", "", "", ""}, WhenNames()...)).Draw(t, "when")}
	})
	w.dir.Policies = map[string]store.Policy{"mine": {Mode: rapid.SampledFrom([]string{Cascade, FirstMatch}).Draw(t, "mode"),
		Reach: rapid.SampledFrom([]string{"", store.Phone}).Draw(t, "reach"), Steps: rapid.SliceOfN(steps, 0, 9).Draw(t, "steps")}}
	policies := []string{"", "mine", "mine", "mine", "closemaster", "erasne", "tekmatix", "marketomation", "loftyworks"}
	for i := range rapid.IntRange(1, 4).Draw(t, "numbers") {
		n := store.Number{Number: lines[i], Kind: rapid.SampledFrom([]string{"company", "personal"}).Draw(t, "kind"), CallConnect: flag("cc"),
			Policy: rapid.SampledFrom(policies).Draw(t, "policy"), RingSeconds: rapid.SampledFrom([]int{0, 3, 40}).Draw(t, "n ring")}
		if flag("user") {
			n.User = rapid.SampledFrom(users).Draw(t, "number user")
		}
		if flag("group") {
			n.Ring = some("group users")
		}
		if flag("forward") {
			n.ForwardTo = line("forward to")
		}
		if flag("workflow") {
			n.Workflow = "ivr"
		}
		if flag("default") {
			n.DefaultRule = rapid.SampledFrom([]*store.Rule{{SpecificUser: "u1"}, {Blast: []string{"u2", "u3"}}, {AnotherNumber: lines[1]}, {AnotherNumber: num("#8000")}}).Draw(t, "rule")
		}
		if flag("rule") {
			n.Rules = []store.Rule{{Name: "r", Blast: some("blast"), Hours: []store.Window{{Days: days[2:5], From: "20:00", To: "08:00"}}}}
		}
		if flag("full") {
			w.live.Active[n.Number] = rapid.SampledFrom([]int{2, 3, 49, 50}).Draw(t, "active")
			n.MaxInbound = rapid.SampledFrom([]int{0, 3}).Draw(t, "limit")
		}
		w.dir.Numbers = append(w.dir.Numbers, n)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "contacts") {
		w.dir.Contacts = append(w.dir.Contacts, store.Contact{ID: fmt.Sprintf("c%d", 9-i), Phones: []string{num("#8000")},
			Owner:   rapid.SampledFrom([]string{"", "u1", "u2", "u3"}).Draw(t, "owner"),
			Created: time.Date(2026, 1, rapid.IntRange(1, 3).Draw(t, "created"), 0, 0, 0, 0, time.UTC)})
	}
	w.req = Request{Kind: rapid.SampledFrom([]string{KindCall, KindCall, KindText}).Draw(t, "kind"), To: lines[0],
		From: rapid.SampledFrom([]string{num("#8000"), num("#9001"), num("#6000"), num("#0002"), "anonymous"}).Draw(t, "from")}
	w.at = drawMoment(t)
	return w
}

func (w world) decide(t interface{ Fatal(...any) }) Plan {
	ix, err := NewIndex(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	return Decide(w.req, ix.With(w.live), w.at)
}

// eachRow visits every row, those of inner plans as well.
func eachRow(trace []Row, visit func(Row)) {
	for _, r := range trace {
		visit(r)
		eachRow(r.Trace, visit)
	}
}

// TestEveryDecision: what holds for every decision in every organisation.
func TestEveryDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := w.decide(t)
		if w.req.Kind == KindText {
			checkDelivery(t, w, p)
			return
		}
		if p.End == nil || p.Stages == nil || p.Trace == nil || p.Deliver != nil {
			t.Fatalf("a call ends nowhere: %+v", p)
		}
		checkRings(t, w, p)
		checkTrace(t, p)
	})
}

func checkDelivery(t *rapid.T, w world, p Plan) {
	if p.Deliver == nil || p.Stages != nil || p.End != nil {
		t.Fatalf("a text goes nowhere: %+v", p)
	}
	if p.Deliver.Phone == w.req.From {
		t.Fatal("a text goes back to who sent it")
	}
	if p.Deliver.Phone == "" && (p.Deliver.Users == nil || p.Deliver.Unclaimed == nil) {
		t.Fatalf("%+v", p.Deliver)
	}
}

// checkRings: no user twice in a stage, nobody who is unavailable, never the caller, in order and in time.
func checkRings(t *rapid.T, w world, p Plan) {
	ours := func(number string) bool {
		return slices.ContainsFunc(w.dir.Numbers, func(n store.Number) bool { return n.Number == number })
	}
	for _, s := range p.Stages {
		if s.Workflow != "" {
			continue
		}
		if len(s.Targets) == 0 || s.RingSeconds < shortestRing || s.RingSeconds > longestRing {
			t.Fatalf("stage %+v", s)
		}
		last := ""
		for _, target := range s.Targets {
			if target.Phone == w.req.From || ours(target.Phone) {
				t.Fatalf("%s is rung", target.Phone)
			}
			if target.User == "" {
				continue
			}
			if target.User <= last {
				t.Fatalf("%s after %s", target.User, last)
			}
			last = target.User
			u := w.dir.Users[slices.IndexFunc(w.dir.Users, func(u store.User) bool { return u.ID == target.User })]
			if u.DND || !u.CallWaiting && slices.Contains(w.live.Busy, u.ID) || len(target.Via) == 0 {
				t.Fatalf("%s is rung, but %+v", u.ID, u)
			}
			if slices.Contains(target.Via, store.Phone) != (target.Phone != "") || target.CallConnect && target.Phone == "" {
				t.Fatalf("target %+v", target)
			}
		}
	}
}

// checkTrace: the trace and the stages say the same.
func checkTrace(t *rapid.T, p Plan) {
	stages := 0
	eachRow(p.Trace, func(r Row) {
		if r.Outcome == "" || r.Reason == "" || (r.Outcome == OutcomeDropped) != (r.Match != "") {
			t.Fatalf("row %+v", r)
		}
		if r.Outcome == OutcomeStage && r.Number == "" {
			stages++
		}
		rings := slices.ContainsFunc(r.Users, func(u RowUser) bool { return u.Unavailable == "" })
		if len(r.Users) > 0 && rings != (r.Outcome == OutcomeStage) {
			t.Fatalf("row %+v", r)
		}
	})
	if stages != len(p.Stages) {
		t.Fatalf("%d stages, %d in the trace", len(p.Stages), stages)
	}
	ended := slices.ContainsFunc(p.Trace, func(r Row) bool { return r.Outcome == OutcomeEnd && r.Step == StepVoicemail })
	if ended != (p.End.Action == EndVoicemail) {
		t.Fatalf("end %+v, trace %+v", p.End, p.Trace)
	}
}

// TestOrderChangesNothing: the order of contacts, numbers and live state is no part of a decision.
func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := compactWorld(t, w)
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		w.dir.Contacts, w.dir.Numbers, w.live.Busy = slices.Clone(w.dir.Contacts), slices.Clone(w.dir.Numbers), slices.Clone(w.live.Busy)
		shuffle.Shuffle(len(w.dir.Contacts), func(i, j int) { w.dir.Contacts[i], w.dir.Contacts[j] = w.dir.Contacts[j], w.dir.Contacts[i] })
		shuffle.Shuffle(len(w.dir.Numbers), func(i, j int) { w.dir.Numbers[i], w.dir.Numbers[j] = w.dir.Numbers[j], w.dir.Numbers[i] })
		shuffle.Shuffle(len(w.live.Busy), func(i, j int) { w.live.Busy[i], w.live.Busy[j] = w.live.Busy[j], w.live.Busy[i] })
		for i := range w.dir.Numbers {
			ring := slices.Clone(w.dir.Numbers[i].Ring)
			slices.Reverse(ring)
			w.dir.Numbers[i].Ring = ring
		}
		if got := compactWorld(t, w); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func compactWorld(t *rapid.T, w world) string {
	p := w.decide(t)
	return fmt.Sprint(p.Policy, p.Known, p.Contacts, p.Owner, "\n", compact(p))
}

// TestStrangersChangeNothing: who and what a call has nothing to do with can come and go.
func TestStrangersChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := compactWorld(t, w)
		at := rapid.IntRange(0, len(w.dir.Users)).Draw(t, "place")
		w.dir.Users = slices.Insert(slices.Clone(w.dir.Users), at, store.User{ID: "stranger", Role: store.Agent, Phone: num("#9999")})
		w.dir.Numbers = slices.Insert(slices.Clone(w.dir.Numbers), 0, store.Number{Number: num("#7777"), Kind: store.CompanyNumber, User: "stranger", Ring: []string{"u1"}})
		w.dir.Contacts = slices.Insert(slices.Clone(w.dir.Contacts), 0, store.Contact{ID: "0", Owner: "stranger", Phones: []string{num("#7778")}})
		w.live.Busy = append(slices.Clone(w.live.Busy), "stranger")
		w.live.Active[num("#7777")] = 50
		if got := compactWorld(t, w); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestHoursFollowTheWallClock compares compiled windows with a plain reading of the rule, over two days at any time and
// around changes of daylight saving: midnights, week ends, hours that are skipped and hours that come twice.
func TestHoursFollowTheWallClock(t *testing.T) {
	zones := []string{"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		location, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		windows := drawWindows(t, "windows")
		hours, err := ParseHours(windows)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(t, "start"), 0).In(location)
		if rapid.Bool().Draw(t, "clocks change") {
			start = beforeClocksChange(start)
		}
		for quarter := range 48 * 4 {
			at := start.Add(time.Duration(quarter) * 15 * time.Minute)
			if got, want := hours.At(at), insideWindows(windows, at); got != want {
				t.Fatalf("%v at %s: %v, want %v", windows, at, got, want)
			}
		}
	})
}

// beforeClocksChange is a day before the next change of daylight saving after t; t when there is none within a year.
func beforeClocksChange(t time.Time) time.Time {
	_, offset := t.Zone()
	for day := range 370 {
		next := t.Add(time.Duration(day) * 24 * time.Hour)
		if _, o := next.Zone(); o != offset {
			return next.Add(-30 * time.Hour)
		}
	}
	return t
}

// insideWindows reads the rule literally: from is inside, to is outside, and a window that crosses midnight belongs to the
// day it starts on.
func insideWindows(windows []store.Window, at time.Time) bool {
	today := days[(int(at.Weekday())+6)%7]
	yesterday := days[(int(at.Weekday())+5)%7]
	now := at.Format("15:04")
	for _, w := range windows {
		switch crosses := w.From > w.To; {
		case !crosses && slices.Contains(w.Days, today) && w.From <= now && now < w.To,
			crosses && slices.Contains(w.Days, today) && w.From <= now,
			crosses && slices.Contains(w.Days, yesterday) && now < w.To:
			return true
		}
	}
	return false
}
