package media

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// Real sockets: what latch_test.go shows for the rule alone.

// TestPhoneBehindNAT: the SDP names an address from which nothing ever comes.
func TestPhoneBehindNAT(t *testing.T) {
	for _, suite := range []string{"", "AEAD_AES_128_GCM"} {
		e := newTestEngine(t, false)
		alice, bob := newPhone(t, "alice", "PCMU", 600), newPhone(t, "bob", "PCMU", 1000)
		alice.Claimed = unread(t)
		alice.Suite = suite
		a, b := join(t, e, alice, Options{SRTP: Optional}), join(t, e, bob, Options{})
		mustBridge(t, a, b)
		bob.Talk()
		alice.Talk()
		mustHear(t, bob, alice)
		mustHear(t, alice, bob)
	}
}

// TestStrangerIsNotHeard: somebody found the port and sends to it, before the phone talks, while it does, and with its
// SSRC; and gets nothing back.
func TestStrangerIsNotHeard(t *testing.T) {
	e := newTestEngine(t, false)
	alice, bob, eve := newPhone(t, "alice", "PCMU", 600), newPhone(t, "bob", "PCMU", 1000), newPhone(t, "eve", "PCMU", 2000)
	a, b := join(t, e, alice, Options{}), join(t, e, bob, Options{})
	mustBridge(t, a, b)
	alice.Talk()
	bob.Talk()
	mustHear(t, bob, alice)
	mustHear(t, alice, bob)
	eve.SSRC = alice.SSRC
	if err := eve.TakeAnswer(sdpOf(alice.Remote())); err != nil {
		t.Fatal(err)
	}
	bob.Forget()
	eve.Talk()
	time.Sleep(300 * time.Millisecond) // eve sends 15 packets; whatever passes is there by then
	if mediatest.Level(bob.Heard(), 8000, eve.Freq) > -60 {
		t.Error("bob hears the stranger")
	}
	if n := len(eve.Packets()); n != 0 {
		t.Errorf("the stranger received %d packets", n)
	}
	mustHear(t, bob, alice)
}

func sdpOf(a netip.AddrPort) []byte {
	return []byte("v=0\r\nc=IN IP4 " + a.Addr().String() + "\r\nm=audio " + strconv.Itoa(int(a.Port())) + " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")
}

// TestReinviteMovesTheParty: the phone goes on from another address, with a new key.
func TestReinviteMovesTheParty(t *testing.T) {
	for _, suite := range []string{"", "AES_CM_128_HMAC_SHA1_80"} {
		e := newTestEngine(t, false)
		alice, bob, moved := newPhone(t, "alice", "PCMU", 600), newPhone(t, "bob", "PCMU", 1000), newPhone(t, "alice2", "PCMA", 800)
		alice.Suite, moved.Suite = suite, suite
		a, b := join(t, e, alice, Options{SRTP: Optional}), join(t, e, bob, Options{})
		mustBridge(t, a, b)
		alice.Talk()
		bob.Talk()
		mustHear(t, bob, alice)
		offerAnswer(t, a, moved)
		moved.Talk()
		mustHear(t, bob, moved)
		mustHear(t, moved, bob)
	}
}

// TestRTCPMux: reports come to the RTP port where the party wants them there.
func TestRTCPMux(t *testing.T) {
	e := newTestEngine(t, false)
	alice := newPhone(t, "alice", "PCMU", 600)
	alice.Extra = "a=rtcp-mux\r\n"
	a := join(t, e, alice, Options{})
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.Talk()
	if !alice.Hears(600, patience) {
		t.Fatal("no echo")
	}
	a.Close()
	if !mediatest.Eventually(patience, func() bool { return len(alice.RTCP()) > 0 }) {
		t.Error("no RTCP at the end of the call")
	}
}

// TestReadyOnce: the first packet is told, once.
func TestReadyOnce(t *testing.T) {
	e := newTestEngine(t, false)
	alice := newPhone(t, "alice", "PCMU", 600)
	var ev events
	a := join(t, e, alice, Options{OnEvent: ev.post})
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.Talk()
	if !alice.Hears(600, patience) {
		t.Fatal("no echo")
	}
	if n := len(ev.of(Ready)); n != 1 {
		t.Errorf("Ready was posted %d times", n)
	}
	if st := a.Stats(); st.Codec != "PCMU" || st.In.Packets == 0 || st.Out.Packets == 0 || st.In.Bytes != 160*st.In.Packets {
		t.Errorf("stats %+v", st)
	}
}

// TestKeysOverSockets: a key crosses a bridge with different payload types.
func TestKeysOverSockets(t *testing.T) {
	e := newTestEngine(t, false)
	alice, bob := newPhone(t, "alice", "PCMU", 600), newPhone(t, "bob", "G722", 1000)
	var ev events
	a, b := join(t, e, alice, Options{OnEvent: ev.post}), ring(t, e, bob, Options{})
	mustBridge(t, a, b)
	alice.Talk()
	mustHear(t, bob, alice)
	alice.Press('5')
	if !mediatest.Eventually(patience, func() bool { return len(bob.Keys()) == 6 && len(ev.of(Digit)) == 1 }) {
		t.Errorf("bob got %d event packets, posted %+v", len(bob.Keys()), ev.of(Digit))
	}
}

// TestUseAfterClose: nothing panics, everything says so.
func TestUseAfterClose(t *testing.T) {
	e := newTestEngine(t, false)
	alice, bob := newPhone(t, "alice", "PCMU", 600), newPhone(t, "bob", "PCMU", 1000)
	a, b := join(t, e, alice, Options{}), join(t, e, bob, Options{})
	mustBridge(t, a, b)
	a.Close()
	a.Close()
	if a.Bridge(b) == nil || b.Bridge(a) == nil || a.Echo() == nil || a.Play(Sound{Tone: "beep"}) == nil ||
		a.Record(Recording{File: t.TempDir() + "/r.wav"}) == nil || a.SendDigit('1', 100) {
		t.Error("a closed session still works")
	}
	a.Stop()
	a.StopRecording()
	_ = a.Stats()
	if err := b.Bridge(b); err == nil {
		t.Error("a session was bridged to itself")
	}
}

// TestWildcardAddress: sockets bound to 0.0.0.0, the address of the SDP from the configuration; and the party moves, so
// that a connected socket must be opened up again.
func TestWildcardAddress(t *testing.T) {
	e, err := NewEngine(Config{PublicIP: loopback, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	alice, moved := newPhone(t, "alice", "PCMU", 600), newPhone(t, "moved", "PCMA", 800)
	a := join(t, e, alice, Options{})
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.Talk()
	if !alice.Hears(600, patience) {
		t.Fatal("no echo")
	}
	offerAnswer(t, a, moved)
	moved.Talk()
	if !moved.Hears(800, patience) {
		t.Fatal("no echo after the move")
	}
}

// TestIPv6: the same over the other family, on both transports.
func TestIPv6(t *testing.T) {
	for _, portable := range []bool{false, true} {
		e, err := NewEngine(Config{BindIP: netip.IPv6Loopback(), Shards: 1, Portable: portable})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		s, err := e.NewSession(Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		offer := "v=0\r\nc=IN IP6 ::1\r\nm=audio " + strconv.Itoa(c.LocalAddr().(*net.UDPAddr).Port) + " RTP/AVP 0\r\n"
		answer := mustAnswer(t, s, []byte(offer), "PCMU")
		wantLines(t, answer, "c=IN IP6 ::1")
		if err := s.Echo(); err != nil {
			t.Fatal(err)
		}
		pkt := make([]byte, headerLen+160)
		putHeader(pkt, 0, true, 7, 8, 9)
		to := netip.AddrPortFrom(netip.IPv6Loopback(), uint16(s.link.(*rtpLink).rtp.port()))
		if _, err := c.WriteToUDPAddrPort(pkt, to); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		n, from, err := c.ReadFromUDPAddrPort(make([]byte, 500))
		if err != nil || n != len(pkt) || from != to {
			t.Errorf("portable %v: %d octets from %v, %v", portable, n, from, err)
		}
	}
}
