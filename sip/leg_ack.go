package sip

import (
	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// Ack implements call.Leg.
func (l *leg) Ack(sdp []byte) {
	l.command(func() {
		o := l.out
		if l.reinvite != nil && l.reinvite.out.final {
			o = l.reinvite.out
		}
		if l.phase != legUp || o == nil || !o.final || o.ack != nil {
			return
		}
		l.localSDP, l.weAnswered = sdp, true
		l.acknowledge(o, sdp)
		if l.reinvite != nil && l.reinvite.out == o {
			l.reinviteDone()
		}
		l.nextReinvite()
	})
}

// acknowledge sends the ACK for a 2xx (RFC 3261 §13.2.2.4): within the dialog, with the INVITE's number and credentials.
func (l *leg) acknowledge(o *outbound, sdp []byte) {
	ack := l.d.request(sipmsg.ACK)
	completeAck(ack, o.req, sdp)
	o.ack = ack
	l.sendAck(ack)
}

// acknowledgeOpen acknowledges a 2xx whose offer the call never answered: it hangs up instead.
func (l *leg) acknowledgeOpen() {
	if o := l.out; o != nil && o.final && o.ack == nil {
		l.acknowledge(o, nil)
	}
	if r := l.reinvite; r != nil && r.out.final && r.out.ack == nil {
		l.acknowledge(r.out, nil)
	}
}

func completeAck(ack, invite *sipmsg.Request, sdp []byte) {
	ack.CSeq().SeqNo = invite.CSeq().SeqNo
	for _, name := range [...]string{"authorization", "proxy-authorization"} { // RFC 3261 §22.1
		if h := invite.GetHeader(name); h != nil {
			ack.AppendHeader(h)
		}
	}
	setSDP(ack, sdp)
}

func (l *leg) sendAck(ack *sipmsg.Request) {
	l.aim(ack)
	if _, err := l.srv.transmit(l.srv.calls.ctx, ack); err != nil {
		l.log.Debug().Err(err).Msg("ACK could not be sent")
	}
}

// again2xx takes every 2xx after the first: a retransmission gets its ACK again, a 2xx of another fork lost the race and
// its dialog is ended (RFC 3261 §13.2.2.4). It runs also after the leg is over.
func (l *leg) again2xx(o *outbound, res *sipmsg.Response) {
	if res.To() == nil || l.d.remoteTag == "" {
		return
	}
	tag := tagOf(res.To().Params)
	switch {
	case tag != l.d.remoteTag:
		l.endFork(o, res, tag)
	case o.ack != nil:
		l.sendAck(o.ack)
	case l.phase == legOver:
		l.acknowledge(o, nil)
	}
}

// endFork acknowledges the 2xx of another fork and hangs up on it.
func (l *leg) endFork(o *outbound, res *sipmsg.Response, tag string) {
	if ack := o.forks[tag]; ack != nil {
		_, _ = l.srv.transmit(l.srv.calls.ctx, ack)
		return
	}
	fork := l.forkOf(res)
	ack := fork.d.request(sipmsg.ACK)
	completeAck(ack, o.req, nil)
	if o.forks == nil {
		o.forks = make(map[string]*sipmsg.Request)
	}
	o.forks[tag] = ack
	fork.sendAck(ack)
	fork.ask(func() *sipmsg.Request {
		bye := fork.d.request(sipmsg.BYE)
		bye.AppendHeader(reasonHeader(call.AnsweredElsewhere))
		bye.SetBody(nil)
		return bye
	}, func(*sipmsg.Response) {})
}
