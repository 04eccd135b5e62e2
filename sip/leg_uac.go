package sip

import (
	"context"
	"errors"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// outbound is an INVITE of ours, initial or within a dialog, with the tries that it takes: another address of the trunk,
// an answer to a challenge, a longer session interval.
type outbound struct {
	build func() *sipmsg.Request // makes the next try, with Via and destination still to be set
	hops  []hop                  // addresses not tried yet, best first (RFC 3263 §4)
	limit time.Duration          // without any response, before the next address is tried; 0 = Timer B

	req      *sipmsg.Request
	tx       sipmsg.ClientTransaction
	answered bool // any response has come
	final    bool // the final response has come
	noReply  *time.Timer

	cancel    *call.Reason // CANCEL as soon as a provisional response allows it (RFC 3261 §9.1)
	cancelled bool         // CANCEL is out
	giveUp    *time.Timer  // ends the wait for the 487

	tags     []string                // of the early dialogs, by fork
	rang     *sipmsg.Response        // the last 18x that made one
	early    map[string][]byte       // SDP of 18x by To tag, for peers whose 200 leaves it out
	reliable map[string]*earlyDialog // forks whose 18x we acknowledge, by To tag

	ack   *sipmsg.Request            // for the 2xx and its retransmissions; nil while Ack is due
	forks map[string]*sipmsg.Request // ACKs of 2xx that came from other forks, by tag

	redirects redirects // of a trunk
	contacts  []string  // of a phone's redirection
	failed    func(code int, r call.Reason)
	won       func(res *sipmsg.Response)
}

func (o *outbound) stop() {
	if o == nil {
		return
	}
	stopTimer(o.noReply)
	stopTimer(o.giveUp)
}

// discard is stop for good: a transaction that would wait for a final response without end is ended.
func (o *outbound) discard() {
	if o == nil {
		return
	}
	o.stop()
	if !o.final && o.tx != nil {
		o.tx.Terminate()
	}
}

func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// cancelTimeout is how long the final response after a CANCEL may take (RFC 3261 §9.1).
const cancelTimeout = 32 * time.Second

// launch sends the next try of an INVITE.
func (l *leg) launch(o *outbound) {
	req := o.build()
	l.creds.sign(req)
	o.req, o.answered, o.tx = req, false, nil
	tx, err := l.srv.transmit(l.srv.calls.ctx, req)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			l.log.Info().Err(err).Str("peer", req.MessageData.Destination()).Msg("INVITE could not be sent")
		}
		l.tryFailed(o, sipmsg.StatusServiceUnavailable, unreachable)
		return
	}
	o.tx = tx
	tx.OnRetransmission(func(res *sipmsg.Response) { l.queue.post(func() { l.safely(func() { l.again2xx(o, res) }) }) })
	if o.limit > 0 {
		stopTimer(o.noReply)
		o.noReply = l.after(o.limit, func() { l.silence(o, tx) })
	}
	l.srv.crew.do(func() { l.follow(o, tx) })
}

// follow reads the responses of an INVITE. sipgo blocks until each one is read; after the final one only retransmissions
// come, by the hook.
func (l *leg) follow(o *outbound, tx sipmsg.ClientTransaction) {
	for {
		select {
		case res := <-tx.Responses():
			l.event(func() { l.onInviteResponse(o, tx, res) })
			if !res.IsProvisional() {
				return
			}
		case <-tx.Done():
			l.event(func() {
				if o.tx == tx && !o.final {
					l.txFailed(o, tx.Err())
				}
			})
			return
		}
	}
}

// txFailed takes the end of a transaction that brought no final response.
func (l *leg) txFailed(o *outbound, err error) {
	if errors.Is(err, sipmsg.ErrTransactionTransport) {
		l.tryFailed(o, sipmsg.StatusServiceUnavailable, unreachable)
		return
	}
	l.tryFailed(o, sipmsg.StatusRequestTimeout, noResponse)
}

var (
	unreachable = call.Reason{Protocol: "SIP", Cause: 503, Text: "The other side cannot be reached"}
	noResponse  = call.Reason{Protocol: "SIP", Cause: 408, Text: "No response from the other side"}
)

// silence gives up an address that has not said anything.
func (l *leg) silence(o *outbound, tx sipmsg.ClientTransaction) {
	if o.tx != tx || o.answered || o.final {
		return
	}
	o.tx = nil
	tx.Terminate()
	l.tryFailed(o, sipmsg.StatusRequestTimeout, noResponse)
}

// tryFailed goes on to the next address, or fails the INVITE.
func (l *leg) tryFailed(o *outbound, code int, r call.Reason) {
	if o.final {
		return
	}
	if len(o.hops) > 0 {
		l.trunk.suspect(l.hop)
	}
	if len(o.hops) > 1 && o.cancel == nil {
		o.hops = o.hops[1:]
		l.hop = o.hops[0]
		l.log.Info().Str("next", l.hop.String()).Int("code", code).Msg("trunk address failed; trying the next")
		l.launch(o)
		return
	}
	o.final = true
	o.stop()
	if len(o.hops) > 0 && !o.answered {
		l.trunk.unanswered(r)
	}
	o.failed(code, r)
}

// onInviteResponse takes a response to our INVITE.
func (l *leg) onInviteResponse(o *outbound, tx sipmsg.ClientTransaction, res *sipmsg.Response) {
	if o.tx != tx || o.final || res.To() == nil || res.CSeq() == nil {
		return
	}
	if !o.answered {
		o.answered = true
		stopTimer(o.noReply)
		if o.cancel != nil {
			l.sendCancel(o)
		}
	}
	switch code := res.StatusCode; {
	case code == sipmsg.StatusTrying:
	case code < 200:
		l.onProgress(o, res)
	case code < 300:
		o.final = true
		o.stop()
		o.won(res)
	default:
		l.onRefusal(o, res)
	}
}

// onProgress passes an 18x up, until we hang up. Forks differ in the tag.
func (l *leg) onProgress(o *outbound, res *sipmsg.Response) {
	if l.phase != legTrying || !l.onReliable(o, res) {
		return
	}
	tag, sdp := tagOf(res.To().Params), sdpOf(res)
	o.forked(tag)
	if tag != "" {
		o.rang = res
	}
	if len(sdp) > 0 {
		if o.early == nil {
			o.early = make(map[string][]byte)
		}
		o.early[tag] = sdp
	}
	l.emit(call.LegEvent{Type: call.Progress, Code: res.StatusCode, SDP: sdp, ToTag: tag, Reason: responseReason(res)})
}

// onRefusal takes a final error: some are worth another try. sipgo has sent the ACK.
func (l *leg) onRefusal(o *outbound, res *sipmsg.Response) {
	again := false
	if o.cancel == nil {
		switch res.StatusCode {
		case sipmsg.StatusUnauthorized, sipmsg.StatusProxyAuthRequired:
			again = l.creds.answer(res)
		case statusSessionIntervalTooSmall:
			again = l.session.lengthen(res)
		case sipmsg.StatusServiceUnavailable:
			if len(o.hops) > 1 { // RFC 3263 §4.3
				l.tryFailed(o, res.StatusCode, responseReason(res))
				return
			}
		}
	}
	if again || l.redirected(o, res) {
		l.launch(o)
		return
	}
	o.final, o.contacts = true, l.diverted(res)
	o.stop()
	o.failed(res.StatusCode, responseReason(res))
}

// cancelInvite withdraws the initial INVITE: at once when the peer has said anything, else as soon as it does.
func (l *leg) cancelInvite(r call.Reason) {
	o := l.out
	if o == nil || o.final {
		return
	}
	o.cancel = &r
	switch {
	case o.answered:
		l.sendCancel(o)
	case o.tx == nil && o.req == nil:
		o.final = true // nothing went out yet
		l.finish(call.LegEvent{Type: call.Ended, Reason: r})
	}
}

// sendCancel sends the CANCEL (RFC 3261 §9.1) where the INVITE went. The transaction is given up when no final response
// follows.
func (l *leg) sendCancel(o *outbound) {
	if o.cancelled || o.final {
		return
	}
	o.cancelled = true
	req := cancelOf(o.req)
	if h := reasonHeader(*o.cancel); h != nil {
		req.AppendHeader(h)
	}
	req.SetBody(nil)
	tx, err := l.srv.transmit(l.srv.calls.ctx, req)
	if err != nil {
		l.log.Debug().Err(err).Msg("CANCEL could not be sent")
	} else {
		go finalResponse(tx)
	}
	inviteTx := o.tx
	o.giveUp = l.after(cancelTimeout, func() {
		if !o.final {
			inviteTx.Terminate()
			l.tryFailed(o, sipmsg.StatusRequestTimeout, *o.cancel)
		}
	})
}

// cancelOf builds the CANCEL of an INVITE: same URI, top Via, routes, From, To, Call-ID and number.
func cancelOf(invite *sipmsg.Request) *sipmsg.Request {
	req := sipmsg.NewRequest(sipmsg.CANCEL, invite.Recipient)
	req.AppendHeader(invite.Via().Clone())
	for _, h := range invite.GetHeaders("route") {
		req.AppendHeader(h)
	}
	maxForwards := sipmsg.MaxForwardsHeader(70)
	req.AppendHeader(&maxForwards)
	req.AppendHeader(invite.From())
	req.AppendHeader(invite.To())
	req.AppendHeader(invite.CallID())
	req.AppendHeader(&sipmsg.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sipmsg.CANCEL})
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.MessageData.Destination())
	return req
}

// inviteFailed ends the leg after its initial INVITE failed.
func (l *leg) inviteFailed(code int, r call.Reason) {
	if l.phase == legClosing {
		l.finish(call.LegEvent{Type: call.Ended, Code: code, Reason: *l.out.cancel})
		return
	}
	l.finish(call.LegEvent{Type: call.Failed, Code: code, Reason: r, Contacts: l.out.contacts})
}

// inviteWon takes the first 2xx to the initial INVITE: the dialog is there. Our offer's answer is in the 2xx, or came in
// an 18x of the same fork; else the 2xx has the offer and Ack brings the answer.
func (l *leg) inviteWon(res *sipmsg.Response) {
	o := l.out
	l.d.confirm(res)
	l.learn(res)
	sdp := sdpOf(res)
	if l.phase == legClosing {
		// RFC 3261 §9.1: the 2xx crossed our CANCEL. The dialog exists and is ended in order.
		l.acknowledge(o, nil)
		l.bye(*o.cancel)
		return
	}
	l.phase = legUp
	l.session.agreed(res)
	l.startSession()
	delayed := len(l.localSDP) == 0
	if e := o.reliable[l.d.remoteTag]; !delayed && (len(sdp) == 0 || e != nil && e.updated) {
		sdp = o.early[l.d.remoteTag]
	}
	l.remoteSDP, l.weAnswered = sdp, delayed
	if !delayed || len(sdp) == 0 {
		l.acknowledge(o, nil)
	}
	l.emit(call.LegEvent{Type: call.Answered, Code: res.StatusCode, SDP: sdp, ToTag: l.d.remoteTag, Reason: responseReason(res)})
	l.nextReinvite()
}
