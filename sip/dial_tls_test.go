package sip

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"strowger/sip/call"
)

// TestTrunkAddressesOfOneName: a carrier has one name and several addresses, of both families, and all but the last are
// broken: the call goes to that one, over TCP and over TLS, where each must show the name's certificate.
func TestTrunkAddressesOfOneName(t *testing.T) {
	cert, roots := certificate(t, "carrier.test")
	wrong, _ := certificate(t, "other.test")
	for _, test := range []struct {
		name, transport string
		broken          func(t *testing.T, at string)
	}{
		{"TCP, refused", "tcp", func(*testing.T, string) {}},
		{"TLS, refused", "tls", func(*testing.T, string) {}},
		{"TLS, closed at once", "tls", closing},
		{"TLS, never answers", "tls", stalling},
		{"TLS, another's certificate", "tls", func(t *testing.T, at string) { shows(t, at, wrong) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			good := listenOn(t, "[::1]:0")
			port := good.Addr().(*net.TCPAddr).Port
			test.broken(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if test.transport == "tls" {
				good = tls.NewListener(good, &tls.Config{Certificates: []tls.Certificate{cert}})
			}
			cfg := newOffice().config()
			cfg.DialTLS = &tls.Config{RootCAs: roots}
			cfg.Resolver = fakeDNS{hosts: map[string][]netip.Addr{
				"carrier.test": {netip.IPv6Loopback(), netip.MustParseAddr("127.0.0.1")}}}
			cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: net.JoinHostPort("carrier.test", strconv.Itoa(port)), Transport: test.transport, Qualify: -1}}
			s := startEdge(t, cfg)
			p := newParty(t)
			leg, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "carrier", Number: "+12025550177"}, SDP: []byte(answerSDP)}, p.post)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := good.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			invite := readMessage(t, conn)
			ring(t, conn, invite)
			p.expect(call.Progress)
			leg.Hangup(call.AnsweredElsewhere)
			if cancel := readMessage(t, conn); cancel.Method() != "CANCEL" || cancel.Branch() != invite.Branch() {
				t.Errorf("CANCEL: %+v", cancel)
			}
		})
	}
}

// TestTrunkFoundByAAAA: a name with nothing but an IPv6 address; its calls are recognised by it.
func TestTrunkFoundByAAAA(t *testing.T) {
	story(t, func(r *rig) {
		r.until("resolved", func(st TrunkStatus) bool { return st.Address == "[2001:db8::2]:5060;transport=udp" })
	}, func(c *Config) {
		c.Resolver = fakeDNS{hosts: map[string][]netip.Addr{"carrier.test": {netip.MustParseAddr("2001:db8::2")}}}
		c.Trunks[0].Server = "carrier.test"
	})
}

func listenOn(t *testing.T, at string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// closing accepts connections and closes them.
func closing(t *testing.T, at string) {
	l := listenOn(t, at)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
}

// stalling takes connections into the backlog and says nothing.
func stalling(t *testing.T, at string) { listenOn(t, at) }

// shows presents that certificate.
func shows(t *testing.T, at string, cert tls.Certificate) {
	l := tls.NewListener(listenOn(t, at), &tls.Config{Certificates: []tls.Certificate{cert}})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).HandshakeContext(t.Context())
			_ = c.Close()
		}
	}()
}
