package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
	"strowger/web/webtest"
)

// relay is the least of a SIP proxy that lets two pages call each other: it registers everybody, and passes each message
// of one page to the other party of the dialog as it is.
type relay struct {
	fake *webtest.Fake
	web  *web.Server
	mu   sync.Mutex
	page map[string]*page // by user: the last one wins
	peer map[string][2]*page
}

// page is a browser's phone.
type page struct {
	conn    *websocket.Conn
	user    string
	contact string
}

func newRelay(fake *webtest.Fake, s *web.Server) *relay {
	return &relay{fake: fake, web: s, page: map[string]*page{}, peer: map[string][2]*page{}}
}

func (r *relay) serve(conn *websocket.Conn, remote string, id web.PhoneIdentity) error {
	p := &page{conn: conn, user: id.User}
	defer r.gone(p)
	for {
		_, b, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		r.take(p, string(b), remote, id)
	}
}

func (r *relay) gone(p *page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.page[p.user] == p {
		delete(r.page, p.user)
	}
}

func (r *relay) take(p *page, msg, remote string, id web.PhoneIdentity) {
	switch {
	case strings.TrimSpace(msg) == "":
		p.send("\r\n")
	case strings.HasPrefix(msg, "REGISTER "):
		r.register(p, msg, remote, id)
	case strings.HasPrefix(msg, "INVITE ") && !strings.Contains(header(msg, "To"), "tag="):
		r.invite(p, msg)
	default:
		r.mu.Lock()
		ends := r.peer[header(msg, "Call-ID")]
		r.mu.Unlock()
		if i := slices.Index(ends[:], p); i >= 0 && ends[1-i] != nil {
			ends[1-i].send(msg)
		}
	}
}

func (r *relay) register(p *page, msg, remote string, id web.PhoneIdentity) {
	if !id.Trusted {
		p.send(response(msg, "401 Unauthorized", ""))
		return
	}
	contact := header(msg, "Contact")
	r.mu.Lock()
	p.contact = strings.Trim(strings.SplitN(contact, ";", 2)[0], "<>")
	r.page[p.user] = p
	r.mu.Unlock()
	p.send(response(msg, "200 OK", "Contact: "+contact+";expires=300\r\n"))
	r.web.RegistrationChanged(p.user, []store.Binding{{User: p.user, Kind: store.Browser, Device: "browser:" + id.Session, Source: remote}})
}

var ruri = regexp.MustCompile(`^INVITE sip:([^@]+)@\S+`)

func (r *relay) invite(p *page, msg string) {
	dialled := ruri.FindStringSubmatch(msg)
	if dialled == nil {
		return
	}
	r.mu.Lock()
	var to *page
	for _, u := range r.fake.Users() {
		if u.Extension == dialled[1] {
			to = r.page[u.ID]
		}
	}
	if to != nil {
		r.peer[header(msg, "Call-ID")] = [2]*page{p, to}
	}
	r.mu.Unlock()
	if to == nil {
		p.send(response(msg, "486 Busy Here", ""))
		return
	}
	p.send(response(msg, "100 Trying", ""))
	to.send(ruri.ReplaceAllString(msg, "INVITE "+to.contact))
}

// callMe rings a user's page as the main line would for a contact whom Bob owns.
func (r *relay) callMe(u store.User) error {
	r.mu.Lock()
	p := r.page[u.ID]
	r.mu.Unlock()
	if p == nil {
		return fmt.Errorf("the page of %s is not registered", u.ID)
	}
	id := fmt.Sprintf("demo%d", time.Now().UnixNano())
	r.web.CallChanged(call.Change{Kind: call.CallStarted, Call: call.Snapshot{
		ID: id, Direction: store.Inbound, From: call.Party{Number: "+12025550900"}, To: "+12025550001", Phase: "ringing", Start: time.Now(),
		Legs: []call.LegSnapshot{
			{Peer: "carrier", Kind: "trunk", Caller: true},
			{Peer: u.Name, User: u.ID, Kind: store.Browser, SIPCallID: id, State: "ringing", Step: "contact_owner", Match: "contact_owned"},
		},
	}})
	p.send("INVITE " + p.contact + " SIP/2.0\r\nVia: SIP/2.0/WS relay.invalid;branch=z9hG4bK" + id + "\r\nMax-Forwards: 70\r\n" +
		"From: <sip:+12025550900@relay.invalid>;tag=" + id + "\r\nTo: <sip:" + u.ID + "@relay.invalid>\r\nCall-ID: " + id + "\r\n" +
		"CSeq: 1 INVITE\r\nContact: <sip:relay@relay.invalid;transport=ws>\r\nContent-Type: application/sdp\r\nContent-Length: " +
		fmt.Sprint(len(offer)) + "\r\n\r\n" + offer)
	return nil
}

const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"

func (p *page) send(msg string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.conn.Write(ctx, websocket.MessageText, []byte(msg)) // a closed page is noticed by its reader
}

// header returns the first value of a header, as browsers write it.
func header(msg, name string) string {
	head, _, _ := strings.Cut(msg, "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func response(msg, status, extra string) string {
	to := header(msg, "To")
	if !strings.HasPrefix(status, "100") && !strings.Contains(to, "tag=") {
		to += ";tag=relay"
	}
	return "SIP/2.0 " + status + "\r\nVia: " + header(msg, "Via") + "\r\nFrom: " + header(msg, "From") + "\r\nTo: " + to +
		"\r\nCall-ID: " + header(msg, "Call-ID") + "\r\nCSeq: " + header(msg, "CSeq") + "\r\n" + extra + "Content-Length: 0\r\n\r\n"
}
