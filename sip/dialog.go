package sip

import (
	"math/rand/v2"
	"strings"
	"sync"

	sipmsg "github.com/emiago/sipgo/sip"
)

// dialog is the state of one peer-to-peer relationship (RFC 3261 §12). It is early until the 2xx. The leg that owns it
// touches it from its own queue only.
type dialog struct {
	callID              string
	localTag, remoteTag string
	local, remote       nameAddr // From and To of our requests, without tags
	target              sipmsg.Uri
	routes              []sipmsg.Uri // first = nearest to us
	contact             sipmsg.Uri   // ours
	localSeq, remoteSeq uint32
}

// hop is where a request is sent, whatever its URI says: the transport and the address of a connection or a host.
type hop struct {
	transport string // udp | tcp | tls | ws | wss
	addr      string // host:port
}

func (h hop) String() string { return h.addr + ";transport=" + h.transport }

// newSeq is a first CSeq number (RFC 3261 §8.1.1.5: below 2^31).
func newSeq() uint32 { return 1 + rand.Uint32N(1<<15) }

// request starts a request inside the dialog (RFC 3261 §12.2.1.1): URI and routes, From, To, Call-ID, CSeq and
// Max-Forwards. Via is added when it is sent.
func (d *dialog) request(method sipmsg.RequestMethod) *sipmsg.Request {
	uri, routes := d.path()
	req := sipmsg.NewRequest(method, uri)
	for _, r := range routes {
		req.AppendHeader(&sipmsg.RouteHeader{Address: r})
	}
	from := &sipmsg.FromHeader{DisplayName: escapeQuoted(d.local.name), Address: d.local.uri}
	from.Params.Add("tag", d.localTag)
	to := &sipmsg.ToHeader{DisplayName: escapeQuoted(d.remote.name), Address: d.remote.uri}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	callID := sipmsg.CallIDHeader(d.callID)
	maxForwards := sipmsg.MaxForwardsHeader(70)
	if method != sipmsg.ACK && method != sipmsg.CANCEL {
		d.localSeq++
	}
	req.AppendHeader(&maxForwards)
	req.AppendHeader(from)
	req.AppendHeader(to)
	req.AppendHeader(&callID)
	req.AppendHeader(&sipmsg.CSeqHeader{SeqNo: d.localSeq, MethodName: method})
	return req
}

// path is the request URI and the Route headers: with a loose first route the target and all routes, with a strict one that
// route and the rest with the target last.
func (d *dialog) path() (sipmsg.Uri, []sipmsg.Uri) {
	if len(d.routes) == 0 || isLoose(&d.routes[0]) {
		return d.target, d.routes
	}
	first := d.routes[0]
	first.Headers = nil
	return first, append(append([]sipmsg.Uri(nil), d.routes[1:]...), d.target)
}

// next is the URI whose host gets the dialog's requests.
func (d *dialog) next() *sipmsg.Uri {
	if len(d.routes) > 0 {
		return &d.routes[0]
	}
	return &d.target
}

// isLoose reports the lr parameter (RFC 3261 §19.1.1).
func isLoose(u *sipmsg.Uri) bool {
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "lr") {
			return true
		}
	}
	return false
}

// recordRoutes reads the Record-Route headers of a message in the order in which they stand.
func recordRoutes(msg interface {
	GetHeaders(string) []sipmsg.Header
}) []sipmsg.Uri {
	var out []sipmsg.Uri
	for _, h := range msg.GetHeaders("record-route") {
		if rr, ok := h.(*sipmsg.RecordRouteHeader); ok {
			out = append(out, *rr.Address.Clone())
		}
	}
	return out
}

// dialogOfInvite makes the UAS side of a dialog from an INVITE (RFC 3261 §12.1.1).
func dialogOfInvite(req *sipmsg.Request, localTag string) *dialog {
	from, to := req.From(), req.To()
	d := &dialog{
		callID:    string(*req.CallID()),
		localTag:  localTag,
		local:     nameAddr{name: unescapeQuoted(to.DisplayName), uri: *to.Address.Clone()},
		remote:    nameAddr{name: unescapeQuoted(from.DisplayName), uri: *from.Address.Clone()},
		routes:    recordRoutes(req),
		localSeq:  newSeq(),
		remoteSeq: req.CSeq().SeqNo,
	}
	d.remoteTag, _ = from.Params.Get("tag")
	d.target = d.remote.uri
	d.retarget(req)
	return d
}

// confirm takes what the response that makes the dialog says (RFC 3261 §12.1.2): tag, route set and target.
func (d *dialog) confirm(res *sipmsg.Response) {
	d.remoteTag = tagOf(res.To().Params)
	routes := recordRoutes(res)
	for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
		routes[i], routes[j] = routes[j], routes[i]
	}
	d.routes = routes
	d.retarget(res)
}

// retarget takes the peer's Contact as the target of what follows (RFC 3261 §12.2: target refresh).
func (d *dialog) retarget(msg interface {
	Contact() *sipmsg.ContactHeader
}) {
	if c := msg.Contact(); c != nil && !c.Address.Wildcard && c.Address.Host != "" {
		d.target = *c.Address.Clone()
		d.target.Headers = nil
	}
}

// legKey finds a leg: our tag is random and unique, so the peer's, which may not be known yet, is checked by the leg.
type legKey struct{ callID, localTag string }

// dialogTable knows the legs that have a dialog, early ones too.
type dialogTable struct {
	mu   sync.RWMutex
	legs map[legKey]*leg
	// byCallID finds the last leg with a Call-ID; phones do not use one twice at a time.
	byCallID map[string]*leg
}

func (t *dialogTable) add(l *leg) {
	l.publish()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.legs == nil {
		t.legs, t.byCallID = make(map[legKey]*leg), make(map[string]*leg)
	}
	t.legs[legKey{l.callID, l.localTag}] = l
	t.byCallID[l.callID] = l
}

func (t *dialogTable) remove(l *leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.legs, legKey{l.callID, l.localTag})
	if t.byCallID[l.callID] == l {
		delete(t.byCallID, l.callID)
	}
}

// tags are ours and the peer's of a dialog. Before the answer the peer may have several, one for each fork: the first is told.
func (t *dialogTable) tags(callID string) (local, remote string, ok bool) {
	t.mu.RLock()
	l := t.byCallID[callID]
	t.mu.RUnlock()
	if l == nil {
		return "", "", false
	}
	if v := l.view.Load(); len(v.remoteTags) > 0 {
		return l.localTag, v.remoteTags[0], true
	}
	return "", "", false
}

// has reports whether a dialog of ours has this Call-ID.
func (t *dialogTable) has(callID string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byCallID[callID] != nil
}

// find is the leg that an in-dialog request belongs to, nil when there is none.
func (t *dialogTable) find(req *sipmsg.Request) *leg {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.legs[legKey{string(*req.CallID()), tagOf(req.To().Params)}]
}

// flowClosed tells the legs that began on a connection that it is gone.
func (t *dialogTable) flowClosed(id string) {
	for _, l := range t.all() {
		if l.flow == id {
			l.command(l.onFlowClosed)
		}
	}
}

func (t *dialogTable) all() []*leg {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]*leg, 0, len(t.legs))
	for _, l := range t.legs {
		out = append(out, l)
	}
	return out
}
