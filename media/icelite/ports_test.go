package icelite

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
)

func TestCandidates(t *testing.T) {
	m := listen(t, Config{TCP: "127.0.0.1:0", Public: []netip.Addr{netip.MustParseAddr("203.0.113.9")}})
	var lines []string
	last := uint32(1<<32 - 1)
	for _, c := range m.Candidates() {
		lines = append(lines, c.String())
		if c.Priority >= last {
			t.Errorf("%v: priorities must fall", c)
		}
		last = c.Priority
	}
	for i, want := range []string{"udp 2130706431 203.0.113.9 ", "udp 2130706175 127.0.0.1 ", "tcp 1526726655 203.0.113.9 ", "tcp 1526726399 127.0.0.1 "} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Fatalf("candidates %q: want %q at %d", lines, want, i)
		}
	}
}

func TestWildcardListensOnEveryAddress(t *testing.T) {
	for _, at := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		testWildcard(t, at)
	}
}

func testWildcard(t *testing.T, at string) {
	m := listen(t, Config{UDP: at})
	list := m.Candidates()
	if len(list) == 0 || !list[len(list)-1].Addr.Addr().IsLoopback() {
		t.Fatalf("candidates %v: want loopback last", list)
	}
	for _, c := range list {
		if c.Addr.Port() != m.Addr().Port() || c.Addr.Addr().IsUnspecified() {
			t.Errorf("candidate %v", c)
		}
	}
}

func TestFollowsTheHostsAddresses(t *testing.T) {
	one, two, three := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("192.0.2.1") // the last is not ours
	ips := []netip.Addr{one}
	host := func() ([]netip.Addr, error) { return ips, nil }
	m, err := listenOn(Config{UDP: "0.0.0.0:0", TCP: "0.0.0.0:0"}, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	port := m.Addr().Port()
	for _, step := range []struct{ host, want []netip.Addr }{
		{[]netip.Addr{one, two}, []netip.Addr{one, two}},
		{[]netip.Addr{two, three}, []netip.Addr{two}},
		{nil, []netip.Addr{two}},
		{[]netip.Addr{one}, []netip.Addr{one}},
	} {
		ips = step.host
		m.udp.follow()
		m.tcp.follow()
		var got []netip.Addr
		for _, c := range m.Candidates() {
			if !c.TCP {
				got = append(got, c.Addr.Addr())
				if c.Addr.Port() != port {
					t.Errorf("%v: the port changed from %d", c, port)
				}
			}
		}
		if !slices.Equal(got, step.want) || len(m.tcp.addrs()) != len(step.want) {
			t.Errorf("host %v: listens on %v and %v, want %v", step.host, got, m.tcp.addrs(), step.want)
		}
	}
	in := newInbox()
	a := newAgent(t, m, in)
	_, conn := browser(t, m, a, ice.NetworkTypeUDP4)
	exchange(t, a, in, conn)
}

func TestListenErrors(t *testing.T) {
	for _, addr := range []string{"", "nonsense", "127.0.0.1", "127.0.0.1:99999", "192.0.2.1:0"} {
		if m, err := Listen(Config{UDP: addr}); err == nil {
			m.Close()
			t.Errorf("%q was accepted", addr)
		}
	}
}
