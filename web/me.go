package web

import (
	"context"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"strowger/store"
)

// Me is what the page must know of its user to start.
type Me struct {
	User    Person     `json:"user"`
	Admin   bool       `json:"admin" doc:"May see everybody's calls and voicemails"`
	Company string     `json:"company"`
	Region  string     `json:"region,omitempty" doc:"ISO 3166 alpha-2; how national numbers are read"`
	Numbers []CallFrom `json:"numbers" doc:"Caller IDs to choose from"`
	Ours    []Party    `json:"ours" doc:"All numbers of the company with their labels"`
	People  []Person   `json:"people" doc:"Everybody inside, to call and to name"`
	Phone   Phone      `json:"phone"`
	Demo    bool       `json:"demo" doc:"The simulated carrier is there: see /api/demo"`
	Version string     `json:"version"`
}

// Person is a user.
type Person struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role" enum:"owner,admin,agent"`
	Email     string `json:"email,omitempty"`
	Extension string `json:"extension,omitempty"`
}

// CallFrom is a number that a user may show as caller ID.
type CallFrom struct {
	Number  string `json:"number" doc:"E.164"`
	Label   string `json:"label,omitempty"`
	Kind    string `json:"kind" enum:"company,personal"`
	Default bool   `json:"default"`
}

// Phone is how the page's phone connects.
type Phone struct {
	SIPURI  string `json:"sip_uri" doc:"Address of record"`
	WSPath  string `json:"ws_path" doc:"Path of the WebSocket on this host, subprotocol sip; the session cookie authenticates it"`
	Session string `json:"session" doc:"Public name of the session, for telling this page's registration from others"`
}

type meOutput struct{ Body Me }

func (s *Server) meRoutes() {
	route(s, needPerson, huma.Operation{
		OperationID: "me", Method: http.MethodGet, Path: "/api/me", Summary: "Who is signed in, and what the page needs to start",
		Middlewares: huma.Middlewares{withRequest},
	}, func(ctx context.Context, p Principal, _ *struct{}) (*meOutput, error) {
		org := s.cfg.Organisation
		company := org.Company()
		me := Me{
			User: person(p.User), Admin: p.Admin, Company: company.Name, Region: company.Region,
			Numbers: callerIDs(p.User, org.Numbers()), Ours: []Party{}, People: []Person{},
			Phone: Phone{SIPURI: "sip:" + p.User.ID + "@" + s.sipDomain(request(ctx)), WSPath: "/ws", Session: p.Session},
			Demo:  s.cfg.Demo != nil, Version: s.cfg.Version,
		}
		for _, n := range org.Numbers() {
			me.Ours = append(me.Ours, Party{Number: n.Number, Name: n.Label})
		}
		for _, u := range org.Users() {
			p := person(u)
			p.Email = "" // colleagues are called, not written to
			me.People = append(me.People, p)
		}
		return &meOutput{Body: me}, nil
	})
}

func person(u store.User) Person {
	role := u.Role
	if role == "" {
		role = store.Agent
	}
	return Person{ID: u.ID, Name: u.Name, Role: string(role), Email: u.Email, Extension: u.Extension}
}

// callerIDs offers the user's personal number and every company number. The default is the personal one, else the company
// number that is the user's, else the first company number.
func callerIDs(u store.User, numbers []store.Number) []CallFrom {
	list := []CallFrom{}
	best, bestRank := -1, 0
	for _, n := range numbers {
		rank := 1
		switch {
		case n.Kind == store.PersonalNumber && n.User != u.ID:
			continue
		case n.Kind == store.PersonalNumber:
			rank = 3
		case n.User == u.ID:
			rank = 2
		}
		if rank > bestRank {
			best, bestRank = len(list), rank
		}
		list = append(list, CallFrom{Number: n.Number, Label: n.Label, Kind: n.Kind})
	}
	if best >= 0 {
		list[best].Default = true
	}
	return list
}

// sipDomain is the host part of users' SIP addresses.
func (s *Server) sipDomain(r *http.Request) string {
	if s.cfg.SIPDomain != "" {
		return s.cfg.SIPDomain
	}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return bracketed(host)
	}
	return r.Host
}

// bracketed writes an IPv6 address as a host of a URI.
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}
