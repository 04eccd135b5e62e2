package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/nyaruka/phonenumbers"

	"strowger/sip/call"
)

// Dial implements call.Dialer. A phone's redirection (3xx) fails the leg with its code and its Contacts; a carrier's is
// followed within the carrier. It resolves, connects and sends in the background; ctx ends nothing but the call to Dial.
func (s *Server) Dial(ctx context.Context, req call.DialRequest, post call.Post) (call.Leg, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("sip: dial: %w", err)
	}
	l := &leg{srv: s, queue: serial{crew: &s.crew}, callID: randomHex(16), localTag: s.newTag(), post: post, localSDP: req.SDP, pinned: req.To.Binding != nil}
	l.log = s.log.With().Str("call_id", l.callID).Str("call", req.CallID).Logger()
	l.d = &dialog{callID: l.callID, localTag: l.localTag, localSeq: newSeq()}
	l.session.interval = max(s.cfg.SessionExpires, minSessionExpires)
	if req.Replaces != "" {
		req.Headers = append(slices.Clone(req.Headers), call.Header{Name: "Require", Value: "replaces"}, call.Header{Name: "Replaces", Value: req.Replaces})
	}
	var headers []call.Header
	var err error
	switch {
	case req.To.Binding != nil:
		headers, err = l.towardPhone(req)
	case req.To.Trunk != "":
		headers, err = l.towardTrunk(req)
	default:
		err = errors.New("neither a binding nor a trunk")
	}
	if err != nil {
		return nil, fmt.Errorf("sip: dial: %w", err)
	}
	l.out = &outbound{failed: l.inviteFailed, won: l.inviteWon}
	l.out.build = func() *sipmsg.Request { return l.buildInvite(append(headers, req.Headers...), req.MaxForwards) }
	l.trunk.acquire()
	s.calls.dialogs.add(l)
	l.command(l.start)
	return l, nil
}

// start sends the first INVITE; a trunk's addresses may have to be asked for first.
func (l *leg) start() {
	if l.trunk != nil {
		hops, err := l.trunk.hops(l.srv.calls.ctx)
		if err != nil {
			l.log.Warn().Err(err).Str("trunk", l.trunk.cfg.Name).Msg("trunk has no address")
			l.out.final = true
			l.inviteFailed(sipmsg.StatusServiceUnavailable, call.Reason{Protocol: "SIP", Cause: 503, Text: "Trunk address unknown"})
			return
		}
		l.hop, l.out.hops, l.out.limit = hops[0], hops, l.trunk.cfg.NoResponse
	}
	l.launch(l.out)
}

// buildInvite makes a try of the initial INVITE.
func (l *leg) buildInvite(headers []call.Header, hops int) *sipmsg.Request {
	l.d.contact = l.srv.contactFor(l.contactUser(), l.hop)
	req := l.d.request(sipmsg.INVITE)
	if hops > 0 {
		limit := sipmsg.MaxForwardsHeader(min(hops, 70))
		req.ReplaceHeader(&limit)
	}
	l.common(req)
	for _, h := range headers {
		req.AppendHeader(sipmsg.NewHeader(h.Name, sanitize(h.Value)))
	}
	l.session.request(req, false)
	setSDP(req, l.localSDP)
	req.SetTransport(strings.ToUpper(l.hop.transport))
	req.SetDestination(l.hop.addr)
	return req
}

// contactUser is the user part of our Contact: toward a trunk the account, so that it looks like the registered one.
func (l *leg) contactUser() string {
	if l.trunk != nil && l.trunk.cfg.Username != "" {
		return escapeUser(l.trunk.cfg.Username)
	}
	return l.d.local.uri.User
}

// sanitize takes line ends out of a header value that came from elsewhere.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return ' '
		}
		return r
	}, s)
}

// towardPhone aims at a registered contact: its flow, its Path as the route (RFC 3327 §5.3), its Contact as request URI.
func (l *leg) towardPhone(req call.DialRequest) ([]call.Header, error) {
	b := req.To.Binding
	transport, addr, path, ok := l.srv.flowDestination(b)
	if !ok {
		return nil, fmt.Errorf("phone %s of %s is not reachable: %w", b.Device, b.User, errFlowGone)
	}
	if err := parseURI(b.Contact, &l.d.target); err != nil {
		return nil, fmt.Errorf("phone %s of %s: contact %q: %w", b.Device, b.User, b.Contact, err)
	}
	l.d.target.Headers, l.user = nil, b.User
	for _, p := range path {
		a, err := readNameAddr(p)
		if err != nil {
			return nil, fmt.Errorf("phone %s of %s: path %q: %w", b.Device, b.User, p, err)
		}
		l.d.routes = append(l.d.routes, a.uri)
	}
	l.hop = hop{transport: strings.ToLower(transport), addr: addr}
	l.flow = l.srv.flowID(l.hop)
	l.remote = l.d.target.String() + " at " + l.hop.String()
	domain := l.srv.domain(l.hop)
	l.d.local = callerAddr(req.From, domain)
	l.display.told = req.From
	l.d.remote = nameAddr{name: req.Called, uri: sipmsg.Uri{Scheme: "sip", User: escapeUser(b.User), Host: domain}}
	var headers []call.Header
	for _, p := range slices.Backward(req.Diverted) { // the phone shows who sent the call on
		uri := sipmsg.Uri{Scheme: "sip", User: escapeUser(p.Number), Host: domain}
		headers = append(headers, call.Header{Name: "Diversion", Value: quoteAddr(p.Name, uri.String()) + ";reason=unconditional"})
	}
	return headers, nil
}

// domain is the name we go by toward phones.
func (s *Server) domain(h hop) string {
	if len(s.cfg.Domains) > 0 {
		return s.cfg.Domains[0]
	}
	host, _ := s.localFor(h.transport, h.addr)
	return host
}

// callerAddr is the From of a caller (RFC 3261 §8.1.1.3 for anonymous ones).
func callerAddr(p call.Party, domain string) nameAddr {
	if p.Number == anonymous || p.Number == "" {
		return anonymousAddr()
	}
	return nameAddr{name: p.Name, uri: sipmsg.Uri{Scheme: "sip", User: escapeUser(p.Number), Host: domain}}
}

func anonymousAddr() nameAddr {
	return nameAddr{name: "Anonymous", uri: sipmsg.Uri{Scheme: "sip", User: anonymous, Host: "anonymous.invalid"}}
}

// towardTrunk aims at an outside number: request URI and To in the carrier's format and domain, caller ID and Diversion as
// it wants them.
func (l *leg) towardTrunk(req call.DialRequest) ([]call.Header, error) {
	t := l.srv.calls.trunks.byName(req.To.Trunk)
	if t == nil {
		return nil, fmt.Errorf("trunk %q does not exist", req.To.Trunk)
	}
	l.trunk, l.creds = t, t.credentials()
	l.d.target = t.uri(req.To.Number)
	l.remote = l.d.target.String() + " by trunk " + t.cfg.Name
	l.d.remote = nameAddr{uri: sipmsg.Uri{Scheme: "sip", User: l.d.target.User, Host: t.cfg.Domain}}
	if t.cfg.OutboundProxy != "" {
		host, port := splitHostPort(t.cfg.OutboundProxy)
		proxy := sipmsg.Uri{Scheme: "sip", Host: bracketHost(host), Port: port}
		proxy.UriParams.Add("lr", "")
		if t.cfg.Transport != "udp" {
			proxy.UriParams.Add("transport", t.cfg.Transport)
		}
		l.d.routes = []sipmsg.Uri{proxy}
	}
	var headers []call.Header
	l.d.local, headers = t.callerID(req.From, req.Asserted)
	if t.cfg.Diversion {
		for _, p := range slices.Backward(req.Diverted) {
			uri := t.uri(p.Number)
			headers = append(headers, call.Header{Name: "Diversion", Value: quoteAddr(p.Name, uri.String()) + ";reason=unconditional"})
		}
	}
	return headers, nil
}

// uri is a number at the carrier.
func (t *trunk) uri(number string) sipmsg.Uri {
	uri := sipmsg.Uri{Scheme: "sip", User: escapeUser(formatNumber(number, t.cfg.NumberFormat, t.region())), Host: t.cfg.Domain}
	if host, port := splitHostPort(t.cfg.Server); host == t.cfg.Domain {
		uri.Host, uri.Port = bracketHost(host), port
	}
	if t.cfg.Transport != "udp" {
		uri.UriParams.Add("transport", t.cfg.Transport)
	}
	return uri
}

// callerID is the From for a caller, and the headers that assert the identity (RFC 3325 §9.1) or ask to withhold it
// (RFC 3323 §4.2).
func (t *trunk) callerID(from, asserted call.Party) (nameAddr, []call.Header) {
	if asserted.Number == "" {
		asserted = from
	}
	address := func(p call.Party) nameAddr {
		return nameAddr{name: p.Name, uri: sipmsg.Uri{Scheme: "sip", Host: t.cfg.Domain,
			User: escapeUser(formatNumber(p.Number, t.cfg.NumberFormat, t.region()))}}
	}
	withheld := from.Number == anonymous || from.Number == ""
	var headers []call.Header
	known := asserted.Number != anonymous && asserted.Number != ""
	if known && t.cfg.CallerID != "from" && !(withheld && t.cfg.Privacy == "from") {
		a := address(asserted)
		headers = append(headers, call.Header{Name: "P-Asserted-Identity", Value: quoteAddr(a.name, a.uri.String())})
	}
	switch {
	case withheld && t.cfg.Privacy == "from":
		return anonymousAddr(), headers
	case withheld:
		return anonymousAddr(), append(headers, call.Header{Name: "Privacy", Value: "id"})
	case t.cfg.CallerID == "pai" && t.cfg.Username != "":
		account := nameAddr{name: from.Name, uri: sipmsg.Uri{Scheme: "sip", User: escapeUser(t.cfg.Username), Host: t.cfg.Domain}}
		return account, headers
	}
	return address(from), headers
}

// formatNumber writes an E.164 number as the carrier wants it; anything else stays as it is.
func formatNumber(number, format, region string) string {
	if !strings.HasPrefix(number, "+") {
		return number
	}
	switch format {
	case "plain":
		return number[1:]
	case "national":
		n, err := phonenumbers.Parse(number, region)
		if err != nil || (region != "" && int(n.GetCountryCode()) != phonenumbers.GetCountryCodeForRegion(region)) {
			return number
		}
		return onlyDigits(phonenumbers.Format(n, phonenumbers.NATIONAL))
	}
	return number
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// bracketHost writes a host as a URI does.
func bracketHost(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return bracketed(a)
	}
	return host
}

// hidden reports whether a host is an address that cannot be meant for us: private, while the peer was seen at a public one.
func hidden(host, seen string) bool {
	h, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return false
	}
	s, err := netip.ParseAddr(strings.Trim(seen, "[]"))
	return err == nil && isLocalNetwork(h) && !isLocalNetwork(s)
}

// transmit sends a request whose transport and destination (ip:port) are set. It adds Via; over TLS the name goes along for
// the certificate.
func (s *Server) transmit(ctx context.Context, req *sipmsg.Request) (sipmsg.ClientTransaction, error) {
	transport, dest := strings.ToLower(req.Transport()), req.MessageData.Destination()
	if via := req.Via(); via == nil {
		host, port := s.localFor(transport, dest)
		via = &sipmsg.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(transport), Host: strings.Trim(host, "[]"), Port: port}
		via.Params.Add("branch", s.newBranch())
		via.Params.Add("rport", "")
		req.PrependHeader(via)
	}
	if req.GetHeader("user-agent") == nil && req.Method != sipmsg.CANCEL {
		req.AppendHeader(sipmsg.NewHeader("User-Agent", s.cfg.UserAgent))
	}
	if name, ok := s.calls.trunks.tlsNames.Load(dest); ok && transport == "tls" {
		return s.sendNamed(ctx, req, name.(string))
	}
	return s.send(ctx, req)
}
