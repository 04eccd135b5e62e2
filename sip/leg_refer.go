package sip

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// refer is a transfer that the peer asked for: an implicit subscription to how it goes (RFC 3515 §2.4.4).
type refer struct {
	id     string      // CSeq of the REFER
	event  string      // of its NOTIFYs
	code   int         // the last status that was told
	phrase string      //
	silent bool        // the peer does not want to know, or no longer
	until  time.Time   // when the subscription ends
	expiry *time.Timer // ends it
}

// statusBadEvent is 489 (RFC 6665 §8.3.2).
const statusBadEvent = 489

// referExpires is how long the subscription may last: longer than anything rings.
const referExpires = 5 * time.Minute

func (r *refer) stop() {
	if r != nil {
		stopTimer(r.expiry)
	}
}

// onRefer takes a transfer from a user's phone (RFC 3515 §2.4.2). A carrier transfers nobody on our lines, and one transfer
// at a time is enough.
func (l *leg) onRefer(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	to, p := readReferTo(req)
	e := call.LegEvent{Type: call.Referred, Target: to.user, ReplacesHeader: to.replaces}
	gone := false
	switch {
	case l.phase != legUp:
		p = problem(sipmsg.StatusCallTransactionDoesNotExists)
	case l.trunk != nil:
		p = problem(sipmsg.StatusForbidden)
	case p == nil && l.refer != nil:
		p = &refusal{code: sipmsg.StatusRequestPending}
	case p == nil && to.replaces != "":
		gone, p = l.attended(to, &e)
	}
	if p != nil {
		l.respond(tx, l.response(req, p.code, p.phrase, nil))
		return
	}
	l.refers++
	l.refer = newRefer(req, l.refers)
	res := l.response(req, sipmsg.StatusAccepted, "", nil)
	l.common(res)
	if l.refer.silent {
		res.AppendHeader(sipmsg.NewHeader("Refer-Sub", "false")) // RFC 4488 §4
	}
	l.respond(tx, res)
	l.referExpiry()
	l.notify(sipmsg.StatusTrying, "Trying")
	if gone {
		l.notify(sipmsg.StatusCallTransactionDoesNotExists, "")
		return
	}
	e.By = l.referredBy(req)
	l.emit(e)
}

// referredBy is the Referred-By header (RFC 3892) for the target to see, as long as it names the user who refers; else "".
func (l *leg) referredBy(req *sipmsg.Request) string {
	by := firstNamed(req, "Referred-By")
	if a, err := readNameAddr(by); err != nil || len(by) > 500 || !l.srv.isUser(uriUser(&a.uri), l.user) {
		return ""
	}
	return by
}

func newRefer(req *sipmsg.Request, count int) *refer {
	r := &refer{event: "refer", id: strconv.FormatUint(uint64(req.CSeq().SeqNo), 10), until: time.Now().Add(referExpires)}
	if count > 1 { // RFC 3515 §2.4.6
		r.event += ";id=" + r.id
	}
	r.silent = strings.EqualFold(strings.TrimSpace(firstNamed(req, "Refer-Sub")), "false")
	return r
}

// attended finds the leg that shall be joined with this one's party (RFC 5589 §7). It must be another one of the same user:
// then e names it. gone means that the dialog was ours and is no more, which the transferor learns as the target's answer.
func (l *leg) attended(to referTo, e *call.LegEvent) (gone bool, p *refusal) {
	r, err := parseReplaces(to.replaces)
	if err != nil {
		return false, malformed("Bad Replaces in Refer-To")
	}
	other, _ := l.srv.calls.dialogs.meant(r)
	switch {
	case other == l:
		return false, malformed("A Call Cannot Replace Itself")
	case other != nil && other.user != l.user:
		return false, problem(sipmsg.StatusForbidden)
	case other != nil:
		e.Replaces, e.ReplacesHeader = other, ""
		return false, nil
	}
	// What the target's phone is told says just what was looked for here, however it was written, and means no dialog of ours: a
	// phone would give up any that it can find.
	if e.ReplacesHeader = r.String(); l.srv.calls.dialogs.has(r.callID) {
		return true, nil
	}
	return l.srv.auth.names.has(to.host) || strings.EqualFold(to.host, l.d.contact.Host), nil
}

// referTo is a Refer-To header, as far as it matters to us.
type referTo struct {
	user, host string
	replaces   string // value of the Replaces header that the URI asks for, "" = none
}

// readReferTo is what to dial. There must be just one Refer-To (RFC 3515 §2.4.1).
func readReferTo(req *sipmsg.Request) (referTo, *refusal) {
	to := slices.Collect(named(req, "Refer-To"))
	if len(to) != 1 {
		return referTo{}, malformed("One Refer-To Is Needed")
	}
	return parseReferTo(to[0])
}

func parseReferTo(value string) (to referTo, p *refusal) {
	a, err := readNameAddr(value)
	switch {
	case err != nil:
		return to, malformed("Bad Refer-To")
	case a.uri.Scheme != "sip" && a.uri.Scheme != "sips" && a.uri.Scheme != "tel":
		return to, problem(416)
	}
	to.user, to.host = uriUser(&a.uri), a.uri.Host
	for _, h := range a.uri.Headers {
		switch {
		case strings.EqualFold(h.K, "Replaces") && to.replaces == "":
			to.replaces = unescapeURI(h.V)
		case strings.EqualFold(h.K, "method") && !strings.EqualFold(h.V, "INVITE"):
			return to, malformed("Only INVITE Is Referred To")
		}
	}
	for _, param := range a.uri.UriParams {
		if strings.EqualFold(param.K, "method") && !strings.EqualFold(param.V, "INVITE") {
			return to, malformed("Only INVITE Is Referred To")
		}
	}
	if to.user == "" && to.replaces == "" || len(to.user) > maxAddress {
		return to, malformed("Bad Refer-To")
	}
	return to, nil
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
	r := l.refer
	r.code, r.phrase = code, orString(phrase, reasonPhrase(code))
	state := "active;expires=" + remaining(time.Until(r.until))
	if code >= 200 {
		state = "terminated;reason=noresource"
		r.stop()
		l.refer = nil
	}
	l.sendNotify(r, state)
}

func (l *leg) sendNotify(r *refer, state string) {
	if r.silent {
		return
	}
	body := fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", r.code, sanitize(r.phrase))
	l.ask(func() *sipmsg.Request {
		req := l.d.request(sipmsg.NOTIFY)
		l.common(req)
		req.AppendHeader(sipmsg.NewHeader("Event", r.event))
		req.AppendHeader(sipmsg.NewHeader("Subscription-State", state))
		req.AppendHeader(sipmsg.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
		req.SetBody(body)
		return req
	}, func(res *sipmsg.Response) {
		if res == nil || res.StatusCode >= 300 {
			r.silent = true // a phone that wants no news is still on the call (RFC 5057 §5.1)
		}
	})
}

// referExpiry ends the subscription when its time is over; the transfer goes on.
func (l *leg) referExpiry() {
	r := l.refer
	r.stop()
	r.expiry = l.after(time.Until(r.until), func() {
		if l.refer == r && l.phase == legUp {
			l.sendNotify(r, "terminated;reason=timeout")
			r.silent = true
		}
	})
}

// onSubscribe takes a SUBSCRIBE inside the call: it can only be for the transfer that is under way, to have its news longer,
// or no more (RFC 3515 §2.4.4).
func (l *leg) onSubscribe(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	event, id := parseEvent(firstNamed(req, "Event"))
	r := l.refer
	switch {
	case event != "refer":
		res := l.response(req, statusBadEvent, "", nil)
		res.AppendHeader(sipmsg.NewHeader("Allow-Events", allowedEvents))
		l.respond(tx, res)
		return
	case r == nil || r.silent || id != "" && id != r.id:
		l.refuse(req, tx, sipmsg.StatusCallTransactionDoesNotExists)
		return
	}
	expires, given := expiresHeader(req)
	if !given {
		expires = referExpires
	}
	expires = min(expires, referExpires)
	r.until = time.Now().Add(expires)
	res := l.response(req, sipmsg.StatusOK, "", nil)
	l.common(res)
	res.AppendHeader(sipmsg.NewHeader("Expires", seconds(expires)))
	l.respond(tx, res)
	if expires == 0 {
		r.stop()
		l.sendNotify(r, "terminated;reason=timeout")
		r.silent = true
		return
	}
	l.referExpiry()
	l.sendNotify(r, "active;expires="+seconds(expires))
}
