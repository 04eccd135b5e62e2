package sip

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// subscription is a phone's wish to be told of something, until it ends (RFC 6665 §4.2): a dialog of its own, in which we send
// NOTIFYs. One at a time is on its way, and the next waits for its answer and for notifyPause.
//
// Everything below queue is touched only by functions that the queue runs.
type subscription struct {
	srv    *Server
	log    zerolog.Logger
	user   string // who watches
	device string
	from   hop    // where the first SUBSCRIBE came from
	name   string // what, as the phone called it
	of     watched
	event  *eventPackage
	header string // Event of the NOTIFYs

	queue serial

	d       *dialog
	hop     hop
	flow    string
	until   time.Time
	expiry  *time.Timer
	sending bool        // a NOTIFY waits for its answer
	pause   *time.Timer // until the next may go
	resting bool        // pause runs
	dirty   bool        // there may be news
	told    []byte      // what the phone knows
	shown   []string    // calls that it knows of
	version uint32
	over    bool
}

// watched is what is watched: a package and the key of a resource.
type watched struct{ event, key string }

// do runs f soon, unless the subscription is over then.
func (sub *subscription) do(f func()) {
	sub.queue.post(func() {
		if !sub.over {
			sub.safely(f)
		}
	})
}

// safely runs f. A panic, whoever's it is, ends this subscription and nothing else.
func (sub *subscription) safely(f func()) {
	defer func() {
		if p := recover(); p != nil {
			sub.log.Error().Str("panic", fmt.Sprint(p)).Bytes("stack", debug.Stack()).Msg("subscription failed; it is given up")
			sub.close()
		}
	}()
	f()
}

func (sub *subscription) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { sub.do(f) })
}

// accept answers a SUBSCRIBE that begins or renews the subscription, and tells the state at once (RFC 6665 §4.2.1.2).
func (sub *subscription) accept(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	left := max(time.Until(sub.until), 0)
	res := sub.srv.response(req, sipmsg.StatusOK, "OK")
	res.AppendHeader(&sipmsg.ContactHeader{Address: sub.d.contact})
	res.AppendHeader(sipmsg.NewHeader("Expires", remaining(left)))
	res.AppendHeader(sipmsg.NewHeader("Allow-Events", allowedEvents))
	sub.srv.reply(req, tx, res)
	if left == 0 {
		sub.end("timeout")
		return
	}
	stopTimer(sub.expiry)
	sub.expiry = sub.after(left, func() { sub.end("timeout") })
	sub.told = nil
	sub.news()
}

// onRequest takes a request of the phone inside the dialog: SUBSCRIBE renews or ends it, nothing else belongs here.
func (sub *subscription) onRequest(req *sipmsg.Request, tx sipmsg.ServerTransaction) {
	refuse := func(p *refusal) { sub.srv.respond(req, tx, p.code, p.phrase, p.headers...) }
	switch {
	case sub.over, tagOf(req.From().Params) != sub.d.remoteTag:
		refuse(problem(sipmsg.StatusCallTransactionDoesNotExists))
		return
	case req.CSeq().SeqNo <= sub.d.remoteSeq:
		refuse(problem(sipmsg.StatusInternalServerError))
		return
	}
	sub.d.remoteSeq = req.CSeq().SeqNo
	if req.Method != sipmsg.SUBSCRIBE {
		refuse(problem(sipmsg.StatusMethodNotAllowed).with("Allow", "SUBSCRIBE"))
		return
	}
	r, p := readSubscribe(req, sub.srv.subs.packages)
	switch {
	case p == nil && r.header != sub.header:
		p = problem(statusBadEvent).with("Allow-Events", allowedEvents) // each subscription has a dialog of its own
	case p == nil && !sub.allowed():
		refuse(problem(sipmsg.StatusForbidden))
		sub.end("rejected")
		return
	}
	if p != nil {
		refuse(p)
		return
	}
	sub.d.retarget(req)
	sub.hop = hop{transport: strings.ToLower(req.Transport()), addr: req.Source()}
	sub.flow = sub.srv.flowID(sub.hop)
	sub.until = time.Now().Add(r.expires)
	sub.accept(req, tx)
}

// allowed reports whether the watcher is still one of ours and may still watch.
func (sub *subscription) allowed() bool {
	if _, ok := sub.srv.cfg.Users.UserByID(sub.user); !ok {
		return false
	}
	if d, ok := sub.srv.cfg.Devices.Device(sub.device); sub.device != "" && (!ok || d.Disabled || d.User != sub.user) {
		return false
	}
	key, ok := sub.event.find(sub.user, sub.name)
	return ok && key == sub.of.key
}

// news tells the phone how things are, as soon as it may be told, unless it knows.
func (sub *subscription) news() {
	sub.dirty = true
	if sub.sending || sub.resting {
		return
	}
	sub.dirty = false
	content, shown, ok := sub.event.content(sub)
	switch {
	case !ok:
		sub.end("noresource")
	case sub.told == nil || !bytes.Equal(content, sub.told):
		sub.told, sub.shown = content, shown
		sub.notify("active;expires="+remaining(time.Until(sub.until)), content)
	}
}

// end ends the subscription with a last NOTIFY (RFC 6665 §4.2.2), to which no answer matters.
func (sub *subscription) end(reason string) {
	if sub.over {
		return
	}
	content := sub.told
	if now, _, ok := sub.event.content(sub); ok {
		content = now
	}
	sub.close()
	sub.notify("terminated;reason="+reason, content)
}

// close forgets the subscription.
func (sub *subscription) close() {
	if sub.over {
		return
	}
	sub.over = true
	stopTimer(sub.expiry)
	stopTimer(sub.pause)
	sub.srv.subs.remove(sub)
}

// notify sends a NOTIFY.
func (sub *subscription) notify(state string, content []byte) {
	req := sub.d.request(sipmsg.NOTIFY)
	req.AppendHeader(&sipmsg.ContactHeader{Address: sub.d.contact})
	req.AppendHeader(sipmsg.NewHeader("Event", sub.header))
	req.AppendHeader(sipmsg.NewHeader("Subscription-State", state))
	req.AppendHeader(sipmsg.NewHeader("Content-Type", sub.event.body))
	req.SetBody(sub.event.wrap(sub, content))
	sub.version++
	req.SetTransport(strings.ToUpper(sub.hop.transport))
	req.SetDestination(sub.hop.addr)
	tx, err := sub.srv.transmit(sub.srv.calls.ctx, req)
	if err != nil {
		sub.log.Debug().Err(err).Msg("the phone cannot be reached; its subscription is over")
		sub.close()
		return
	}
	if sub.over {
		go finalResponse(tx)
		return
	}
	sub.sending, sub.resting = true, true
	sub.pause = sub.after(sub.srv.subs.pause, func() {
		sub.resting = false
		sub.again()
	})
	sub.srv.crew.do(func() {
		res := finalResponse(tx)
		sub.do(func() { sub.answered(res) })
	})
}

// answered takes the answer to a NOTIFY. A phone that does not answer, or wants no more, is told no more (RFC 6665 §4.2.2);
// one that is only in trouble hears of the next change.
func (sub *subscription) answered(res *sipmsg.Response) {
	sub.sending = false
	switch {
	case res == nil:
		sub.log.Info().Msg("the phone does not answer; its subscription is over")
		sub.close()
		return
	case res.StatusCode < 300:
	case res.StatusCode >= 500 && res.StatusCode != sipmsg.StatusNotImplemented, res.StatusCode == sipmsg.StatusRequestPending:
		sub.told = nil // it does not know
	default:
		sub.log.Debug().Int("code", res.StatusCode).Msg("the phone wants no more news; its subscription is over")
		sub.close()
		return
	}
	sub.again()
}

// remaining writes what is left of a subscription, in whole seconds, rounded up.
func remaining(d time.Duration) string { return seconds(max(d, 0) + time.Second - 1) }

// again tells what has happened meanwhile.
func (sub *subscription) again() {
	if sub.dirty {
		sub.news()
	}
}
