package sip

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"strowger/sip/call"
)

// legAllow is what a dialog takes (RFC 3261 §20.5). MESSAGE is refused with 405.
const legAllow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, SUBSCRIBE"

// legSupported names our extensions (RFC 3261 §20.37).
const legSupported = "timer, 100rel, replaces, norefersub"

// legPhase is where a leg stands.
//
//	UAS   trying ──200──→ answered ──ACK──→ up ──┐
//	UAC   trying ──────2xx, ACK───────────→ up ──┤ BYE
//	      │ CANCEL                               ↓
//	      └──────────────→ closing ─────────→ over
type legPhase int

const (
	legTrying   legPhase = iota // the INVITE is out, or in, without a final response
	legAnswered                 // UAS: our 2xx waits for its ACK
	legUp                       // the dialog is confirmed
	legClosing                  // we hung up: CANCEL or BYE waits for its end
	legOver                     // nothing more is sent or posted
)

// leg implements call.Leg: one dialog from its INVITE to its BYE, UAS or UAC. Exactly one of Failed, Cancelled and Ended is
// its last event, unless Reject ended it.
//
// Everything below queue is touched only by functions that the queue runs: commands of the call, requests and responses of
// the peer, and timers.
type leg struct {
	srv      *Server
	log      zerolog.Logger
	callID   string
	localTag string
	remote   string // for people
	uas      bool
	trunk    *trunk // nil for users' phones

	user string                  // whose phone the peer is, "" = a trunk
	view atomic.Pointer[legView] // for other goroutines

	queue serial

	post   call.Post       // nil until Bind
	held   []call.LegEvent // what happened before Bind
	phase  legPhase
	d      *dialog
	hop    hop    // where the peer is reached
	flow   string // id of the connection that a phone\'s call began on, "" = none
	pinned bool   // the peer is a phone: its requests' source, not its Contact, is where it is (RFC 5626 §5.3)
	peer   abilities
	creds  *credentials

	localSDP, remoteSDP []byte // of the session in force
	weAnswered          bool   // localSDP answered remoteSDP, not the other way round

	in       *inbound     // UAS: the INVITE
	out      *outbound    // UAC: the INVITE
	reply    *reply       // a 2xx of ours that waits for its ACK
	reoffer  *reoffer     // the peer's re-INVITE or UPDATE, not answered yet
	reinvite *reinvite    // ours, in progress
	wanted   *reinvite    // ours, as soon as no other is in progress
	glaring  *reinvite    // ours, waiting after a 491
	version  int          // counts the peer's offers that were answered
	hangup   *call.Reason // BYE as soon as the ACK for our 2xx is here (RFC 3261 §15)
	session  sessionTimer
	display  display
	refer    *refer    // the peer's transfer, until its outcome is told
	refers   int       // how many there were
	referral *referral // the transfer that we asked the peer for, until its outcome is told
}

// abilities of the peer, from its Allow and Supported headers.
type abilities struct {
	update bool // takes UPDATE (RFC 3311)
	timer  bool // knows session timers (RFC 4028)
}

var _ call.Leg = (*leg)(nil)

// callState is what the Server keeps of calls and trunks.
type callState struct {
	dialogs dialogTable
	trunks  trunkSet
	ctx     context.Context // ends with the Server
	cancel  context.CancelFunc
}

// SIPCallID implements call.Leg.
func (l *leg) SIPCallID() string { return l.callID }

// Remote implements call.Leg.
func (l *leg) Remote() string { return l.remote }

// Hangup implements call.Leg.
func (l *leg) Hangup(r call.Reason) {
	l.command(func() {
		switch {
		case l.phase == legTrying && l.uas:
			l.reject(sipmsg.StatusTemporarilyUnavailable, "", r)
			l.finish(call.LegEvent{Type: call.Ended, Reason: r})
		case l.phase == legTrying:
			l.phase = legClosing
			l.cancelInvite(r)
		case l.phase == legAnswered:
			// RFC 3261 §15: the callee does not send BYE before the ACK is in, or given up.
			if l.hangup == nil {
				l.hangup = &r
			}
		case l.phase == legUp:
			l.bye(r)
		}
	})
}

// Info implements call.Leg.
func (l *leg) Info(contentType string, body []byte) {
	l.command(func() {
		if l.phase != legUp {
			return
		}
		l.ask(func() *sipmsg.Request {
			req := l.d.request(sipmsg.INFO)
			req.AppendHeader(sipmsg.NewHeader("Content-Type", contentType))
			req.SetBody(body)
			return req
		}, func(res *sipmsg.Response) { l.checkAlive(res) })
	})
}

// command runs a call's wish on the queue, without ever blocking the call.
func (l *leg) command(f func()) { l.queue.post(func() { l.guarded(f) }) }

// event runs what the network or a timer brought, on the goroutine that brought it.
func (l *leg) event(f func()) { l.queue.run(func() { l.guarded(f) }) }

// guarded keeps a fault in one leg from ending the process.
func (l *leg) guarded(f func()) {
	l.safely(func() {
		if l.phase != legOver {
			f()
			l.publish()
		}
	})
}

// safely runs f, also after the leg is over.
func (l *leg) safely(f func()) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error().Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("leg failed; it is given up")
			l.finish(call.LegEvent{Type: call.Failed, Code: 500, Reason: call.Reason{Protocol: "SIP", Cause: 500, Text: "Internal error"}})
		}
	}()
	f()
}

// after is time.AfterFunc with f run as an event of the leg.
func (l *leg) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { l.event(f) })
}

// bind gives the leg its mailbox and delivers what was held back.
func (l *leg) bind(post call.Post) {
	l.queue.post(func() {
		l.post = post
		for _, e := range l.held {
			post(e)
		}
		l.held = nil
	})
}

// emit posts an event.
func (l *leg) emit(e call.LegEvent) {
	l.publish() // who is told may look at once
	if l.post == nil {
		l.held = append(l.held, e)
		return
	}
	l.post(e)
}

// finish ends the leg's story with its last event.
func (l *leg) finish(e call.LegEvent) {
	if l.over() {
		l.emit(e)
	}
}

// over puts the leg to rest; it reports false when it was already.
func (l *leg) over() bool {
	if l.phase == legOver {
		return false
	}
	l.phase = legOver
	l.refusePending()
	l.session.stop()
	l.display.stop()
	l.refer.stop()
	l.reply.stop()
	l.out.discard()
	l.in.stop()
	if l.reinvite != nil {
		l.reinvite.stop()
		time.AfterFunc(cancelTimeout, l.reinvite.out.discard) // the peer may still answer it (RFC 3261 §15.1.2)
	}
	l.wanted.stop()
	l.glaring.stop()
	l.srv.calls.dialogs.remove(l)
	l.trunk.release()
	return true
}

// bye ends a confirmed dialog (RFC 3261 §15.1.1); Ended follows when the peer has answered or the transaction timed out.
func (l *leg) bye(r call.Reason) {
	l.phase = legClosing
	l.session.stop()
	l.refusePending()
	l.acknowledgeOpen()
	l.ask(func() *sipmsg.Request {
		req := l.d.request(sipmsg.BYE)
		if h := reasonHeader(r); h != nil {
			req.AppendHeader(h)
		}
		req.SetBody(nil)
		return req
	}, func(*sipmsg.Response) { l.finish(call.LegEvent{Type: call.Ended, Reason: r}) })
}

// end is bye on our own account: the event tells the call why.
func (l *leg) end(r call.Reason) {
	if l.phase == legUp || l.phase == legAnswered {
		l.bye(r)
	}
}

// abandon ends the leg at once: a BYE goes out, but nobody waits for its answer.
func (l *leg) abandon(r call.Reason) {
	switch {
	case l.phase == legUp || l.phase == legAnswered:
		l.bye(r)
	case l.phase == legTrying && l.uas:
		l.reject(sipmsg.StatusServiceUnavailable, "", r)
	}
	l.finish(call.LegEvent{Type: call.Ended, Reason: r})
}

// onFlowClosed takes the loss of the connection that the call began on. A call that is up stays: a browser comes back over
// another one.
func (l *leg) onFlowClosed() {
	lost := call.Reason{Protocol: "SIP", Cause: sipmsg.StatusServiceUnavailable, Text: "Connection lost"}
	switch {
	case l.phase == legTrying && l.uas:
		l.finish(call.LegEvent{Type: call.Cancelled, Reason: lost})
	case l.phase == legTrying:
		l.finish(call.LegEvent{Type: call.Failed, Code: sipmsg.StatusServiceUnavailable, Reason: lost})
	case l.phase == legClosing:
		l.finish(call.LegEvent{Type: call.Ended, Reason: lost})
	}
}

// flowID is the connection to a peer, "" for UDP and for connections that we opened.
func (s *Server) flowID(h hop) string {
	if f := s.flows.find(h.transport, h.addr); f != nil {
		return f.id
	}
	return ""
}

// ask sends a request inside the dialog. done is run on the queue with the final response, nil when none came. A challenge
// is answered once with the trunk's password.
func (l *leg) ask(build func() *sipmsg.Request, done func(*sipmsg.Response)) {
	req := build()
	l.creds.sign(req)
	l.aim(req)
	tx, err := l.srv.transmit(l.srv.calls.ctx, req)
	if err != nil {
		l.log.Debug().Err(err).Str("method", string(req.Method)).Msg("request could not be sent")
		done(nil)
		return
	}
	l.srv.crew.do(func() {
		res := finalResponse(tx)
		l.event(func() {
			if res != nil && isChallenge(res) && l.creds.answer(res) {
				l.ask(build, done)
				return
			}
			done(res)
		})
	})
}

// finalResponse reads a transaction to its end; nil when no final response came.
func finalResponse(tx sipmsg.ClientTransaction) *sipmsg.Response {
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res
			}
		case <-tx.Done():
			return nil
		}
	}
}

func isChallenge(res *sipmsg.Response) bool {
	return res.StatusCode == sipmsg.StatusUnauthorized || res.StatusCode == sipmsg.StatusProxyAuthRequired
}

// checkAlive ends the leg when the peer no longer knows the dialog, or does not answer (RFC 3261 §12.2.1.2).
func (l *leg) checkAlive(res *sipmsg.Response) bool {
	switch {
	case res == nil:
		l.end(call.Reason{Protocol: "SIP", Cause: sipmsg.StatusRequestTimeout, Text: "The other side does not answer"})
	case res.StatusCode == sipmsg.StatusCallTransactionDoesNotExists || res.StatusCode == sipmsg.StatusRequestTimeout:
		l.end(call.Reason{Protocol: "SIP", Cause: res.StatusCode, Text: "The other side no longer knows the call"})
	default:
		return true
	}
	return false
}
