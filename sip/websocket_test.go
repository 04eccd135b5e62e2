package sip

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"strowger/store"
)

// wsPhone is a SIP phone in a browser: one message in each frame.
type wsPhone struct {
	t    testing.TB
	conn *websocket.Conn
	wire *wire // only to write requests
}

// dialPhone opens a WebSocket to s through a web server that knows who is there.
func dialPhone(t testing.TB, s *Server, id WSIdentity) *wsPhone {
	t.Helper()
	served := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(served)
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}})
		if err != nil {
			return
		}
		_ = s.ServeWebSocket(conn, r.RemoteAddr, id)
	}))
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(web.URL, "http"), &websocket.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-served
		web.Close()
	})
	return &wsPhone{t: t, conn: conn, wire: dialWire(t, "udp", s.Addrs().UDP)}
}

func (p *wsPhone) ask(method, uri, user, extra string) answer {
	p.t.Helper()
	extra = "Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK" + randomHex(5) + "\n" + extra
	p.write(strings.ReplaceAll(p.wire.request(method, uri, user, extra), "\n", "\r\n"))
	return p.read()
}

func (p *wsPhone) write(text string) {
	p.t.Helper()
	if err := p.conn.Write(p.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *wsPhone) read() answer {
	p.t.Helper()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, data, err := p.conn.Read(ctx)
		cancel()
		if err != nil {
			p.t.Fatal(err)
		}
		if a := parseAnswer(string(data)); a.status >= 200 {
			return a
		}
	}
}

const browserContact = `Contact: <sip:x7f@df7jal23ls0d.invalid;transport=ws>;+sip.instance="<urn:uuid:0>";reg-id=1` + "\nSupported: path, outbound\n"

func TestBrowserPhone(t *testing.T) {
	s := startEdge(t, newOffice().config())
	p := dialPhone(t, s, WSIdentity{User: "ann", Session: "s1", Trusted: true})
	if a := p.ask("REGISTER", testURI, "ann", browserContact); a.status != 200 || a.header("Require") != "outbound" {
		t.Fatalf("answered %q, Require %q", a.line, a.header("Require"))
	}
	list := s.Endpoints("ann", []string{store.Browser})
	if len(list) != 1 || !list[0].WebRTC || list[0].Binding.Device != "browser:s1" || list[0].Binding.Transport != "ws" {
		t.Fatalf("endpoints: %+v", list)
	}
	if _, addr, _, ok := s.flowDestination(list[0].Binding); !ok || addr != list[0].Binding.Source {
		t.Errorf("the browser cannot be reached at %s", addr)
	}
	if a := p.ask("REGISTER", testURI, "bob", browserContact); a.status != 403 {
		t.Errorf("registered for somebody else: %q", a.line)
	}
	if a := p.ask("INVITE", "sip:202@"+testRealm, "bob", ""); a.status != 403 {
		t.Errorf("called as somebody else: %q", a.line)
	}
	p.write("\r\n\r\n") // RFC 5626 §4.4.1, RFC 7118 §6
	if _, data, err := p.conn.Read(t.Context()); err != nil || string(data) != "\r\n" {
		t.Errorf("keep-alive answered with %q (%v)", data, err)
	}
	p.write("OPTIONS nonsense\r\n\r\n") // refused or dropped, but the phone stays
	big := "Subject: " + strings.Repeat("x", 40000) + "\n"
	if a := p.ask("OPTIONS", testURI, "ann", big); a.status != 200 {
		t.Errorf("a large message was answered with %q", a.line)
	}
	_ = p.conn.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the binding ends with the WebSocket", func() bool { return len(s.Registrations("ann")) == 0 })
}

// A foreign phone on a WebSocket does digest like all others, with MD5 alone: browsers' libraries know nothing else.
func TestForeignWebSocketPhone(t *testing.T) {
	s := startEdge(t, newOffice().config())
	p := dialPhone(t, s, WSIdentity{Secure: true})
	a := p.ask("REGISTER", testURI, "ann-desk", browserContact)
	if a.status != 401 || !strings.Contains(a.header("WWW-Authenticate"), "algorithm=MD5") {
		t.Fatalf("answered %q, %s", a.line, a.header("WWW-Authenticate"))
	}
	auth := digest(a.header("WWW-Authenticate"), "REGISTER", testURI, "ann-desk", "secret-ann-desk", "00000001")
	if a := p.ask("REGISTER", testURI, "ann-desk", browserContact+auth); a.status != 200 {
		t.Fatalf("answered %q", a.line)
	}
	list := s.Endpoints("ann", []string{store.Browser})
	if len(list) != 1 || !list[0].WebRTC || list[0].Binding.Transport != "wss" {
		t.Errorf("endpoints: %+v", list)
	}
}

// Browsers behind a proxy share an address; each still has a flow of its own.
func TestSharedAddress(t *testing.T) {
	table := newFlowTable()
	first, second := table.add("ws", "10.0.0.1:99", nil), table.add("ws", "10.0.0.1:99", nil)
	if first.addr == second.addr || table.find("ws", second.addr) != second {
		t.Errorf("flows at %s and %s", first.addr, second.addr)
	}
	ended := ""
	table.onClose = func(id string) { ended = id }
	table.remove(first)
	if ended != first.id || table.find("ws", first.addr) != nil {
		t.Error("the closed flow is still known")
	}
}

// The server ends open WebSockets when it closes.
func TestCloseEndsWebSockets(t *testing.T) {
	s, err := New(newOffice().config())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := dialPhone(t, s, WSIdentity{User: "ann", Session: "s1", Trusted: true})
	p.ask("REGISTER", testURI, "ann", browserContact)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := p.conn.Read(t.Context()); err == nil {
		t.Error("the WebSocket is open still")
	}
}
