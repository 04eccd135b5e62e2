package sip

import (
	"errors"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/store"
)

// onRegister is the registrar (RFC 3261 §10.3). The address of record is a user; each of the user's devices registers its
// contacts there with credentials of its own.
func (s *Server) onRegister(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	r, p := s.registrant(req)
	if p == nil {
		p = s.mayRegister(req, r)
	}
	if p != nil {
		s.refuse(req, tx, p)
		return
	}
	now := time.Now()
	list, p := s.register(req, r, now)
	if p != nil {
		s.respond(req, tx, p.code, p.phrase, p.headers...)
		s.event(s.log.Info(), req).Str("device", r.device).Int("code", p.code).Str("reason", p.phrase).Msg("registration refused")
		return
	}
	s.reply(req, tx, s.registered(req, list, now))
	if req.Transport() == "UDP" {
		// Timer J would keep each refresh for 32 s. A retransmission after this time, which takes several lost answers, is
		// challenged as a replay and heals itself.
		time.AfterFunc(registerLinger, tx.Terminate)
	}
}

// registerLinger is how long retransmissions of a REGISTER get the same answer.
const registerLinger = 5 * time.Second

// registrant is who registers.
type registrant struct {
	user, device, kind string
	flow               *flow
}

// registrant authenticates a REGISTER.
func (s *Server) registrant(req *sipmsg.Request) (registrant, *refusal) {
	f := s.flowOf(req)
	if f != nil && f.ws != nil && f.ws.Trusted {
		return registrant{user: f.ws.User, device: browserDevice(f.ws.Session), kind: store.Browser, flow: f}, nil
	}
	device, p := s.authenticate(req)
	if p != nil {
		return registrant{}, p
	}
	r := registrant{user: device.User, device: device.ID, kind: device.Kind, flow: f}
	if f != nil && f.ws != nil {
		r.kind = store.Browser
	}
	return r, nil
}

// mayRegister reports whether To is the registrant's own address of record, as user, extension or device.
func (s *Server) mayRegister(req *sipmsg.Request, r registrant) *refusal {
	u, ok := s.cfg.Users.UserByID(r.user)
	if !ok {
		return problem(sipmsg.StatusForbidden)
	}
	switch req.To().Address.User {
	case r.user, r.device:
		return nil
	case u.Extension:
		if u.Extension != "" {
			return nil
		}
	}
	return problem(sipmsg.StatusForbidden)
}

// register applies a REGISTER's contacts and returns what is bound then.
func (s *Server) register(req *sipmsg.Request, r registrant, now time.Time) ([]store.Binding, *refusal) {
	list, err := contacts(req)
	if err != nil {
		return nil, malformed("Bad Contact")
	}
	expires, given := expiresHeader(req)
	for _, c := range list {
		if c.Address.Wildcard {
			if len(list) != 1 || !given || expires != 0 {
				return nil, malformed("Bad Wildcard Contact")
			}
			// A user's devices share the address of record; "all bindings" means those of this device.
			return s.location.removeDevice(r.user, r.device, now), nil
		}
	}
	base, p := s.bindingBase(req, r, now)
	if p != nil {
		return nil, p
	}
	if !given {
		expires = s.cfg.DefaultExpires
	}
	bindings := make([]store.Binding, 0, len(list))
	for _, c := range list {
		b, p := s.bindingOf(base, c, expires, now)
		if p != nil {
			return nil, p
		}
		bindings = append(bindings, b)
	}
	bound, err := s.location.update(r.user, bindings, s.cfg.MaxContacts, now)
	switch {
	case errors.Is(err, errOutOfOrder):
		return nil, problem(sipmsg.StatusInternalServerError).because("CSeq Out of Order")
	case errors.Is(err, errTooManyBound):
		// Not 503: the phone would try another server, or us again and again.
		return nil, problem(sipmsg.StatusForbidden).because("Too Many Registered Contacts")
	}
	return bound, nil
}

// Limits of what one binding keeps: every answer to any phone of the user repeats it, and must fit into a datagram.
const (
	maxAddress = 1024 // bytes of a URI
	maxPath    = 10
)

func longest(list []string) (n int) {
	for _, s := range list {
		n = max(n, len(s))
	}
	return n
}

// bindingBase is what all contacts of a REGISTER have in common.
func (s *Server) bindingBase(req *sipmsg.Request, r registrant, now time.Time) (store.Binding, *refusal) {
	b := store.Binding{
		User: r.user, Device: r.device, Kind: r.kind,
		CallID: callID(req), CSeq: req.CSeq().SeqNo,
		Transport: sipmsg.NetworkToLower(req.Transport()), Source: req.Source(),
		UserAgent: truncated(firstNamed(req, "User-Agent"), 128), Registered: now,
	}
	if r.flow != nil {
		b.Flow = r.flow.id
	}
	for value := range named(req, "Path") {
		b.Path = append(b.Path, splitList(value)...)
	}
	if longest(b.Path) > maxAddress || len(b.Path) > maxPath {
		return b, malformed("Path Too Long")
	}
	if len(b.Path) > 0 && !supports(req, "path") {
		// The phone would not know by which way it is reached (RFC 3327 §5.3).
		return b, problem(421).with("Require", "path")
	}
	return b, nil
}

// bindingOf makes a contact's binding; without Expires when it is to be removed.
func (s *Server) bindingOf(b store.Binding, c *sipmsg.ContactHeader, expires time.Duration, now time.Time) (store.Binding, *refusal) {
	if c.Address.Scheme != "sip" && c.Address.Scheme != "sips" {
		return b, malformed("Bad Contact Scheme")
	}
	if b.Contact = c.Address.String(); len(b.Contact) > maxAddress {
		return b, malformed("Contact Too Long")
	}
	instance, _ := c.Params.Get("+sip.instance")
	b.Instance = truncated(unquote(instance), 256)
	if id, ok := c.Params.Get("reg-id"); ok && b.Instance != "" {
		b.RegID, _ = strconv.Atoi(id)
		b.RegID = max(b.RegID, 0)
	}
	b.Q = 1000
	if q, ok := c.Params.Get("q"); ok {
		if v, err := strconv.ParseFloat(q, 32); err == nil && v >= 0 && v <= 1 {
			b.Q = int(v*1000 + 0.5)
		}
	}
	if e, ok := c.Params.Get("expires"); ok {
		expires = parseExpires(e)
	}
	switch {
	case expires == 0:
		return b, nil
	case expires < s.cfg.MinExpires:
		return b, problem(sipmsg.StatusIntervalToBrief).with("Min-Expires", wholeSeconds(s.cfg.MinExpires))
	}
	b.Expires = now.Add(min(expires, s.cfg.MaxExpires))
	return b, nil
}

// registered is the 200 with all bindings of the address of record (RFC 3261 §10.3 item 8).
func (s *Server) registered(req *sipmsg.Request, list []store.Binding, now time.Time) *sipmsg.Response {
	res := s.response(req, sipmsg.StatusOK, "OK")
	outbound := false
	for i := range list {
		b := &list[i]
		res.AppendHeader(sipmsg.NewHeader("Contact", contactValue(b, now)))
		outbound = outbound || (b.RegID > 0 && b.CallID == callID(req))
	}
	for value := range named(req, "Path") {
		res.AppendHeader(sipmsg.NewHeader("Path", value))
	}
	res.AppendHeader(sipmsg.NewHeader("Allow", allowedMethods))
	res.AppendHeader(sipmsg.NewHeader("Supported", supportedOptions))
	res.AppendHeader(sipmsg.NewHeader("Allow-Events", allowedEvents))
	if outbound && supports(req, "outbound") {
		res.AppendHeader(sipmsg.NewHeader("Require", "outbound")) // RFC 5626 §6
	}
	return res
}

func contactValue(b *store.Binding, now time.Time) string {
	left := (b.Expires.Sub(now) + time.Second - 1) / time.Second
	var v strings.Builder
	v.WriteString("<" + b.Contact + ">;expires=" + strconv.FormatInt(int64(left), 10))
	if b.Q != 1000 {
		v.WriteString(";q=" + strconv.FormatFloat(float64(b.Q)/1000, 'f', -1, 64))
	}
	if b.Instance != "" {
		v.WriteString(`;+sip.instance="` + strings.ReplaceAll(b.Instance, `"`, "") + `"`)
	}
	if b.RegID > 0 {
		v.WriteString(";reg-id=" + strconv.Itoa(b.RegID))
	}
	return v.String()
}

// expiresHeader is the Expires header, if there is one.
func expiresHeader(req *sipmsg.Request) (time.Duration, bool) {
	for value := range named(req, "Expires") {
		return parseExpires(value), true
	}
	return 0, false
}

// parseExpires reads seconds. What is malformed means an hour (RFC 3261 §10.2.1.1).
func parseExpires(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return time.Hour
	}
	return time.Duration(n) * time.Second
}

func wholeSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// supports reports whether the peer's Supported has an option tag.
func supports(req *sipmsg.Request, tag string) bool {
	for value := range named(req, "Supported") {
		if hasOption(value, tag) {
			return true
		}
	}
	return false
}

func truncated(s string, limit int) string { return s[:min(len(s), limit)] }
