package sip

import (
	"context"
	"errors"
	"fmt"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// keepQualified asks the carrier with OPTIONS whether it is there, until ctx ends.
func (t *trunk) keepQualified(ctx context.Context) {
	callID, tag, seq := randomHex(16), t.srv.newTag(), newSeq()
	for {
		seq++
		latency, err := t.ping(ctx, callID, tag, seq)
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		pause := t.cfg.Qualify
		t.setState(func(st *TrunkStatus) {
			st.LastTry, st.Latency = now, latency
			if t.answers = reachable; err != nil {
				t.answers, st.LastError = unreachableNow, err.Error()
				pause = min(pause, optionsWhenDown)
			} else if !t.cfg.Register || !st.Registered.IsZero() {
				st.LastError = ""
			}
		})
		t.mu.Lock()
		t.nextPing = now.Add(pause)
		t.mu.Unlock()
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-t.ask:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// ping asks the addresses one after another until one answers. Any answer will do, but for 503 (RFC 3261 §11): many carriers
// refuse the question and are well.
func (t *trunk) ping(ctx context.Context, callID, tag string, seq uint32) (time.Duration, error) {
	hops, err := t.hops(ctx)
	if err != nil {
		return 0, fmt.Errorf("OPTIONS: %w", err)
	}
	var errs []error
	for _, h := range hops {
		uri := t.uri("")
		uri.User = ""
		req := sipmsg.NewRequest(sipmsg.OPTIONS, uri)
		self := sipmsg.Uri{Scheme: "sip", User: escapeUser(orString(t.cfg.Username, "ping")), Host: t.cfg.Domain}
		t.envelope(req, h, self, sipmsg.Uri{Scheme: "sip", Host: t.cfg.Domain}, callID, tag, seq)
		req.AppendHeader(&sipmsg.ContactHeader{Address: t.srv.contactFor("", h)})
		req.SetBody(nil)
		start := time.Now()
		res, err := t.srv.ask(ctx, req, t.cfg.NoResponse)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("OPTIONS to %s: %w", h, err))
		case res.StatusCode == sipmsg.StatusServiceUnavailable:
			errs = append(errs, fmt.Errorf("OPTIONS to %s: %d %s", h, res.StatusCode, res.Reason))
		default:
			t.trusted(h)
			return max(time.Since(start), time.Microsecond), nil
		}
		t.suspect(h)
		seq++
	}
	return 0, errors.Join(errs...)
}
