package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"strowger/sip/call"
)

func TestWebhook(t *testing.T) {
	defer goleak.VerifyNone(t)
	var told call.Question
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &told)
		switch r.URL.Path {
		case "/json":
			io.WriteString(w, `{"node": "sales"}`)
		case "/text":
			io.WriteString(w, "sales\n")
		case "/away":
			http.Redirect(w, r, "/text", http.StatusFound)
		case "/error":
			http.Error(w, "no", http.StatusInternalServerError)
		case "/page":
			io.WriteString(w, "<html>")
		case "/broken":
			io.WriteString(w, "{")
		case "/slow":
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	w := newWebhooks([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	defer w.close()
	for path, want := range map[string]string{
		"/json": "sales", "/text": "sales", "/away": "the web server said 302", "/error": "the web server said 500",
		"/page": "the answer names no node", "/broken": "the answer is no JSON", "/nothing": "the answer names no node",
		"/slow": "context deadline exceeded",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		got, err := w.ask(ctx, call.Question{URL: server.URL + path, Call: "c1", From: "+1202"})
		cancel()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || strings.Contains(got, server.URL) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if told.Call != "c1" || told.From != "+1202" {
		t.Errorf("the web server was told %+v", told)
	}
	strict := newWebhooks(nil)
	defer strict.close()
	if _, err := strict.ask(context.Background(), call.Question{URL: server.URL + "/text"}); err == nil || !strings.Contains(err.Error(), "is inside") {
		t.Errorf("a web server inside: %v", err)
	}
}

func TestPublic(t *testing.T) {
	for ip, want := range map[string]bool{
		"127.0.0.1": false, "10.1.2.3": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "224.0.0.1": false, "::1": false, "fe80::1": false, "fd00::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"93.184.216.34": true, "2606:2800:220:1::1": true,
	} {
		if got := public(netip.MustParseAddr(ip).Unmap()); got != want {
			t.Errorf("%s is public: %v", ip, got)
		}
	}
}
