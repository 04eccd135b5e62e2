package sip

import (
	"fmt"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// refer is a transfer that the peer asked for: an implicit subscription to how it goes (RFC 3515 §2.4.4).
type refer struct {
	event string // of its NOTIFYs
}

// referExpires is how long the subscription may last, in seconds: longer than anything rings.
const referExpires = "300"

// onRefer takes a transfer from a user's phone (RFC 3515 §2.4.2). A carrier transfers nobody on our lines, and one transfer
// at a time is enough. Attended transfer names the dialog to replace in the URI's headers (RFC 5589 §7); that is not taken.
func (l *leg) onRefer(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	target, code, why := referTarget(req)
	switch {
	case l.phase != legUp:
		code = sipmsg.StatusCallTransactionDoesNotExists
	case l.trunk != nil:
		code, why = sipmsg.StatusForbidden, ""
	case code == 0 && l.refer != nil:
		code = sipmsg.StatusRequestPending
	}
	if code != 0 {
		l.respond(tx, l.response(req, code, why, nil))
		return
	}
	l.refers++
	l.refer = &refer{event: "refer"}
	if l.refers > 1 { // RFC 3515 §2.4.6
		l.refer.event += ";id=" + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
	}
	res := l.response(req, sipmsg.StatusAccepted, "", nil)
	l.common(res)
	l.respond(tx, res)
	l.notify(sipmsg.StatusTrying, "Trying")
	by := firstNamed(req, "Referred-By")
	if _, err := readNameAddr(by); err != nil || len(by) > 500 {
		by = ""
	}
	l.emit(call.LegEvent{Type: call.Referred, Target: target, By: by})
}

// referTarget is what to dial. There must be just one Refer-To (RFC 3515 §2.4.1).
func referTarget(req *sipmsg.Request) (target string, code int, why string) {
	var to []string
	for _, name := range []string{"Refer-To", "r"} {
		for value := range named(req, name) {
			to = append(to, value)
		}
	}
	if len(to) != 1 {
		return "", sipmsg.StatusBadRequest, "One Refer-To is needed"
	}
	a, err := readNameAddr(to[0])
	switch {
	case err != nil:
		return "", sipmsg.StatusBadRequest, "Bad Refer-To"
	case a.uri.Headers.Has("Replaces") || strings.Contains(to[0], "Replaces="):
		return "", sipmsg.StatusNotImplemented, "Attended transfer is not implemented"
	case a.uri.Scheme != "sip" && a.uri.Scheme != "sips" && a.uri.Scheme != "tel":
		return "", 416, ""
	case uriUser(&a.uri) == "":
		return "", sipmsg.StatusBadRequest, "Bad Refer-To"
	}
	return uriUser(&a.uri), 0, ""
}

// ReferProgress implements call.Leg.
func (l *leg) ReferProgress(code int, phrase string) {
	l.command(func() {
		if l.refer != nil && l.phase == legUp {
			l.notify(code, phrase)
		}
	})
}

// notify tells the peer how its transfer goes: a status line as message/sipfrag (RFC 3420), the last of them with the end of
// the subscription.
func (l *leg) notify(code int, phrase string) {
	event, state := l.refer.event, "active;expires="+referExpires
	if code >= 200 {
		state, l.refer = "terminated;reason=noresource", nil
	}
	if phrase == "" {
		phrase = reasonPhrase(code)
	}
	l.ask(func() *sipmsg.Request {
		req := l.d.request(sipmsg.NOTIFY)
		l.common(req)
		req.AppendHeader(sipmsg.NewHeader("Event", event))
		req.AppendHeader(sipmsg.NewHeader("Subscription-State", state))
		req.AppendHeader(sipmsg.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
		req.SetBody(fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", code, phrase))
		return req
	}, func(*sipmsg.Response) {}) // a phone that wants no news is still on the call
}
