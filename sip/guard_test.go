package sip

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const stranger = "192.0.2.1:5060"

func TestGuardRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(10)
		addr := addrOf(stranger)
		passed := func(n int) (count int) {
			for range n {
				if g.allow(addr, time.Now()) {
					count++
				}
			}
			return count
		}
		if n := passed(1000); n != 40 {
			t.Errorf("%d of a burst passed, want 40", n)
		}
		time.Sleep(time.Second)
		if n := passed(1000); n != 10 {
			t.Errorf("%d passed after a second, want 10", n)
		}
		g.trust(stranger)
		if n := passed(100000); n != 8000 {
			t.Errorf("%d of a burst of a trusted source passed, want 8000", n)
		}
		time.Sleep(time.Second)
		if n := passed(100000); n != 2000 {
			t.Errorf("%d of a trusted source passed, want 2000", n)
		}
	})
}

func TestGuardBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(1000)
		addr := addrOf(stranger)
		for range maxFailures {
			if !g.allow(addr, time.Now()) {
				t.Fatal("banned too early")
			}
			g.failed(stranger, "user")
		}
		if g.allow(addr, time.Now()) {
			t.Error("not banned")
		}
		if !g.allow(netip.MustParseAddr("192.0.2.2"), time.Now()) {
			t.Error("a neighbour is banned")
		}
		time.Sleep(firstBan + time.Second)
		if !g.allow(addr, time.Now()) {
			t.Error("banned for ever")
		}
		for range maxFailures {
			g.failed(stranger, "user")
		}
		time.Sleep(firstBan + time.Second)
		if g.allow(addr, time.Now()) {
			t.Error("the second ban is no longer than the first")
		}
	})
}

// One misconfigured phone behind the same address does not lock the others out.
func TestGuardOffice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(1000)
		g.succeeded(stranger, "good")
		for range maxFailures {
			g.failed(stranger, "bad")
		}
		if !g.allow(addrOf(stranger), time.Now()) || g.blocked(stranger, "good") {
			t.Error("the office is locked out")
		}
		if !g.blocked(stranger, "bad") {
			t.Error("guessing goes on")
		}
	})
}

func TestGuardBounded(t *testing.T) {
	g := newGuard(10)
	now := time.Now()
	for i := range maxSources + 1000 {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		g.allow(addr, now)
		g.failed(netip.AddrPortFrom(addr, 5060).String(), "x")
	}
	if len(g.sources) > maxSources || len(g.fails) > maxSources {
		t.Errorf("%d sources and %d failures are kept, limit %d", len(g.sources), len(g.fails), maxSources)
	}
}

// A flood over UDP loses datagrams, over TCP the connection.
func TestFlood(t *testing.T) {
	cfg := newOffice().config()
	cfg.RateLimit = 5
	s := startEdge(t, cfg)
	udp := dialWire(t, "udp", s.Addrs().UDP)
	answered := 0
	for range 1000 { // a few more than the burst may pass, for which a slow machine has given the time
		udp.send(udp.request("OPTIONS", testURI, "x", ""))
		if a := udp.readAny(150 * time.Millisecond); a.status == 0 {
			break
		}
		answered++
	}
	if answered < 5*burstSeconds || answered == 1000 {
		t.Errorf("%d requests were answered", answered)
	}
	tcp := dialWire(t, "tcp", s.Addrs().TCP)
	for range 1000 {
		if _, err := tcp.conn.Write([]byte(strings.ReplaceAll(tcp.request("OPTIONS", testURI, "x", ""), "\n", "\r\n"))); err != nil {
			return
		}
	}
	if err := tcp.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, tcp.conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is open still")
	}
}

// A carrier that only takes our calls never sends a request by which it could be known; its answers come as fast as we call.
func TestGuardKnowsCarriers(t *testing.T) {
	story(t, func(r *rig) {
		synctest.Wait() // until its address is known
		addr := addrOf(carrierAddr)
		for n := range 1000 {
			if !r.srv.guard.allow(addr, time.Now()) {
				t.Fatalf("message %d of a carrier was dropped", n+1)
			}
		}
	})
}

// Whoever has a /64 has 2^64 addresses, and no more requests or guesses than others.
func TestGuardCountsNetworks(t *testing.T) {
	for peer, want := range map[string]string{
		"192.0.2.7:5060": "192.0.2.7", "[::ffff:192.0.2.7]:5060": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:5060": "2001:db8:1:2::",
		"[fe80::1%eth0]:5060": "fe80::", discardAddr(7): "100::7", "nonsense": "invalid IP",
	} {
		if got := addrOf(peer).String(); got != want {
			t.Errorf("%s counts as %s, want %s", peer, got, want)
		}
	}
}

func TestLongUsername(t *testing.T) {
	for n, want := range map[int]bool{maxUsername: true, maxUsername + 1: false} {
		_, ok := parseAuthorization(`Digest username="` + strings.Repeat("a", n) + `", realm="r", nonce="n", uri="sip:x", response="0"`)
		if ok != want {
			t.Errorf("a username of %d bytes: %t", n, ok)
		}
	}
}
