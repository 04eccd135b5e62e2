package sip

import (
	"bytes"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// onInDialog takes a request whose To has a tag. It returns when the request is handled, so that the next one of the
// dialog is handled after it.
func (s *Server) onInDialog(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	l := s.calls.dialogs.find(req)
	if l == nil {
		s.unknownDialog(req, tx)
		return
	}
	s.flows.prove(s.flowOf(req)) // who knows our tag took part in the call
	l.queue.wait(func() {
		if l.phase == legOver {
			s.unknownDialog(req, tx)
			return
		}
		l.guarded(func() { l.onRequest(req, tx) })
	})
}

// unknownDialog refuses what belongs to no dialog, and forgets it at once: as an INVITE's final response it would else be
// repeated for 32 s, to whomever a forged source names.
func (s *Server) unknownDialog(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if req.Method != sipmsg.ACK {
		s.respond(req, tx, sipmsg.StatusCallTransactionDoesNotExists, reasonPhrase(sipmsg.StatusCallTransactionDoesNotExists))
	}
	tx.Terminate()
}

// onRequest takes a request of the peer inside the dialog (RFC 3261 §12.2.2).
func (l *leg) onRequest(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	early := !l.uas && l.phase == legTrying // forks are not told apart yet
	if !early && tagOf(req.From().Params) != l.d.remoteTag {
		l.srv.unknownDialog(req, tx)
		return
	}
	if req.Method == sipmsg.ACK {
		l.seenAt(req)
		l.onAck(req)
		return
	}
	if seq := req.CSeq().SeqNo; !early {
		if seq <= l.d.remoteSeq {
			l.refuse(req, tx, sipmsg.StatusInternalServerError)
			return
		}
		l.d.remoteSeq = seq
	}
	l.seenAt(req)
	switch req.Method {
	case sipmsg.BYE:
		l.onBye(req, tx)
	case sipmsg.INVITE:
		l.onOffer(req, tx)
	case sipmsg.UPDATE:
		l.onUpdate(req, tx)
	case sipmsg.PRACK:
		l.onPrack(req, tx)
	case sipmsg.INFO:
		l.onInfo(req, tx)
	case sipmsg.REFER:
		l.onRefer(req, tx)
	case sipmsg.SUBSCRIBE:
		l.onSubscribe(req, tx)
	case sipmsg.OPTIONS:
		res := l.response(req, sipmsg.StatusOK, "", nil)
		l.common(res)
		res.AppendHeader(sipmsg.NewHeader("Accept", acceptedTypes))
		l.respond(tx, res)
	case sipmsg.NOTIFY:
		l.onNotify(req, tx)
	default:
		l.refuse(req, tx, sipmsg.StatusMethodNotAllowed)
	}
}

// refuse answers with an error.
func (l *leg) refuse(req *sipmsg.Request, tx sipmsg.ServerTransaction, code int) {
	res := l.response(req, code, "", nil)
	if code == sipmsg.StatusMethodNotAllowed {
		res.AppendHeader(sipmsg.NewHeader("Allow", legAllow))
	}
	l.respond(tx, res)
}

// onBye ends the leg (RFC 3261 §15.1.2).
func (l *leg) onBye(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if l.phase == legTrying && !l.uas {
		l.refuse(req, tx, sipmsg.StatusCallTransactionDoesNotExists) // the callee of an early dialog may not
		return
	}
	l.respond(tx, l.response(req, sipmsg.StatusOK, "", nil))
	r := reasonOf(req)
	if r.Cause == 0 {
		r = call.Reason{Protocol: "Q.850", Cause: 16, Text: "Normal call clearing"}
	}
	if l.phase == legTrying {
		l.reject(sipmsg.StatusRequestTerminated, "", call.Reason{})
		l.finish(call.LegEvent{Type: call.Cancelled, Reason: r})
		return
	}
	l.refusePending()
	l.finish(call.LegEvent{Type: call.Ended, Reason: r})
}

// tooShort takes over the session timer that a request asks for, or refuses it with 422 (RFC 4028 §9).
func (l *leg) tooShort(req *sipmsg.Request, tx sipmsg.ServerTransaction) bool {
	minSE := l.session.accept(req, l.srv.cfg.SessionExpires)
	if minSE <= 0 {
		return false
	}
	res := l.response(req, statusSessionIntervalTooSmall, "", nil)
	res.AppendHeader(sipmsg.NewHeader("Min-SE", seconds(minSE)))
	l.respond(tx, res)
	return true
}

// onUpdate takes an UPDATE (RFC 3311): with an offer like a re-INVITE, without one a refresh.
func (l *leg) onUpdate(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if len(sdpOf(req)) > 0 {
		l.onOffer(req, tx)
		return
	}
	if l.tooShort(req, tx) {
		return
	}
	l.d.retarget(req)
	l.learn(req)
	res := l.response(req, sipmsg.StatusOK, "", nil)
	l.common(res)
	if l.phase == legUp {
		l.session.answer(res, l.peer)
		l.startSession()
	}
	l.respond(tx, res)
}

// onInfo takes DTMF by INFO; other bodies are not understood.
func (l *leg) onInfo(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	if len(req.Body()) == 0 {
		l.respond(tx, l.response(req, sipmsg.StatusOK, "", nil))
		return
	}
	kind := ""
	if h := req.ContentType(); h != nil {
		kind, _, _ = strings.Cut(strings.ToLower(string(*h)), ";")
	}
	digit, millis, ok := parseDTMF(strings.TrimSpace(kind), req.Body())
	if !ok {
		res := l.response(req, sipmsg.StatusUnsupportedMediaType, "", nil)
		res.AppendHeader(sipmsg.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
		l.respond(tx, res)
		return
	}
	l.respond(tx, l.response(req, sipmsg.StatusOK, "", nil))
	if l.phase == legUp || l.phase == legAnswered {
		l.emit(call.LegEvent{Type: call.Digit, Digit: digit, Millis: millis})
	}
}

// Lengths of a digit in milliseconds.
const (
	defaultDigitMillis = 160
	minDigitMillis     = 40
	maxDigitMillis     = 5000
)

// parseDTMF reads the two bodies that phones use: application/dtmf-relay ("Signal=5\r\nDuration=160") and
// application/dtmf ("5").
func parseDTMF(kind string, body []byte) (digit byte, millis int, ok bool) {
	millis = defaultDigitMillis
	switch kind {
	case "application/dtmf":
		digit, ok = dtmfDigit(string(bytes.TrimSpace(body)))
	case "application/dtmf-relay":
		for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
			key, value, _ := strings.Cut(line, "=")
			value = strings.TrimSpace(value)
			switch strings.ToLower(strings.TrimSpace(key)) {
			case "signal":
				digit, ok = dtmfDigit(value)
			case "duration":
				if n, err := strconv.Atoi(value); err == nil {
					millis = min(max(n, minDigitMillis), maxDigitMillis)
				}
			}
		}
	}
	return digit, millis, ok
}

// dtmfDigit reads one digit; 10 and 11 are star and pound in some phones, 12 to 15 are A to D (RFC 4733 §3.2).
func dtmfDigit(s string) (byte, bool) {
	const digits = "0123456789*#ABCD"
	if len(s) == 1 {
		if i := strings.IndexByte(digits, strings.ToUpper(s)[0]); i >= 0 {
			return digits[i], true
		}
	}
	if n, err := strconv.Atoi(s); err == nil && len(s) == 2 && n >= 10 && n < len(digits) {
		return digits[n], true
	}
	return 0, false
}

// reasonPhrase is the status phrase of a code (RFC 3261 §21).
func reasonPhrase(code int) string {
	if p := phrases[code]; p != "" {
		return p
	}
	if p := legPhrases[code]; p != "" {
		return p
	}
	switch code / 100 {
	case 1:
		return "Progress"
	case 2:
		return "OK"
	case 3:
		return "Redirected"
	case 5:
		return "Server Failure"
	case 6:
		return "Global Failure"
	}
	return "Request Failure"
}

var legPhrases = map[int]string{
	180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress", 200: "OK",
	408: "Request Timeout", 410: "Gone", 422: "Session Interval Too Small", 484: "Address Incomplete", 486: "Busy Here",
	202: "Accepted", 487: "Request Terminated", 491: "Request Pending", 502: "Bad Gateway", 504: "Server Time-out",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}
