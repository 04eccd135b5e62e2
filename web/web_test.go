package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"strowger/sip/call"
	"strowger/store"
	"strowger/web"
	"strowger/web/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server over the fake organisation.
type rig struct {
	t    *testing.T
	fake *webtest.Fake
	web  *web.Server
	http *httptest.Server
	log  *bytes.Buffer
}

func newRig(t *testing.T, change ...func(*web.Config)) *rig {
	t.Helper()
	r := &rig{t: t, fake: webtest.NewLakeside(time.Now()), log: &bytes.Buffer{}}
	cfg := r.fake.Config()
	cfg.AdminToken = webtest.AdminToken
	cfg.UI = fstest.MapFS{
		"index.html":       {Data: []byte(`<!doctype html><script nonce="__NONCE__" src="/assets/a.js"></script>`)},
		"assets/a.js":      {Data: []byte("1")},
		"favicon.svg":      {Data: []byte("<svg/>")},
		"assets/index.css": {Data: []byte("a{}")},
	}
	cfg.Log = zerolog.New(zerolog.SyncWriter(r.log))
	for _, c := range change {
		c(&cfg)
	}
	var err error
	if r.web, err = web.New(cfg); err != nil {
		t.Fatal(err)
	}
	r.http = httptest.NewServer(r.web)
	t.Cleanup(func() {
		r.web.Close()
		r.http.Close()
	})
	return r
}

// client is a browser (with a cookie jar) or a script.
type client struct {
	*rig
	hc     *http.Client
	header http.Header
}

func (r *rig) client() *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	hc := &http.Client{Jar: jar, Transport: &http.Transport{}}
	r.t.Cleanup(hc.CloseIdleConnections)
	return &client{rig: r, hc: hc, header: http.Header{}}
}

// as signs a user in by a one-time link.
func (r *rig) as(user string) *client {
	r.t.Helper()
	token, err := r.web.NewSigninLink(user, time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	c := r.client()
	c.want(http.StatusOK, "POST", "/api/session", `{"token":"`+token+`"}`)
	return c
}

func (r *rig) script() *client {
	c := r.client()
	c.header.Set("Authorization", "Bearer "+webtest.AdminToken)
	return c
}

func (c *client) do(method, path, body string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.http.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	res, err := c.hc.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(b)
}

func (c *client) want(status int, method, path, body string) string {
	c.t.Helper()
	res, got := c.do(method, path, body)
	if res.StatusCode != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, res.StatusCode, status, got)
	}
	return got
}

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// weakly hashed: tests need not wait for a strong hash.
func (r *rig) password(user, password string, disabled bool) {
	r.t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 8, KeyLength: 16})
	if err != nil {
		r.t.Fatal(err)
	}
	r.fake.Mu.Lock()
	defer r.fake.Mu.Unlock()
	r.fake.Creds[user] = store.Credential{User: user, Hash: hash, Disabled: disabled, Changed: time.Now().Add(-time.Second)}
}

func TestConfigIsChecked(t *testing.T) {
	_, err := web.New(web.Config{AdminToken: "short"})
	for _, want := range []string{"Organisation", "Phones", "UI", "AdminToken"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}

// Every route of the API refuses strangers; the OpenAPI document is where the list of routes comes from.
func TestStrangersSeeNothing(t *testing.T) {
	r := newRig(t)
	c := r.client()
	doc := decode[struct {
		Paths map[string]map[string]any
	}](t, c.want(200, "GET", "/api/openapi.json", ""))
	if len(doc.Paths) < 12 {
		t.Fatalf("only %d paths", len(doc.Paths))
	}
	for path, methods := range doc.Paths {
		if path == "/api/session" {
			continue
		}
		for method := range methods {
			body := ""
			if method == "put" || method == "post" {
				body = `{"heard":true}`
			}
			c.want(401, strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "call6"), body)
		}
	}
	for _, token := range []string{"", "lakeside", webtest.AdminToken + "x"} {
		c.header.Set("Authorization", "Bearer "+token)
		c.want(401, "GET", "/api/calls", "")
	}
}

func TestAdminToken(t *testing.T) {
	r := newRig(t)
	c := r.script()
	if got := c.want(200, "GET", "/api/calls?everybody=true", ""); !strings.Contains(got, "call1") {
		t.Errorf("the script does not see every call: %s", got)
	}
	c.want(200, "GET", "/api/trunks", "")
	c.want(200, "GET", "/api/registrations", "")
	c.want(403, "GET", "/api/me", "")
	c.want(403, "POST", "/api/calls/call5/claim", "")

	off := newRig(t, func(c *web.Config) { c.AdminToken = "" }).client()
	off.header.Set("Authorization", "Bearer ")
	off.want(401, "GET", "/api/calls", "")
}

func TestMe(t *testing.T) {
	r := newRig(t)
	me := decode[web.Me](t, r.as("bob").want(200, "GET", "/api/me", ""))
	if me.User.ID != "bob" || me.Admin || !me.Demo || me.Phone.SIPURI != "sip:bob@127.0.0.1" || me.Phone.Session == "" {
		t.Errorf("me = %+v", me)
	}
	for user, want := range map[string]string{"ann": "+12025550003", "bob": "+12025550002", "cyd": "+12025550001"} {
		me := decode[web.Me](t, r.as(user).want(200, "GET", "/api/me", ""))
		for _, n := range me.Numbers {
			if n.Default != (n.Number == want) {
				t.Errorf("%s: %+v, want %s to be the only default", user, me.Numbers, want)
			}
		}
	}
	for _, p := range me.People {
		if p.Email != "" {
			t.Errorf("an agent is told the e-mail of %s", p.ID)
		}
	}
}

func TestCallsByRole(t *testing.T) {
	r := newRig(t)
	type page struct {
		Calls []web.Call
		Next  string
	}
	ids := func(p page) string {
		var s []string
		for _, c := range p.Calls {
			s = append(s, c.ID)
		}
		return strings.Join(s, " ")
	}
	for _, tc := range []struct{ user, query, want string }{
		{"bob", "", "call6 call5 call4 call2"},
		{"bob", "?unclaimed=true", "call5 call4"},
		{"cyd", "", "call5 call1"},
		{"ann", "", "call5 call4 call3 call1"},
		{"ann", "?everybody=true", "call6 call5 call4 call3 call2 call1"},
		{"ann", "?everybody=true&limit=2", "call6 call5"},
		{"ann", "?everybody=true&limit=2&before=call5", "call4 call3"},
	} {
		got := decode[page](t, r.as(tc.user).want(200, "GET", "/api/calls"+tc.query, ""))
		if ids(got) != tc.want {
			t.Errorf("%s%s: %s, want %s", tc.user, tc.query, ids(got), tc.want)
		}
		if full := strings.Contains(tc.query, "limit=2"); full != (got.Next != "") {
			t.Errorf("%s%s: next is %q", tc.user, tc.query, got.Next)
		}
	}
	bob, cyd := r.as("bob"), r.as("cyd")
	cyd.want(403, "GET", "/api/calls?everybody=true", "")
	cyd.want(404, "GET", "/api/calls/call6", "")
	cyd.want(404, "GET", "/api/calls/nonsense", "")
	cyd.want(422, "GET", "/api/calls?limit=0", "")
	call := decode[web.Call](t, bob.want(200, "GET", "/api/calls/call6", ""))
	if call.From.Name != "Dee Poe" || call.To.Name != "Main line" || call.AnsweredBy.Name != "Bob Ray" || len(call.Legs) != 3 ||
		call.Plan == nil || call.Plan.Trace[2].Reason != "contact_owned" || call.Contacts[0].Name != "Dee Poe" {
		t.Errorf("call6 = %+v", call)
	}
}

func TestClaimLeavesTheOthersLists(t *testing.T) {
	r := newRig(t)
	bob, cyd, ann := r.as("bob"), r.as("cyd"), r.as("ann")
	cyd.want(404, "POST", "/api/calls/call4/claim", "")
	bob.want(200, "POST", "/api/calls/call5/claim", "")
	cyd.want(409, "POST", "/api/calls/call5/claim", "")
	if got := cyd.want(200, "GET", "/api/calls", ""); strings.Contains(got, "call5") {
		t.Error("cyd still sees what bob claimed")
	}
	if got := ann.want(200, "GET", "/api/calls", ""); !strings.Contains(got, "call5") {
		t.Error("the owner no longer sees what bob claimed")
	}
}

// ringing is a call by Dee Poe to the main line that rings a user's browser.
func ringing(id, user string) call.Snapshot {
	return call.Snapshot{
		ID: id, Direction: store.Inbound, From: call.Party{Number: "+12025550900"}, To: "+12025550001", Phase: "ringing",
		Legs: []call.LegSnapshot{
			{Peer: "carrier", Kind: "trunk", Caller: true, State: "ringing"},
			{Peer: "Bob Ray", User: user, Kind: store.Browser, State: "ringing", SIPCallID: "leg-call-id", Step: "contact_owner", Match: "contact_owned"},
		},
	}
}

func TestActive(t *testing.T) {
	r := newRig(t)
	r.fake.Live = []call.Snapshot{
		ringing("a1", "bob"),
		{ID: "a2", Direction: store.Outbound, From: call.Party{Number: "+12025550003"}, FromUser: "cyd", To: "+12025550901", Phase: "up"},
	}
	type list struct{ Calls []web.LiveCall }
	bob, cyd, ann := r.as("bob"), r.as("cyd"), r.as("ann")
	got := decode[list](t, bob.want(200, "GET", "/api/active", ""))
	if len(got.Calls) != 1 || got.Calls[0].From.Name != "Dee Poe" || got.Calls[0].Legs[1].Match != "contact_owned" {
		t.Errorf("bob sees %+v", got)
	}
	if got := decode[list](t, ann.want(200, "GET", "/api/active", "")); len(got.Calls) != 2 {
		t.Errorf("the owner sees %d calls, want 2", len(got.Calls))
	}
	bob.want(403, "DELETE", "/api/active/a1", "") // it only rings him
	bob.want(404, "DELETE", "/api/active/a2", "")
	cyd.want(204, "DELETE", "/api/active/a2", "")
	ann.want(204, "DELETE", "/api/active/a1", "")
	ann.want(404, "DELETE", "/api/active/a1", "")
}

func TestVoicemails(t *testing.T) {
	r := newRig(t)
	bob, cyd, ann := r.as("bob"), r.as("cyd"), r.as("ann")
	cyd.want(404, "GET", "/api/voicemails/vm1/audio", "")
	cyd.want(404, "DELETE", "/api/voicemails/vm1", "")
	if got := cyd.want(200, "GET", "/api/voicemails", ""); !strings.Contains(got, "vm2") || strings.Contains(got, "vm1") {
		t.Errorf("cyd, whom the main line's rule names, sees %s", got)
	}
	for _, c := range []*client{bob, ann, r.script()} {
		if got := c.want(200, "GET", "/api/voicemails", ""); !strings.Contains(got, "vm2") || !strings.Contains(got, "vm1") {
			t.Errorf("sees only %s", got)
		}
	}
	res, body := bob.do("GET", "/api/voicemails/vm1/audio", "")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "audio/wav" || body != string(r.fake.Audio) {
		t.Errorf("audio: %d %s, %d bytes", res.StatusCode, res.Header.Get("Content-Type"), len(body))
	}
	bob.header.Set("Range", "bytes=0-3")
	if res, body := bob.do("GET", "/api/voicemails/vm1/audio", ""); res.StatusCode != 206 || body != "RIFF" {
		t.Errorf("range: %d %q", res.StatusCode, body)
	}
	bob.header.Del("Range")
	vm := decode[web.Voicemail](t, bob.want(200, "PUT", "/api/voicemails/vm2/heard", `{"heard":true}`))
	if !vm.Heard || vm.HeardBy != "bob" {
		t.Errorf("marked: %+v", vm)
	}
	bob.want(422, "PUT", "/api/voicemails/vm2/heard", `{}`)
	bob.want(204, "DELETE", "/api/voicemails/vm2", "")
	if got := bob.want(200, "GET", "/api/voicemails", ""); strings.Contains(got, "vm2") {
		t.Errorf("a deleted message is listed: %s", got)
	}
}

func TestPhonesAndTrunks(t *testing.T) {
	r := newRig(t)
	bob, ann := r.as("bob"), r.as("ann")
	type list struct{ Registrations []web.Registration }
	if got := decode[list](t, bob.want(200, "GET", "/api/registrations", "")); len(got.Registrations) != 1 || got.Registrations[0].User != "bob" {
		t.Errorf("bob's phones: %+v", got)
	}
	bob.want(403, "GET", "/api/registrations?everybody=true", "")
	bob.want(403, "GET", "/api/trunks", "")
	if got := decode[list](t, ann.want(200, "GET", "/api/registrations?everybody=true", "")); len(got.Registrations) != 2 {
		t.Errorf("everybody's phones: %+v", got)
	}
	if got := ann.want(200, "GET", "/api/trunks", ""); !strings.Contains(got, `"carrier"`) {
		t.Errorf("trunks: %s", got)
	}
}

func TestDemo(t *testing.T) {
	r := newRig(t)
	bob := r.as("bob")
	if got := bob.want(200, "GET", "/api/demo", ""); !strings.Contains(got, "sends back what you say") {
		t.Errorf("demo: %s", got)
	}
	bob.want(202, "POST", "/api/demo/call", "")
	bob.want(202, "POST", "/api/demo/call", `{"from":"+12025550900"}`)
	if got := strings.Join(r.fake.Called, ","); got != "bob ,bob +12025550900" {
		t.Errorf("called %q", got)
	}
	off := newRig(t, func(c *web.Config) { c.Demo = nil }).as("bob")
	off.want(404, "GET", "/api/demo", "")
	off.want(404, "POST", "/api/demo/call", "")
}

type brokenCalls struct{ *webtest.Fake }

func (brokenCalls) Calls(store.CallFilter) ([]store.CallRecord, error) {
	return nil, errors.New("disk on fire at /secret/path")
}

func (brokenCalls) Call(string) (store.CallRecord, error) { panic("no such luck") }

// What fails on our side is told to the log, not to the caller.
func TestOurFailures(t *testing.T) {
	r := newRig(t, func(c *web.Config) { c.Calls = brokenCalls{c.Calls.(*webtest.Fake)} })
	bob := r.as("bob")
	for path, logged := range map[string]string{"/api/calls": "disk on fire", "/api/calls/call6": "no such luck"} {
		res, body := bob.do("GET", path, "")
		if res.StatusCode != 500 || res.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(body, logged) {
			t.Errorf("%s: %d %s %s", path, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if !strings.Contains(r.log.String(), logged) {
			t.Errorf("%s: the log does not say %q", path, logged)
		}
	}
}

func TestMailboxes(t *testing.T) {
	r := newRig(t)
	bob, cyd := r.as("bob"), r.as("cyd")
	var out struct{ Mailboxes []web.MessageBox }
	list := func(c *client) []web.MessageBox {
		out = decode[struct{ Mailboxes []web.MessageBox }](t, c.want(200, "GET", "/api/mailboxes", ""))
		return out.Mailboxes
	}
	if got := list(bob); len(got) == 0 || got[0].ID != "bob" || got[0].PIN || len(got[0].Greetings) != 0 {
		t.Errorf("bob's: %+v", got)
	}
	bob.want(204, "PUT", "/api/mailboxes/bob/pin", `{"pin":"2580"}`)
	bob.want(422, "PUT", "/api/mailboxes/bob/pin", `{"pin":"1234"}`)
	bob.want(422, "PUT", "/api/mailboxes/bob/pin", `{"pin":"abcd"}`)
	cyd.want(404, "PUT", "/api/mailboxes/bob/pin", `{"pin":"2580"}`)
	cyd.want(404, "GET", "/api/mailboxes/bob/greetings/busy", "")
	bob.want(404, "PUT", "/api/mailboxes/nobody/pin", `{"pin":"2580"}`)
	bob.want(204, "PUT", "/api/mailboxes/bob/mail", `{"mail":"link"}`)
	bob.want(422, "PUT", "/api/mailboxes/bob/mail", `{"mail":"loud"}`)
	bob.want(404, "GET", "/api/mailboxes/bob/greetings/busy", "")
	bob.want(204, "PUT", "/api/mailboxes/bob/greetings/busy", "RIFFWAVE")
	bob.want(422, "PUT", "/api/mailboxes/bob/greetings/busy", "MP3")
	bob.want(422, "PUT", "/api/mailboxes/bob/greetings/cheerful", "RIFFWAVE")
	if got := bob.want(200, "GET", "/api/mailboxes/bob/greetings/busy", ""); got != "RIFFWAVE" {
		t.Errorf("the greeting: %q", got)
	}
	if got := list(bob)[0]; !got.PIN || got.Mail != "link" || len(got.Greetings) != 1 || got.Greetings[0] != "busy" {
		t.Errorf("bob's: %+v", got)
	}
	if got := bob.want(202, "POST", "/api/mailboxes/bob/greetings/busy/record", ""); !strings.Contains(got, `"bob bob busy"`) {
		t.Errorf("recording: %s", got)
	}
	bob.want(403, "POST", "/api/mailboxes/bob/greetings/busy/record?user=cyd", "")
	cyd.want(404, "POST", "/api/mailboxes/bob/greetings/busy/record", "")
	bob.want(204, "DELETE", "/api/mailboxes/bob/greetings/busy", "")
	bob.want(204, "DELETE", "/api/mailboxes/bob/greetings/busy", "")
}

func TestVoicemailIsSavedRestoredForwarded(t *testing.T) {
	r := newRig(t)
	bob, cyd := r.as("bob"), r.as("cyd")
	if vm := decode[web.Voicemail](t, bob.want(200, "PUT", "/api/voicemails/vm1/saved", `{"saved":true}`)); !vm.Saved {
		t.Errorf("saved: %+v", vm)
	}
	bob.want(204, "DELETE", "/api/voicemails/vm1", "")
	if got := bob.want(200, "GET", "/api/voicemails", ""); strings.Contains(got, "vm1") {
		t.Errorf("a deleted message is listed: %s", got)
	}
	if got := bob.want(200, "GET", "/api/voicemails?deleted=true", ""); !strings.Contains(got, "vm1") {
		t.Errorf("a deleted message is not listed where it should be: %s", got)
	}
	bob.want(200, "POST", "/api/voicemails/vm1/restore", "")
	bob.want(204, "POST", "/api/voicemails/vm1/forward", `{"to":"cyd"}`)
	bob.want(404, "POST", "/api/voicemails/vm1/forward", `{"to":"nobody"}`)
	for _, what := range []string{"restore", "forward"} {
		cyd.want(404, "POST", "/api/voicemails/vm1/"+what, `{"to":"cyd"}`)
	}
	if got := cyd.want(200, "GET", "/api/voicemails", ""); !strings.Contains(got, "vm1-copy") || !strings.Contains(got, "forwarded_by") {
		t.Errorf("cyd's: %s", got)
	}
}

func TestMails(t *testing.T) {
	r := newRig(t)
	r.fake.Queued = []store.MailJob{{To: "ann@example.com", Text: "secret", Error: "no route", Tries: 2}}
	if got := r.as("ann").want(200, "GET", "/api/mails", ""); !strings.Contains(got, "no route") || strings.Contains(got, "secret") {
		t.Errorf("the queue: %s", got)
	}
	r.as("bob").want(403, "GET", "/api/mails", "")
}
