package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"strowger/store"
)

// A viewer that leaves and comes back with the id it saw last, as often as it likes, sees every event it may see exactly
// once and in order, or is told to start anew.
func TestHubResumesWithoutGapOrRepeat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHub()
		me := Principal{User: store.User{ID: "bob"}}
		var want, got []int
		var s *stream
		seen := h.last
		read := func() {
			for s != nil {
				select {
				case e, ok := <-s.events:
					if !ok {
						s = nil
						return
					}
					got, seen = append(got, e.data().(int)), e.id
				default:
					return
				}
			}
		}
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				for range rapid.IntRange(1, streamBuffer+hubHistory).Draw(t, "events") {
					n++
					v, mine := n, n%3 != 0
					if mine {
						want = append(want, v)
					}
					h.publish(func(p Principal) bool { return mine && p.User.ID == "bob" }, func() any { return v })
				}
			},
			"read": func(*rapid.T) { read() },
			"leave": func(*rapid.T) {
				if s != nil {
					h.unsubscribe(s)
					read() // what was in the buffer was sent
				}
			},
			"come": func(t *rapid.T) {
				if s != nil {
					return
				}
				st, missed, resumed, last := h.subscribe(me, seen)
				s = st
				if !resumed {
					if len(missed) > 0 {
						t.Fatal("missed events without resuming")
					}
					got, seen = slices.Clone(want), last // the lists are read anew
					return
				}
				for _, e := range missed {
					got, seen = append(got, e.data().(int)), e.id
				}
			},
			"": func(t *rapid.T) {
				if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
					t.Fatalf("got %v of %v", got, want)
				}
				if s != nil && len(s.events) == 0 && len(h.streams) == 1 && len(got) != len(want) {
					t.Fatalf("nothing left to read, but got only %d of %d", len(got), len(want))
				}
			},
		})
	})
}

func TestHubEndsStreamsWhenItCloses(t *testing.T) {
	h := newHub()
	before, _, _, _ := h.subscribe(Principal{}, 0)
	h.close()
	after, _, _, _ := h.subscribe(Principal{}, 0)
	for _, s := range []*stream{before, after} {
		if _, ok := <-s.events; ok {
			t.Error("an event after the end")
		}
	}
	h.publish(func(Principal) bool { return true }, func() any { return 1 })
	h.unsubscribe(before)
}

func TestGuessesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuesses()
		for range guessesByUser {
			if g.tooMany("user:bob", guessesByUser) {
				t.Fatal("refused too early")
			}
			g.failed("user:bob", "addr:x")
		}
		if !g.tooMany("user:bob", guessesByUser) || g.tooMany("addr:x", guessesByAddress) || g.tooMany("user:cyd", guessesByUser) {
			t.Error("the limit is the key's own")
		}
		time.Sleep(2 * guessWindow)
		if g.tooMany("user:bob", guessesByUser) {
			t.Error("still refused after two windows")
		}
	})
}

func TestAddressKey(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5":              "addr:192.0.2.1",
		"[::ffff:192.0.2.1]:5":     "addr:192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:5": "addr:2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:5":      "addr:2001:db8:1:2::/64",
		"[fe80::1%eth0]:5":         "addr:fe80::/64",
		"@":                        "addr:@",
	} {
		if got := addressKey(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

func TestFromClient(t *testing.T) {
	s := &Server{cfg: Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}}}
	for _, tc := range []struct {
		remote string
		via    []string
		want   string
	}{
		{"192.0.2.9:7", []string{"198.51.100.1"}, "192.0.2.9:7"}, // no proxy of ours: whatever it says
		{"127.0.0.1:7", nil, "127.0.0.1:7"},
		{"127.0.0.1:7", []string{"198.51.100.1"}, "198.51.100.1:7"},
		{"[::ffff:127.0.0.1]:7", []string{"2001:db8::1"}, "[2001:db8::1]:7"},
		{"127.0.0.1:7", []string{"6.6.6.6, 198.51.100.1, 10.1.2.3"}, "198.51.100.1:7"}, // the first is the client's own claim
		{"127.0.0.1:7", []string{"6.6.6.6", "198.51.100.1"}, "198.51.100.1:7"},
		{"127.0.0.1:7", []string{"198.51.100.1, nonsense"}, "127.0.0.1:7"},
	} {
		r := &http.Request{RemoteAddr: tc.remote, Header: http.Header{"X-Forwarded-For": tc.via}}
		if got := s.fromClient(r).RemoteAddr; got != tc.want {
			t.Errorf("%s via %q: %s, want %s", tc.remote, tc.via, got, tc.want)
		}
	}
}

func TestSIPDomain(t *testing.T) {
	for host, want := range map[string]string{
		"localhost:8080": "localhost", "pbx.example": "pbx.example", "[::1]:8080": "[::1]", "192.0.2.1": "192.0.2.1",
	} {
		if got := (&Server{}).sipDomain(&http.Request{Host: host}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	if got := (&Server{cfg: Config{SIPDomain: "office.example"}}).sipDomain(&http.Request{Host: "x"}); got != "office.example" {
		t.Errorf("configured: %s", got)
	}
}

// Exactly one caller ID is the default when there is any, whoever asks and however many numbers there are.
func TestCallerIDsHaveOneDefault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SampledFrom([]string{"", "ann", "bob"})
		var numbers []store.Number
		for i := range rapid.IntRange(0, 6).Draw(t, "numbers") {
			kind := rapid.SampledFrom([]string{store.CompanyNumber, store.PersonalNumber}).Draw(t, "kind")
			numbers = append(numbers, store.Number{Number: fmt.Sprintf("+1202555%04d", i), Kind: kind, User: users.Draw(t, "user")})
		}
		list := callerIDs(store.User{ID: "ann"}, numbers)
		defaults := 0
		for _, c := range list {
			n := numbers[slices.IndexFunc(numbers, func(n store.Number) bool { return n.Number == c.Number })]
			if n.Kind == store.PersonalNumber && n.User != "ann" {
				t.Fatalf("somebody else's personal number %s is offered", c.Number)
			}
			if c.Default {
				defaults++
			}
		}
		if want := min(1, len(list)); defaults != want {
			t.Fatalf("%d defaults among %d", defaults, len(list))
		}
	})
}

// TestGuessingAtAnothersName: whoever guesses at bob's name locks it at his own address, and with many addresses everywhere
// but where bob has signed in before.
func TestGuessingAtAnothersName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuesses()
		g.succeeded("bob", "addr:home")
		for range guessesByUser {
			g.missed("bob", "addr:a")
		}
		if !g.refuses("bob", "addr:a") || g.refuses("bob", "addr:b") || g.refuses("cyd", "addr:a") {
			t.Error("one address: the lock is that name's at that address")
		}
		for n := range guessesInAll {
			g.missed("bob", "addr:"+strconv.Itoa(n))
		}
		if !g.refuses("bob", "addr:new") || g.refuses("bob", "addr:home") || g.refuses("cyd", "addr:new") {
			t.Error("many addresses: bob is locked out where he signed in before, or nobody is anywhere else")
		}
		for n := range 2 * addressesByUser {
			g.succeeded("bob", "addr:"+strconv.Itoa(n))
		}
		if len(g.home["bob"]) != addressesByUser || g.home["bob"][0] != "addr:8" {
			t.Errorf("remembered: %v", g.home["bob"])
		}
	})
}

// TestConnectionsPerAddress: one address has its share of connections, and room again once some are closed. A proxy of
// ours has as many as come.
func TestConnectionsPerAddress(t *testing.T) {
	for name, exempt := range map[string][]netip.Prefix{"a stranger": nil, "our proxy": {netip.MustParsePrefix("127.0.0.0/8")}} {
		t.Run(name, func(t *testing.T) {
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := LimitConnections(inner, 2, exempt)
			accepted := make(chan net.Conn, 10)
			go func() {
				for c, err := l.Accept(); err == nil; c, err = l.Accept() {
					accepted <- c
				}
				close(accepted)
			}()
			dial := func() net.Conn {
				c, err := net.Dial("tcp", inner.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				return c
			}
			dial()
			dial()
			ours := []net.Conn{<-accepted, <-accepted}
			third := dial()
			if exempt == nil {
				if _, err := third.Read(make([]byte, 1)); err == nil {
					t.Error("a third connection is served")
				}
				_ = ours[0].Close()
				_ = ours[0].Close() // twice counts once
				dial()
			}
			ours = append(ours, <-accepted)
			for _, c := range ours {
				_ = c.Close()
			}
			_ = inner.Close()
			for range accepted {
			}
			if n := len(l.(*limitedListener).open); n != 0 {
				t.Errorf("%d addresses are still counted", n)
			}
		})
	}
}

// TestStreamsPerSession: a session has so many event streams, and a user so many over all sessions.
func TestStreamsPerSession(t *testing.T) {
	h := newHub()
	p := func(session string) Principal { return Principal{User: store.User{ID: "bob"}, Session: session} }
	for n := range heldPerUser {
		session := strconv.Itoa(n / heldPerSession)
		if h.full(p(session)) {
			t.Fatalf("full at %d", n)
		}
		h.subscribe(p(session), 0)
		if last := n%heldPerSession == heldPerSession-1; last != h.full(p(session)) && n < heldPerUser-1 {
			t.Fatalf("session %s at %d: full %v", session, n, !last)
		}
	}
	if !h.full(p("another")) || h.full(Principal{User: store.User{ID: "ann"}}) {
		t.Error("the limit is the user's own")
	}
}
