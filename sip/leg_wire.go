package sip

import (
	"mime"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// aim sets transport and destination of a request inside the dialog.
func (l *leg) aim(req *sipmsg.Request) {
	h := l.hop
	if !l.pinned {
		h = l.resolved(hopOf(l.d.next(), l.hop))
	}
	req.SetTransport(strings.ToUpper(h.transport))
	req.SetDestination(h.addr)
}

// resolved looks up a host name that the peer put into Contact or Record-Route. The carrier's own name stands for the server
// that has the call, and so does a name that cannot be found.
func (l *leg) resolved(h hop) hop {
	host := hostOf(h.addr)
	if isAddress(host) {
		return h
	}
	if l.trunk.goesBy(host) {
		return l.hop
	}
	addr, err := l.srv.calls.trunks.lookup(l.srv.calls.ctx, h)
	if err != nil {
		l.log.Info().Err(err).Msg("the peer's Contact cannot be resolved; sending to where it was seen")
		return l.hop
	}
	return hop{transport: h.transport, addr: addr}
}

// hopOf is where a URI leads (RFC 3261 §8.1.2). Where the peer cannot be meant to be reached there, because the host is
// *.invalid or a private address while it came from a public one, it is reached where it was seen.
func hopOf(u *sipmsg.Uri, seen hop) hop {
	if strings.HasSuffix(strings.ToLower(u.Host), ".invalid") || u.Host == "" || hidden(u.Host, hostOf(seen.addr)) {
		return seen
	}
	transport := seen.transport
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "transport") && p.V != "" {
			transport = strings.ToLower(p.V)
		}
	}
	if u.Scheme == "sips" && transport != "wss" {
		transport = "tls"
	}
	if transport == "ws" || transport == "wss" {
		return seen
	}
	port := u.Port
	if port == 0 {
		port = sipmsg.DefaultPort(transport)
	}
	return hop{transport: transport, addr: joinHostPort(u.Host, port)}
}

func joinHostPort(host string, port int) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}

// seenAt notes where a request of a phone came from: its NAT may have moved it.
func (l *leg) seenAt(req *sipmsg.Request) {
	if l.pinned && req.MessageData.Source() != "" {
		l.hop = hop{transport: strings.ToLower(req.Transport()), addr: req.MessageData.Source()}
	}
}

// learn takes the peer's abilities from a request or response.
func (l *leg) learn(msg interface {
	GetHeaders(string) []sipmsg.Header
}) {
	if allow := msg.GetHeaders("allow"); len(allow) > 0 {
		l.peer.update = hasToken(allow, "UPDATE")
	}
	if supported := msg.GetHeaders("supported"); len(supported) > 0 {
		l.peer.timer = hasToken(supported, "timer")
	}
}

// hasToken reports whether one of the comma-separated headers names the token.
func hasToken(headers []sipmsg.Header, token string) bool {
	for _, h := range headers {
		for v := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(v), token) {
				return true
			}
		}
	}
	return false
}

// common adds what our requests and responses in a dialog say of us.
func (l *leg) common(msg sipmsg.Message) {
	msg.AppendHeader(&sipmsg.ContactHeader{Address: l.d.contact})
	msg.AppendHeader(sipmsg.NewHeader("Allow", legAllow))
	msg.AppendHeader(sipmsg.NewHeader("Supported", legSupported))
}

// setSDP makes sdp the body of a message; nil is no body.
func setSDP(msg sipmsg.Message, sdp []byte) {
	if len(sdp) > 0 {
		contentType := sipmsg.ContentTypeHeader("application/sdp")
		msg.AppendHeader(&contentType)
	}
	msg.SetBody(sdp)
}

// sdpOf is the SDP of a message, also inside multipart/mixed (RFC 5621); nil when there is none.
func sdpOf(msg interface {
	Body() []byte
	ContentType() *sipmsg.ContentTypeHeader
}) []byte {
	body := msg.Body()
	if len(body) == 0 {
		return nil
	}
	header := msg.ContentType()
	if header == nil {
		return body // RFC 3261 §20.15 demands it, but an INVITE's body without a type is SDP
	}
	kind, params, err := mime.ParseMediaType(string(*header))
	switch {
	case err != nil:
		return nil
	case kind == "application/sdp":
		return body
	case strings.HasPrefix(kind, "multipart/"):
		return sdpPart(body, params["boundary"])
	}
	return nil
}
