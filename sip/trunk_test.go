package sip

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// fakeDNS answers from tables.
type fakeDNS struct {
	srv   map[string][]*net.SRV   // by _service._proto.name
	hosts map[string][]netip.Addr // by host
}

func (d fakeDNS) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if list := d.srv["_"+service+"._"+proto+"."+name]; list != nil {
		return name, list, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (d fakeDNS) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if list := d.hosts[host]; list != nil {
		return list, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// lateDNS knows nothing until it works.
type lateDNS struct {
	fakeDNS
	works atomic.Bool
}

func (d *lateDNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if !d.works.Load() {
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	}
	return d.fakeDNS.LookupNetIP(ctx, network, host)
}

// withTrunk changes the rig's trunk.
func withTrunk(change func(*TrunkConfig)) func(*Config) {
	return func(c *Config) { change(&c.Trunks[0]) }
}

func (r *rig) status() TrunkStatus { return r.srv.TrunkStatuses()[0] }

// until waits for a state of the trunk.
func (r *rig) until(what string, ok func(TrunkStatus) bool) {
	r.Helper()
	for range 10000 {
		if ok(r.status()) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.Fatalf("trunk never was %s: %+v", what, r.status())
}

// challenged answers a request with 401 or 407 and returns the next try.
func challenged(t *testing.T, d *siptest.Dialog, req *siptest.Message, code int, headers ...string) *siptest.Message {
	t.Helper()
	d.Reply(req, code, "", headers...)
	if req.Method() == "INVITE" {
		d.Phone.Expect("ACK")
	}
	return d.Phone.Expect(req.Method())
}

// checkAuth verifies a digest response as the carrier would.
func checkAuth(t *testing.T, m *siptest.Message, header, algorithm string) {
	t.Helper()
	c, ok := parseAuthorization(m.Get(header))
	if !ok || !strings.EqualFold(c.algorithm, algorithm) {
		t.Fatalf("%s %s: %q, want %s", m.Method(), header, m.Get(header), algorithm)
	}
	md5, sha := HA1("acct", "carrier.test", "hunter2")
	ha1 := md5
	if algorithm == "SHA-256" {
		ha1 = sha
	}
	if want := digestResponse(algorithm == "SHA-256", ha1, m.Method(), c); c.response != want || c.uri != m.URI() {
		t.Errorf("%s: response %s, want %s (uri %s)", m.Method(), c.response, want, c.uri)
	}
}

const (
	askMD5 = `WWW-Authenticate: Digest realm="carrier.test", nonce="n1", algorithm=MD5, qop="auth,auth-int"`
	askSHA = `WWW-Authenticate: Digest realm="carrier.test", nonce="n2", algorithm=SHA-256, qop="auth"`
)

func account(c *TrunkConfig) { c.Username, c.Password = "acct", "hunter2" }

func byTrunk(req *call.DialRequest) {
	req.To = call.Endpoint{Trunk: "carrier", Number: "+12025550177"}
}

func TestTrunkRegisters(t *testing.T) {
	story(t, func(r *rig) {
		var changes []string
		r.srv.OnTrunkChange(func(st TrunkStatus) { changes = append(changes, st.State) })
		first := r.carrier.Expect("REGISTER")
		d := r.carrier.Accept(first)
		second := challenged(t, d, first, 401, askMD5, askSHA)
		checkAuth(t, second, "Authorization", "SHA-256")
		if first.URI() != "sip:10.0.0.2:5060" || !strings.Contains(first.Get("To"), "sip:acct@") {
			t.Errorf("REGISTER: %+v", first)
		}
		d.Reply(second, 423, "", "Min-Expires: 1200")
		third := r.carrier.Expect("REGISTER")
		if third.Get("Expires") != "1200" || third.Get("Call-ID") != first.Get("Call-ID") {
			t.Errorf("after 423: %+v", third)
		}
		d.Reply(third, 200, "", "Contact: "+third.Get("Contact")+";expires=1000, <sip:acct@10.9.9.9>;expires=5")
		r.until("up", func(st TrunkStatus) bool { return st.State == TrunkUp })
		if left := time.Until(r.status().Registered); left > 1000*time.Second || left < 990*time.Second {
			t.Errorf("registered for %v, want 1000 s", left)
		}

		// The registrar is lost: the refresh at three quarters fails, again and again.
		start := time.Now()
		r.carrier.NextWithin("REGISTER", time.Hour)
		if took := time.Since(start).Round(time.Second); took < 745*time.Second || took > 750*time.Second {
			t.Errorf("refresh after %v, want 750 s", took)
		}
		r.until("failing", func(st TrunkStatus) bool { return strings.Contains(st.LastError, "no response") })
		r.until("down", func(st TrunkStatus) bool { return st.State == TrunkDown })
		var pauses []time.Duration
		for last := time.Now(); len(pauses) < 10; {
			r.carrier.NextWithin("REGISTER", time.Hour)
			pauses = append(pauses, time.Since(last).Round(time.Second))
			last = time.Now()
		}
		if slices.Max(pauses) > 70*time.Second {
			t.Errorf("pauses grow too long: %v", pauses)
		}
		// And it is back.
		for r.status().State != TrunkUp {
			again := r.carrier.NextWithin("REGISTER", time.Hour)
			d.Reply(again, 200, "", "Expires: 600")
			time.Sleep(time.Millisecond)
		}
		if st := r.status(); st.LastError != "" || st.Registered.IsZero() {
			t.Errorf("recovered: %+v", st)
		}
		if want := []string{TrunkUp, TrunkUp, TrunkDown}; len(changes) < 4 || !slices.Equal(changes[:3], want) || changes[len(changes)-1] != TrunkUp {
			t.Errorf("changes: %v", changes)
		}
	}, withTrunk(func(c *TrunkConfig) { account(c); c.Register = true }))
}

func TestTrunkWrongPassword(t *testing.T) {
	story(t, func(r *rig) {
		first := r.carrier.Expect("REGISTER")
		d := r.carrier.Accept(first)
		second := challenged(t, d, first, 401, askMD5)
		checkAuth(t, second, "Authorization", "MD5")
		d.Reply(second, 401, "", `WWW-Authenticate: Digest realm="carrier.test", nonce="n3", qop="auth"`)
		r.until("down", func(st TrunkStatus) bool { return st.State == TrunkDown })
		if st := r.status(); !strings.Contains(st.LastError, "401") || st.NextTry.IsZero() {
			t.Errorf("status: %+v", st)
		}
	}, withTrunk(func(c *TrunkConfig) { account(c); c.Register = true }))
}

func TestTrunkQualify(t *testing.T) {
	story(t, func(r *rig) {
		ping := r.carrier.Expect("OPTIONS")
		d := r.carrier.Accept(ping)
		time.Sleep(20 * time.Millisecond)
		d.Reply(ping, 404, "")
		r.until("up", func(st TrunkStatus) bool { return st.State == TrunkUp })
		if st := r.status(); st.Latency < 20*time.Millisecond || st.Latency > 30*time.Millisecond {
			t.Errorf("latency %v, want 20 ms", st.Latency)
		}
		r.carrier.NextWithin("OPTIONS", 2*time.Minute) // not answered
		r.until("down", func(st TrunkStatus) bool { return st.State == TrunkDown })
		if list := r.srv.Trunks("+12025550177", ""); len(list) != 1 || list[0].Trunk != "carrier" {
			t.Errorf("a trunk that is down is still the last resort: %v", list)
		}
		d.Reply(r.carrier.NextWithin("OPTIONS", time.Minute), 200, "")
		r.until("up", func(st TrunkStatus) bool { return st.State == TrunkUp && st.LastError == "" })
	}, withTrunk(func(c *TrunkConfig) { c.Qualify = time.Minute }))
}

func TestTrunkDigest(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP, byTrunk)
		first := r.carrier.Expect("INVITE")
		d := r.carrier.Accept(first)
		second := challenged(t, d, first, 407, strings.Replace(askMD5, "WWW", "Proxy", 1))
		checkAuth(t, second, "Proxy-Authorization", "MD5")
		n1, _ := first.CSeq()
		if n2, _ := second.CSeq(); n2 != n1+1 || second.Tag("From") != first.Tag("From") || second.Get("Call-ID") != first.Get("Call-ID") {
			t.Errorf("second try: %+v", second)
		}
		// The nonce went stale meanwhile.
		third := challenged(t, d, second, 407, `Proxy-Authenticate: Digest realm="carrier.test", nonce="n9", stale=true, algorithm=MD5, qop="auth"`)
		checkAuth(t, third, "Proxy-Authorization", "MD5")
		d = r.carrier.Accept(third)
		d.Reply(third, 200, offerSDP)
		if ack := r.carrier.Expect("ACK"); ack.Get("Proxy-Authorization") != third.Get("Proxy-Authorization") {
			t.Error("ACK without the INVITE's credentials")
		}
		p.expect(call.Answered)

		p.leg.Reinvite([]byte(holdSDP))
		reinvite := r.carrier.Expect("INVITE")
		checkAuth(t, reinvite, "Proxy-Authorization", "MD5") // ahead of time, with the nonce of before
		reinvite = challenged(t, d, reinvite, 407, `Proxy-Authenticate: Digest realm="carrier.test", nonce="n10", algorithm=MD5, qop="auth"`)
		checkAuth(t, reinvite, "Proxy-Authorization", "MD5")
		d.Reply(reinvite, 200, offerSDP)
		r.carrier.Expect("ACK")
		p.expect(call.Reanswered)

		p.leg.Hangup(call.Reason{})
		bye := r.carrier.Expect("BYE")
		bye = challenged(t, d, bye, 401, askSHA)
		checkAuth(t, bye, "Authorization", "SHA-256")
		d.Reply(bye, 200, "")
		p.expect(call.Ended)
	}, withTrunk(account))
}

func TestTrunkWrongPasswordOnCall(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP, byTrunk)
		first := r.carrier.Expect("INVITE")
		d := r.carrier.Accept(first)
		second := challenged(t, d, first, 401, askMD5)
		d.Reply(second, 401, "", strings.Replace(askMD5, "n1", "n2", 1))
		r.carrier.Expect("ACK")
		if e := p.expect(call.Failed); e.Code != 401 {
			t.Errorf("failed: %+v", e)
		}
		p.quiet(time.Minute)
	}, withTrunk(account))
}

func TestTrunkCallerID(t *testing.T) {
	ann := call.Party{Number: "+12025550001", Name: "Ann"}
	hidden := call.Party{Number: anonymous}
	for _, tc := range []struct {
		name     string
		change   func(*TrunkConfig)
		from     call.Party
		asserted call.Party
		want     map[string]string // header: prefix
	}{
		{"both", func(*TrunkConfig) {}, ann, call.Party{}, map[string]string{
			"From": `"Ann" <sip:+12025550001@10.0.0.2>;tag=`, "P-Asserted-Identity": `"Ann" <sip:+12025550001@10.0.0.2>`,
			"To": "<sip:+12025550177@10.0.0.2>", "Privacy": ""}},
		{"plain, from", func(c *TrunkConfig) { c.CallerID, c.NumberFormat = "from", "plain" }, ann, call.Party{}, map[string]string{
			"From": `"Ann" <sip:12025550001@`, "P-Asserted-Identity": "", "To": "<sip:12025550177@"}},
		{"national, pai", func(c *TrunkConfig) { account(c); c.CallerID, c.NumberFormat, c.Region = "pai", "national", "US" }, ann, call.Party{},
			map[string]string{"From": `"Ann" <sip:acct@`, "P-Asserted-Identity": `"Ann" <sip:2025550001@`, "To": "<sip:2025550177@"}},
		{"anonymous", func(*TrunkConfig) {}, hidden, ann, map[string]string{
			"From": `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=`, "P-Asserted-Identity": `"Ann" <sip:+12025550001@`, "Privacy": "id"}},
		{"anonymous, from only", func(c *TrunkConfig) { c.Privacy = "from" }, hidden, ann, map[string]string{
			"From": `"Anonymous" <sip:anonymous@anonymous.invalid>;tag=`, "P-Asserted-Identity": "", "Privacy": ""}},
		{"domain", func(c *TrunkConfig) { c.Domain = "carrier.test" }, ann, call.Party{}, map[string]string{
			"From": `"Ann" <sip:+12025550001@carrier.test>`, "To": "<sip:+12025550177@carrier.test>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			story(t, func(r *rig) {
				r.dials(answerSDP, byTrunk, func(d *call.DialRequest) {
					d.From, d.Asserted = tc.from, tc.asserted
					d.Diverted = []call.Party{{Number: "+12025550005"}, {Number: "+12025550006", Name: "Main"}}
				})
				invite := r.carrier.Expect("INVITE")
				for header, want := range tc.want {
					if got := invite.Get(header); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
						t.Errorf("%s: %q, want %q", header, got, want)
					}
				}
				div := invite.All("Diversion")
				if len(div) != 2 || !strings.HasPrefix(div[0], `"Main" <sip:`) || !strings.Contains(div[0], "2025550006") || !strings.Contains(div[1], "2025550005") {
					t.Errorf("Diversion: %v, want the nearest first", div)
				}
			}, withTrunk(func(c *TrunkConfig) { c.Diversion = true; tc.change(c) }))
		})
	}
}

// The first server of the SRV records is dead, the second refuses with 503, the third takes the call.
func TestTrunkFailover(t *testing.T) {
	dns := fakeDNS{
		srv: map[string][]*net.SRV{"_sip._udp.carrier.test": {
			{Target: "c.carrier.test.", Port: 5062, Priority: 20, Weight: 1},
			{Target: "b.carrier.test.", Port: 5060, Priority: 10},
			{Target: "a.carrier.test.", Port: 5060, Priority: 5},
		}},
		hosts: map[string][]netip.Addr{
			"a.carrier.test": {netip.MustParseAddr("10.0.0.77")},
			"b.carrier.test": {netip.MustParseAddr("10.0.0.2")},
			"c.carrier.test": {netip.MustParseAddr("10.0.0.3")},
		},
	}
	story(t, func(r *rig) {
		p := r.dials(answerSDP, byTrunk)
		start := time.Now()
		invite := r.carrier.Expect("INVITE")
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("second address after %v, want 6 s", took)
		}
		if invite.URI() != "sip:+12025550177@carrier.test" {
			t.Errorf("INVITE %s", invite.URI())
		}
		r.carrier.Accept(invite).Reply(invite, 503, "")
		r.carrier.Expect("ACK")
		invite = r.phone.Expect("INVITE")
		r.phone.Accept(invite).Reply(invite, 200, offerSDP)
		p.expect(call.Answered)

		// The next call goes there at once: the others have failed a moment ago.
		p = r.dials(answerSDP, byTrunk)
		invite = r.phone.ExpectAny("INVITE", "ACK")
		if invite.Method() == "ACK" {
			invite = r.phone.Expect("INVITE")
		}
		r.phone.Accept(invite).Reply(invite, 486, "")
		if e := p.expect(call.Failed); e.Code != 486 {
			t.Errorf("failed: %+v", e)
		}
		r.carrier.Silent(10 * time.Second)
	}, func(c *Config) {
		c.Resolver = dns
		c.Trunks[0].Server = "carrier.test"
	})
}

func TestTrunkUnreachable(t *testing.T) {
	story(t, func(r *rig) {
		p := r.dials(answerSDP, byTrunk)
		if e := p.expect(call.Failed); e.Code != 408 {
			t.Errorf("failed: %+v", e)
		}
		p = r.dials(answerSDP, func(d *call.DialRequest) { d.To = call.Endpoint{Trunk: "nowhere", Number: "+1"} })
		if e := p.expect(call.Failed); e.Code != 503 {
			t.Errorf("failed: %+v", e)
		}
		if _, err := r.srv.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "missing"}}, p.post); err == nil {
			t.Error("dialled a trunk that does not exist")
		}
		if n := r.status().Active; n != 0 {
			t.Errorf("%d calls active, want 0", n)
		}
	}, func(c *Config) {
		c.Resolver = fakeDNS{}
		c.Trunks = append(c.Trunks, TrunkConfig{Name: "nowhere", Server: "nowhere.test", Qualify: -1})
	})
}

func TestTrunkChoice(t *testing.T) {
	story(t, func(r *rig) {
		names := func(number string) (out []string) {
			for _, e := range r.srv.Trunks(number, "") {
				out = append(out, e.Trunk)
			}
			return out
		}
		if got, want := names("+4930123"), []string{"heavy", "carrier", "light"}; !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
		if got, want := names("+12025550177"), []string{"heavy", "carrier", "light", "us"}; !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
		r.dials(answerSDP, func(d *call.DialRequest) { d.To = call.Endpoint{Trunk: "heavy", Number: "+1"} })
		if got, want := names("+4930123"), []string{"carrier", "light"}; !slices.Equal(got, want) {
			t.Errorf("with heavy full: %v, want %v", got, want)
		}
	}, func(c *Config) {
		server := func(name string) TrunkConfig {
			return TrunkConfig{Name: name, Server: "10.0.0.50", Qualify: -1, Priority: 1}
		}
		heavy, light, us := server("heavy"), server("light"), server("us")
		heavy.Weight, heavy.MaxCalls = 9, 1
		light.Weight = 1
		us.Numbers, us.Priority = []string{"+1"}, 2
		c.Trunks[0].Priority, c.Trunks[0].Weight = 1, 5
		c.Trunks = append(c.Trunks, light, us, heavy)
	})
}

func TestTrunkRecognition(t *testing.T) {
	story(t, func(r *rig) {
		from := func(source, uri string) string {
			req := sipmsg.NewRequest(sipmsg.INVITE, sipmsg.Uri{Scheme: "sip", User: uri, Host: "10.0.0.1"})
			req.SetSource(source)
			req.SetTransport("UDP")
			if found := r.srv.trunkOf(req); found != nil {
				return found.cfg.Name
			}
			return ""
		}
		for source, want := range map[string]string{
			"10.0.0.2:5060": "carrier", "10.0.0.2:1024": "carrier", "10.0.0.3:5060": "",
			"192.0.2.9:5060": "network", "[2001:db8::7]:5060": "network", "127.0.0.1:5070": "local", "127.0.0.1:5071": "",
		} {
			if got := from(source, "x"); got != want {
				t.Errorf("%s is %q, want %q", source, got, want)
			}
		}
		if got := from("192.0.2.9:5060", "second"); got != "second" {
			t.Errorf("the account that was called: %q, want second", got)
		}
		d := r.phone.NewDialog("sip:1@10.0.0.3", "sip:+12025550001@10.0.0.1")
		d.Do("INVITE", offerSDP)
		d.AckError(r.phone.Expect("401"))
	}, func(c *Config) {
		prefixes := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
		c.Trunks = append(c.Trunks, TrunkConfig{Name: "network", Server: "10.0.0.50", Qualify: -1, Addresses: prefixes},
			TrunkConfig{Name: "second", Username: "second", Server: "10.0.0.51", Qualify: -1, Addresses: prefixes},
			TrunkConfig{Name: "local", Server: "127.0.0.1:5070", Qualify: -1})
	})
}

// An outside line to which a number forwards may forward to that number: the call comes back, and is not sent out again.
func TestForwardingLoop(t *testing.T) {
	story(t, func(r *rig) {
		for _, test := range []struct {
			to, diversion string
			loop          bool
		}{
			{"sip:+12025550001@10.0.0.1", `"Main" <sip:12025550001@10.0.0.2>;reason=unconditional`, true},
			{"sip:+12025550001@10.0.0.1", `<sip:+12025550190@10.0.0.2>, <tel:+1-202-555-0001>;reason=user-busy`, true},
			{"sip:+12025550001@10.0.0.1", `<sip:+12025550190@10.0.0.2>;reason=unconditional`, false},
		} {
			d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", test.to)
			d.Do("INVITE", offerSDP, "Diversion: "+test.diversion)
			if test.loop {
				d.AckError(r.carrier.Expect("482"))
				continue
			}
			in := <-r.incoming
			if in.MaxForwards != 70 {
				t.Errorf("Max-Forwards %d came in as %d", 70, in.MaxForwards)
			}
			in.Leg.Reject(486, "", call.Reason{})
			d.AckError(r.carrier.Expect("486"))
		}
		r.dials(answerSDP, byTrunk, func(d *call.DialRequest) { d.MaxForwards = 12 })
		if got := r.carrier.Expect("INVITE").All("Max-Forwards"); len(got) != 1 || got[0] != "12" {
			t.Errorf("Max-Forwards %v, want 12", got)
		}
	})
}

// A carrier that calls the Contact which we registered puts the number into To.
func TestTrunkCallsAccount(t *testing.T) {
	story(t, func(r *rig) {
		d := r.carrier.NewDialog("sip:+12025550900@10.0.0.2", "sip:+12025550001@10.0.0.1")
		d.Target = "sip:acct@10.0.0.1:5060"
		d.Do("INVITE", offerSDP)
		in := <-r.incoming
		if in.To != "+12025550001" || r.status().Active != 1 {
			t.Errorf("incoming to %q", in.To)
		}
		in.Leg.Reject(404, "", call.Reason{})
		d.AckError(r.carrier.Expect("404"))
		if r.status().Active != 0 {
			t.Error("the refused call still counts")
		}
	}, withTrunk(account))
}

func TestTrunkConfigValidate(t *testing.T) {
	for _, tc := range []struct {
		cfg  TrunkConfig
		want string
	}{
		{TrunkConfig{Name: "a", Server: "sip.carrier.test"}, ""},
		{TrunkConfig{Name: "a", Server: "[2001:db8::1]:5061", Transport: "TLS", Username: "u", Register: true}, ""},
		{TrunkConfig{}, "name is missing"},
		{TrunkConfig{Name: "a"}, "server is missing"},
		{TrunkConfig{Name: "a", Server: "host:99999"}, "HOST:PORT"},
		{TrunkConfig{Name: "a", Server: "h", Transport: "sctp"}, "udp, tcp, tls"},
		{TrunkConfig{Name: "a", Server: "h", Register: true}, "needs a username"},
		{TrunkConfig{Name: "a", Server: "h", NumberFormat: "x"}, "e164, plain, national"},
		{TrunkConfig{Name: "a", Server: "h", Expires: time.Second}, "1m to 24h"},
		{TrunkConfig{Name: "a", Server: "h", NoResponse: time.Minute}, "1s to 32s"},
	} {
		err := tc.cfg.Validate()
		if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%+v: %v, want %q", tc.cfg, err, tc.want)
		}
	}
}

// A carrier that calls from anywhere proves itself by digest.
func TestTrunkByDigest(t *testing.T) {
	story(t, func(r *rig) {
		d := r.phone.NewDialog("sip:+12025550900@10.0.0.3", "sip:+12025550001@10.0.0.1")
		first := d.Do("INVITE", offerSDP)
		asked := r.phone.Expect("401")
		d.AckError(asked)
		try := func(password string) {
			creds := &credentials{username: "roamer", password: password}
			res := sipmsg.NewResponse(401, "")
			for _, v := range asked.All("WWW-Authenticate") {
				res.AppendHeader(sipmsg.NewHeader("WWW-Authenticate", v))
			}
			if !creds.answer(res) {
				t.Fatal("challenge not understood")
			}
			d.Do("INVITE", offerSDP, "Authorization: "+creds.response(creds.origin, "INVITE", first.URI()))
		}
		try("wrong")
		asked = r.phone.Expect("401")
		d.AckError(asked)
		try("road-song")
		in := <-r.incoming
		if in.Trunk != "roaming" || in.Kind != "trunk" || in.User != "" {
			t.Errorf("incoming: %+v", in)
		}
		in.Leg.Reject(404, "", call.Reason{})
		d.AckError(r.phone.Expect("404"))
	}, func(c *Config) {
		c.Trunks = append(c.Trunks, TrunkConfig{Name: "roaming", Server: "10.0.0.90", Qualify: -1, CallerUsername: "roamer", CallerPassword: "road-song"})
	})
}

// A call that nobody takes shows that the carrier is gone, long before the next OPTIONS is due.
func TestTrunkLostOnCall(t *testing.T) {
	story(t, func(r *rig) {
		ping := r.carrier.Expect("OPTIONS")
		d := r.carrier.Accept(ping)
		d.Reply(ping, 200, "")
		r.until("up", func(st TrunkStatus) bool { return st.State == TrunkUp })
		p := r.dials(answerSDP, byTrunk)
		r.carrier.Expect("INVITE")
		if e := p.expect(call.Failed); e.Code != 408 {
			t.Errorf("failed: %+v", e)
		}
		if st := r.status(); st.State != TrunkDown || !strings.HasPrefix(st.LastError, "INVITE") {
			t.Errorf("status: %+v", st)
		}
		d.Reply(r.carrier.Expect("OPTIONS"), 200, "")
		r.until("up", func(st TrunkStatus) bool { return st.State == TrunkUp && st.LastError == "" })
	}, withTrunk(func(c *TrunkConfig) { c.Qualify = time.Hour }))
}

// Over TLS the certificate is checked against the carrier's name, though the address was looked up by us.
func TestTrunkTLS(t *testing.T) {
	cert, roots := certificate(t, "carrier.test")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port := splitHostPort(listener.Addr().String())
	cfg := newOffice().config()
	cfg.DialTLS = &tls.Config{RootCAs: roots}
	cfg.Resolver = fakeDNS{
		srv:   map[string][]*net.SRV{"_sips._tcp.carrier.test": {{Target: "localhost.", Port: uint16(port)}}},
		hosts: map[string][]netip.Addr{"localhost": {netip.MustParseAddr("127.0.0.1")}},
	}
	cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: "carrier.test", Transport: "tls", Qualify: -1}}
	s := startEdge(t, cfg)
	p := newParty(t)
	leg, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "carrier", Number: "+12025550177"}, SDP: []byte(answerSDP)}, p.post)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	invite := readMessage(t, conn)
	if invite.URI() != "sip:+12025550177@carrier.test;transport=tls" || !strings.HasPrefix(invite.Get("Via"), "SIP/2.0/TLS ") {
		t.Errorf("INVITE: %+v", invite)
	}
	ring(t, conn, invite)
	p.expect(call.Progress)
	leg.Hangup(call.AnsweredElsewhere)
	if cancel := readMessage(t, conn); cancel.Method() != "CANCEL" || cancel.Branch() != invite.Branch() {
		t.Errorf("CANCEL: %+v", cancel)
	}
}

// readMessage reads one message, written at once, from a stream.
func readMessage(t *testing.T, conn net.Conn) *siptest.Message {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	m, err := siptest.Parse(string(buf[:n]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ring answers an INVITE with 180 on a stream.
func ring(t *testing.T, conn net.Conn, invite *siptest.Message) {
	t.Helper()
	text := "SIP/2.0 180 Ringing\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		text += name + ": " + invite.Get(name) + "\r\n"
	}
	if _, err := conn.Write([]byte(text + "Content-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
}

// certificate makes a self-signed one for these names and localhost.
func certificate(t *testing.T, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: append(names, "localhost"),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// The carrier's connection breaks while it rings: the next trunk can be tried at once.
func TestTrunkConnectionLost(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := newOffice().config()
	cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: listener.Addr().String(), Transport: "tcp", Qualify: -1}}
	s := startEdge(t, cfg)
	p := newParty(t)
	if _, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "carrier", Number: "+12025550177"}, SDP: []byte(answerSDP)}, p.post); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ring(t, conn, readMessage(t, conn))
	p.expect(call.Progress)
	_ = conn.Close()
	if e := p.expect(call.Failed); e.Code != 503 {
		t.Errorf("failed: %+v", e)
	}
}

// A name that cannot be found at first, and later can: the carrier's calls are recognised then.
func TestTrunkNameAppears(t *testing.T) {
	dns := &lateDNS{fakeDNS: fakeDNS{hosts: map[string][]netip.Addr{"carrier.test": {netip.MustParseAddr("10.0.0.2")}}}}
	story(t, func(r *rig) {
		r.until("unresolved", func(st TrunkStatus) bool { return st.LastError != "" && st.Address == "" })
		dns.works.Store(true)
		r.until("resolved", func(st TrunkStatus) bool { return st.LastError == "" && st.Address == "10.0.0.2:5060;transport=udp" })
		d, p := r.calls(offerSDP)
		p.leg.Hangup(call.Reason{})
		d.AckError(r.carrier.Expect("480"))
		p.expect(call.Ended)
	}, func(c *Config) {
		c.Resolver = dns
		c.Trunks[0].Server = "carrier.test"
	})
}

// What a carrier writes into Contact and Record-Route: names of its own, names that exist, and names that do not.
func TestTrunkContactNames(t *testing.T) {
	dns := fakeDNS{hosts: map[string][]netip.Addr{
		"carrier.test": {netip.MustParseAddr("10.0.0.2")}, "gw.carrier.test": {netip.MustParseAddr("10.0.0.3")},
	}}
	for contact, want := range map[string]string{
		"sip:x@carrier.test": "carrier", "sip:x@gw.carrier.test:5062": "gateway", "sip:x@lost.carrier.test": "carrier",
		"sip:x@10.0.0.3:5062": "gateway", "sip:x@abc.invalid": "carrier",
	} {
		t.Run(contact, func(t *testing.T) {
			story(t, func(r *rig) {
				p := r.dials(answerSDP, byTrunk)
				invite := r.carrier.Expect("INVITE")
				res := r.carrier.Accept(invite).Response(invite, 200, offerSDP)
				for i := range res.Headers {
					if res.Headers[i].Name == "Contact" {
						res.Headers[i].Value = "<" + contact + ">"
					}
				}
				r.carrier.Send(res)
				at := map[string]*siptest.Phone{"carrier": r.carrier, "gateway": r.phone}[want]
				if ack := at.Expect("ACK"); ack.URI() != contact {
					t.Errorf("ACK %s", ack.URI())
				}
				p.expect(call.Answered)
				p.leg.Hangup(call.Reason{})
				at.Expect("BYE")
			}, func(c *Config) {
				c.Resolver = dns
				c.Trunks[0].Server = "carrier.test"
			})
		})
	}
}
