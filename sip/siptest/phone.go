package siptest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Phone is a scripted SIP endpoint: a test says what it sends and what it expects. It does nothing by itself, not even
// retransmit or answer.
type Phone struct {
	T    testing.TB
	Addr string // host:port

	conn   net.PacketConn
	peer   net.Addr
	inbox  chan *Message
	seen   map[string]bool
	Repeat map[string]int // how often each message came that was seen before, by start line and CSeq
	serial int
	done   chan struct{}
}

// Patience is how long Expect waits.
const Patience = 40 * time.Second

// NewPhone opens a phone at addr that talks to the server at peer. network nil = real UDP.
func NewPhone(t testing.TB, network *Network, addr, peer string) *Phone {
	t.Helper()
	p := &Phone{T: t, inbox: make(chan *Message, 1024), seen: map[string]bool{}, Repeat: map[string]int{}, done: make(chan struct{})}
	var err error
	if network != nil {
		p.conn, err = network.ListenPacket(context.Background(), "udp", addr)
	} else {
		p.conn, err = net.ListenPacket("udp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Addr = p.conn.LocalAddr().String()
	p.peer = net.UDPAddrFromAddrPort(netip.MustParseAddrPort(peer))
	go p.read()
	t.Cleanup(p.Close)
	return p
}

// Close ends the phone.
func (p *Phone) Close() {
	_ = p.conn.Close()
	<-p.done
}

func (p *Phone) read() {
	defer close(p.done)
	buf := make([]byte, 65535)
	for {
		n, _, err := p.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if m, err := Parse(string(buf[:n])); err == nil {
			select {
			case p.inbox <- m:
			default:
			}
		}
	}
}

// Send sends a message as it is.
func (p *Phone) Send(m *Message) {
	p.T.Helper()
	var b strings.Builder
	b.WriteString(m.Start + "\r\n")
	for _, h := range m.Headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	if m.Get("Content-Length") == "" {
		b.WriteString("Content-Length: " + strconv.Itoa(len(m.Body)) + "\r\n")
	}
	b.WriteString("\r\n" + m.Body)
	if _, err := p.conn.WriteTo([]byte(b.String()), p.peer); err != nil {
		p.T.Fatal(err)
	}
}

// Expect returns the next message that is not a repetition; it must be this method, or this status code.
func (p *Phone) Expect(what string) *Message {
	p.T.Helper()
	m := p.Next(Patience)
	if m == nil {
		p.T.Fatalf("%s: nothing came, want %s", p.Addr, what)
	}
	if got := m.what(); got != what {
		p.T.Fatalf("%s: got %q (%s), want %s", p.Addr, m.Start, m.Get("CSeq"), what)
	}
	return m
}

// ExpectAny is Expect with several possibilities.
func (p *Phone) ExpectAny(what ...string) *Message {
	p.T.Helper()
	m := p.Next(Patience)
	for _, w := range what {
		if m != nil && m.what() == w {
			return m
		}
	}
	p.T.Fatalf("%s: got %v, want one of %v", p.Addr, m, what)
	return nil
}

// Silent fails when something new comes within d.
func (p *Phone) Silent(d time.Duration) {
	p.T.Helper()
	if m := p.Next(d); m != nil {
		p.T.Fatalf("%s: got %q, want silence", p.Addr, m.Start)
	}
}

func (m *Message) what() string {
	if m.Method() != "" {
		return m.Method()
	}
	return strconv.Itoa(m.Code())
}

// Next is the next message that is not a repetition, nil when none comes in time. 100 is passed over.
func (p *Phone) Next(limit time.Duration) *Message {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		select {
		case m := <-p.inbox:
			key := m.Start + " " + m.Get("CSeq") + " " + m.Branch() + m.Tag("To")
			if p.seen[key] {
				p.Repeat[m.what()]++
				continue
			}
			p.seen[key] = true
			if m.Code() == 100 {
				continue
			}
			return m
		case <-timeout.C:
			return nil
		}
	}
}

// Dialog is the phone's side of a call.
type Dialog struct {
	*Phone
	CallID            string
	LocalTag          string
	From, To          string // with tags, as this side writes them
	Target            string // where requests go
	Routes            []string
	Seq               int
	Invite            *Message // that began it
	inviteSeq, branch string
}

// NewDialog starts a dialog of the caller's; from and to are URIs.
func (p *Phone) NewDialog(from, to string) *Dialog {
	p.serial++
	id := p.Addr + "-" + strconv.Itoa(p.serial)
	return &Dialog{Phone: p, CallID: "call-" + id, LocalTag: "tag-" + id,
		From: "<" + from + ">;tag=tag-" + id, To: "<" + to + ">", Target: to, Seq: 1}
}

// Request builds a request of this side; extra are header lines "Name: value".
func (d *Dialog) Request(method, body string, extra ...string) *Message {
	if method != "ACK" && method != "CANCEL" {
		d.Seq++
		d.serial++
	}
	d.branch = "z9hG4bK-" + d.CallID + "-" + strconv.Itoa(d.serial) + "-" + method
	m := &Message{Start: method + " " + d.Target + " SIP/2.0", Body: body}
	add := func(name, value string) { m.Headers = append(m.Headers, Header{name, value}) }
	add("Via", "SIP/2.0/UDP "+d.Addr+";branch="+d.branch+";rport")
	for _, r := range d.Routes {
		add("Route", r)
	}
	add("Max-Forwards", "70")
	add("From", d.From)
	add("To", d.To)
	add("Call-ID", d.CallID)
	add("CSeq", strconv.Itoa(d.Seq)+" "+method)
	add("Contact", "<sip:phone@"+d.Addr+">")
	for _, e := range extra {
		name, value, _ := strings.Cut(e, ":")
		add(name, strings.TrimSpace(value))
	}
	if body != "" && m.Get("Content-Type") == "" {
		add("Content-Type", "application/sdp")
	}
	return m
}

// Do sends a request and returns it.
func (d *Dialog) Do(method, body string, extra ...string) *Message {
	d.T.Helper()
	m := d.Request(method, body, extra...)
	if method == "INVITE" {
		d.Invite = m
	}
	d.Send(m)
	return m
}

// Confirm takes the tag, target and routes of a response to this side's INVITE.
func (d *Dialog) Confirm(res *Message) {
	d.To = res.Get("To")
	if c := res.ContactURI(); c != "" {
		d.Target = c
	}
	d.Routes = nil
	for _, r := range res.All("Record-Route") {
		d.Routes = append([]string{r}, d.Routes...)
	}
}

// Ack acknowledges a 2xx.
func (d *Dialog) Ack(body string) {
	d.T.Helper()
	d.Send(d.Request("ACK", body))
}

// AckError acknowledges another final response, in the INVITE's transaction.
func (d *Dialog) AckError(res *Message) {
	d.T.Helper()
	d.Send(d.same("ACK", res.Get("To")))
}

// Cancel withdraws the INVITE.
func (d *Dialog) Cancel(extra ...string) {
	d.T.Helper()
	m := d.same("CANCEL", d.Invite.Get("To"))
	for _, e := range extra {
		name, value, _ := strings.Cut(e, ":")
		m.Headers = append(m.Headers, Header{name, strings.TrimSpace(value)})
	}
	d.Send(m)
}

func (d *Dialog) same(method, to string) *Message {
	n, _ := d.Invite.CSeq()
	return &Message{Start: method + " " + d.Invite.URI() + " SIP/2.0", Headers: []Header{
		{"Via", d.Invite.Get("Via")}, {"Max-Forwards", "70"}, {"From", d.From}, {"To", to},
		{"Call-ID", d.CallID}, {"CSeq", fmt.Sprintf("%d %s", n, method)},
	}}
}

// Accept makes the callee's side of a dialog from an INVITE that came.
func (p *Phone) Accept(invite *Message) *Dialog {
	p.serial++
	tag := "callee-" + p.Addr + "-" + strconv.Itoa(p.serial)
	return &Dialog{Phone: p, CallID: invite.Get("Call-ID"), LocalTag: tag, From: invite.Get("To") + ";tag=" + tag,
		To: invite.Get("From"), Target: invite.ContactURI(), Seq: 100, Invite: invite}
}

// Reply answers a request of the peer; extra are header lines.
func (d *Dialog) Reply(req *Message, code int, body string, extra ...string) {
	d.T.Helper()
	d.Send(d.Response(req, code, body, extra...))
}

// Response builds an answer to a request of the peer.
func (d *Dialog) Response(req *Message, code int, body string, extra ...string) *Message {
	m := &Message{Start: "SIP/2.0 " + strconv.Itoa(code) + " Scripted", Body: body}
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range req.All(name) {
			if name == "To" && req.Tag("To") == "" && code > 100 {
				v += ";tag=" + d.LocalTag
			}
			m.Headers = append(m.Headers, Header{name, v})
		}
	}
	m.Headers = append(m.Headers, Header{"Contact", "<sip:phone@" + d.Addr + ">"})
	for _, e := range extra {
		name, value, _ := strings.Cut(e, ":")
		m.Headers = append(m.Headers, Header{name, strings.TrimSpace(value)})
	}
	if body != "" {
		m.Headers = append(m.Headers, Header{"Content-Type", "application/sdp"})
	}
	return m
}

// NextWithin is Expect with another patience.
func (p *Phone) NextWithin(what string, limit time.Duration) *Message {
	p.T.Helper()
	m := p.Next(limit)
	if m == nil || m.what() != what {
		p.T.Fatalf("%s: got %v, want %s", p.Addr, m, what)
	}
	return m
}

// Must is Next, but something must come.
func (p *Phone) Must(limit time.Duration) *Message {
	p.T.Helper()
	m := p.Next(limit)
	if m == nil {
		p.T.Fatalf("%s: nothing came", p.Addr)
	}
	return m
}
