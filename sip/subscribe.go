package sip

import (
	"mime"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Limits of subscriptions. They live in memory only: after a restart a phone is told nothing until it subscribes again, which
// is why none lasts long.
const (
	minSubscription     = time.Minute
	maxSubscription     = 10 * time.Minute
	maxSubscriptions    = 20000
	maxUserSubscription = 2000 // a receptionist's page or phone may watch everybody
	notifyPause         = 200 * time.Millisecond
)

// subscribeRequest is what a SUBSCRIBE outside a dialog asks for.
type subscribeRequest struct {
	event   *eventPackage
	header  string // Event as our NOTIFYs repeat it: package and id
	expires time.Duration
}

// readSubscribe judges a SUBSCRIBE (RFC 6665 §4.2.1).
func readSubscribe(req *sipmsg.Request, packages map[string]*eventPackage) (r subscribeRequest, p *refusal) {
	name, id := parseEvent(firstNamed(req, "Event"))
	if r.event = packages[name]; r.event == nil {
		return r, problem(statusBadEvent).with("Allow-Events", allowedEvents)
	}
	if r.header = name; id != "" {
		r.header += ";id=" + id
	}
	if !accepts(req, r.event.body) {
		return r, problem(sipmsg.StatusNotAcceptable).because("Not Acceptable").with("Accept", r.event.body)
	}
	expires, given := expiresHeader(req)
	switch {
	case !given:
		expires = maxSubscription
	case expires > 0 && expires < minSubscription:
		return r, problem(sipmsg.StatusIntervalToBrief).with("Min-Expires", seconds(minSubscription))
	}
	r.expires = min(expires, maxSubscription)
	return r, nil
}

// parseEvent reads an Event header: the package, and the id that tells subscriptions of one dialog apart (RFC 6665 §8.2.1).
func parseEvent(value string) (name, id string) {
	if len(value) > 256 {
		return "", ""
	}
	fields := splitParams(value)
	for _, f := range fields[1:] {
		if key, v, _ := strings.Cut(f, "="); strings.EqualFold(strings.TrimSpace(key), "id") {
			id = strings.TrimSpace(v)
		}
	}
	if strings.ContainsAny(id, " \t\r\n\",;<>") {
		id = ""
	}
	return strings.ToLower(strings.TrimSpace(fields[0])), id
}

// accepts reports whether a request takes a body of this type; without Accept it takes the package's (RFC 6665 §4.2.1.1).
func accepts(req *sipmsg.Request, body string) bool {
	given := false
	for value := range named(req, "Accept") {
		for _, one := range splitList(value) {
			given = given || one != ""
			kind, _, err := mime.ParseMediaType(one)
			major, _, _ := strings.Cut(body, "/")
			if err == nil && (kind == body || kind == "*/*" || kind == major+"/*") {
				return true
			}
		}
	}
	return !given
}

// onNewSubscribe takes a SUBSCRIBE outside a dialog. Who sends it is proven as for a call; a carrier has nothing to watch.
func (s *Server) onNewSubscribe(req *sipmsg.Request, tx *sipmsg.ServerTx) {
	if s.draining.Load() {
		s.refuse(req, tx, problem(sipmsg.StatusServiceUnavailable).with("Retry-After", "10"))
		return
	}
	id, p := s.identify(req)
	if p == nil && id.trunk != nil {
		p = problem(sipmsg.StatusForbidden)
	}
	if p != nil {
		s.refuse(req, tx, p)
		return
	}
	sub, p := s.newSubscription(req, id)
	if p == nil {
		p = s.subs.add(sub)
	}
	if p != nil {
		s.refuse(req, tx, p)
		s.event(s.log.Info(), req).Str("user", id.user).Str("event", firstNamed(req, "Event")).Str("of", uriUser(&req.Recipient)).
			Int("code", p.code).Str("reason", p.phrase).Msg("subscription refused")
		return
	}
	s.order.begin(req)
	sub.queue.wait(func() { sub.safely(func() { sub.accept(req, tx) }) })
	s.forgetSoon(req, tx)
}

// forgetSoon ends the transaction of a request by UDP long before Timer J, which would keep it for 32 s.
func (s *Server) forgetSoon(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if req.Transport() == "UDP" {
		time.AfterFunc(registerLinger, tx.Terminate)
	}
}

// newSubscription makes what a SUBSCRIBE asks for, if its user may have it.
func (s *Server) newSubscription(req *sipmsg.Request, id identity) (*subscription, *refusal) {
	r, p := readSubscribe(req, s.subs.packages)
	if p != nil {
		return nil, p
	}
	if c := req.Contact(); c == nil || c.Address.Wildcard || c.Address.Host == "" {
		return nil, malformed("Missing Contact")
	}
	name := uriUser(&req.Recipient)
	if len(name) > maxAddress {
		return nil, malformed("Request-URI Too Long")
	}
	key, ok := r.event.find(id.user, name)
	if !ok {
		return nil, problem(sipmsg.StatusNotFound)
	}
	tag := s.newTag()
	req.To().Params.Add("tag", tag) // of our response, and so of the dialog
	d := dialogOfInvite(req, tag)
	sub := &subscription{srv: s, queue: serial{crew: &s.crew}, user: id.user, device: id.device.ID, name: name, of: watched{r.event.name, key}, event: r.event, header: r.header, d: d}
	sub.hop = hop{transport: strings.ToLower(req.Transport()), addr: req.Source()}
	sub.from, sub.flow = sub.hop, s.flowID(sub.hop)
	d.contact = s.contactFor(escapeUser(name), sub.hop)
	sub.log = s.log.With().Str("call_id", d.callID).Str("user", id.user).Str("event", r.header).Str("of", name).Logger()
	sub.until = time.Now().Add(r.expires)
	return sub, nil
}
