package sip

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"strowger/sip/call"
	"strowger/store"
)

// office is a small organisation for tests of the edge: ann with a desk phone and a mobile, bob with a desk phone.
type office struct {
	devices map[string]store.Device
	users   map[string]store.User
	calls   atomic.Int32 // calls that came in
}

const testRealm = "strowger.test"

func newOffice() *office {
	o := &office{devices: map[string]store.Device{}, users: map[string]store.User{
		"ann": {ID: "ann", Extension: "201"},
		"bob": {ID: "bob", Extension: "202"},
	}}
	for _, d := range []store.Device{
		{ID: "ann-desk", User: "ann", Kind: store.Desk},
		{ID: "ann-mobile", User: "ann", Kind: store.Mobile},
		{ID: "bob-desk", User: "bob", Kind: store.Desk},
		{ID: "cut-off", User: "bob", Kind: store.Desk, Disabled: true},
	} {
		d.Realm = testRealm
		d.HA1MD5, d.HA1SHA = HA1(d.ID, testRealm, "secret-"+d.ID)
		o.devices[d.ID] = d
	}
	return o
}

func (o *office) Device(id string) (store.Device, bool) { d, ok := o.devices[id]; return d, ok }
func (o *office) UserByID(id string) (store.User, bool) { u, ok := o.users[id]; return u, ok }
func (o *office) IsOurs(string) bool                    { return false }

func (o *office) UserByExtension(ext string) (store.User, bool) {
	for _, u := range o.users {
		if u.Extension == ext {
			return u, true
		}
	}
	return store.User{}, false
}

func (o *office) config() Config {
	return Config{
		UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Realm: testRealm, UserAgent: "Strowger/test", RateLimit: -1,
		Devices: o, Users: o, Numbers: o, OnCall: func(call.Incoming) { o.calls.Add(1) }, Log: zerolog.Nop(),
	}
}

// startEdge runs a server until the test ends.
func startEdge(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// wire is a socket that speaks raw text.
type wire struct {
	t    testing.TB
	conn net.Conn
	seq  int
}

func dialWire(t testing.TB, network, addr string) *wire {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &wire{t: t, conn: conn}
}

// send sends a message written with \n line ends.
func (w *wire) send(text string) {
	w.t.Helper()
	w.raw(strings.ReplaceAll(text, "\n", "\r\n"))
}

func (w *wire) raw(text string) {
	w.t.Helper()
	if _, err := w.conn.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

// answer is a received response.
type answer struct {
	status  int
	line    string
	headers []string
}

// header is the first value of a header, "" when there is none.
func (a answer) header(name string) string {
	if all := a.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (a answer) all(name string) []string {
	var out []string
	for _, h := range a.headers {
		if n, v, _ := strings.Cut(h, ":"); strings.EqualFold(n, name) {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// read takes the next response; provisional ones are skipped.
func (w *wire) read() answer {
	w.t.Helper()
	for {
		a := w.readAny(5 * time.Second)
		if a.status == 0 {
			w.t.Fatal("no answer")
		}
		if a.status >= 200 {
			return a
		}
	}
}

// silent fails when anything is answered.
func (w *wire) silent() {
	w.t.Helper()
	if a := w.readAny(150 * time.Millisecond); a.status != 0 {
		w.t.Fatalf("answered %q, want silence", a.line)
	}
}

func (w *wire) readAny(limit time.Duration) answer {
	buf := make([]byte, maxDatagram)
	_ = w.conn.SetReadDeadline(time.Now().Add(limit))
	n, err := w.conn.Read(buf)
	if err != nil {
		return answer{}
	}
	return parseAnswer(string(buf[:n]))
}

func parseAnswer(text string) answer {
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	var status int
	_, _ = fmt.Sscanf(lines[0], "SIP/2.0 %d", &status)
	return answer{status: status, line: lines[0], headers: lines[1:]}
}

// request writes a request with the usual headers; extra ones (each ending in \n) replace those of the same name, and an
// empty value removes one.
func (w *wire) request(method, uri, user, extra string) string {
	w.seq++
	n := strconv.Itoa(w.seq)
	headers := []string{
		"Via: SIP/2.0/UDP " + w.conn.LocalAddr().String() + ";branch=z9hG4bK" + randomHex(6) + ";rport",
		"Max-Forwards: 70", "From: <sip:" + user + "@" + testRealm + ">;tag=f" + randomHex(4), "To: <sip:" + user + "@" + testRealm + ">",
		"Call-ID: call-" + w.conn.LocalAddr().String(), "CSeq: " + n + " " + method, "Content-Length: 0",
	}
	body := ""
	if head, b, ok := strings.Cut(extra, "\n\n"); ok {
		extra, body = head+"\n", b
	}
	for line := range strings.Lines(extra) {
		line = strings.TrimRight(line, "\n")
		name, value, _ := strings.Cut(line, ":")
		kept := headers[:0]
		for _, h := range headers {
			if n, _, _ := strings.Cut(h, ":"); n != name || strings.HasPrefix(value, "+") {
				kept = append(kept, h)
			}
		}
		headers = kept
		if value != "" {
			headers = append(headers, name+":"+strings.TrimPrefix(value, "+"))
		}
	}
	return method + " " + uri + " SIP/2.0\n" + strings.Join(headers, "\n") + "\n\n" + body
}

// digest answers a challenge with qop=auth.
func digest(challenge, method, uri, user, password, nc string) string {
	param := func(name string) string {
		_, rest, _ := strings.Cut(challenge, name+"=")
		return strings.Trim(strings.SplitN(rest, ",", 2)[0], `"`)
	}
	hash := func(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }
	if param("algorithm") == "SHA-256" {
		hash = func(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }
	}
	const cnonce = "c0ffee"
	response := hash(strings.Join([]string{hash(user + ":" + param("realm") + ":" + password), param("nonce"), nc, cnonce, "auth",
		hash(method + ":" + uri)}, ":"))
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, cnonce="%s", nc=%s, qop=auth`+"\n",
		user, param("realm"), param("nonce"), uri, response, param("algorithm"), cnonce, nc)
}

const testURI = "sip:" + testRealm

// register sends a REGISTER, answers the challenge and returns the final answer.
func (w *wire) register(device, extra string) answer {
	w.t.Helper()
	w.send(w.request("REGISTER", testURI, device, extra))
	a := w.read()
	if a.status != 401 {
		return a
	}
	w.send(w.request("REGISTER", testURI, device, extra+digest(a.header("WWW-Authenticate"), "REGISTER", testURI, device, "secret-"+device, "00000001")))
	return w.read()
}

// contact is a Contact header line for this socket.
func (w *wire) contact(params string) string {
	return "Contact: <sip:phone@" + w.conn.LocalAddr().String() + ">" + params + "\n"
}

// memoryBindings is a BindingStore.
type memoryBindings struct {
	mu    sync.Mutex
	kept  map[bindingKey]store.Binding
	saves int
	err   error
}

func (m *memoryBindings) LoadBindings() ([]store.Binding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Binding
	for _, b := range m.kept {
		out = append(out, b)
	}
	return out, nil
}

// counts are the stored bindings and the batches written.
func (m *memoryBindings) counts() (bindings, saves int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept), m.saves
}

func (m *memoryBindings) SaveBindings(put, del []store.Binding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	if m.err != nil {
		return m.err
	}
	if m.kept == nil {
		m.kept = make(map[bindingKey]store.Binding)
	}
	for i := range put {
		m.kept[keyOfBinding(&put[i])] = put[i]
	}
	for i := range del {
		delete(m.kept, keyOfBinding(&del[i]))
	}
	return nil
}

// contextWithCancel is a context that the test ends by itself, within a synctest bubble too.
func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}

// eventually polls until f holds; the edge has no event for what it waits for.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for range 500 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain: %s", what)
}
