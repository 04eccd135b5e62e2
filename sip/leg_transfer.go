package sip

import (
	"net/url"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// referral is a transfer that we asked the peer for: an implicit subscription of ours to how it goes (RFC 3515 §2.4.4).
type referral struct{ id string } // CSeq of the REFER

// Refer implements call.Leg.
func (l *leg) Refer(number string, with call.Leg) {
	l.command(func() {
		if l.phase != legUp || l.trunk == nil || l.referral != nil {
			l.emit(call.LegEvent{Type: call.ReferTold, Code: sipmsg.StatusRequestPending})
			return
		}
		l.referral = &referral{}
		other, _ := with.(*leg)
		if with == nil || other == nil {
			uri := l.trunk.uri(number)
			l.sendRefer(uri.String())
			return
		}
		other.queue.post(func() { // what its dialog is, only its own queue may say
			to := other.referTo()
			l.command(func() { l.sendRefer(to) })
		})
	})
}

// referTo names the peer of a confirmed dialog, as whoever shall take our place there calls it (RFC 5589 §7.1).
func (l *leg) referTo() string {
	if l.phase != legUp {
		return ""
	}
	d := l.d
	replaces := url.QueryEscape(d.callID + ";to-tag=" + d.remoteTag + ";from-tag=" + d.localTag)
	return d.target.String() + "?Replaces=" + strings.ReplaceAll(replaces, "+", "%20")
}

// sendRefer sends a REFER to the peer, whose news begin with the answer.
func (l *leg) sendRefer(to string) {
	r := l.referral
	if r == nil || l.phase != legUp {
		return
	}
	if to == "" {
		l.referTold(sipmsg.StatusCallTransactionDoesNotExists)
		return
	}
	l.ask(func() *sipmsg.Request {
		req := l.d.request(sipmsg.REFER)
		r.id = strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
		l.common(req)
		req.ReplaceHeader(sipmsg.NewHeader("Allow", legAllow+", NOTIFY"))
		req.AppendHeader(sipmsg.NewHeader("Refer-To", "<"+to+">"))
		req.AppendHeader(sipmsg.NewHeader("Referred-By", "<"+l.d.contact.String()+">"))
		req.SetBody(nil)
		return req
	}, func(res *sipmsg.Response) {
		switch {
		case l.referral != r || l.phase != legUp: // the outcome overtook it
		case res == nil:
			l.referTold(sipmsg.StatusRequestTimeout)
		case res.StatusCode >= 300:
			l.referTold(res.StatusCode)
		default:
			l.referTold(sipmsg.StatusTrying)
		}
	})
}

// referTold passes on how the transfer goes.
func (l *leg) referTold(code int) {
	if code >= 200 {
		l.referral = nil
	}
	l.emit(call.LegEvent{Type: call.ReferTold, Code: code})
}

// onNotify takes the news of a transfer that we asked for.
func (l *leg) onNotify(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	event, id := parseEvent(firstNamed(req, "Event"))
	if r := l.referral; r == nil || event != "refer" || id != "" && id != r.id {
		l.refuse(req, tx, sipmsg.StatusCallTransactionDoesNotExists) // RFC 6665 §4.1.3: no such subscription
		return
	}
	l.respond(tx, l.response(req, sipmsg.StatusOK, "", nil))
	code := sipfragCode(req.Body())
	state, _, _ := strings.Cut(firstNamed(req, "Subscription-State"), ";")
	if code < 200 && strings.EqualFold(strings.TrimSpace(state), "terminated") { // it will not say how it ended
		code = sipmsg.StatusTemporarilyUnavailable
	}
	if code > 0 {
		l.referTold(code)
	}
}

// sipfragCode is the status of a message/sipfrag (RFC 3420), 0 when it has none.
func sipfragCode(body []byte) int {
	line, ok := strings.CutPrefix(string(body), "SIP/2.0 ")
	if !ok || len(line) < 3 {
		return 0
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 100 || code > 699 {
		return 0
	}
	return code
}
