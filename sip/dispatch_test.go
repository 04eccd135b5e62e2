package sip

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"strowger/sip/call"
	"strowger/store"
)

// answering makes an office whose calls are handed to the test and refused with 486.
func answering(office *office) (Config, <-chan call.Incoming) {
	calls := make(chan call.Incoming, 10)
	cfg := office.config()
	cfg.OnCall = func(in call.Incoming) {
		in.Bind(func(call.LegEvent) {})
		in.Leg.Reject(486, "Busy Here", call.Reason{})
		calls <- in
	}
	return cfg, calls
}

const callSDP = "Content-Type: application/sdp\nContent-Length: 119\n\n" +
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"

// A call is let in with the identity that digest proved, whatever From says.
func TestCallFromADesk(t *testing.T) {
	cfg, calls := answering(newOffice())
	s := startEdge(t, cfg)
	w := dialWire(t, "udp", s.Addrs().UDP)
	if a := w.register("ann-desk", w.contact("")); a.status != 200 {
		t.Fatal(a.line)
	}
	const uri = "sip:202@" + testRealm
	sdp := strings.Replace(callSDP, "119", itoa(len(callSDP)-strings.Index(callSDP, "v=0")), 1)
	ask := func(extra string) answer {
		w.send(strings.ReplaceAll(w.request("INVITE", uri, "ann-desk", extra+w.contact("")+sdp), "\r\n", "\n"))
		return w.read()
	}
	a := ask("")
	if a.status != 401 || len(calls) > 0 {
		t.Fatalf("a call without credentials was answered %q", a.line)
	}
	if a = ask(digest(a.header("WWW-Authenticate"), "INVITE", uri, "ann-desk", "wrong", "00000001")); a.status != 401 || len(calls) > 0 {
		t.Fatalf("a call with a wrong password was answered %q", a.line)
	}
	if a = ask(digest(a.header("WWW-Authenticate"), "INVITE", uri, "ann-desk", "secret-ann-desk", "00000001")); a.status != 486 {
		t.Fatalf("answered %q", a.line)
	}
	in := <-calls
	if in.User != "ann" || in.Kind != store.Desk || in.To != "202" || in.Device == nil || in.Device.Device != "ann-desk" {
		t.Errorf("came in as %+v", in)
	}
}

func itoa(n int) string {
	return string(rune('0'+n/100)) + string(rune('0'+n/10%10)) + string(rune('0'+n%10))
}

// The same INVITE by another way is a merged request (RFC 3261 §8.2.2.2).
func TestMergedRequest(t *testing.T) {
	table := newMergedTable()
	invite := func(branch string) (*sipmsg.Request, *sipmsg.ServerTx) {
		req := inDialogRequest(t, "INVITE", 1)
		req.Via().Params.Add("branch", branch)
		req.SetTransport("UDP")
		req.SetSource("192.0.2.1:5060")
		tx := sipmsg.NewServerTx(branch, req, &heard{}, slog.New(slog.DiscardHandler))
		if err := tx.Init(); err != nil {
			t.Fatal(err)
		}
		return req, tx
	}
	first, firstTx := invite("z9hG4bKone")
	second, secondTx := invite("z9hG4bKtwo")
	defer secondTx.Terminate()
	if !table.enter(first, firstTx) || table.enter(second, secondTx) {
		t.Error("the second way was not told from the first")
	}
	firstTx.Terminate()
	if !table.enter(second, secondTx) {
		t.Error("the first is remembered for ever")
	}
}

// A handler that panics answers 500, is logged with the call, and the server lives on.
func TestPanicIsContained(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	cfg := newOffice().config()
	cfg.Devices = panicking{}
	cfg.Log = zerolog.New(zerolog.SyncWriter(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(b)
	})))
	s := startEdge(t, cfg)
	w := dialWire(t, "udp", s.Addrs().UDP)
	w.send(w.request("REGISTER", testURI, "ann-desk", ""))
	a := w.read()
	w.send(w.request("REGISTER", testURI, "ann-desk", digest(a.header("WWW-Authenticate"), "REGISTER", testURI, "ann-desk", "x", "00000001")))
	if a = w.read(); a.status != 500 {
		t.Errorf("answered %q", a.line)
	}
	w.send(w.request("OPTIONS", testURI, "x", ""))
	if a = w.read(); a.status != 200 {
		t.Errorf("then answered %q", a.line)
	}
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(log.String(), `"call_id":"call-`) || !strings.Contains(log.String(), "device table is broken") {
		t.Errorf("logged %s", log.String())
	}
}

type panicking struct{}

func (panicking) Device(string) (store.Device, bool) { panic("device table is broken") }

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Nothing secret is logged, at whatever level: no credentials, and no datagram that cannot be parsed.
func TestNothingSecretIsLogged(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	cfg := newOffice().config()
	cfg.Log = zerolog.New(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(b)
	})).Level(zerolog.TraceLevel)
	s := startEdge(t, cfg)
	w := dialWire(t, "udp", s.Addrs().UDP)
	w.register("ann-desk", w.contact(""))
	w.send(w.request("REGISTER", testURI, "ann-desk", digest(`realm="`+testRealm+`", nonce="n", algorithm=MD5`, "REGISTER", testURI, "ann-desk", "hush", "00000001")))
	w.read()
	tcp := dialWire(t, "tcp", s.Addrs().TCP)
	tcp.raw("GET / HTTP/1.1\r\nAuthorization: Basic aHVzaA==\r\n\r\n")
	w.raw("REGISTER x\r\nAuthorization: Digest response=\"5ecre7\"\r\n\r\n")
	w.send(w.request("OPTIONS", testURI, "x", ""))
	w.read()
	mu.Lock()
	defer mu.Unlock()
	for _, secret := range []string{"response=", "5ecre7", "aHVzaA", "cnonce", "hush"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q stands in the log:\n%s", secret, log.String())
		}
	}
}
