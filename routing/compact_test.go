package routing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// compact writes a plan on a few short lines for tables of tests; "#" stands for +1202555.
//
//	number_user=user_assigned[ann:desk bob:busy]   a stage, and whom the step named
//	contact_owner!nobody_available/contact_owned   dropped        step~reason  match (texts)
//	forwarding-no_forwarding                       skipped        step?reason  not reached
//	forwarding=forward_to@#0002{...}               as another number of ours decides
//	voicemail.                                     the end step
//
// then the stages (step/seconds: targets), then the end or the delivery.
func compact(p Plan) string {
	var b strings.Builder
	b.WriteString(compactTrace(p.Trace))
	for _, s := range p.Stages {
		b.WriteString("\n" + compactStage(s))
	}
	switch {
	case p.End == nil:
	case p.End.Mailbox != nil:
		fmt.Fprintf(&b, "\nmail %s%s", p.End.Mailbox.User, p.End.Mailbox.Number)
	default:
		b.WriteString(strings.TrimRight(fmt.Sprintf("\n%s %d %s", p.End.Action, p.End.Code, p.End.Reason), " "))
	}
	if d := p.Deliver; d != nil {
		switch {
		case d.Phone != "":
			b.WriteString("\nrelay " + d.Phone)
		case *d.Unclaimed:
			b.WriteString("\nunclaimed " + strings.Join(d.Users, " "))
		default:
			b.WriteString("\nfor " + strings.Join(d.Users, " "))
		}
	}
	return strings.ReplaceAll(b.String(), "+1202555", "#")
}

func compactTrace(trace []Row) string {
	rows := make([]string, len(trace))
	for i, r := range trace {
		sign := map[string]string{OutcomeStage: "=", OutcomeMatch: "~", OutcomeSkipped: "-", OutcomeDropped: "!",
			OutcomeNotReached: "?"}[r.Outcome]
		s := r.Step + sign + r.Reason
		if r.Outcome == OutcomeEnd {
			s = r.Step + "."
		}
		if r.Match != "" {
			s += "/" + r.Match
		}
		if len(r.Users) > 0 {
			users := make([]string, len(r.Users))
			for j, u := range r.Users {
				users[j] = u.User + ":" + strings.Join(u.Rings, "+") + u.Unavailable
			}
			s += "[" + strings.Join(users, " ") + "]"
		}
		if r.Number != "" {
			s += "@" + r.Number
		}
		if r.Trace != nil {
			s += "{" + compactTrace(r.Trace) + "}"
		}
		rows[i] = s
	}
	return strings.Join(rows, " ")
}

func compactStage(s Stage) string {
	out := fmt.Sprintf("%s/%d:", s.Step, s.RingSeconds)
	if s.Workflow != "" {
		out = s.Step + ": " + s.Workflow
	}
	for _, t := range s.Targets {
		out += " " + t.User
		if t.User != "" {
			out += ":" + strings.Join(t.Via, "+")
		}
		if t.User != "" && t.Phone != "" {
			out += "="
		}
		out += t.Phone
		if t.CallConnect {
			out += "(1)"
		}
	}
	if s.Number != "" {
		out += " @" + s.Number
	}
	return out
}

// short and long forms of numbers in tests.
func num(s string) string { return strings.ReplaceAll(s, "#", "+1202555") }

// smallOrg is the organisation that the tables start from: nobody has special wishes, everybody is an agent but ann, who
// owns the place, and eve, an admin.
func smallOrg() store.Directory {
	user := func(id string, role store.Role, phone string) store.User {
		return store.User{ID: id, Name: id, Role: role, Phone: num(phone)}
	}
	return store.Directory{
		Company: store.Company{Name: "Test", Timezone: "America/New_York", Region: "US",
			Hours:  []store.Window{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}},
			Closed: []string{"2026-12-25"}},
		Users: []store.User{user("ann", store.Owner, "#9001"), user("bob", store.Agent, "#9002"),
			user("cyd", store.Agent, ""), user("eve", store.Admin, "")},
		Numbers: append(make([]store.Number, 0, 16), store.Number{Number: num("#0001"), Kind: store.CompanyNumber}),
		Contacts: []store.Contact{
			{ID: "owned", Phones: []string{num("#7001")}, Owner: "bob"},
			{ID: "free", Phones: []string{num("#7002")}},
		},
		Policies: map[string]store.Policy{},
	}
}

// everyone registered at a desk.
func atDesks() Live {
	live := Live{Registered: map[string][]string{}}
	for _, u := range []string{"ann", "bob", "cyd", "eve"} {
		live.Registered[u] = []string{store.Desk}
	}
	return live
}

// decision is a row of a table: an organisation changed a little, a request, and the compact plan.
type decision struct {
	name string
	edit func(d *store.Directory, n *store.Number) // n is number #0001; nil = as it is
	live func(l *Live)                             // nil = everybody at a desk
	req  Request                                   // To "" = #0001, From "" = #8000
	at   string                                    // "" = an open hour
	want string
}

const (
	openHour   = "2026-11-20T10:00:00-05:00" // a Friday
	closedHour = "2026-11-20T20:00:00-05:00"
	holiday    = "2026-12-25T10:00:00-05:00" // a Friday, too
)

func (c *decision) run(t *testing.T) Plan {
	t.Helper()
	dir := smallOrg()
	if c.edit != nil {
		c.edit(&dir, &dir.Numbers[0])
	}
	ix, err := NewIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	live := atDesks()
	if c.live != nil {
		c.live(&live)
	}
	req := c.req
	if req.To == "" {
		req.To = "#0001"
	}
	if req.From == "" {
		req.From = "#8000"
	}
	req.To, req.From = num(req.To), num(req.From)
	at := c.at
	if at == "" {
		at = openHour
	}
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		t.Fatal(err)
	}
	return Decide(req, ix.With(live), now)
}

func runDecisions(t *testing.T, table []decision) {
	t.Helper()
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			got := strings.TrimSpace(compact(c.run(t)))
			if want := strings.TrimSpace(dedent(c.want)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func dedent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// custom gives number #0001 a policy of its own; a step is "name" or "name?when".
func custom(d *store.Directory, n *store.Number, mode, reach string, steps ...string) {
	p := store.Policy{Mode: mode, Reach: reach}
	for _, s := range steps {
		name, when, _ := strings.Cut(s, "?")
		p.Steps = append(p.Steps, store.PolicyStep{Step: name, When: when})
	}
	d.Policies["mine"] = p
	n.Policy = "mine"
}

// add another number with a policy.
func addNumber(d *store.Directory, number, policy string, edit func(n *store.Number)) {
	n := store.Number{Number: num(number), Kind: store.CompanyNumber, Policy: policy}
	if edit != nil {
		edit(&n)
	}
	d.Numbers = append(d.Numbers, n)
}
