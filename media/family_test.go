package media

import (
	"net/netip"
	"testing"

	"strowger/media/mediatest"
)

func partyAt(t *testing.T, ip netip.Addr, name string, hz float64) *mediatest.Party {
	t.Helper()
	p, err := mediatest.NewPartyAt(ip, name, "PCMU", hz)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestBothFamilies: an IPv4 party and an IPv6 one on one engine, each answered in its own family, in the clear and with
// SDES; and the IPv6 one behind an address from which nothing comes.
func TestBothFamilies(t *testing.T) {
	for _, test := range []struct {
		suite    string
		portable bool
		claimed  bool
	}{{}, {suite: "AEAD_AES_128_GCM"}, {portable: true}, {claimed: true}} {
		e, err := NewEngine(Config{PublicIP: loopback, Shards: 1, Portable: test.portable})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		four, six := partyAt(t, loopback, "four", 600), partyAt(t, netip.IPv6Loopback(), "six", 1000)
		six.Suite = test.suite
		if test.claimed {
			six.Claimed = netip.AddrPortFrom(netip.IPv6Loopback(), 9)
		}
		a, b := join(t, e, four, Options{Address: loopback}), join(t, e, six, Options{SRTP: Optional, Party: six.Addr().Addr()})
		if got := six.Remote().Addr(); got != netip.IPv6Loopback() {
			t.Errorf("the IPv6 party is answered with %v", got)
		}
		mustBridge(t, a, b)
		four.Talk()
		six.Talk()
		mustHear(t, four, six)
		mustHear(t, six, four)
	}
}

// TestOfferInTheFamilyOfThePath: the offer has the address by which the party reaches us.
func TestOfferInTheFamilyOfThePath(t *testing.T) {
	e, err := NewEngine(Config{PublicIP: loopback, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	s, err := e.NewSession(Options{Address: netip.IPv6Loopback()})
	if err != nil {
		t.Fatal(err)
	}
	offer, err := s.Offer(nil)
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, string(offer), "c=IN IP6 ::1")
	answer := "v=0\r\nc=IN IP6 ::\r\nm=audio 4000 RTP/AVP 0\r\n"
	if _, err := s.RemoteAnswer([]byte(answer)); err != nil {
		t.Fatal(err)
	}
	if got := s.RemoteDirection(); got != inactive {
		t.Errorf("c=IN IP6 :: is %s, want a hold", got)
	}
}

// TestOtherFamilyWithoutAWay: sockets of IPv4 only. A phone that signals over IPv4 and writes an IPv6 address is expected
// to talk from where it signals; a carrier of which nothing else is known is refused.
func TestOtherFamilyWithoutAWay(t *testing.T) {
	e := newTestEngine(t, false)
	for _, c := range []string{"2001:db8::5", "fe80::5"} {
		phone := partyAt(t, loopback, "phone", 600)
		port := phone.Addr().Port()
		phone.Claimed = netip.AddrPortFrom(netip.MustParseAddr(c), port)
		s := join(t, e, phone, Options{Party: loopback})
		if to := s.link.(*rtpLink).to; to != phone.Addr() {
			t.Errorf("our voice goes to %v, want %v", to, phone.Addr())
		}
		if phone.Remote().Addr() != loopback {
			t.Errorf("the answer names %v", phone.Remote())
		}
	}
	s, err := e.NewSession(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RemoteOffer([]byte("v=0\r\nc=IN IP6 2001:db8::5\r\nm=audio 4000 RTP/AVP 0\r\n")); err == nil {
		t.Error("an address that cannot be reached is taken")
	}
	if _, err := s.RemoteOffer([]byte("v=0\r\nc=IN IP6 fe80::5%eth0\r\nm=audio 4000 RTP/AVP 0\r\n")); err == nil {
		t.Error("a zone is taken")
	}
}

// TestPublicAddressPerFamily: those outside are told the public address of their family.
func TestPublicAddressPerFamily(t *testing.T) {
	addr := netip.MustParseAddr
	e := &Engine{cfg: Config{BindIP: netip.IPv6Unspecified(), PublicIP: addr("203.0.113.7"), PublicIP6: addr("2001:db8::7")}}
	for peer, want := range map[string]string{"198.51.100.1": "203.0.113.7", "2001:db8:1::1": "2001:db8::7", "::1": "::1", "127.0.0.1": "127.0.0.1"} {
		if got := e.addressToward(addr(peer)); got != addr(want) {
			t.Errorf("toward %s: %v, want %s", peer, got, want)
		}
	}
	for _, a := range []string{"203.0.113.7", "10.0.0.5", "2001:db8::7", "fd00::5"} {
		if got := e.addressFor(addr(a)); got != addr(a) {
			t.Errorf("reached at %s: %v", a, got)
		}
	}
}
