package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"strowger/store"
	"strowger/web"
)

func TestPasswordSignIn(t *testing.T) {
	r := newRig(t)
	r.password("bob", "correct horse", false)
	r.password("cyd", "battery staple", true)
	for _, tc := range []struct {
		login, password string
		status          int
	}{
		{"bob", "correct horse", 200},
		{" Bob@Lakeside.example ", "correct horse", 200},
		{"bob", "wrong", 401},
		{"bob", "", 401},
		{"cyd", "battery staple", 401}, // disabled
		{"ann", "", 401},               // has no password
		{"nobody", "x", 401},
		{"", "", 401},
	} {
		c := r.client()
		body := c.want(tc.status, "POST", "/api/session", fmt.Sprintf(`{"login":%q,"password":%q}`, tc.login, tc.password))
		if want := map[bool]int{true: 200, false: 401}[tc.status == 200]; want != 0 {
			c.want(want, "GET", "/api/me", "")
		}
		if tc.status == 401 && !strings.Contains(body, "Wrong name or password.") {
			t.Errorf("%s: the answer tells more than it should: %s", tc.login, body)
		}
	}
	if strings.Contains(r.log.String(), "correct horse") || strings.Contains(r.log.String(), "staple") {
		t.Error("a password stands in the log")
	}
}

func TestCookie(t *testing.T) {
	r := newRig(t, func(c *web.Config) { c.Secure = true })
	token, err := r.web.NewSigninLink("bob", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c := r.client()
	res, _ := c.do("POST", "/api/session", `{"token":"`+token+`"}`)
	got := res.Cookies()
	if len(got) != 1 || !got[0].HttpOnly || !got[0].Secure || got[0].SameSite != http.SameSiteStrictMode || got[0].Value == "" {
		t.Errorf("cookies: %+v", got)
	}
	if res.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
	if strings.Contains(r.log.String(), token) {
		t.Error("the token stands in the log")
	}
}

func TestLinkWorksOnce(t *testing.T) {
	r := newRig(t)
	token, err := r.web.NewSigninLink("bob", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"token":"` + token + `"}`
	r.client().want(200, "POST", "/api/session", body)
	r.client().want(401, "POST", "/api/session", body)

	expired, err := r.web.NewSigninLink("bob", -time.Second)
	if err != nil {
		t.Fatal(err)
	}
	r.client().want(401, "POST", "/api/session", `{"token":"`+expired+`"}`)
	if _, err := r.web.NewSigninLink("nobody", time.Minute); err == nil {
		t.Error("a link for nobody")
	}
}

func TestSessionIsRenewedAndEnds(t *testing.T) {
	r := newRig(t)
	c := r.as("bob")
	u, _ := url.Parse(r.http.URL)
	before := c.hc.Jar.Cookies(u)[0].Value
	token, err := r.web.NewSigninLink("cyd", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.want(200, "POST", "/api/session", `{"token":"`+token+`"}`)
	if c.hc.Jar.Cookies(u)[0].Value == before {
		t.Error("signing in kept the old cookie")
	}
	old := r.client()
	old.header.Set("Cookie", "strowger="+before)
	old.want(401, "GET", "/api/me", "")

	kept := c.hc.Jar.Cookies(u)[0].Value
	c.want(204, "DELETE", "/api/session", "")
	c.want(401, "GET", "/api/me", "")
	old.header.Set("Cookie", "strowger="+kept)
	old.want(401, "GET", "/api/me", "")
	c.want(204, "DELETE", "/api/session", "") // twice does no harm
}

func TestDisabledOrChangedCredentialEndsSessions(t *testing.T) {
	r := newRig(t)
	c := r.as("bob")
	r.password("bob", "x", true)
	c.want(401, "GET", "/api/me", "")
	r.password("bob", "x", false)
	c.want(200, "GET", "/api/me", "")
	r.fake.Mu.Lock()
	cred := r.fake.Creds["bob"]
	cred.Changed = time.Now().Add(time.Second)
	r.fake.Creds["bob"] = cred
	r.fake.Mu.Unlock()
	c.want(401, "GET", "/api/me", "")
}

func TestGuessingIsLimited(t *testing.T) {
	r := newRig(t)
	r.password("bob", "right", false)
	c := r.client()
	for range 10 {
		c.want(401, "POST", "/api/session", `{"login":"bob","password":"wrong"}`)
	}
	res, _ := c.do("POST", "/api/session", `{"login":"BOB","password":"right"}`)
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("after ten failures: %d", res.StatusCode)
	}
	c.want(401, "POST", "/api/session", `{"login":"cyd","password":"wrong"}`)
	for i := range 19 {
		c.want(401, "POST", "/api/session", fmt.Sprintf(`{"token":"guess%d"}`, i))
	}
	token, err := r.web.NewSigninLink("ann", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.want(429, "POST", "/api/session", `{"token":"`+token+`"}`) // the address has used up its guesses
}

// TestGuessingAtOnce: whoever sends a hundred passwords at once has no more guesses than one who sends them in turn.
func TestGuessingAtOnce(t *testing.T) {
	r := newRig(t)
	hash, err := argon2id.CreateHash("right", &argon2id.Params{Memory: 16 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 8, KeyLength: 16})
	if err != nil {
		t.Fatal(err)
	}
	r.fake.Creds["bob"] = store.Credential{User: "bob", Hash: hash}
	var judged atomic.Int32
	var all sync.WaitGroup
	for range 40 {
		c := r.client()
		all.Go(func() {
			if res, _ := c.do("POST", "/api/session", `{"login":"bob","password":"wrong"}`); res.StatusCode == 401 {
				judged.Add(1)
			}
		})
	}
	all.Wait()
	if n := judged.Load(); n > 12 { // ten, and one more for each that is checked beside the tenth
		t.Errorf("%d of 40 guesses at once were judged", n)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	r := newRig(t)
	bob := r.as("bob")
	for name, header := range map[string]http.Header{
		"other origin":    {"Origin": {"https://evil.example"}},
		"null origin":     {"Origin": {"null"}},
		"cross-site":      {"Sec-Fetch-Site": {"cross-site"}},
		"same-site":       {"Sec-Fetch-Site": {"same-site"}},
		"other port":      {"Origin": {"http://127.0.0.1:1"}},
		"cross and token": {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
	} {
		bob.header = header
		for _, m := range [][2]string{{"POST", "/api/demo/call"}, {"DELETE", "/api/voicemails/vm1"}, {"DELETE", "/api/session"},
			{"PUT", "/api/voicemails/vm1/heard"}, {"POST", "/api/session"}} {
			if res, _ := bob.do(m[0], m[1], ""); res.StatusCode != 403 {
				t.Errorf("%s: %s %s: %d, want 403", name, m[0], m[1], res.StatusCode)
			}
		}
	}
	bob.header = http.Header{"Origin": {r.http.URL}, "Sec-Fetch-Site": {"same-origin"}}
	bob.want(202, "POST", "/api/demo/call", "")
}

func TestHeadersAndPage(t *testing.T) {
	r := newRig(t)
	c := r.client()
	nonce := ""
	for _, path := range []string{"/", "/signin", "/index.html"} {
		res, body := c.do("GET", path, "")
		csp := res.Header.Get("Content-Security-Policy")
		if res.StatusCode != 200 || strings.Contains(body, "__NONCE__") || !strings.Contains(csp, "script-src 'self';") {
			t.Errorf("%s: %d %s %s", path, res.StatusCode, csp, body)
		}
		_, rest, _ := strings.Cut(csp, "'nonce-")
		n, _, _ := strings.Cut(rest, "'")
		if n == "" || n == nonce || !strings.Contains(body, n) {
			t.Errorf("%s: nonce %q after %q, page %s", path, n, nonce, body)
		}
		nonce = n
	}
	for path, status := range map[string]int{"/assets/a.js": 200, "/favicon.svg": 200, "/nothing.js": 404, "/api/nothing": 404, "/healthz": 200, "/assets": 200} {
		res, _ := c.do("GET", path, "")
		if res.StatusCode != status || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d, want %d; %v", path, res.StatusCode, status, res.Header)
		}
	}
	if res, body := newRig(t, func(c *web.Config) { c.UI = emptyFS{} }).client().do("GET", "/", ""); res.StatusCode != 503 || !strings.Contains(body, "make ui") {
		t.Errorf("without a page: %d %s", res.StatusCode, body)
	}
	c.do("GET", "/signin?token=topsecret", "")
	if strings.Contains(r.log.String(), "topsecret") {
		t.Error("the query stands in the log")
	}
}
