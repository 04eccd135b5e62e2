package sip

import sipmsg "github.com/emiago/sipgo/sip"

// PickUp implements call.Leg. The NOTIFY belongs to no subscription: desk phones take it as their makers agreed, within the
// early dialog of the INVITE that makes them ring.
func (l *leg) PickUp() {
	l.command(func() {
		if l.out == nil || l.phase != legTrying || l.out.rang == nil || l.trunk != nil {
			return
		}
		fork := l.forkOf(l.out.rang)
		fork.ask(func() *sipmsg.Request {
			l.d.localSeq++
			fork.d.localSeq = l.d.localSeq - 1
			req := fork.d.request(sipmsg.NOTIFY)
			req.AppendHeader(sipmsg.NewHeader("Event", "talk"))
			req.AppendHeader(sipmsg.NewHeader("Subscription-State", "active"))
			req.SetBody(nil)
			return req
		}, func(res *sipmsg.Response) {
			if res == nil || res.StatusCode >= 300 {
				l.log.Info().Str("peer", l.remote).Msg("the phone does not answer on request; it rings on")
			}
		})
	})
}
