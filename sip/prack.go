package sip

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// Reliable provisional responses (RFC 3262): an 18x that is repeated until the caller acknowledges it by PRACK.

// reliability is our side of it, towards a caller who knows the extension.
type reliability struct {
	demanded bool   // Require: no 18x may go out otherwise
	rseq     uint32 // of the last one
	open     *sipmsg.Response
	next     *sipmsg.Response // waits for open's PRACK; a newer one takes its place
	final    func()           // the 2xx, which waits while an open one has SDP (RFC 3262 §3), or an offer of the caller's has no answer
	answered []byte           // our answer in one that was acknowledged: offer and answer are complete

	timer        *time.Timer
	every, spent time.Duration
}

// reliabilityOf reads from an INVITE whether its caller takes, or demands, reliable responses; nil: neither. To an INVITE
// without an offer the first of them would have to carry ours (RFC 3262 §5), which is not made before there is an answer:
// such a caller hears of nothing before it, if it demands them, and else by unreliable ones.
func reliabilityOf(req *sipmsg.Request) *reliability {
	r := &reliability{demanded: hasToken(req.GetHeaders("require"), "100rel"), rseq: rand.Uint32N(1 << 30)}
	if !r.demanded && (len(sdpOf(req)) == 0 || !hasToken(req.GetHeaders("supported"), "100rel")) {
		return nil
	}
	return r
}

func (r *reliability) stop() {
	if r != nil {
		stopTimer(r.timer)
	}
}

// unanswered reports whether a final 2xx has to wait.
func (r *reliability) unanswered() bool { return r != nil && r.open != nil && len(r.open.Body()) > 0 }

// sendReliably sends an 18x that the caller shall acknowledge, after the one before it.
func (l *leg) sendReliably(res *sipmsg.Response) {
	r := l.in.reliable
	if len(l.remoteSDP) == 0 {
		return
	}
	if r.open != nil {
		r.next = res
		return
	}
	r.rseq++
	res.AppendHeader(sipmsg.NewHeader("Require", "100rel"))
	res.AppendHeader(sipmsg.NewHeader("RSeq", strconv.FormatUint(uint64(r.rseq), 10)))
	if !l.respond(l.in.tx, res) {
		return
	}
	r.open, r.every, r.spent = res, sipmsg.T1, 0
	r.timer = l.after(r.every, l.repeatReliably)
}

// repeatReliably repeats the open one at doubling intervals. A caller who has not acknowledged it after 64*T1 does not get
// this call when it demanded the extension (RFC 3262 §3); one that only claimed to know it gets the rest unreliably.
func (l *leg) repeatReliably() {
	r := l.in.reliable
	if l.phase != legTrying || r.open == nil {
		return
	}
	if r.spent += r.every; r.spent < 64*sipmsg.T1 {
		l.respond(l.in.tx, r.open)
		r.every = min(2*r.every, 64*sipmsg.T1-r.spent)
		r.timer.Reset(r.every)
		return
	}
	if r.demanded {
		reason := call.Reason{Protocol: "SIP", Cause: sipmsg.StatusRequestTimeout, Text: "No PRACK for our progress"}
		l.reject(sipmsg.StatusGatewayTimeout, "", reason)
		l.finish(call.LegEvent{Type: call.Cancelled, Reason: reason})
		return
	}
	l.log.Info().Str("peer", l.remote).Msg("the caller does not acknowledge progress, though it says that it can")
	final := r.final
	l.refusePending() // the early dialog that it was for is given up
	l.in.reliable = nil
	if final != nil {
		final()
	}
}

// onPrack takes the acknowledgement of an 18x of ours (RFC 3262 §3). SDP in it is a new offer.
func (l *leg) onPrack(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	r := l.reliable()
	if r == nil || r.open == nil || headerValue(req, "rack") != fmt.Sprintf("%d %d INVITE", r.rseq, l.in.req.CSeq().SeqNo) {
		l.refuse(req, tx, sipmsg.StatusCallTransactionDoesNotExists)
		return
	}
	r.stop()
	if body := r.open.Body(); len(body) > 0 {
		r.answered = body
	}
	r.open = nil
	switch {
	case len(sdpOf(req)) == 0:
		l.respond(tx, l.response(req, sipmsg.StatusOK, "", nil))
	case r.answered == nil:
		l.refuse(req, tx, sipmsg.StatusRequestPending) // its first offer is not answered yet
	default:
		l.onOffer(req, tx)
	}
	if l.answerWaiting() {
		return
	}
	if next := r.next; next != nil {
		r.next = nil
		l.sendReliably(next)
	}
}

// answerWaiting sends the 2xx that waits, if there is one; it may have to go on waiting.
func (l *leg) answerWaiting() bool {
	r := l.reliable()
	if r == nil || r.final == nil {
		return false
	}
	final := r.final
	r.final, r.next = nil, nil
	final()
	return true
}

// reliable is the reliability of a leg that the peer called, nil when there is none.
func (l *leg) reliable() *reliability {
	if l.in == nil {
		return nil
	}
	return l.in.reliable
}

// maxEarlyDialogs bounds how many forks of one INVITE may answer it reliably.
const maxEarlyDialogs = 16

// earlyDialog is one fork of our INVITE, as far as its reliable responses go.
type earlyDialog struct {
	rseq     uint32 // of the last that was acknowledged
	answered bool   // one of them had SDP: our offer is answered, and another one may follow by UPDATE (RFC 3311 §5.1)
	updated  bool   // and did: SDP in the 2xx says nothing new
}

// onReliable acknowledges an 18x of the peer that asks for it (RFC 3262 §4). It reports false for one that came before, or
// out of order: the peer sends it again.
func (l *leg) onReliable(o *outbound, res *sipmsg.Response) bool {
	rseq, err := strconv.ParseUint(headerValue(res, "rseq"), 10, 32)
	if err != nil || rseq == 0 || !hasToken(res.GetHeaders("require"), "100rel") {
		return true
	}
	tag := tagOf(res.To().Params)
	e := o.reliable[tag]
	switch {
	case tag == "" || e == nil && len(o.reliable) >= maxEarlyDialogs:
		return false
	case e == nil:
		if o.reliable == nil {
			o.reliable = make(map[string]*earlyDialog)
		}
		e = &earlyDialog{}
		o.reliable[tag] = e
	case uint32(rseq) != e.rseq+1:
		return false
	}
	e.rseq = uint32(rseq)
	e.answered = e.answered || len(sdpOf(res)) > 0 && len(l.localSDP) > 0
	fork := l.forkOf(res)
	fork.ask(func() *sipmsg.Request {
		l.d.localSeq++
		fork.d.localSeq = l.d.localSeq - 1
		req := fork.d.request(sipmsg.PRACK)
		req.AppendHeader(sipmsg.NewHeader("RAck", fmt.Sprintf("%d %d INVITE", rseq, res.CSeq().SeqNo)))
		req.SetBody(nil)
		return req
	}, func(res *sipmsg.Response) {
		if res == nil || res.StatusCode >= 300 {
			l.log.Debug().Str("peer", l.remote).Msg("the peer did not take our PRACK")
		}
	})
	return true
}

// forkOf is a leg for requests to one fork of our INVITE: the dialog that this response makes.
func (l *leg) forkOf(res *sipmsg.Response) *leg {
	fork := &leg{srv: l.srv, queue: serial{crew: &l.srv.crew}, log: l.log, trunk: l.trunk, callID: l.callID, localTag: l.localTag, pinned: l.pinned, hop: l.hop, creds: l.creds}
	d := *l.d
	fork.d = &d
	fork.d.confirm(res)
	return fork
}

// earlyFork is the fork of our INVITE that a request came from, when it has answered our offer reliably; else nil.
func (l *leg) earlyFork(req *sipmsg.Request) *earlyDialog {
	if l.phase != legTrying || l.out == nil {
		return nil
	}
	if e := l.out.reliable[tagOf(req.From().Params)]; e != nil && e.answered {
		return e
	}
	return nil
}
