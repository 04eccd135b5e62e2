package sip

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Pauses of a registration.
const (
	minRetry          = 2 * time.Second
	maxRetry          = time.Minute     // after timeouts and 5xx
	maxRefusedRetry   = 5 * time.Minute // after 4xx and 6xx: a wrong password does not heal by itself
	unregisterTimeout = 2 * time.Second
	optionsWhenDown   = 15 * time.Second // how often a trunk that is down is asked, at least
)

// registration is the client side of REGISTER (RFC 3261 §10.2) for one trunk. One goroutine owns it.
type registration struct {
	*trunk
	callID, tag string
	seq         uint32
	wish        time.Duration
	creds       *credentials
	failures    int
}

// keepRegistered registers until ctx ends, and then unregisters.
func (t *trunk) keepRegistered(ctx context.Context) {
	r := &registration{trunk: t, callID: randomHex(16), tag: t.srv.newTag(), seq: newSeq(), wish: t.cfg.Expires, creds: t.credentials()}
	for {
		pause := r.round(ctx)
		t.mu.Lock()
		t.nextReg = time.Now().Add(pause)
		t.mu.Unlock()
		if !sleep(ctx, pause) {
			r.leave()
			return
		}
	}
}

// round registers once, at one of the carrier's addresses, and returns the pause until the next time.
func (r *registration) round(ctx context.Context) time.Duration {
	expires, code, err := r.attempt(ctx, r.wish)
	now := time.Now()
	if err == nil {
		r.failures = 0
		r.setState(func(st *TrunkStatus) { st.Registered, st.LastTry, st.LastError = now.Add(expires), now, "" })
		return expires * 3 / 4
	}
	if ctx.Err() != nil {
		return 0
	}
	r.failures++
	r.setState(func(st *TrunkStatus) {
		st.LastTry, st.LastError = now, err.Error()
		if !now.Before(st.Registered) || code >= 400 && code < 500 {
			st.Registered = time.Time{}
		}
	})
	limit := maxRetry
	if code >= 400 && code < 500 || code >= 600 {
		limit = maxRefusedRetry
	}
	pause := backoff(r.failures, minRetry, limit)
	r.log.Warn().Err(err).Stringer("retry_in", pause).Msg("trunk registration failed")
	return pause
}

// attempt tries the addresses one after another until one answers.
func (r *registration) attempt(ctx context.Context, wish time.Duration) (expires time.Duration, code int, err error) {
	hops, err := r.hops(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("REGISTER: %w", err)
	}
	for _, h := range hops {
		res, e := r.exchange(ctx, h, wish)
		if e != nil {
			err, code = fmt.Errorf("REGISTER to %s: %w", h, e), 0
			r.suspect(h)
			continue
		}
		r.trusted(h)
		if res.StatusCode < 300 {
			return grantedExpires(res, r.srv.contactFor(r.cfg.Username, h), wish), res.StatusCode, nil
		}
		code, err = res.StatusCode, fmt.Errorf("REGISTER to %s: %d %s", h, res.StatusCode, res.Reason)
		if res.StatusCode != sipmsg.StatusServiceUnavailable {
			return 0, code, err
		}
		r.suspect(h)
	}
	return 0, code, err
}

// exchange sends REGISTER until there is an answer that is no challenge and no demand for a longer time.
func (r *registration) exchange(ctx context.Context, h hop, wish time.Duration) (*sipmsg.Response, error) {
	for range 4 {
		res, err := r.srv.ask(ctx, r.build(h, wish), r.cfg.NoResponse)
		if err != nil {
			return nil, err
		}
		switch {
		case isChallenge(res) && r.creds.answer(res):
		case res.StatusCode == sipmsg.StatusIntervalToBrief && deltaSeconds(headerValue(res, "min-expires")) > wish: // RFC 3261 §10.2.8
			wish = min(deltaSeconds(headerValue(res, "min-expires")), 24*time.Hour)
			r.wish = wish
		default:
			if isChallenge(res) {
				r.creds.forget()
			}
			return res, nil
		}
	}
	return nil, fmt.Errorf("the registrar goes on asking for other credentials")
}

func (r *registration) build(h hop, wish time.Duration) *sipmsg.Request {
	r.seq++
	uri := r.uri("")
	uri.User = ""
	req := sipmsg.NewRequest(sipmsg.REGISTER, uri)
	self := sipmsg.Uri{Scheme: "sip", User: escapeUser(r.cfg.Username), Host: r.cfg.Domain}
	r.envelope(req, h, self, self, r.callID, r.tag, r.seq)
	contact := &sipmsg.ContactHeader{Address: r.srv.contactFor(escapeUser(r.cfg.Username), h)}
	req.AppendHeader(contact)
	req.AppendHeader(sipmsg.NewHeader("Expires", seconds(wish)))
	req.SetBody(nil)
	r.creds.sign(req)
	return req
}

// leave takes the registration back, without waiting long.
func (r *registration) leave() {
	if r.snapshot().Registered.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), unregisterTimeout)
	defer cancel()
	if hops, err := r.hops(ctx); err == nil {
		_, _ = r.exchange(ctx, hops[0], 0)
	}
	r.setState(func(st *TrunkStatus) { st.Registered = time.Time{} })
}

// envelope adds what a request outside a dialog needs.
func (t *trunk) envelope(req *sipmsg.Request, h hop, from, to sipmsg.Uri, callID, tag string, seq uint32) {
	if t.cfg.OutboundProxy != "" {
		host, port := splitHostPort(t.cfg.OutboundProxy)
		proxy := sipmsg.Uri{Scheme: "sip", Host: bracketHost(host), Port: port}
		proxy.UriParams.Add("lr", "")
		req.AppendHeader(&sipmsg.RouteHeader{Address: proxy})
	}
	f := &sipmsg.FromHeader{Address: from}
	f.Params.Add("tag", tag)
	id, maxForwards := sipmsg.CallIDHeader(callID), sipmsg.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(f)
	req.AppendHeader(&sipmsg.ToHeader{Address: to})
	req.AppendHeader(&id)
	req.AppendHeader(&sipmsg.CSeqHeader{SeqNo: seq, MethodName: req.Method})
	req.AppendHeader(sipmsg.NewHeader("Allow", legAllow))
	req.AppendHeader(sipmsg.NewHeader("Supported", legSupported))
	req.SetTransport(strings.ToUpper(h.transport))
	req.SetDestination(h.addr)
}

// grantedExpires is how long a registration holds: our Contact's expires, else Expires, else what we asked.
func grantedExpires(res *sipmsg.Response, contact sipmsg.Uri, wish time.Duration) time.Duration {
	granted := time.Duration(0)
	list, _ := contacts(res)
	for _, c := range list {
		if c.Address.User == contact.User && c.Address.Host == contact.Host && c.Address.Port == contact.Port {
			v, _ := c.Params.Get("expires")
			granted = deltaSeconds(v)
		}
	}
	if granted == 0 {
		granted = deltaSeconds(headerValue(res, "expires"))
	}
	if granted == 0 {
		granted = wish
	}
	return max(granted, minRetry)
}

// ask sends a request outside a dialog and waits for its final response; limit bounds the wait for any.
func (s *Server) ask(ctx context.Context, req *sipmsg.Request, limit time.Duration) (*sipmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tx, err := s.transmit(ctx, req)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, fmt.Errorf("no response: %w", tx.Err())
		case <-ctx.Done():
			tx.Terminate()
			return nil, fmt.Errorf("no response within %v", limit)
		}
	}
}

// backoff doubles from first to limit, with up to half of it taken off at random so that many clients do not come at once.
func backoff(failures int, first, limit time.Duration) time.Duration {
	d := limit
	if shift := failures - 1; shift < 16 {
		d = min(first<<shift, limit)
	}
	return d - rand.N(d/2+1)
}

// sleep waits; it reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
