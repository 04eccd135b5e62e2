package sip

import (
	"errors"
	"net/netip"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
)

// What stands in Via and Contact depends on who is to read it.
func TestLocalFor(t *testing.T) {
	for _, test := range []struct{ name, listen, public, dest, host string }{
		{"bound, no public host", "127.0.0.1:0", "", "203.0.113.9:5060", "127.0.0.1"},
		{"public destination", "127.0.0.1:0", "sip.example.org", "203.0.113.9:5060", "sip.example.org"},
		{"own network", "127.0.0.1:0", "sip.example.org", "192.168.1.9:5060", "127.0.0.1"},
		{"private network over the Internet", "127.0.0.1:0", "sip.example.org", "100.101.102.103:5060", "127.0.0.1"},
		{"own network, in a container", "127.0.0.1:0", "192.168.1.2", "192.168.1.9:5060", "192.168.1.2"},
		{"same machine, in a container", "127.0.0.1:0", "192.168.1.2", "127.0.0.1:5060", "127.0.0.1"},
		{"own network behind NAT", "127.0.0.1:0", "203.0.113.7", "192.168.1.9:5060", "127.0.0.1"},
		{"same machine", "127.0.0.1:0", "sip.example.org", "127.0.0.1:5060", "127.0.0.1"},
		{"all addresses", "0.0.0.0:0", "", "127.0.0.1:5060", "127.0.0.1"},
	} {
		cfg := newOffice().config()
		cfg.UDP, cfg.TCP, cfg.PublicHost = test.listen, "", test.public
		s := startEdge(t, cfg)
		host, port := s.localFor("UDP", test.dest)
		if want := netip.MustParseAddrPort(s.Addrs().UDP).Port(); host != test.host || port != int(want) {
			t.Errorf("%s: %s:%d, want %s:%d", test.name, host, port, test.host, want)
		}
	}
}

// TestPublicHostOfTheFamily: a peer of IPv6 is told the IPv6 address, or none of ours that it cannot use.
func TestPublicHostOfTheFamily(t *testing.T) {
	for _, test := range []struct{ public, public6, target, want string }{
		{"203.0.113.7", "2001:db8::7", "198.51.100.1", "203.0.113.7"},
		{"203.0.113.7", "2001:db8::7", "2001:db8:1::1", "[2001:db8::7]"},
		{"203.0.113.7", "", "2001:db8:1::1", ""},
		{"203.0.113.7", "2001:db8::7", "fd00::1", ""},
		{"203.0.113.7", "2001:db8::7", "::1", ""},
		{"2001:db8::7", "", "2001:db8:1::1", "[2001:db8::7]"},
		{"2001:db8::7", "", "198.51.100.1", ""},
		{"sip.example.org", "", "2001:db8:1::1", "sip.example.org"},
	} {
		s := &Server{cfg: Config{PublicHost: test.public, PublicHost6: test.public6}}
		if got := s.publicHost(netip.MustParseAddr(test.target)); got != test.want {
			t.Errorf("%s and %s toward %s: %q, want %q", test.public, test.public6, test.target, got, test.want)
		}
	}
}

// No request is sent where the DNS would have to be asked, or to a browser that is gone.
func TestSendRefuses(t *testing.T) {
	s := startEdge(t, newOffice().config())
	request := func(transport, dest string) error {
		req := sipmsg.NewRequest(sipmsg.OPTIONS, sipmsg.Uri{Scheme: "sip", Host: "x7f.invalid"})
		req.SetTransport(transport)
		req.SetDestination(dest)
		_, err := s.send(t.Context(), req)
		return err
	}
	if err := request("UDP", "x7f.invalid:5060"); err == nil {
		t.Error("a name was sent to")
	}
	if err := request("WS", "192.0.2.1:4711"); !errors.Is(err, errFlowGone) {
		t.Errorf("a closed WebSocket: %v", err)
	}
	if err := request("SCTP", "192.0.2.1:5060"); err == nil {
		t.Error("sent over an unknown transport")
	}
}

func TestOwnNames(t *testing.T) {
	o := newOwnNames(Config{Realm: "Example.org", PublicHost: "203.0.113.1", Domains: []string{"pbx.local"}, UDP: "10.0.0.1:5060", TLS: "[::]:5061"})
	for host, want := range map[string]bool{
		"example.org": true, "PBX.local": true, "203.0.113.1": true, "10.0.0.1": true, "127.0.0.1": true, "[::1]": true,
		"example.com": false, "10.0.0.2": false, "": false,
	} {
		if o.has(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}
