package sip

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
	"pgregory.net/rapid"
)

// RFC 7616 §3.9.1: the same credentials with both algorithms.
func TestDigestResponse(t *testing.T) {
	md5hex, sha := HA1("Mufasa", "http-auth@example.org", "Circle of Life")
	c := authorization{
		nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri: "/dir/index.html", qop: "auth", nc: "00000001",
		cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	if got := digestResponse(false, md5hex, "GET", c); got != "8ca523f5e9506fed4657c9700eebdbec" {
		t.Errorf("MD5: %s", got)
	}
	if got := digestResponse(true, sha, "GET", c); got != "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" {
		t.Errorf("SHA-256: %s", got)
	}
}

func TestRegisterAuthentication(t *testing.T) {
	s := startEdge(t, newOffice().config())
	// ask returns the challenges for a device.
	ask := func(t *testing.T, w *wire) []string {
		w.send(w.request("REGISTER", testURI, "ann-desk", w.contact("")))
		a := w.read()
		if a.status != 401 || len(a.all("WWW-Authenticate")) != 2 {
			t.Fatalf("answered %q with %d challenges", a.line, len(a.all("WWW-Authenticate")))
		}
		return a.all("WWW-Authenticate")
	}
	answerWith := func(w *wire, user, auth string) answer {
		w.send(w.request("REGISTER", testURI, user, w.contact("")+auth))
		return w.read()
	}
	t.Run("both algorithms", func(t *testing.T) {
		for i := range 2 {
			w := dialWire(t, "udp", s.Addrs().UDP)
			challenge := ask(t, w)[i]
			if a := answerWith(w, "ann-desk", digest(challenge, "REGISTER", testURI, "ann-desk", "secret-ann-desk", "00000001")); a.status != 200 {
				t.Errorf("%s: answered %q", challenge, a.line)
			}
		}
	})
	t.Run("unknown user and wrong password look alike", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := ask(t, w)[0]
		wrong := answerWith(w, "ann-desk", digest(challenge, "REGISTER", testURI, "ann-desk", "guess", "00000001"))
		nobody := answerWith(w, "nobody", digest(challenge, "REGISTER", testURI, "nobody", "guess", "00000001"))
		if wrong.status != 401 || nobody.status != 401 || strings.Contains(wrong.header("WWW-Authenticate"), "stale") {
			t.Fatalf("answered %q and %q", wrong.line, nobody.line)
		}
		if a, b := headerNames(wrong), headerNames(nobody); a != b {
			t.Errorf("headers differ: %s and %s", a, b)
		}
	})
	t.Run("replay", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := ask(t, w)[0]
		auth := func(nc string) string {
			return digest(challenge, "REGISTER", testURI, "ann-desk", "secret-ann-desk", nc)
		}
		for _, step := range []struct {
			nc     string
			status int
		}{{"00000001", 200}, {"00000001", 401}, {"00000003", 200}, {"00000002", 200}, {"00000003", 401}, {"1", 401}, {"00000000", 401}} {
			a := answerWith(w, "ann-desk", auth(step.nc))
			if a.status != step.status {
				t.Errorf("nc=%s answered %q, want %d", step.nc, a.line, step.status)
			}
		}
	})
	t.Run("another uri", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := ask(t, w)[0]
		if a := answerWith(w, "ann-desk", digest(challenge, "REGISTER", "sip:elsewhere.test", "ann-desk", "secret-ann-desk", "00000001")); a.status != 401 {
			t.Errorf("answered %q", a.line)
		}
	})
	t.Run("the server's address as uri", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := ask(t, w)[0]
		if a := answerWith(w, "ann-desk", digest(challenge, "REGISTER", "sip:"+s.Addrs().UDP, "ann-desk", "secret-ann-desk", "00000001")); a.status != 200 {
			t.Errorf("answered %q", a.line)
		}
	})
	t.Run("another user's address of record", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := ask(t, w)[0]
		extra := w.contact("") + "To: <sip:bob@" + testRealm + ">\n"
		w.send(w.request("REGISTER", testURI, "ann-desk", extra+digest(challenge, "REGISTER", testURI, "ann-desk", "secret-ann-desk", "00000001")))
		if a := w.read(); a.status != 403 {
			t.Errorf("answered %q", a.line)
		}
	})
	t.Run("disabled", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		if a := w.register("cut-off", w.contact("")); a.status != 403 {
			t.Errorf("answered %q", a.line)
		}
	})
	t.Run("foreign nonce", func(t *testing.T) {
		w := dialWire(t, "udp", s.Addrs().UDP)
		challenge := `Digest realm="` + testRealm + `", nonce="b2xk", algorithm=MD5, qop="auth"`
		a := answerWith(w, "ann-desk", digest(challenge, "REGISTER", testURI, "ann-desk", "secret-ann-desk", "00000001"))
		if a.status != 401 || !strings.Contains(a.header("WWW-Authenticate"), "stale=true") {
			t.Errorf("answered %q, %s", a.line, a.header("WWW-Authenticate"))
		}
	})
}

func TestAlgorithms(t *testing.T) {
	for _, test := range []struct{ agent, transport, want string }{
		{"", "UDP", "MD5 SHA-256"},
		{"Yealink SIP-T46S 66.86.0.15", "TLS", "MD5 SHA-256"},
		{"JsSIP 3.13.8", "WSS", "MD5"},
		{"baresip v1.0.0 (x86_64/linux)", "UDP", "MD5"},
		{"baresip v3.1.0 (x86_64/linux)", "UDP", "SHA-256 MD5"},
		{"Linphonec/5.1.65 (belle-sip/5.1)", "TCP", "SHA-256 MD5"},
		{"LinphoneDesktop/5.2 (Debian)", "TLS", "SHA-256 MD5"},
	} {
		if got := strings.Join(algorithmsFor(test.agent, test.transport), " "); got != test.want {
			t.Errorf("%q over %s: %s, want %s", test.agent, test.transport, got, test.want)
		}
	}
}

func headerNames(a answer) string {
	var names []string
	for _, h := range a.headers {
		name, _, _ := strings.Cut(h, ":")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		office := newOffice()
		a := newAuthenticator(Config{Realm: testRealm, NonceLifetime: time.Minute, Devices: office})
		home, away := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		nonce := a.nonce(home, time.Now())
		if _, ok := a.checkNonce(nonce, home, time.Now()); !ok {
			t.Error("fresh nonce refused")
		}
		if _, ok := a.checkNonce(nonce, away, time.Now()); ok {
			t.Error("nonce taken from another source")
		}
		forged := []byte(nonce)
		forged[0] ^= 1
		if _, ok := a.checkNonce(string(forged), home, time.Now()); ok {
			t.Error("changed nonce taken")
		}
		time.Sleep(61 * time.Second)
		if _, ok := a.checkNonce(nonce, home, time.Now()); ok {
			t.Error("old nonce taken")
		}
	})
}

// No count is good twice within a nonce's life, whatever the order, and every count that is fresh and recent is good.
func TestReplayTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newReplayTable(time.Minute)
		now := time.Now()
		used := map[[2]uint32]bool{}
		highest := map[uint32]uint32{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			nonce := rapid.Uint32Range(0, 2).Draw(t, "nonce")
			count := rapid.Uint32Range(0, 150).Draw(t, "count")
			key := [2]uint32{nonce, count}
			got := table.use(nonceID{byte(nonce)}, count, now)
			fresh := count > 0 && !used[key] && count+63 >= highest[nonce]
			if got != fresh {
				t.Fatalf("nonce %d count %d: %v, want %v (highest %d)", nonce, count, got, fresh, highest[nonce])
			}
			if got {
				used[key] = true
				highest[nonce] = max(highest[nonce], count)
			}
		}
	})
}

// What is forgotten early takes its nonces along.
func TestReplayTableFull(t *testing.T) {
	table := newReplayTable(time.Minute)
	now := time.Now()
	for i := range maxNonces + 1 {
		table.use(nonceID{byte(i), byte(i >> 8), byte(i >> 16)}, 1, now)
	}
	if table.remembers(now.Add(-time.Second)) {
		t.Error("a nonce whose count was forgotten is still taken")
	}
	if len(table.cur)+len(table.prev) > 2*maxNonces {
		t.Error("the table has no bound")
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add(`Digest username="a", realm="` + testRealm + `", nonce="n", uri="sip:x", response="r", algorithm=MD5, cnonce="c", nc=00000001, qop=auth`)
	f.Add(`Digest username="a\"b`)
	f.Add(`Digest ,,,=,`)
	office := newOffice()
	a := newAuthenticator(Config{Realm: testRealm, NonceLifetime: time.Minute, Devices: office})
	addr := netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseAuthorization(text)
		if !ok {
			return
		}
		uri := sipmsg.Uri{Scheme: "sip", Host: "x"}
		c.nonce = a.nonce(addr, time.Now()) // so that the rest is looked at
		if _, v := a.verify(c, "REGISTER", &uri, addr, time.Now()); v == rightCredentials {
			t.Fatalf("%q was right", text)
		}
	})
}
