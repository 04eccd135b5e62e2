package carrier

import (
	"net/netip"
	"time"
)

// invited is a call from the phone system to a number of the carrier.
func (c *Carrier) invited(m *message, from netip.AddrPort) {
	c.write(m.reply(100, "Trying", ""), from)
	k, err := c.newCall(m.get("call-id"), from)
	if err != nil {
		c.write(m.reply(503, "Service Unavailable", token()), from)
		return
	}
	k.invite, k.remote, k.target, k.cseq = m, m.get("from"), uriOf(m.get("contact")), 100
	k.routes = m.all("record-route")
	number := behaviour(userOf(m.uri))
	if number.code != 0 {
		k.final(m.reply(number.code, number.phrase, k.tag))
		k.goDo(func() { k.pause(t4); k.end(number.phrase) })
		return
	}
	k.goDo(func() { k.play(number) })
}

// play acts out the number's behaviour.
func (k *call) play(n Number) {
	o, err := readSDP(k.invite.body)
	delayed := len(k.invite.body) == 0
	if err != nil && !delayed {
		k.final(k.invite.reply(488, "Not Acceptable Here", k.tag))
		k.end(err.Error())
		return
	}
	k.prepare(n)
	ring := k.invite.reply(180, "Ringing", k.tag)
	if n.early && !delayed {
		ring.code, ring.phrase = 183, "Session Progress"
		ring.body = writeSDP(k.media.local(), o.payload, o.event)
		k.media.connect(o)
	}
	ring.add("Contact", k.contact())
	k.carrier.write(ring, k.peer)
	if n.answer < 0 {
		k.pause(5 * time.Minute)
		k.hangUp()
		return
	}
	if !k.pause(n.answer) {
		return
	}
	k.accept(o, delayed)
	k.goDo(func() { k.afterAnswer(n) })
}

func (k *call) prepare(n Number) {
	k.media.set(func(s *stream) {
		s.echo, s.mute = !n.mute, n.mute
		if n.greeting || n.early {
			s.play = k.carrier.voice
		}
	})
}

func (k *call) accept(o offer, delayed bool) {
	r := k.invite.reply(200, "OK", k.tag)
	r.add("Contact", k.contact())
	r.add("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE")
	if delayed {
		r.body = writeSDP(k.media.local(), 255, 101)
	} else {
		r.body = writeSDP(k.media.local(), o.payload, o.event)
	}
	k.mu.Lock()
	k.up = true
	k.mu.Unlock()
	if !delayed {
		k.media.connect(o)
	}
	k.final(r)
}

func (k *call) afterAnswer(n Number) {
	if n.digits != "" && k.pause(500*time.Millisecond) {
		k.media.set(func(s *stream) { s.digits = []byte(n.digits) })
	}
	if n.hangUp > 0 && k.pause(n.hangUp) {
		k.hangUp()
	}
}
