package routing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"strowger/store"
)

// Index is an organisation compiled for deciding: windows parsed, names resolved, users in order. It is immutable and
// safe for concurrent use.
type Index struct {
	company    Company
	users      []*User
	byID       map[string]*User
	extensions map[string]*User
	numbers    []*Number
	byNumber   map[string]*Number
	contacts   func(e164 string) []*store.Contact
	policies   map[string]*Policy
	workflows  map[string]*store.Workflow
	features   Features
}

// Company is the organisation's own data in compiled form.
type Company struct {
	store.Company
	location *time.Location
	hours    *Hours           // nil = open on every day that is not closed
	closed   map[int]struct{} // by dateKey
}

// Location is the company's time zone; its wall clock is the one that every window is read by.
func (c *Company) Location() *time.Location { return c.location }

// Open reports whether the company is open at this instant: inside its hours and not on a holiday.
func (c *Company) Open(now time.Time) bool { return c.open(c.moment(now)) }

// User is a user in compiled form.
type User struct {
	store.User
	order int     // position in the directory
	reach Kinds   // how the user wants to be rung
	hours *Hours  // nil = follows none
	alone []*User // just this user, for steps that name one
}

// Number is one of our numbers in compiled form.
type Number struct {
	store.Number
	user        *User
	ring        []*User // distinct, in the directory's order
	forwardTo   string
	rules       []rule
	defaultRule *rule
}

// rule is a custom or the default rule for unknown callers; exactly one of single, blast and another is set.
type rule struct {
	match   string // its match reason
	hours   Hours  // custom rules only
	single  *User
	blast   []*User // distinct, in the directory's order
	another string  // E.164
}

// PolicyName is the name of the policy that decides the number's calls.
func (n *Number) PolicyName() string { return cmp.Or(n.Policy, DefaultPolicy) }

// Limit is how many inbound calls the number takes at once.
func (n *Number) Limit() int { return cmp.Or(n.MaxInbound, 50) }

// NewIndex compiles an organisation. The error joins everything that cannot be compiled, such as an unknown time zone, a
// broken window or a policy with an unknown step. Users, contacts' owners and workflows that do not exist count as absent:
// store/directory has refused them long before. The Index keeps dir, which must not be changed afterwards.
func NewIndex(dir store.Directory) (*Index, error) {
	c := &compiler{Index: &Index{
		byID:       make(map[string]*User, len(dir.Users)),
		extensions: make(map[string]*User, len(dir.Users)),
		byNumber:   make(map[string]*Number, len(dir.Numbers)),
		policies:   make(map[string]*Policy),
		workflows:  make(map[string]*store.Workflow, len(dir.Workflows)),
	}}
	c.compileCompany(dir.Company)
	for i := range dir.Users {
		c.compileUser(dir.Users[i])
	}
	c.compileFeatures(dir.Features)
	for name, p := range BuiltinPolicies() {
		c.compilePolicy(name, p)
	}
	for name, p := range dir.Policies {
		c.compilePolicy(name, p)
	}
	for i := range dir.Workflows {
		c.workflows[dir.Workflows[i].ID] = &dir.Workflows[i]
	}
	for i := range dir.Numbers {
		c.compileNumber(dir.Numbers[i])
	}
	c.checkSizes()
	c.contacts = contactIndex(dir.Contacts, dir.Company.Region)
	if len(c.problems) > 0 {
		slices.SortFunc(c.problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(c.problems...)
	}
	return c.Index, nil
}

// WithContacts returns an Index that looks contacts up with find instead of its own: all contacts that hold an E.164
// number, each once, in any order. find must be safe for concurrent use.
func (ix *Index) WithContacts(find func(e164 string) []*store.Contact) *Index {
	other := *ix
	other.contacts = find
	return &other
}

// compiler fills an Index and collects what is wrong.
type compiler struct {
	*Index
	problems []error
}

func (c *compiler) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

// optionalHours compiles windows; nil when there are none.
func (c *compiler) optionalHours(windows []store.Window, whose string) *Hours {
	if len(windows) == 0 {
		return nil
	}
	h, err := ParseHours(windows)
	if err != nil {
		c.problem("%s: %w", whose, err)
	}
	return &h
}

func (c *compiler) compileCompany(company store.Company) {
	c.company = Company{Company: company, location: time.UTC, closed: make(map[int]struct{}, len(company.Closed))}
	if company.Timezone != "" {
		location, err := time.LoadLocation(company.Timezone)
		if err != nil {
			c.problem("company timezone: %w", err)
		} else {
			c.company.location = location
		}
	}
	c.company.hours = c.optionalHours(company.Hours, "company hours")
	for _, date := range company.Closed {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			c.problem("company closed: %q is not a date like 2026-12-25", date)
			continue
		}
		c.company.closed[dateKey(day)] = struct{}{}
	}
	c.company.Phone = c.canonical(company.Phone)
}

// canonical is a number in E.164, or as written when it cannot be read.
func (c *compiler) canonical(number string) string {
	if e164, ok := ParseNumber(number, c.company.Region); ok {
		return e164
	}
	return number
}

func (c *compiler) compileUser(user store.User) {
	if _, twice := c.byID[user.ID]; twice {
		c.problem("user %s: there are two", user.ID)
		return
	}
	u := &User{User: user, order: len(c.users), reach: KindsOf(user.Reach)}
	if len(user.Reach) == 0 {
		u.reach = KindsOf([]string{store.Browser, store.Desk, store.Mobile})
	}
	if user.Phone != "" {
		u.Phone = c.canonical(user.Phone)
	}
	u.hours = c.optionalHours(user.Hours, "user "+user.ID+" hours")
	u.alone = []*User{u}
	c.users = append(c.users, u)
	c.byID[u.ID] = u
	if u.Extension != "" {
		c.extensions[u.Extension] = u
	}
}

func (c *compiler) compilePolicy(name string, policy store.Policy) {
	p, err := compilePolicy(policy)
	if err != nil {
		c.problem("policy %s: %w", name, err)
		return
	}
	c.policies[name] = p
}

func (c *compiler) compileNumber(number store.Number) {
	n := &Number{Number: number, user: c.byID[number.User], ring: c.named(number.Ring)}
	n.Number.Number = c.canonical(number.Number)
	if _, twice := c.byNumber[n.Number.Number]; twice {
		c.problem("number %s: there are two", number.Number)
		return
	}
	if c.policies[n.PolicyName()] == nil {
		c.problem("number %s: there is no policy %q", number.Number, number.Policy)
	}
	if number.ForwardTo != "" {
		n.forwardTo = c.canonical(number.ForwardTo)
	}
	for _, r := range number.Rules {
		custom := c.compileRule(r, RulePrefix+r.Name)
		hours, err := ParseHours(r.Hours)
		if err != nil {
			c.problem("number %s, rule %s: %w", number.Number, r.Name, err)
		}
		custom.hours = hours
		n.rules = append(n.rules, custom)
	}
	if number.DefaultRule != nil {
		r := c.compileRule(*number.DefaultRule, MatchDefaultRule)
		n.defaultRule = &r
	}
	c.numbers = append(c.numbers, n)
	c.byNumber[n.Number.Number] = n
}

func (c *compiler) compileRule(r store.Rule, match string) rule {
	out := rule{match: match, single: c.byID[r.SpecificUser], blast: c.named(r.Blast)}
	if r.AnotherNumber != "" {
		out.another = c.canonical(r.AnotherNumber)
	}
	return out
}

// named are the users with these ids, each once, in the directory's order.
func (c *compiler) named(ids []string) []*User {
	var users []*User
	for _, id := range ids {
		if u := c.byID[id]; u != nil && !slices.Contains(users, u) {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(a, b *User) int { return a.order - b.order })
	return users
}

// contactIndex looks up contacts by number.
func contactIndex(contacts []store.Contact, region string) func(string) []*store.Contact {
	byPhone := make(map[string][]*store.Contact, len(contacts))
	for i := range contacts {
		c := &contacts[i]
		for _, phone := range c.Phones {
			e164, ok := ParseNumber(phone, region)
			if !ok {
				continue
			}
			if have := byPhone[e164]; len(have) == 0 || have[len(have)-1] != c {
				byPhone[e164] = append(have, c)
			}
		}
	}
	return func(e164 string) []*store.Contact { return byPhone[e164] }
}
