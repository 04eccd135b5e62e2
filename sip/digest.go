package sip

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // RFC 7616 keeps MD5 for the many phones that know nothing else
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/store"
)

// HA1 are the hashes of a device's credentials that the store keeps instead of the password: hex of H(id:realm:password)
// with MD5 and with SHA-256 (RFC 7616 §3.4.2, RFC 8760).
func HA1(id, realm, password string) (md5hex, sha256hex string) {
	text := []byte(id + ":" + realm + ":" + password)
	m, s := md5.Sum(text), sha256.Sum256(text)
	return hex.EncodeToString(m[:]), hex.EncodeToString(s[:])
}

// authenticator is the server's side of digest authentication (RFC 7616). Nonces carry their own proof and cost no memory
// until somebody has used one with the right password.
type authenticator struct {
	realm    string
	lifetime time.Duration
	devices  Devices
	names    *ownNames
	signers  sync.Pool // of hash.Hash, keyed with the secret that signs nonces: the key is worked into it once
	opaque   string
	// The hashes of a user who does not exist: an unknown user costs the same time as a wrong password.
	nobodyMD5, nobodySHA string
	replays              *replayTable
}

func newAuthenticator(cfg Config) *authenticator {
	a := &authenticator{realm: cfg.Realm, lifetime: cfg.NonceLifetime, devices: cfg.Devices, names: newOwnNames(cfg), opaque: randomHex(8)}
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	a.signers.New = func() any { return hmac.New(sha256.New, secret[:]) }
	a.nobodyMD5, a.nobodySHA = randomHex(md5.Size), randomHex(sha256.Size)
	a.replays = newReplayTable(cfg.NonceLifetime)
	return a
}

// verdict of a digest response.
type verdict int

const (
	noCredentials verdict = iota // none for our realm
	staleNonce                   // the nonce is expired, used up, of another source or not ours
	wrongCredentials
	rightCredentials
)

// authenticate proves which device sent a request. The refusal, otherwise, is the same for an unknown user, a wrong
// password and no credentials at all.
func (s *Server) authenticate(req *sipmsg.Request) (store.Device, *refusal) {
	peer, now := req.Source(), time.Now()
	c, ok := s.authorization(req)
	if !ok {
		return store.Device{}, s.challenge(req, false)
	}
	device, v := store.Device{}, wrongCredentials
	if !s.guard.blocked(peer, c.username) {
		device, v = s.auth.verify(c, string(req.Method), &req.Recipient, addrOf(peer), now)
	}
	switch v {
	case rightCredentials:
		s.guard.succeeded(peer, c.username)
		if device.Disabled {
			return store.Device{}, problem(sipmsg.StatusForbidden)
		}
		s.flows.prove(s.flowOf(req))
		return device, nil
	case staleNonce:
		return store.Device{}, s.challenge(req, true)
	}
	s.guard.failed(peer, c.username)
	s.event(s.log.Warn(), req).Str("username", c.username).Str("agent", truncated(firstNamed(req, "User-Agent"), 128)).
		Msg("wrong digest credentials; check the phone's user name and password")
	return store.Device{}, s.challenge(req, false)
}

// challenge asks for digest, with one header for each algorithm (RFC 8760 §2.3).
func (s *Server) challenge(req *sipmsg.Request, stale bool) *refusal {
	nonce := s.auth.nonce(addrOf(req.Source()), time.Now())
	p := problem(sipmsg.StatusUnauthorized)
	for _, algorithm := range algorithmsFor(firstNamed(req, "User-Agent"), req.Transport()) {
		value := `Digest realm="` + s.auth.realm + `", nonce="` + nonce + `", opaque="` + s.auth.opaque + `", algorithm=` + algorithm +
			`, qop="auth"`
		if stale {
			value += ", stale=true"
		}
		p.with("WWW-Authenticate", value)
	}
	return p
}

// algorithmsFor are the digest algorithms to offer to a phone, the one to take first. RFC 8760 puts the strongest first
// and lets a phone skip what it does not know; many do not skip: SIPp looks at the first header only, JsSIP and SIP.js at
// the last, and baresip before 2.0 gives up at any algorithm but MD5. So SHA-256 leads for those that are known to take
// it, follows MD5 for phones that we do not know, and is left out for browsers and the old baresip.
func algorithmsFor(userAgent, transport string) []string {
	agent := strings.ToLower(userAgent)
	if strings.HasPrefix(agent, "baresip v0.") || strings.HasPrefix(agent, "baresip v1.") {
		return []string{"MD5"}
	}
	for _, able := range []string{"linphone", "belle-sip", "pjsua", "pjsip", "baresip", "asterisk", "freeswitch"} {
		if strings.Contains(agent, able) {
			return []string{"SHA-256", "MD5"}
		}
	}
	if transport == "WS" || transport == "WSS" {
		return []string{"MD5"}
	}
	return []string{"MD5", "SHA-256"}
}

// authorization is a parsed Authorization header.
type authorization struct {
	username, realm, nonce, uri, response, algorithm, cnonce, nc, qop, opaque string
}

// authorization finds the request's answer to a challenge of ours.
func (s *Server) authorization(req *sipmsg.Request) (authorization, bool) {
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for value := range named(req, name) {
			if c, ok := parseAuthorization(value); ok && c.realm == s.auth.realm {
				return c, true
			}
		}
	}
	return authorization{}, false
}

// maxUsername is longer than any device's: failures are counted and logged by it.
const maxUsername = 128

// parseAuthorization reads "Digest name=value, name="value", ..." (RFC 7616 §3.4).
func parseAuthorization(text string) (c authorization, ok bool) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return c, false
	}
	for rest != "" {
		end := indexOutsideQuotes(rest, ',')
		if end < 0 {
			return c, false
		}
		one := rest[:end]
		rest = rest[min(end+1, len(rest)):]
		name, value, _ := strings.Cut(one, "=")
		value = unquote(strings.TrimSpace(value))
		if field := c.field(strings.TrimSpace(name)); field != nil {
			if *field != "" {
				return c, false // twice: which one would we check?
			}
			*field = value
		}
	}
	return c, c.username != "" && len(c.username) <= maxUsername && c.nonce != "" && c.uri != "" && c.response != ""
}

func (c *authorization) field(name string) *string {
	switch strings.ToLower(name) {
	case "username":
		return &c.username
	case "realm":
		return &c.realm
	case "nonce":
		return &c.nonce
	case "uri":
		return &c.uri
	case "response":
		return &c.response
	case "algorithm":
		return &c.algorithm
	case "cnonce":
		return &c.cnonce
	case "nc":
		return &c.nc
	case "qop":
		return &c.qop
	case "opaque":
		return &c.opaque
	}
	return nil
}

// verify judges a digest response. It takes the same time for every username.
func (a *authenticator) verify(c authorization, method string, target *sipmsg.Uri, addr netip.Addr, now time.Time) (store.Device, verdict) {
	id, fresh := a.checkNonce(c.nonce, addr, now)
	if !fresh {
		return store.Device{}, staleNonce
	}
	device, known := a.devices.Device(c.username)
	if known && device.Realm != a.realm {
		known = false
	}
	sha := strings.EqualFold(c.algorithm, "SHA-256")
	ha1 := device.HA1MD5
	switch {
	case sha && known:
		ha1 = device.HA1SHA
	case sha:
		ha1 = a.nobodySHA
	case !known:
		ha1 = a.nobodyMD5
	}
	if !sha && c.algorithm != "" && !strings.EqualFold(c.algorithm, "MD5") {
		return store.Device{}, wrongCredentials
	}
	want := digestResponse(sha, ha1, method, c)
	right := subtle.ConstantTimeCompare([]byte(want), []byte(c.response)) == 1
	if !right || !known || ha1 == "" || !a.sameResource(c.uri, target) || (c.qop != "" && c.qop != "auth") {
		return store.Device{}, wrongCredentials
	}
	count := uint64(1) // without qop a nonce is good for one request (RFC 2069 has no counter)
	if c.qop != "" {
		var err error
		if count, err = strconv.ParseUint(c.nc, 16, 32); err != nil || len(c.nc) != 8 {
			return store.Device{}, wrongCredentials
		}
	}
	if !a.replays.use(id, uint32(count), now) {
		return store.Device{}, staleNonce
	}
	return device, rightCredentials
}

// digestResponse is what the client should have answered (RFC 7616 §3.4.1), in hex.
func digestResponse(sha bool, ha1, method string, c authorization) string {
	var buf [512]byte
	var out [2 * sha256.Size]byte
	sum := func(text []byte) []byte {
		if sha {
			s := sha256.Sum256(text)
			return hex.AppendEncode(out[:0], s[:])
		}
		s := md5.Sum(text)
		return hex.AppendEncode(out[:0], s[:])
	}
	text := append(buf[:0], method...)
	text = append(append(text, ':'), c.uri...)
	var ha2 [2 * sha256.Size]byte
	n := copy(ha2[:], sum(text))
	text = append(append(buf[:0], ha1...), ':')
	text = append(append(text, c.nonce...), ':')
	if c.qop != "" {
		text = append(append(text, c.nc...), ':')
		text = append(append(text, c.cnonce...), ':')
		text = append(append(text, c.qop...), ':')
	}
	return string(sum(append(text, ha2[:n]...)))
}

// sameResource reports whether the digest's uri means the request's target (RFC 7616 §3.4.6). Phones write it with and
// without port and parameters, SIPp without user and with our address in place of our name. The host must be the same or
// ours, and the user the same if there is one.
func (a *authenticator) sameResource(text string, target *sipmsg.Uri) bool {
	if text == target.String() {
		return true
	}
	var u sipmsg.Uri
	if err := sipmsg.ParseUri(text, &u); err != nil {
		return false
	}
	host := strings.EqualFold(u.Host, target.Host) || a.names.has(u.Host)
	return host && (u.User == "" || u.User == target.User)
}

// nonceID names a nonce in the replay table.
type nonceID [8]byte

const (
	nonceTime = 8 // bytes of the time in milliseconds
	nonceRand = 8
	nonceMAC  = 14
	nonceSize = nonceTime + nonceRand + nonceMAC
)

// nonce makes a challenge for a source: time, random bytes, and a signature over both and the source's address.
func (a *authenticator) nonce(addr netip.Addr, now time.Time) string {
	var b [nonceSize]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMilli()))
	_, _ = rand.Read(b[nonceTime : nonceTime+nonceRand])
	a.sign(&b, addr)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (a *authenticator) sign(b *[nonceSize]byte, addr netip.Addr) {
	mac := a.signers.Get().(hash.Hash)
	defer a.signers.Put(mac)
	mac.Reset()
	mac.Write(b[:nonceTime+nonceRand])
	ip := addr.As16()
	mac.Write(ip[:])
	var sum [sha256.Size]byte
	copy(b[nonceTime+nonceRand:], mac.Sum(sum[:0]))
}

// checkNonce reports whether a nonce is ours, for this source, and not too old.
func (a *authenticator) checkNonce(text string, addr netip.Addr, now time.Time) (nonceID, bool) {
	var got, want [nonceSize]byte
	if len(text) != base64.RawURLEncoding.EncodedLen(nonceSize) {
		return nonceID{}, false
	}
	if _, err := base64.RawURLEncoding.Decode(got[:], []byte(text)); err != nil {
		return nonceID{}, false
	}
	copy(want[:], got[:nonceTime+nonceRand])
	a.sign(&want, addr)
	if !hmac.Equal(got[:], want[:]) {
		return nonceID{}, false
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(got[:])))
	if now.Sub(made) > a.lifetime || made.Sub(now) > time.Minute || !a.replays.remembers(made) {
		return nonceID{}, false
	}
	return nonceID(got[nonceTime : nonceTime+nonceRand]), true
}

// replayTable remembers which nonce counts were used, for as long as their nonces live. It keeps two generations: when
// the younger is as old as a nonce can get, the older is forgotten.
type replayTable struct {
	lifetime time.Duration

	mu        sync.Mutex
	cur, prev map[nonceID]*nonceUse
	turned    time.Time
	oldest    time.Time // nonces made before it are refused: their counts were forgotten early
}

// nonceUse is the highest count seen and the 63 below it: UDP may swap requests.
type nonceUse struct {
	highest uint32
	window  uint64 // bit n: highest-n was used
}

const maxNonces = 100000

func newReplayTable(lifetime time.Duration) *replayTable {
	return &replayTable{lifetime: lifetime, cur: make(map[nonceID]*nonceUse), prev: make(map[nonceID]*nonceUse), turned: time.Now()}
}

func (t *replayTable) remembers(made time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !made.Before(t.oldest)
}

// use notes a count and is false when it was used before, or is too old to tell.
func (t *replayTable) use(id nonceID, count uint32, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.cur[id]
	if u == nil {
		t.turn(now)
		if u = t.prev[id]; u == nil {
			u = &nonceUse{}
		}
		t.cur[id] = u
	}
	switch {
	case count == 0:
		return false
	case count > u.highest:
		u.window = u.window<<min(count-u.highest, 64) | 1
		u.highest = count
		return true
	}
	bit := uint64(1) << min(u.highest-count, 64)
	if bit == 0 || u.window&bit != 0 {
		return false
	}
	u.window |= bit
	return true
}

// turn begins a new generation when the time has come. A table that is full is forgotten with all nonces made so far.
func (t *replayTable) turn(now time.Time) {
	switch {
	case len(t.cur) >= maxNonces:
		t.oldest = now.Truncate(time.Millisecond)
		t.cur, t.prev, t.turned = make(map[nonceID]*nonceUse), make(map[nonceID]*nonceUse), now
	case now.Sub(t.turned) > t.lifetime:
		t.cur, t.prev, t.turned = make(map[nonceID]*nonceUse), t.cur, now
	}
}
