package sip

import (
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/store"
)

// Message-waiting without a subscription (RFC 3842 leaves it open): many desk phones never subscribe and expect a NOTIFY when
// they have registered, and when messages come and go.

// tellRegistered tells a phone that has just registered of its user's messages.
func (s *Server) tellRegistered(b store.Binding) {
	if s.cfg.Messages == nil || !s.cfg.TellMessages || b.Kind == store.Browser {
		return
	}
	key, ok := s.cfg.Messages.Mailbox(b.User, b.User)
	if !ok {
		return
	}
	time.AfterFunc(settling, func() { s.telling.run(func() { s.tellMessages(b, key) }) })
}

// settling is what a phone that has just registered gets to take in the answer, and to subscribe if it means to.
const settling = time.Second

// messagesChanged tells the phones of those whose own mailbox it is.
func (s *Server) messagesChanged(key string) {
	if s.cfg.Messages == nil || !s.cfg.TellMessages {
		return
	}
	s.telling.post(func() {
		for _, b := range s.Registrations("") {
			if own, ok := s.cfg.Messages.Mailbox(b.User, b.User); ok && own == key && b.Kind != store.Browser {
				s.tellMessages(b, key)
			}
		}
	})
}

// tellMessages sends a NOTIFY outside any subscription, unless the phone has one. What it answers does not matter.
func (s *Server) tellMessages(b store.Binding, key string) {
	count, ok := s.cfg.Messages.Messages(key)
	transport, addr, path, reachable := s.flowDestination(&b)
	if !ok || !reachable || !s.mayRing(&b) || s.subs.watches(watched{packageMessages, key}, b.Device) {
		return
	}
	d := &dialog{callID: randomHex(16), localTag: s.newTag(), localSeq: newSeq()}
	if err := parseURI(b.Contact, &d.target); err != nil {
		return
	}
	d.target.Headers = nil
	for _, p := range path {
		a, err := readNameAddr(p)
		if err != nil {
			return
		}
		d.routes = append(d.routes, a.uri)
	}
	h := hop{transport: strings.ToLower(transport), addr: addr}
	account := nameAddr{uri: sipmsg.Uri{Scheme: "sip", User: escapeUser(b.User), Host: s.domain(h)}}
	d.local, d.remote = account, account
	req := d.request(sipmsg.NOTIFY)
	req.AppendHeader(&sipmsg.ContactHeader{Address: s.contactFor(account.uri.User, h)})
	req.AppendHeader(sipmsg.NewHeader("Event", packageMessages))
	req.AppendHeader(sipmsg.NewHeader("Subscription-State", "active"))
	req.AppendHeader(sipmsg.NewHeader("Content-Type", messageSummary))
	req.SetBody(summary(count, s.domain(h)))
	req.SetTransport(strings.ToUpper(h.transport))
	req.SetDestination(h.addr)
	tx, err := s.transmit(s.calls.ctx, req)
	if err != nil {
		s.log.Debug().Err(err).Str("user", b.User).Str("device", b.Device).Msg("phone not told of its messages")
		return
	}
	go finalResponse(tx)
}
