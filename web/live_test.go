package web_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
)

// viewer reads an event stream.
type viewer struct {
	t    *testing.T
	in   *bufio.Scanner
	res  *http.Response
	stop context.CancelFunc
	id   string // of the last event
}

func (c *client) watch(lastID string) *viewer {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", c.http.URL+"/api/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := c.hc.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	v := &viewer{t: c.t, in: bufio.NewScanner(res.Body), res: res, stop: cancel}
	c.t.Cleanup(v.close)
	return v
}

func (v *viewer) close() {
	v.stop()
	v.res.Body.Close()
}

// next returns the next event's name and data; "" when the stream is over.
func (v *viewer) next() (name, data string) {
	for v.in.Scan() {
		line := v.in.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case strings.HasPrefix(line, "id: "):
			v.id = line[4:]
		case line == "" && name != "":
			return name, data
		}
	}
	return "", ""
}

func (v *viewer) expect(name, part string) {
	v.t.Helper()
	if n, d := v.next(); n != name || !strings.Contains(d, part) {
		v.t.Fatalf("event %q %s, want %q with %s", n, d, name, part)
	}
}

func TestEventsByRole(t *testing.T) {
	r := newRig(t)
	bob, ann, cyd := r.as("bob").watch(""), r.as("ann").watch(""), r.as("cyd").watch("")
	for _, v := range []*viewer{bob, ann, cyd} {
		v.expect("hello", `"resumed":false`)
	}
	r.web.CallChanged(call.Change{Kind: call.CallStarted, Call: ringing("a1", "bob")})
	r.web.RegistrationChanged("cyd", []store.Binding{{User: "cyd", Device: "browser:x", Kind: "browser"}})
	r.web.TrunkChanged(web.TrunkStatus{Name: "carrier", State: "down"})
	r.web.VoicemailChanged(r.fake.Messages[1], false)
	bob.expect("call", "Dee Poe")
	bob.expect("voicemail", "vm1")
	cyd.expect("registration", "browser:x")
	ann.expect("call", "contact_owned")
	ann.expect("registration", "browser:x")
	ann.expect("trunk", "down")
	ann.expect("voicemail", "vm1")

	rec := r.fake.Records[1]
	r.web.RecordChanged(rec)
	rec.ClaimedBy, rec.Unclaimed = "bob", false
	r.web.RecordChanged(rec)
	bob.expect("record", `"unclaimed":true`)
	bob.expect("record", `"unclaimed":false`)
	cyd.expect("record", "call5")
	cyd.expect("record_gone", "call5")
}

// A parked call is everybody's to see; when somebody has taken it, it is gone for all others, who learn nothing more of it.
func TestEventsOfParkedCalls(t *testing.T) {
	r := newRig(t)
	cyd := r.as("cyd").watch("")
	cyd.expect("hello", `"resumed":false`)
	parked := ringing("a1", "bob")
	parked.Orbit = "701"
	r.web.CallChanged(call.Change{Kind: call.CallStarted, Call: ringing("a1", "bob")})
	r.web.CallChanged(call.Change{Kind: call.CallChanged, Call: parked})
	r.web.CallChanged(call.Change{Kind: call.CallChanged, Call: ringing("a1", "bob")})
	r.web.CallChanged(call.Change{Kind: call.CallEnded, Call: ringing("a1", "bob")})
	r.web.RegistrationChanged("cyd", nil)
	cyd.expect("call", `"orbit":"701"`)
	if _, data := cyd.next(); !strings.Contains(data, `"kind":"ended"`) || !strings.Contains(data, `"phase":"ended"`) || strings.Contains(data, "Bob") || strings.Contains(data, "0900") {
		t.Errorf("of the call that is parked no longer cyd is told %s", data)
	}
	cyd.expect("registration", "cyd")
}

func TestEventsResume(t *testing.T) {
	r := newRig(t)
	c := r.as("bob")
	v := c.watch("")
	v.expect("hello", "false")
	r.web.VoicemailChanged(r.fake.Messages[0], false)
	v.expect("voicemail", "vm2")
	seen := v.id
	v.close()
	r.web.VoicemailChanged(r.fake.Messages[1], false)
	r.web.TrunkChanged(web.TrunkStatus{Name: "carrier"}) // not his to see

	v = c.watch(seen)
	v.expect("hello", "true")
	v.expect("voicemail", "vm1")
	r.web.VoicemailChanged(r.fake.Messages[0], false)
	v.expect("voicemail", "vm2")
	for _, id := range []string{"1", "nonsense", "99999999999999999"} {
		c.watch(id).expect("hello", "false")
	}
}

func TestStreamBeatsAndEndsWithItsSession(t *testing.T) {
	r := newRig(t, func(c *web.Config) { c.Heartbeat = 5 * time.Millisecond })
	c := r.as("bob")
	v := c.watch("")
	v.expect("hello", "")
	v.expect("ping", "")
	c.want(204, "DELETE", "/api/session", "")
	for {
		name, _ := v.next()
		if name == "" {
			break
		}
		if name != "ping" {
			t.Fatalf("event %q after sign-out", name)
		}
	}
	if v := r.client().watch(""); v.res.StatusCode != 401 {
		t.Errorf("a stranger's stream: %d", v.res.StatusCode)
	}
}

// A viewer that reads nothing is cut off; the publisher does not wait for it.
func TestSlowViewerIsCut(t *testing.T) {
	r := newRig(t)
	v := r.as("bob").watch("")
	v.expect("hello", "")
	vm := r.fake.Messages[0]
	vm.FromName = strings.Repeat("x", 8<<10)
	for range 4000 {
		r.web.VoicemailChanged(vm, false)
	}
	n := 0
	for name, _ := v.next(); name != ""; name, _ = v.next() {
		n++
	}
	if n >= 4000 {
		t.Errorf("read all %d events", n)
	}
}

func (r *rig) upgrades() chan web.PhoneIdentity {
	ch := make(chan web.PhoneIdentity, 4)
	r.fake.Serve = func(conn *websocket.Conn, _ string, id web.PhoneIdentity) error {
		ch <- id
		for {
			typ, b, err := conn.Read(context.Background())
			if err != nil {
				return err
			}
			if err := conn.Write(context.Background(), typ, b); err != nil {
				return err
			}
		}
	}
	return ch
}

func (c *client) dial(origin string, protocols ...string) (*websocket.Conn, error) {
	h := c.header.Clone()
	if origin != "" {
		h.Set("Origin", origin)
	}
	conn, res, err := websocket.Dial(context.Background(), c.http.URL+"/ws", &websocket.DialOptions{
		HTTPClient: c.hc, HTTPHeader: h, Subprotocols: protocols,
	})
	if err != nil && res != nil && res.Body != nil {
		res.Body.Close()
	}
	if conn != nil {
		c.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, err
}

func TestWebSocketIdentity(t *testing.T) {
	r := newRig(t, func(c *web.Config) {
		c.AllowedOrigins, c.URL = []string{"https://crm.example"}, "https://phone.example/"
	})
	got := r.upgrades()
	bob, stranger := r.as("bob"), r.client()
	me := decode[web.Me](t, bob.want(200, "GET", "/api/me", ""))
	for _, tc := range []struct {
		name   string
		c      *client
		origin string
		want   web.PhoneIdentity
	}{
		{"page of ours", bob, r.http.URL, web.PhoneIdentity{User: "bob", Session: me.Phone.Session, Trusted: true}},
		{"page of ours behind a proxy", bob, "https://phone.example", web.PhoneIdentity{User: "bob", Session: me.Phone.Session, Trusted: true}},
		{"cookie without origin", bob, "", web.PhoneIdentity{}},
		{"cookie by an allowed page elsewhere", bob, "https://crm.example", web.PhoneIdentity{}},
		{"stranger", stranger, r.http.URL, web.PhoneIdentity{}},
		{"foreign phone", stranger, "", web.PhoneIdentity{}},
		{"admin token", r.script(), r.http.URL, web.PhoneIdentity{}},
	} {
		conn, err := tc.c.dial(tc.origin, "sip")
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if u := <-got; u != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, u, tc.want)
		}
		if conn.Subprotocol() != "sip" {
			t.Errorf("%s: subprotocol %q", tc.name, conn.Subprotocol())
		}
	}
	if _, err := bob.dial("https://evil.example", "sip"); err == nil {
		t.Error("another site's page was let in")
	}
	if _, err := bob.dial(r.http.URL); err == nil {
		t.Error("a socket without subprotocol was let in")
	}
	bob.want(400, "GET", "/ws", "")
}

func TestSignOutClosesOnlyItsSockets(t *testing.T) {
	r := newRig(t)
	got := r.upgrades()
	one, two := r.as("bob"), r.as("bob")
	a, err := one.dial(r.http.URL, "sip")
	if err != nil {
		t.Fatal(err)
	}
	b, err := two.dial(r.http.URL, "sip")
	if err != nil {
		t.Fatal(err)
	}
	<-got
	<-got
	one.want(204, "DELETE", "/api/session", "")
	if _, _, err := a.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the signed-out socket: %v", err)
	}
	if err := b.Write(context.Background(), websocket.MessageText, []byte("\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, m, err := b.Read(context.Background()); err != nil || string(m) != "\r\n\r\n" {
		t.Errorf("the other socket: %q %v", m, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, _, err := b.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("at shutdown: %v", err)
		}
	})
	r.web.Close()
	wg.Wait()
}

// A session that ends by itself takes the phone's socket along.
func TestExpiredSessionClosesItsSocket(t *testing.T) {
	r := newRig(t, func(c *web.Config) { c.SessionLifetime = 1500 * time.Millisecond })
	got := r.upgrades()
	c := r.as("bob")
	conn, err := c.dial(r.http.URL, "sip")
	if err != nil {
		t.Fatal(err)
	}
	if id := <-got; !id.Trusted {
		t.Fatal("the session was over too early to test")
	}
	if _, _, err := conn.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("closed with %v", err)
	}
	c.want(401, "GET", "/api/me", "")
}

// TestWhoLeavesSeesNoMore: a stream and a phone's socket do not outlive the right to have them.
func TestWhoLeavesSeesNoMore(t *testing.T) {
	r := newRig(t)
	got := r.upgrades()
	ann, bob, cyd := r.as("ann"), r.as("bob"), r.as("cyd")
	streams := map[string]*viewer{"ann": ann.watch(""), "bob": bob.watch(""), "cyd": cyd.watch("")}
	for _, v := range streams {
		v.expect("hello", "")
	}
	phone, err := cyd.dial(r.http.URL, "sip")
	if err != nil {
		t.Fatal(err)
	}
	<-got
	r.web.PeopleChanged() // and nobody did

	r.fake.Mu.Lock()
	users := slices.Clone(r.fake.Directory.Users)
	users = slices.DeleteFunc(users, func(u store.User) bool { return u.ID == "cyd" })
	for i := range users {
		if users[i].ID == "ann" {
			users[i].Role = store.Agent
		}
	}
	r.fake.Directory.Users = users
	r.fake.Mu.Unlock()
	r.web.PeopleChanged()
	r.web.VoicemailChanged(r.fake.Messages[1], false)
	for user, v := range streams {
		if name, _ := v.next(); (name != "") != (user == "bob") {
			t.Errorf("the stream of %s brings %q", user, name)
		}
	}
	if _, _, err := phone.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the phone of a user who left: %v", err)
	}
	ann.watch("").expect("hello", "") // with what an agent may see

	r.fake.Mu.Lock()
	r.fake.Creds["bob"] = store.Credential{User: "bob", Changed: time.Now().Add(time.Second)}
	r.fake.Mu.Unlock()
	r.web.PeopleChanged()
	if name, _ := streams["bob"].next(); name != "" {
		t.Errorf("after a new password the stream brings %q", name)
	}
}
