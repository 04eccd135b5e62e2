package carrier

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// call is one dialog of the carrier, called (in) or calling (out).
type call struct {
	carrier *Carrier
	id      string // Call-ID
	tag     string // our tag
	media   *stream
	ctx     context.Context // ends with the call
	cancel  context.CancelFunc

	mu     sync.Mutex
	invite *message       // as received, or as last sent
	peer   netip.AddrPort // where messages go
	out    bool
	up     bool
	over   bool
	remote string // To or From header of the other side, with its tag
	target string // its Contact
	routes []string
	cseq   int
	quiet  context.CancelFunc // stops the retransmission of what waits for an answer
	answer *message           // our final response to INVITE, sent again for every retransmission
	notify func(Step)         // outgoing calls
}

func (c *Carrier) newCall(id string, peer netip.AddrPort) (*call, error) {
	media, err := newStream(c.Addr().Addr())
	if err != nil {
		return nil, err
	}
	k := &call{carrier: c, id: id, tag: token(), media: media, peer: peer, quiet: func() {}, notify: func(Step) {}}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	if !c.start(k) {
		media.close()
		return nil, fmt.Errorf("the carrier is closing")
	}
	return k, nil
}

func (k *call) contact() string { return "<sip:carrier@" + k.carrier.Addr().String() + ">" }

// goDo runs f as a part of the call that Close waits for.
func (k *call) goDo(f func()) {
	k.carrier.wait.Add(1)
	go func() { defer k.carrier.wait.Done(); f() }()
}

// pause waits; it reports false when the call ended meanwhile.
func (k *call) pause(d time.Duration) bool {
	select {
	case <-k.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// end closes the call's media and, half a minute later or when the carrier closes, forgets it.
func (k *call) end(why string) {
	k.mu.Lock()
	if k.over {
		k.mu.Unlock()
		return
	}
	k.over, k.up = true, false
	notify := k.notify
	k.mu.Unlock()
	k.cancel()
	k.goDo(k.media.close)
	notify(Step{At: time.Now(), What: "ended", Detail: why})
	k.carrier.forget(k)
}

// request handles a request inside the call.
func (k *call) request(m *message, from netip.AddrPort) {
	k.mu.Lock()
	answer, quiet := k.answer, k.quiet
	k.mu.Unlock()
	switch m.method {
	case "INVITE":
		k.again(m, from, answer)
	case "ACK":
		quiet()
		if o, err := readSDP(m.body); err == nil {
			k.media.connect(o)
		}
	case "CANCEL":
		k.carrier.write(m.reply(200, "OK", k.tag), from)
		k.mu.Lock()
		late := k.up || k.answer != nil
		invite := k.invite
		k.mu.Unlock()
		if !late {
			k.final(invite.reply(487, "Request Terminated", k.tag))
			k.end("the other side cancelled")
		}
	case "BYE":
		k.carrier.write(m.reply(200, "OK", k.tag), from)
		k.end("the other side hung up")
	default: // OPTIONS, INFO, UPDATE without a new session
		r := m.reply(200, "OK", k.tag)
		r.add("Contact", k.contact())
		k.carrier.write(r, from)
	}
}

// again is a retransmitted INVITE, or a new one inside the call (hold, codec change, session refresh).
func (k *call) again(m *message, from netip.AddrPort, answer *message) {
	if number, _ := m.cseq(); !k.fresh(number, m) {
		if answer != nil {
			k.carrier.write(answer, from)
		}
		return
	}
	r := m.reply(200, "OK", k.tag)
	r.add("Contact", k.contact())
	o, err := readSDP(m.body)
	if err == nil {
		k.media.connect(o)
		r.body = writeSDP(k.media.local(), o.payload, o.event)
	} else {
		r.body = writeSDP(k.media.local(), 255, 101)
	}
	k.final(r)
}

// fresh reports whether a request is newer than the INVITE that the call knows, and remembers it.
func (k *call) fresh(number int, m *message) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.out {
		if known, _ := k.invite.cseq(); number <= known {
			return false
		}
	} else if !k.up {
		return false
	}
	k.invite = m
	return true
}

// final sends the final response to the pending INVITE until it is acknowledged.
func (k *call) final(r *message) {
	ctx, quiet := context.WithTimeout(context.Background(), t4)
	k.mu.Lock()
	k.quiet()
	k.answer, k.quiet = r, quiet
	peer := k.peer
	k.mu.Unlock()
	k.goDo(func() {
		defer quiet()
		stop := context.AfterFunc(k.ctx, func() { time.AfterFunc(t1, quiet) })
		defer stop()
		k.carrier.repeat(ctx, r.bytes(), peer, t2)
	})
}

// hangUp ends the call from our side, whatever its state.
func (k *call) hangUp() {
	k.mu.Lock()
	up, out, over, refused, invite := k.up, k.out, k.over, k.answer != nil && !k.up, k.invite
	k.mu.Unlock()
	switch {
	case over:
	case refused:
		k.end("refused")
	case up:
		k.send("BYE")
		k.end("the carrier hung up")
	case out:
		k.sendCancel()
		k.end("the carrier's caller gave up")
	default:
		k.final(invite.reply(480, "Temporarily Unavailable", k.tag))
		k.end("the carrier ended the call")
	}
}

// send makes and sends a request inside the dialog, once more after half a second for a lost packet.
func (k *call) send(method string) {
	k.mu.Lock()
	k.cseq++
	m := &message{method: method, uri: k.target}
	m.add("Via", "SIP/2.0/UDP "+k.carrier.Addr().String()+";branch=z9hG4bK"+token())
	for _, r := range k.routes {
		m.add("Route", r)
	}
	m.add("From", k.self())
	m.add("To", k.remote)
	m.add("Call-ID", k.id)
	m.add("CSeq", fmt.Sprintf("%d %s", k.cseq, method))
	m.add("Max-Forwards", "70")
	m.add("Contact", k.contact())
	peer := k.peer
	k.mu.Unlock()
	k.carrier.write(m, peer)
}

// self is our name-addr with our tag. The caller holds the lock.
func (k *call) self() string {
	if k.out {
		return k.invite.get("from")
	}
	to := k.invite.get("to")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=" + k.tag
	}
	return to
}
