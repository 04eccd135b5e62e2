package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"strowger/sip/call"
)

// maxHookAnswer is how much of a web server's answer is read: a node's name is short.
const maxHookAnswer = 64 << 10

// webhooks asks the web servers that workflows name. An address inside our own network is refused unless the configuration
// allows it: who may write a workflow may not thereby reach what only this machine can reach.
type webhooks struct {
	client  *http.Client
	private []netip.Prefix // networks inside that may be asked
}

func newWebhooks(private []netip.Prefix) *webhooks {
	w := &webhooks{private: private}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: w.guard}
	w.client = &http.Client{
		// No proxy of the environment: it would resolve names where the guard does not see them.
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 4,
			IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

func (w *webhooks) close() { w.client.CloseIdleConnections() }

// guard refuses addresses that are none of the public network's. It sees the address that a name was resolved to.
func (w *webhooks) guard(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := to.Addr().Unmap()
	allowed := slices.ContainsFunc(w.private, func(p netip.Prefix) bool { return p.Contains(ip) })
	if !allowed && !public(ip) {
		return fmt.Errorf("%v is inside: allow its network with calls.webhook_private", ip)
	}
	return nil
}

// notPublic are the networks of RFC 6890 that netip has no name for.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func public(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// ask posts the question as JSON. The answer is 200 with {"node": "NAME"}, or the bare name as text. Errors do not repeat
// the URL, which may hold a secret.
func (w *webhooks) ask(ctx context.Context, q call.Question) (string, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.URL, bytes.NewReader(body))
	if err != nil {
		return "", withoutURL(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/plain")
	req.Header.Set("User-Agent", "strowger")
	resp, err := w.client.Do(req)
	if err != nil {
		return "", withoutURL(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxHookAnswer))
	switch {
	case err != nil:
		return "", fmt.Errorf("the answer broke off: %w", err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the web server said %d", resp.StatusCode)
	}
	return nodeOf(answer)
}

// nodeOf reads the node's name.
func nodeOf(answer []byte) (string, error) {
	text := strings.TrimSpace(string(answer))
	if strings.HasPrefix(text, "{") {
		var named struct {
			Node string `json:"node"`
		}
		if err := json.Unmarshal(answer, &named); err != nil {
			return "", fmt.Errorf("the answer is no JSON: %w", err)
		}
		text = named.Node
	}
	if text == "" || len(text) > 100 || strings.ContainsAny(text, "\r\n<") {
		return "", errors.New(`the answer names no node; it must be {"node": "NAME"} or the name alone`)
	}
	return text, nil
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
