package sip

import (
	"math/rand/v2"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// display is what the peer's screen shows of whom it talks with, and what it should show.
type display struct {
	want, told call.Party
	known      bool        // want was set
	telling    bool        // an UPDATE is out
	tries      int         // that met with a busy peer
	next       *time.Timer // runs until the peer may be told again
	resting    bool        // next runs
}

// Limits of display updates.
const (
	showPause = 500 * time.Millisecond // between two of them, however often the call changes
	showTries = 3                      // for a peer that is busy with a request of its own (RFC 3311 §5.2: 491, 500)
)

func (d *display) stop() { stopTimer(d.next) }

// Show implements call.Leg.
func (l *leg) Show(p call.Party) {
	l.command(func() {
		if l.trunk != nil || (l.display.known && l.display.want == p) {
			return
		}
		l.display.want, l.display.known, l.display.tries = p, true, 0
		l.tell()
	})
}

// tell updates the peer's display when there is something to tell and nothing else is going on.
func (l *leg) tell() {
	d := &l.display
	if !d.known || d.want == d.told || d.telling || d.resting || l.phase != legUp ||
		l.reinvite != nil || l.wanted != nil || l.glaring != nil || l.reoffer != nil || l.reply != nil || (l.out != nil && l.out.ack == nil) {
		return
	}
	if !l.peer.update {
		l.wanted = &reinvite{refresh: true, show: true, version: l.version}
		l.nextReinvite()
		return
	}
	party := d.want
	d.telling = true
	l.ask(l.buildUpdate, func(res *sipmsg.Response) { l.told(party, res) })
}

// told takes the answer to an UPDATE that was sent for the display.
func (l *leg) told(party call.Party, res *sipmsg.Response) {
	d := &l.display
	d.telling = false
	switch {
	case l.phase != legUp:
		return
	case res != nil && res.StatusCode < 300:
		l.d.retarget(res)
		l.session.agreed(res)
		l.startSession()
	case res != nil && res.StatusCode == sipmsg.StatusCallTransactionDoesNotExists:
		l.checkAlive(res)
		return
	case res != nil && (res.StatusCode == sipmsg.StatusMethodNotAllowed || res.StatusCode == sipmsg.StatusNotImplemented):
		l.peer.update = false
		l.tell()
		return
	case res != nil && (res.StatusCode == sipmsg.StatusRequestPending || res.StatusCode == sipmsg.StatusInternalServerError) && d.tries < showTries:
		d.tries++
		l.rest(showPause + time.Duration(rand.IntN(200))*10*time.Millisecond)
		return
	}
	l.shown(party)
}

// shown notes that the peer was told, or does not want to know.
func (l *leg) shown(party call.Party) {
	l.display.told, l.display.tries = party, 0
	l.rest(showPause)
}

// rest keeps the peer from being told again for a while.
func (l *leg) rest(pause time.Duration) {
	d := &l.display
	if l.phase != legUp {
		return
	}
	stopTimer(d.next)
	d.resting = true
	d.next = l.after(pause, func() { d.resting = false; l.tell() })
}

// buildUpdate makes an UPDATE that changes nothing but the display, and refreshes the session (RFC 4028 §7.4).
func (l *leg) buildUpdate() *sipmsg.Request {
	req := l.d.request(sipmsg.UPDATE)
	l.common(req)
	l.identify(req)
	l.session.request(req, true)
	req.SetBody(nil)
	return req
}

// identify says in a message with whom the peer talks (RFC 3325 §9.1; Remote-Party-ID for phones older than that). Only
// phones of our own get it: they trust us, and we know who they are.
func (l *leg) identify(msg sipmsg.Message) {
	d := &l.display
	if !d.known || l.trunk != nil {
		return
	}
	a := callerAddr(d.want, l.srv.domain(l.hop))
	value := quoteAddr(a.name, a.uri.String())
	privacy := ";privacy=off"
	if d.want.Number == anonymous || d.want.Number == "" {
		msg.AppendHeader(sipmsg.NewHeader("Privacy", "id"))
		privacy = ";privacy=full"
	}
	party := ";party=calling"
	if l.uas {
		party = ";party=called"
	}
	msg.AppendHeader(sipmsg.NewHeader("P-Asserted-Identity", value))
	msg.AppendHeader(sipmsg.NewHeader("Remote-Party-ID", value+party+";screen=yes"+privacy))
}
