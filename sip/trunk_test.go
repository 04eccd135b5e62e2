package sip

import (
	"context"
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
