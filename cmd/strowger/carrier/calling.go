package carrier

import (
	"context"
	"fmt"
	"time"
)

// Step is what an outgoing call of the carrier reports.
type Step struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`   // calling | trying | ringing | early media | answered | refused | heard | digits | ended
	Detail string    `json:"detail"` // for people
	Code   int       `json:"code,omitempty"`
}

// Request describes a call from the carrier's side into the phone system.
type Request struct {
	From  string        // caller's number, E.164, or "anonymous"
	To    string        // called number, E.164
	Again bool          // say the greeting again after a silence: to a mailbox, the first one was said before the tone
	Play  []int16       // 8 kHz samples to say once answered; nil = the greeting, then an echo
	Keys  string        // digits to press after the answer
	For   time.Duration // hang up so long after the answer; 0 = stay until the other side hangs up
}

// Heard is what the caller's side received.
type Heard struct {
	Samples []int16 // 8 kHz
	Keys    string
	Code    int // final status of the INVITE; 0 = none came
}

// Call makes a call into the phone system and stays in it until it ends or ctx does, which hangs up. Steps are reported as
// they happen, never concurrently after Call has returned.
func (c *Carrier) Call(ctx context.Context, r Request, report func(Step)) (Heard, error) {
	c.mu.Lock()
	server := c.server
	c.mu.Unlock()
	if !server.IsValid() {
		return Heard{}, fmt.Errorf("the carrier is not connected to a phone system")
	}
	k, err := c.newCall(token()+"@carrier", server)
	if err != nil {
		return Heard{}, err
	}
	steps := make(chan Step, 64)
	k.notify = func(s Step) {
		select {
		case steps <- s:
		default: // a reader that far behind misses a step, the call does not wait
		}
	}
	k.call(r)
	return k.follow(ctx, r, steps, report), nil
}

// call sends the INVITE.
func (k *call) call(r Request) {
	m := &message{method: "INVITE", uri: fmt.Sprintf("sip:%s@%s", r.To, k.peer)}
	m.add("Via", "SIP/2.0/UDP "+k.carrier.Addr().String()+";branch=z9hG4bK"+token())
	from := fmt.Sprintf("<sip:%s@%s>;tag=%s", r.From, k.carrier.Addr(), k.tag)
	if r.From == "anonymous" {
		from = `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=` + k.tag
	}
	m.add("From", from)
	m.add("To", fmt.Sprintf("<sip:%s@%s>", r.To, k.peer))
	m.add("Call-ID", k.id)
	m.add("CSeq", "1 INVITE")
	m.add("Max-Forwards", "70")
	m.add("Contact", k.contact())
	m.add("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE")
	m.body = writeSDP(k.media.local(), 255, 101)
	ctx, quiet := context.WithCancel(k.ctx)
	k.mu.Lock()
	k.out, k.invite, k.cseq, k.quiet = true, m, 1, quiet
	k.mu.Unlock()
	k.notify(Step{At: time.Now(), What: "calling", Detail: r.To + " from " + r.From})
	k.goDo(func() { defer quiet(); k.carrier.repeat(ctx, m.bytes(), k.peer, t4) })
}

// follow reports the call's steps and plays the caller's part until it is over.
func (k *call) follow(ctx context.Context, r Request, steps <-chan Step, report func(Step)) Heard {
	var heard Heard
	var leave <-chan time.Time
	done := ctx.Done()
	for {
		select {
		case s := <-steps:
			report(s)
			if s.Code >= 200 {
				heard.Code = s.Code
			}
			if s.What == "answered" {
				k.speak(r)
				if r.For > 0 {
					leave = time.After(r.For)
				}
			}
			if s.What == "ended" {
				heard.Samples, heard.Keys = k.media.received()
				return heard
			}
		case <-leave:
			k.hangUp()
		case <-done:
			done = nil
			k.hangUp()
		}
	}
}

func (k *call) speak(r Request) {
	k.media.set(func(s *stream) {
		s.digits = []byte(r.Keys)
		if s.play, s.echo = r.Play, false; r.Play == nil {
			s.play, s.echo = k.carrier.voice, true
			if r.Again {
				s.again = k.carrier.voice
			}
		}
	})
}

// response handles the responses to our INVITE; those to BYE and CANCEL need nothing.
func (k *call) response(m *message) {
	if _, method := m.cseq(); method != "INVITE" {
		return
	}
	k.mu.Lock()
	up, quiet, notify := k.up, k.quiet, k.notify
	k.mu.Unlock()
	quiet()
	now := time.Now()
	switch {
	case m.code == 100:
		notify(Step{now, "trying", "the system took the call", 100})
	case m.code < 200:
		what, detail := "ringing", fmt.Sprintf("%d %s", m.code, m.phrase)
		if o, err := readSDP(m.body); err == nil {
			k.media.connect(o)
			what = "early media"
		}
		notify(Step{now, what, detail, m.code})
	case m.code < 300:
		k.answered(m, up)
	default:
		k.ack(m, m.get("to"))
		notify(Step{now, "refused", fmt.Sprintf("%d %s", m.code, m.phrase), m.code})
		k.end(fmt.Sprintf("%d %s", m.code, m.phrase))
	}
}

func (k *call) answered(m *message, again bool) {
	k.mu.Lock()
	k.remote, k.target = m.get("to"), uriOf(m.get("contact"))
	over := k.over
	k.up = !over
	notify := k.notify
	k.mu.Unlock()
	k.ack(m, m.get("to"))
	if over { // the 200 crossed our CANCEL
		k.send("BYE")
		return
	}
	if again {
		return
	}
	o, err := readSDP(m.body)
	if err != nil {
		k.send("BYE")
		k.end(err.Error())
		return
	}
	k.media.connect(o)
	notify(Step{time.Now(), "answered", "by " + m.get("to"), 200})
}

// ack acknowledges a final response: of its own transaction for 2xx, of the INVITE's for the others (RFC 3261 §17.1.1.3).
func (k *call) ack(m *message, to string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a := &message{method: "ACK", uri: k.invite.uri}
	via := k.invite.get("Via")
	if m.code < 300 {
		a.uri, via = k.target, "SIP/2.0/UDP "+k.carrier.Addr().String()+";branch=z9hG4bK"+token()
	}
	k.routes = nil
	for _, r := range m.all("record-route") {
		k.routes = append([]string{r}, k.routes...)
	}
	a.add("Via", via)
	a.add("From", k.invite.get("From"))
	a.add("To", to)
	a.add("Call-ID", k.id)
	number, _ := m.cseq()
	a.add("CSeq", fmt.Sprintf("%d ACK", number))
	a.add("Max-Forwards", "70")
	k.carrier.write(a, k.peer)
}

func (k *call) sendCancel() {
	k.mu.Lock()
	m := &message{method: "CANCEL", uri: k.invite.uri}
	for _, name := range []string{"Via", "From", "To", "Call-ID", "Max-Forwards"} {
		m.add(name, k.invite.get(name))
	}
	m.add("CSeq", "1 CANCEL")
	peer := k.peer
	k.mu.Unlock()
	k.carrier.write(m, peer)
}
