package app

import (
	"bufio"
	"context"
	"crypto/md5"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"strowger/cmd/strowger/config"
	"strowger/sip"
	"strowger/store"
)

// demo runs a demo server on free ports of the loopback interface until the test ends.
func demo(t *testing.T) *App {
	t.Helper()
	cfg := config.Default()
	cfg.Demo()
	cfg.Data = t.TempDir()
	if err := cfg.Override(config.Flags{HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	return start(t, cfg)
}

func start(t *testing.T, cfg config.Config) *App {
	t.Helper()
	a, err := New(Options{Config: cfg, Demo: true, AnyPort: true, Version: "test", Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// phone is a desk phone that can register.
type phone struct {
	t      *testing.T
	conn   net.Conn
	device string
	seq    int
}

const phonePassword = "secret secret"

// newPhone gives a user a desk phone.
func newPhone(t *testing.T, a *App, user string) *phone {
	t.Helper()
	d := store.Device{ID: user + "-desk", User: user, Kind: store.Desk, Realm: a.cfg.SIP.Realm}
	d.HA1MD5, d.HA1SHA = sip.HA1(d.ID, d.Realm, phonePassword)
	if err := a.db.PutDevice(d); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", a.Ready().SIPUDP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &phone{t: t, conn: conn, device: d.ID}
}

// register registers, or with expires 0 unregisters.
func (p *phone) register(expires int) {
	p.t.Helper()
	answer := p.send(expires, "")
	field := func(name string) string {
		return regexp.MustCompile(name + `="([^"]*)"`).FindStringSubmatch(answer)[1]
	}
	hash := func(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
	ha1 := hash(p.device + ":" + field("realm") + ":" + phonePassword)
	response := hash(ha1 + ":" + field("nonce") + ":00000001:c:auth:" + hash("REGISTER:sip:127.0.0.1"))
	answer = p.send(expires, fmt.Sprintf("Authorization: Digest username=%q, realm=%q, nonce=%q, uri=\"sip:127.0.0.1\", response=%q, "+
		"algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\"\r\n", p.device, field("realm"), field("nonce"), response))
	if !strings.HasPrefix(answer, "SIP/2.0 200") {
		p.t.Fatalf("REGISTER was answered %s", answer)
	}
}

func (p *phone) send(expires int, more string) string {
	p.t.Helper()
	p.seq++
	at := p.conn.LocalAddr()
	fmt.Fprintf(p.conn, "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@127.0.0.1>;tag=a\r\n"+
		"To: <sip:%s@127.0.0.1>\r\nCall-ID: %s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@%s>\r\nExpires: %d\r\n%sContent-Length: 0\r\n\r\n",
		at, p.seq, p.device, p.device, p.device, p.device, p.seq, p.device, at, expires, more)
	return p.read()
}

func (p *phone) read() string {
	p.t.Helper()
	buf := make([]byte, 4096)
	p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := p.conn.Read(buf)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(buf[:n])
}

// decline refuses a call, so that nobody waits for the phone.
func (p *phone) decline(invite string) {
	answer := "SIP/2.0 603 Decline\r\n"
	for line := range strings.SplitSeq(invite, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			answer += line + "\r\n"
		case "To":
			answer += line + ";tag=b\r\n"
		}
	}
	fmt.Fprintf(p.conn, "%sContent-Length: 0\r\n\r\n", answer)
}

// get asks the API with the admin token.
func (a *App) get(t *testing.T, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.httpURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestPresence: a phone that comes and goes shows on the page at once, and routing knows of it.
func TestPresence(t *testing.T) {
	a := demo(t)
	p := newPhone(t, a, "bob")
	events := make(chan string, 100)
	body := a.get(t, "/api/events").Body
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(body); lines.Scan(); {
			if line, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				events <- line
			}
		}
	}()
	expect := func(want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for {
			select {
			case e := <-events:
				if strings.Contains(e, want) {
					return
				}
			case <-ctx.Done():
				t.Fatalf("no event with %s", want)
			}
		}
	}
	expect("resumed")
	p.register(300)
	expect(`"device":"bob-desk"`)
	if got := fmt.Sprint(a.presence.registered()["bob"]); got != "[desk]" {
		t.Errorf("bob can be rung at %s", got)
	}
	if err := a.db.DeleteDevice("bob-desk"); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := a.presence.registered()["bob"]; got != nil {
		t.Errorf("bob's phone was removed, and can be rung at %v", got)
	}
	newPhone(t, a, "bob")
	p.register(0)
	expect(`"user":"bob","registrations":[]`)
	if got := a.presence.registered()["bob"]; got != nil {
		t.Errorf("bob went, and can be rung at %v", got)
	}
}

// TestSigninLinkOutlivesRestart: an administrator sends a link, the server is restarted, the user clicks.
func TestSigninLinkOutlivesRestart(t *testing.T) {
	a := demo(t)
	link, err := a.SigninLink("bob")
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(link, "#token=")
	cfg := a.cfg
	cfg.Trunks = nil
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = start(t, cfg)
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		resp, err := http.Post(a.httpURL+"/api/session", "application/json", strings.NewReader(`{"token":"`+token+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("sign-in by the link: %s, want %d", resp.Status, want)
		}
	}
}

// TestMediaAddressIsThePeers: in an office behind NAT public_address is for those outside. A phone in the same network is
// told the address by which it reaches us, in SDP as in Contact: few routers send its voice back in.
func TestMediaAddressIsThePeers(t *testing.T) {
	cfg := config.Default()
	cfg.Demo()
	cfg.Data, cfg.PublicAddress = t.TempDir(), "203.0.113.7"
	if err := cfg.Override(config.Flags{HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	a := start(t, cfg)
	p := newPhone(t, a, "bob")
	p.register(300)
	bob, _ := a.org.UserByID("bob")
	if err := a.CallMe(t.Context(), bob, ""); err != nil {
		t.Fatal(err)
	}
	invite := p.read()
	p.decline(invite)
	for _, want := range []string{"INVITE ", "@127.0.0.1:", "\r\nc=IN IP4 127.0.0.1\r\n"} {
		if !strings.Contains(invite, want) {
			t.Errorf("the phone's INVITE lacks %q:\n%s", want, invite)
		}
	}
}

// A port that somebody else has is reported, and what was opened before is closed: the store can be opened again.
func TestNewReportsWhatFails(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Data = t.TempDir()
	cfg.WebRTC.UDP = taken.LocalAddr().String()
	for range 2 {
		if _, err := New(Options{Config: cfg, Version: "test", Log: zerolog.Nop()}); err == nil || !strings.Contains(err.Error(), "address already in use") {
			t.Fatalf("got %v, want that the address is in use", err)
		}
	}
	taken.Close()
}
