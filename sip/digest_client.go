package sip

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// credentials answer digest challenges for one account (RFC 3261 §22, RFC 7616, RFC 8760). It keeps the last challenge of
// each header and uses it ahead of time in later requests. Not safe for concurrent use.
type credentials struct {
	username, password, realm string // realm "" = any

	origin, proxy *challenge // from 401 and from 407
}

// challenge is what a WWW-Authenticate or Proxy-Authenticate header asks.
type challenge struct {
	realm, nonce, opaque string
	algorithm            string // as the peer wrote it; "" = MD5
	qop                  bool   // auth is offered
	stale                bool
	count                uint32 // requests that used the nonce
}

// answer takes the challenges of a 401 or 407. It reports false when trying again is no use: no challenge that we can
// answer, or our answer to the last one was refused.
func (c *credentials) answer(res *sipmsg.Response) bool {
	if c == nil || c.username == "" {
		return false
	}
	slot, header := &c.origin, "www-authenticate"
	if res.StatusCode == 407 {
		slot, header = &c.proxy, "proxy-authenticate"
	}
	best := c.pick(res.GetHeaders(header))
	if best == nil {
		return false
	}
	old := *slot
	*slot = best
	// Same realm asked again: only a stale nonce (RFC 7616 §3.3), or a nonce that an earlier request used up, is worth
	// another try; after that the password is wrong.
	return old == nil || old.realm != best.realm || best.stale || old.count > 1
}

// pick chooses the strongest challenge that we can answer: SHA-256 before MD5 (RFC 8760 §2.4).
func (c *credentials) pick(headers []sipmsg.Header) *challenge {
	var best *challenge
	for _, h := range headers {
		ch, ok := parseChallenge(h.Value())
		if !ok || (c.realm != "" && ch.realm != c.realm) {
			continue
		}
		if best == nil || (isSHA256(ch.algorithm) && !isSHA256(best.algorithm)) {
			best = &ch
		}
	}
	return best
}

// sign adds Authorization and Proxy-Authorization for the challenges seen so far, in place of old ones.
func (c *credentials) sign(req *sipmsg.Request) {
	if c == nil {
		return
	}
	c.signOne(req, "Authorization", c.origin)
	c.signOne(req, "Proxy-Authorization", c.proxy)
}

func (c *credentials) signOne(req *sipmsg.Request, header string, ch *challenge) {
	if ch != nil {
		req.RemoveHeader(header)
		req.AppendHeader(sipmsg.NewHeader(header, c.response(ch, string(req.Method), req.Recipient.String())))
	}
}

// forget drops the challenges, so that the next request starts afresh.
func (c *credentials) forget() {
	if c != nil {
		c.origin, c.proxy = nil, nil
	}
}

// response computes the header value (RFC 7616 §3.4.1).
func (c *credentials) response(ch *challenge, method, uri string) string {
	newHash := md5.New
	if isSHA256(ch.algorithm) {
		newHash = sha256.New
	}
	a1 := digestOf(newHash, c.username, ch.realm, c.password)
	a2 := digestOf(newHash, method, uri)
	var b strings.Builder
	fmt.Fprintf(&b, `Digest username="%s", realm="%s", nonce="%s", uri="%s"`,
		escapeQuoted(c.username), escapeQuoted(ch.realm), escapeQuoted(ch.nonce), uri)
	if ch.qop {
		ch.count++
		nc := fmt.Sprintf("%08x", ch.count)
		cnonce := rand.Text()
		fmt.Fprintf(&b, `, response="%s", qop=auth, nc=%s, cnonce="%s"`,
			digestOf(newHash, a1, ch.nonce, nc, cnonce, "auth", a2), nc, cnonce)
	} else {
		ch.count++
		fmt.Fprintf(&b, `, response="%s"`, digestOf(newHash, a1, ch.nonce, a2))
	}
	if ch.algorithm != "" {
		b.WriteString(", algorithm=" + ch.algorithm)
	}
	if ch.opaque != "" {
		b.WriteString(`, opaque="` + escapeQuoted(ch.opaque) + `"`)
	}
	return b.String()
}

func digestOf(newHash func() hash.Hash, parts ...string) string {
	h := newHash()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

func isSHA256(algorithm string) bool { return strings.EqualFold(algorithm, "SHA-256") }

// parseChallenge reads a Digest challenge; ok is false for another scheme, algorithm or quality of protection than ours.
func parseChallenge(s string) (ch challenge, ok bool) {
	s = strings.TrimSpace(s)
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if len(s) < 7 || !strings.EqualFold(s[:7], "Digest ") || strings.IndexFunc(s, control) >= 0 {
		return ch, false
	}
	qop := ""
	for _, p := range splitList(s[7:]) {
		key, value, _ := strings.Cut(p, "=")
		if value = strings.TrimSpace(value); strings.HasPrefix(value, `"`) && quotedEnd(value) != len(value) {
			return ch, false
		}
		value = unquote(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "realm":
			ch.realm = value
		case "nonce":
			ch.nonce = value
		case "opaque":
			ch.opaque = value
		case "algorithm":
			ch.algorithm = value
		case "stale":
			ch.stale = strings.EqualFold(value, "true")
		case "qop":
			qop = value
		}
	}
	for _, q := range strings.Split(qop, ",") {
		ch.qop = ch.qop || strings.EqualFold(strings.TrimSpace(q), "auth")
	}
	known := ch.algorithm == "" || strings.EqualFold(ch.algorithm, "MD5") || isSHA256(ch.algorithm)
	return ch, ch.nonce != "" && known && (qop == "" || ch.qop)
}
