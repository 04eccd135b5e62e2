package media

import (
	"net/netip"
	"testing"
)

func TestAddressOfSDP(t *testing.T) {
	addr := func(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }
	for _, test := range []struct{ name, bound, public, reached, want string }{
		{"unknown", "0.0.0.0", "203.0.113.7", "", "203.0.113.7"},
		{"from outside", "0.0.0.0", "203.0.113.7", "203.0.113.7", "203.0.113.7"},
		{"in our network", "0.0.0.0", "203.0.113.7", "10.0.0.5", "10.0.0.5"},
		{"of another family than the sockets", "0.0.0.0", "203.0.113.7", "fd00::5", "203.0.113.7"},
		{"bound there", "10.0.0.5", "203.0.113.7", "10.0.0.5", "10.0.0.5"},
		{"bound elsewhere", "10.0.0.6", "203.0.113.7", "10.0.0.5", "10.0.0.6"},
		{"bound elsewhere, from outside", "10.0.0.6", "203.0.113.7", "203.0.113.7", "203.0.113.7"},
	} {
		e := &Engine{cfg: Config{BindIP: addr(test.bound), PublicIP: addr(test.public)}}
		if got := e.addressFor(addr(test.reached)); got != addr(test.want) {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
}
