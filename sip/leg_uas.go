package sip

import (
	"bytes"
	"errors"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// inbound is the INVITE that a UAS leg began with.
type inbound struct {
	req      *sipmsg.Request
	tx       sipmsg.ServerTransaction
	progress *sipmsg.Response // the last 18x
	again    *time.Timer      // repeats it
	reliable *reliability     // nil: the caller does not take reliable ones
}

// progressInterval is how often a ringing call says that it still rings (RFC 3261 §13.3.1.1), so that proxies do not give up.
const progressInterval = time.Minute

func (in *inbound) stop() {
	if in != nil {
		stopTimer(in.again)
		in.reliable.stop()
	}
}

// onInvite takes a new call from somebody who is known. Whom it may reach is routing's to say: a trunk reaches our numbers
// only, and a call to another number leaves a record.
//
// replaced is the leg whose place it takes, nil for an ordinary call.
func (s *Server) onInvite(req *sipmsg.Request, tx sipmsg.ServerTransaction, id identity, replaced call.Leg, earlyOnly bool) {
	tag := s.newTag()
	// The tag goes into the request itself, from which sipgo makes the 487 to a CANCEL: all responses carry the same one
	// (RFC 3261 §8.2.6.2).
	req.To().Params.Add("tag", tag)
	s.respond(req, tx, sipmsg.StatusTrying, "Trying")

	l := s.newIncoming(req, tx, id, tag)
	if minSE := l.session.accept(req, s.cfg.SessionExpires); minSE > 0 {
		res := l.response(req, statusSessionIntervalTooSmall, "Session Interval Too Small", nil)
		res.AppendHeader(sipmsg.NewHeader("Min-SE", seconds(minSE)))
		l.respond(tx, res)
		return
	}
	s.calls.dialogs.add(l)
	l.trunk.acquire()
	if !tx.OnCancel(l.onCancel) {
		l.queue.run(func() { l.over() }) // cancelled before anything began
		return
	}
	in := l.incoming(id)
	in.Replaces, in.EarlyOnly = replaced, earlyOnly
	s.cfg.OnCall(in)
}

// newIncoming makes the leg of an INVITE.
func (s *Server) newIncoming(req *sipmsg.Request, tx sipmsg.ServerTransaction, id identity, tag string) *leg {
	d := dialogOfInvite(req, tag)
	l := &leg{srv: s, queue: serial{crew: &s.crew}, callID: d.callID, localTag: tag, uas: true, trunk: id.trunk, user: id.user, d: d, pinned: id.trunk == nil}
	l.in = &inbound{req: req, tx: tx, reliable: reliabilityOf(req)}
	l.hop = hop{transport: strings.ToLower(req.Transport()), addr: req.Source()}
	if l.pinned { // a carrier may come back over another connection
		l.flow = s.flowID(l.hop)
	}
	l.remote = d.target.String() + " at " + l.hop.String()
	l.log = s.log.With().Str("call_id", d.callID).Logger()
	l.creds = l.trunk.credentials()
	l.remoteSDP = sdpOf(req)
	l.learn(req)
	d.contact = s.contactFor(d.local.uri.User, l.hop)
	if req.Recipient.Scheme == "sips" {
		d.contact.Scheme = "sips" // RFC 3261 §12.1.1
	}
	return l
}

// incoming describes the call.
func (l *leg) incoming(id identity) call.Incoming {
	req := l.in.req
	in := call.Incoming{
		User: id.user, Device: id.binding, Kind: id.kind,
		From: callerOf(req, l.trunk != nil), To: uriUser(&req.Recipient), CallerID: wantedCallerID(req),
		SDP: l.remoteSDP, Leg: l, Bind: l.bind,
	}
	in.Host = l.d.contact.Host
	in.WebRTC, in.SRTP = securityOf(l.remoteSDP)
	if n := req.MaxForwards(); n != nil {
		in.MaxForwards = int(min(uint32(*n), 70))
	}
	if len(in.SDP) == 0 {
		in.WebRTC = id.ws
	}
	if t := l.trunk; t != nil {
		in.Trunk, in.Codecs, in.EarlyMedia, in.CallerID = t.cfg.Name, t.cfg.Codecs, t.cfg.EarlyMedia, ""
		in.Refer = t.cfg.Refer
		in.To, in.From.Number = t.reads(t.called(req)), t.reads(in.From.Number)
		if len(in.SDP) == 0 {
			in.SRTP = t.cfg.SRTP
		}
	}
	return in
}

// securityOf reads from an offer what media it wants: DTLS-SRTP with ICE (RFC 8827), or SDES (RFC 4568).
func securityOf(sdp []byte) (webrtc bool, srtp call.SRTPPolicy) {
	crypto := bytes.Contains(sdp, []byte("a=crypto:"))
	switch {
	case bytes.Contains(sdp, []byte("a=fingerprint:")) && bytes.Contains(sdp, []byte("a=ice-ufrag:")):
		return true, call.SRTPNone
	case crypto && bytes.Contains(sdp, []byte("RTP/SAVP")):
		return false, call.SRTPRequired
	case crypto:
		return false, call.SRTPOptional
	}
	return false, call.SRTPNone
}

// onCancel is called by sipgo, which has answered 200 and goes on to answer 487, under its lock: nothing may be done here
// but note it.
func (l *leg) onCancel(req *sipmsg.Request) {
	r := reasonOf(req)
	if r.Cause == 0 {
		r = call.Reason{Protocol: "SIP", Cause: sipmsg.StatusRequestTerminated, Text: "Cancelled by the caller"}
	}
	l.command(func() {
		if l.phase == legTrying {
			l.finish(call.LegEvent{Type: call.Cancelled, Reason: r})
		}
	})
}

// Provisional implements call.Leg.
func (l *leg) Provisional(code int, sdp []byte) {
	l.command(func() {
		if !l.uas || l.phase != legTrying || code <= 100 || code >= 200 {
			return
		}
		res := l.response(l.in.req, code, "", sdp)
		l.common(res)
		l.identify(res)
		if l.in.reliable != nil {
			l.sendReliably(res)
			return
		}
		if !l.respond(l.in.tx, res) {
			return
		}
		l.in.progress = res
		if l.in.again == nil {
			l.in.again = l.after(progressInterval, l.repeatProgress)
		}
	})
}

func (l *leg) repeatProgress() {
	if l.phase == legTrying && l.respond(l.in.tx, l.in.progress) {
		l.in.again.Reset(progressInterval)
	}
}

// Answer implements call.Leg.
func (l *leg) Answer(sdp []byte) {
	l.command(func() {
		l.answer(sdp)
	})
}

// answer sends the 2xx, once what has to be acknowledged before it is.
func (l *leg) answer(sdp []byte) {
	if !l.uas || l.phase != legTrying {
		return
	}
	body := sdp
	if r := l.in.reliable; r != nil {
		if r.unanswered() || l.reoffer != nil {
			r.final = func() { l.answer(sdp) }
			return
		}
		if r.answered != nil { // offer and answer are complete (RFC 6337 §2.2): the call's SDP may be from before the last
			sdp, body = r.answered, nil
		}
	}
	l.in.stop()
	res := l.response(l.in.req, sipmsg.StatusOK, "", body)
	l.common(res)
	l.identify(res)
	l.display.told = l.display.want
	l.session.answer(res, l.peer)
	offer := len(l.remoteSDP) == 0
	if l.accept(&reply{tx: l.in.tx, res: res, seq: l.in.req.CSeq().SeqNo, initial: true, offer: offer}) {
		l.localSDP, l.weAnswered = sdp, !offer
		l.phase = legAnswered
		l.startSession()
	}
}

// Reject implements call.Leg. Ended follows.
func (l *leg) Reject(code int, phrase string, r call.Reason) {
	l.command(func() {
		if l.uas && l.phase == legTrying && code >= 300 && code < 700 && l.reject(code, phrase, r) {
			l.finish(call.LegEvent{Type: call.Ended, Code: code, Reason: r})
		}
	})
}

// reject sends a final error; false when a CANCEL was first.
func (l *leg) reject(code int, phrase string, r call.Reason) bool {
	res := l.response(l.in.req, code, phrase, nil)
	if h := reasonHeader(r); h != nil {
		res.AppendHeader(h)
	}
	return l.respond(l.in.tx, res)
}

// response makes a response to a request of this leg's peer.
func (l *leg) response(req *sipmsg.Request, code int, phrase string, sdp []byte) *sipmsg.Response {
	res := l.srv.response(req, code, orString(phrase, reasonPhrase(code)))
	setSDP(res, sdp)
	return res
}

// respond sends a response to an INVITE. It reports false when a CANCEL was first: sipgo has kept our response and would
// repeat it in place of the 487, which is put back.
func (l *leg) respond(tx sipmsg.ServerTransaction, res *sipmsg.Response) bool {
	err := tx.Respond(res)
	if errors.Is(err, sipmsg.ErrTransactionCanceled) {
		if l.in != nil && tx == l.in.tx {
			_ = tx.Respond(l.srv.response(l.in.req, sipmsg.StatusRequestTerminated, "Request Terminated"))
		}
		return false
	}
	if err != nil && !errors.Is(err, sipmsg.ErrTransactionTerminated) {
		l.log.Debug().Err(err).Int("code", res.StatusCode).Msg("response could not be sent")
	}
	return true
}

// reply is a 2xx to an INVITE that is repeated until its ACK (RFC 3261 §13.3.1.4).
type reply struct {
	tx      sipmsg.ServerTransaction
	res     *sipmsg.Response
	seq     uint32 // of the INVITE, and of its ACK
	initial bool   // to the INVITE that began the leg, not to a re-INVITE
	offer   bool   // the SDP in the 2xx is an offer: the ACK brings the answer

	timer        *time.Timer
	every, spent time.Duration
}

func (r *reply) stop() {
	if r != nil && r.timer != nil {
		r.timer.Stop()
	}
}

// accept sends a 2xx and waits for its ACK.
func (l *leg) accept(r *reply) bool {
	if !l.respond(r.tx, r.res) {
		return false
	}
	l.reply.stop()
	l.reply = r
	r.every = sipmsg.T1
	r.timer = l.after(r.every, func() { l.repeat(r) })
	return true
}

// repeat sends an unacknowledged 2xx again, at doubling intervals up to T2, and gives up after 64*T1.
func (l *leg) repeat(r *reply) {
	if l.reply != r {
		return
	}
	select {
	case ack := <-r.tx.Acks(): // an ACK with the INVITE's own branch, as RFC 2543 had it
		l.onAck(ack)
		return
	default:
	}
	if r.spent += r.every; r.spent >= 64*sipmsg.T1 {
		l.unacknowledged(r)
		return
	}
	l.respond(r.tx, r.res)
	r.every = min(2*r.every, sipmsg.T2)
	r.timer.Reset(r.every)
}

// unacknowledged ends a dialog whose 2xx got no ACK.
func (l *leg) unacknowledged(r *reply) {
	l.reply = nil
	reason := call.Reason{Protocol: "SIP", Cause: sipmsg.StatusRequestTimeout, Text: "No ACK for our answer"}
	hungUp := l.hangup
	l.bye(reason)
	switch {
	case r.initial && hungUp == nil:
		l.finish(call.LegEvent{Type: call.Failed, Code: sipmsg.StatusRequestTimeout, Reason: reason})
	default:
		l.finish(call.LegEvent{Type: call.Ended, Reason: reason})
	}
}

// onAck takes the ACK for our 2xx.
func (l *leg) onAck(req *sipmsg.Request) {
	r := l.reply
	if r == nil || req.CSeq().SeqNo != r.seq {
		return
	}
	r.stop()
	l.reply = nil
	sdp := sdpOf(req)
	if r.offer && len(sdp) > 0 {
		l.remoteSDP, l.weAnswered = sdp, false
	}
	if l.phase == legAnswered {
		l.phase = legUp
	}
	if l.hangup != nil {
		l.bye(*l.hangup)
		return
	}
	if r.initial || r.offer {
		l.emit(call.LegEvent{Type: call.Acked, SDP: sdp})
	}
	l.nextReinvite()
}

// contactFor is our Contact toward a peer.
func (s *Server) contactFor(user string, h hop) sipmsg.Uri {
	host, port := s.localFor(h.transport, h.addr)
	uri := sipmsg.Uri{Scheme: "sip", User: user, Host: host, Port: port}
	switch h.transport {
	case "udp":
	case "wss":
		uri.UriParams.Add("transport", "ws") // RFC 7118 §5.2.2
	default:
		uri.UriParams.Add("transport", h.transport)
	}
	return uri
}
