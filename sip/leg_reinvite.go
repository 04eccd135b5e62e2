package sip

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// reinvite is our re-INVITE (RFC 3261 §14.1).
type reinvite struct {
	sdp     []byte     // our offer; empty = the peer shall offer, and Ack answers
	refresh bool       // refreshes the session with the SDP in force: nobody is told unless the peer changed its mind
	show    bool       // sent for the peer's display only: that it was refused does not matter
	version int        // of the session when it was wished for
	party   call.Party // whom it shows
	glares  int
	out     *outbound
	timer   *time.Timer
}

// Limits of re-INVITEs.
const (
	maxGlares       = 8
	reinviteTimeout = 32 * time.Second // from the first response to the final one
)

func (r *reinvite) stop() {
	if r != nil {
		stopTimer(r.timer)
		r.out.stop()
	}
}

// Reinvite implements call.Leg. While another offer is under way it waits for its end.
func (l *leg) Reinvite(sdp []byte) {
	l.command(func() {
		if l.phase == legUp || l.phase == legAnswered {
			l.wanted = &reinvite{sdp: sdp, version: l.version}
			l.nextReinvite()
		}
	})
}

// nextReinvite sends the re-INVITE that waits, when no other INVITE transaction is in progress in either direction.
func (l *leg) nextReinvite() {
	r := l.wanted
	if r == nil {
		l.tell()
		return
	}
	if l.phase != legUp || l.reinvite != nil || l.reoffer != nil || l.reply != nil ||
		(l.out != nil && l.out.ack == nil) {
		return
	}
	l.wanted = nil
	r.party = l.display.want
	stopTimer(r.timer)
	if r.version != l.version && !r.refresh {
		// The peer's offer was answered meanwhile: ours describes a session that is gone.
		l.emit(call.LegEvent{Type: call.ReinviteFailed, Code: sipmsg.StatusRequestPending,
			Reason: call.Reason{Protocol: "SIP", Cause: 491, Text: "The other side changed the session"}})
		return
	}
	if r.refresh {
		r.sdp = l.localSDP
	}
	l.reinvite = r
	r.out = &outbound{build: func() *sipmsg.Request { return l.buildReinvite(r) },
		failed: func(code int, reason call.Reason) { l.reinviteFailed(r, code, reason) },
		won:    func(res *sipmsg.Response) { l.reinviteWon(r, res) },
	}
	r.timer = l.after(reinviteTimeout+sipmsg.Timer_B, func() { l.reinviteStuck(r) })
	l.launch(r.out)
}

func (l *leg) buildReinvite(r *reinvite) *sipmsg.Request {
	req := l.d.request(sipmsg.INVITE)
	l.common(req)
	l.identify(req)
	l.session.request(req, true)
	setSDP(req, r.sdp)
	l.aim(req)
	return req
}

// reinviteStuck withdraws a re-INVITE that gets no final response.
func (l *leg) reinviteStuck(r *reinvite) {
	if l.reinvite == r && !r.out.final {
		r.out.cancel = &call.Reason{}
		if r.out.answered {
			l.sendCancel(r.out)
		}
	}
}

// reinviteWon takes the 2xx: the answer to our offer, or an offer that Ack answers.
func (l *leg) reinviteWon(r *reinvite, res *sipmsg.Response) {
	l.d.retarget(res)
	l.learn(res)
	l.session.agreed(res)
	l.startSession()
	if l.display.known {
		l.shown(r.party)
	}
	sdp := sdpOf(res)
	changed := !sameSession(sdp, l.remoteSDP)
	if len(sdp) > 0 {
		l.remoteSDP = sdp
	}
	if len(r.sdp) == 0 && len(sdp) > 0 {
		l.emit(call.LegEvent{Type: call.Reanswered, SDP: sdp})
		return
	}
	l.acknowledge(r.out, nil)
	l.localSDP, l.weAnswered = r.sdp, false
	if !r.refresh || (changed && len(sdp) > 0) {
		l.emit(call.LegEvent{Type: call.Reanswered, SDP: sdp})
	}
	l.reinviteDone()
}

func (l *leg) reinviteDone() {
	l.reinvite.stop()
	l.reinvite = nil
	l.nextReinvite()
}

// reinviteFailed leaves the session as it was (RFC 3261 §14.1); 408 and 481 end the dialog.
func (l *leg) reinviteFailed(r *reinvite, code int, reason call.Reason) {
	l.reinvite = nil
	r.stop()
	switch {
	case code == sipmsg.StatusRequestTimeout || code == sipmsg.StatusCallTransactionDoesNotExists:
		l.end(reason)
		return
	case code == sipmsg.StatusRequestPending && r.glares < maxGlares:
		l.glare(r)
		return
	case r.show:
		l.shown(r.party)
	case r.refresh:
		l.refreshFailed(code)
	default:
		l.emit(call.LegEvent{Type: call.ReinviteFailed, Code: code, Reason: reason})
	}
	l.nextReinvite()
}

// glare tries again after the pause that RFC 3261 §14.1 demands: the owner of the Call-ID waits longer.
func (l *leg) glare(r *reinvite) {
	if l.wanted != nil {
		return // the call wants something newer already
	}
	r.glares++
	pause := time.Duration(rand.IntN(200)) * 10 * time.Millisecond
	if !l.uas {
		pause = 2100*time.Millisecond + time.Duration(rand.IntN(190))*10*time.Millisecond
	}
	r.timer = l.after(pause, func() {
		if l.glaring != r {
			return
		}
		l.glaring = nil
		if l.wanted == nil {
			l.wanted = r
		}
		l.nextReinvite()
	})
	l.glaring = r
}

// reoffer is a re-INVITE or UPDATE of the peer that the call has to answer.
type reoffer struct {
	req *sipmsg.Request
	tx  sipmsg.ServerTransaction
}

// onOffer takes the peer's re-INVITE, or UPDATE with SDP (RFC 3261 §14.2, RFC 3311 §5.2).
func (l *leg) onOffer(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	sdp := sdpOf(req)
	if code := l.clash(req); code != 0 {
		res := l.response(req, code, "", nil)
		if code == sipmsg.StatusInternalServerError {
			res.AppendHeader(sipmsg.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11))))
		}
		l.respond(tx, res)
		return
	}
	if req.Method != sipmsg.PRACK { // which neither refreshes the session nor the target
		if l.tooShort(req, tx) {
			return
		}
		if l.phase != legTrying || l.uas { // of several early dialogs the 2xx says which is ours
			l.d.retarget(req)
		}
		l.learn(req)
	}
	ro := &reoffer{req: req, tx: tx}
	l.reoffer = ro
	if req.Method == sipmsg.INVITE {
		l.respond(tx, l.srv.response(req, sipmsg.StatusTrying, "Trying"))
		tx.OnCancel(func(*sipmsg.Request) { l.command(func() { l.reofferGone(ro) }) })
	}
	if len(sdp) > 0 && l.weAnswered && bytes.Equal(sdp, l.remoteSDP) {
		l.answerOffer(l.localSDP) // a mere refresh: the session is as before (RFC 4028 §7.4)
		return
	}
	l.emit(call.LegEvent{Type: call.Reoffered, SDP: sdp})
}

// clash is the status for an offer that may not come now, 0 when it may.
func (l *leg) clash(req *sipmsg.Request) int {
	switch {
	case l.reoffer == nil && (l.earlyAnswered() || req.Method == sipmsg.UPDATE && l.earlyFork(req) != nil):
		return 0
	case l.phase == legTrying && l.uas, l.reoffer != nil:
		return sipmsg.StatusInternalServerError
	case l.phase == legTrying, l.reinvite != nil, l.reply != nil, l.out != nil && l.out.ack == nil:
		return sipmsg.StatusRequestPending
	case l.phase != legUp:
		return sipmsg.StatusCallTransactionDoesNotExists
	}
	return 0
}

// earlyAnswered reports whether a leg that rings for its caller may take another offer: the one in the INVITE was answered
// by a reliable response (RFC 3311 §5.1).
func (l *leg) earlyAnswered() bool {
	r := l.reliable()
	return l.phase == legTrying && r != nil && r.answered != nil
}

func (l *leg) reofferGone(ro *reoffer) {
	if l.reoffer == ro {
		l.reoffer = nil
		l.answerWaiting()
		l.nextReinvite()
	}
}

// AnswerReinvite implements call.Leg.
func (l *leg) AnswerReinvite(sdp []byte) { l.command(func() { l.answerOffer(sdp) }) }

func (l *leg) answerOffer(sdp []byte) {
	ro := l.reoffer
	if ro == nil {
		return
	}
	early, fork := l.earlyAnswered(), l.earlyFork(ro.req)
	if l.phase != legUp && !early && fork == nil {
		return
	}
	l.reoffer = nil
	res := l.response(ro.req, sipmsg.StatusOK, "", sdp)
	l.common(res)
	l.identify(res)
	if ro.req.Method != sipmsg.PRACK {
		l.session.answer(res, l.peer)
	}
	offer := len(sdpOf(ro.req)) == 0
	if ro.req.Method == sipmsg.INVITE {
		if !l.accept(&reply{tx: ro.tx, res: res, seq: ro.req.CSeq().SeqNo, offer: offer}) {
			return
		}
	} else {
		l.respond(ro.tx, res)
	}
	if !offer {
		l.remoteSDP = sdpOf(ro.req)
	}
	l.localSDP, l.weAnswered = sdp, !offer
	l.version++
	switch {
	case early:
		l.in.reliable.answered = sdp
		l.answerWaiting()
		return
	case fork != nil:
		fork.updated = true
		l.out.early[tagOf(ro.req.From().Params)] = sdpOf(ro.req)
		return
	}
	if l.display.known {
		l.shown(l.display.want)
	}
	l.startSession()
	l.nextReinvite()
}

// RejectReinvite implements call.Leg.
func (l *leg) RejectReinvite(code int) {
	l.command(func() {
		if ro := l.reoffer; ro != nil && code >= 300 && code < 700 {
			l.respond(ro.tx, l.response(ro.req, code, "", nil))
			l.reofferGone(ro)
		}
	})
}

// refusePending answers what is still open when the dialog ends (RFC 3261 §15.1.2).
func (l *leg) refusePending() {
	if ro := l.reoffer; ro != nil {
		l.reoffer = nil
		l.respond(ro.tx, l.response(ro.req, sipmsg.StatusRequestTerminated, "", nil))
	}
}

// sameSession compares two descriptions but for the line that only counts versions.
func sameSession(a, b []byte) bool {
	return bytes.Equal(withoutOrigin(a), withoutOrigin(b))
}

func withoutOrigin(sdp []byte) []byte {
	start := bytes.Index(sdp, []byte("\no="))
	if start < 0 {
		return sdp
	}
	end := bytes.IndexByte(sdp[start+1:], '\n')
	if end < 0 {
		return sdp[:start]
	}
	return append(append([]byte(nil), sdp[:start]...), sdp[start+1+end:]...)
}
