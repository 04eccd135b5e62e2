package sip

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// Calls by way of carriers.

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
