package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/srtp/v3"
)

// relayBench is a bridge of two legs whose packets are put in by hand and leave by real sockets to nobody.
type relayBench struct {
	in   *rtpLink
	from netip.AddrPort
	pkt  []byte
	seq  uint16
	ts   uint32
	tx   *srtp.Context
	buf  []byte
	now  time.Duration
}

func newRelayBench(t testing.TB, codecs [2]string, suite string) *relayBench {
	e := newTestEngine(t, false)
	alice, bob := newPhone(t, "alice", codecs[0], 600), newPhone(t, "bob", codecs[1], 1000)
	alice.Suite, bob.Suite = suite, suite
	bob.Claimed = unread(t)
	a, b := join(t, e, alice, Options{SRTP: Optional}), join(t, e, bob, Options{SRTP: Optional})
	mustBridge(t, a, b)
	r := &relayBench{in: a.link.(*rtpLink), from: alice.Addr(), pkt: make([]byte, 172), buf: make([]byte, 0, 300), now: e.now()}
	if r.in.rx.key != nil {
		c, err := r.in.rx.key.context()
		if err != nil {
			t.Fatal(err)
		}
		r.tx = c
	}
	r.pkt[0], r.pkt[1] = 0x80, byte(r.in.s.agreed.audio[0].recv)
	return r
}

// unread is the address of a socket that nobody reads.
func unread(t testing.TB) netip.AddrPort {
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func (r *relayBench) packet() {
	r.seq++
	r.ts += 160
	r.now += 20 * time.Millisecond
	binary.BigEndian.PutUint16(r.pkt[2:], r.seq)
	binary.BigEndian.PutUint32(r.pkt[4:], r.ts)
	pkt := append(r.buf, r.pkt...)
	if r.tx != nil {
		pkt, _ = r.tx.EncryptRTP(r.buf, r.pkt, &r.in.tx.rtp)
	}
	rtpReader{r.in}.datagram(pkt, r.from, r.now)
	if r.in.s.path.Load().coded != nil {
		r.in.s.tick(r.now) // as the shard's clock does every 20 ms
	}
}

// TestNoAllocationPerPacket: the relay makes no garbage, whatever the packets' way.
func TestNoAllocationPerPacket(t *testing.T) {
	for _, c := range []struct {
		name   string
		codecs [2]string
		suite  string
	}{
		{"relay", [2]string{"PCMU", "PCMU"}, ""},
		{"transcode", [2]string{"G722", "PCMA"}, ""},
		{"GCM", [2]string{"PCMU", "PCMU"}, "AEAD_AES_128_GCM"},
		{"SHA1", [2]string{"PCMU", "PCMU"}, "AES_CM_128_HMAC_SHA1_80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRelayBench(t, c.codecs, c.suite)
			for range 100 {
				r.packet()
			}
			before := r.in.s.peer.Stats().Out.Packets
			if n := testing.AllocsPerRun(2000, r.packet); n != 0 && !raceEnabled {
				t.Errorf("%v allocations per packet", n)
			}
			if got := r.in.s.peer.Stats().Out.Packets - before; got != 2001 {
				t.Errorf("%d packets of 2001 were sent on", got)
			}
		})
	}
}

func BenchmarkRelay(b *testing.B)         { benchmarkRelay(b, [2]string{"PCMU", "PCMU"}, "") }
func BenchmarkTranscodeG722(b *testing.B) { benchmarkRelay(b, [2]string{"G722", "PCMU"}, "") }
func BenchmarkRelaySRTP(b *testing.B) {
	benchmarkRelay(b, [2]string{"PCMU", "PCMU"}, "AEAD_AES_128_GCM")
}
func BenchmarkRelaySRTPSHA1(b *testing.B) {
	benchmarkRelay(b, [2]string{"PCMU", "PCMU"}, "AES_CM_128_HMAC_SHA1_80")
}

// benchmarkRelay is one packet from the socket's buffer to the kernel's sendto.
func benchmarkRelay(b *testing.B, codecs [2]string, suite string) {
	r := newRelayBench(b, codecs, suite)
	b.ReportAllocs()
	for b.Loop() {
		r.packet()
	}
}
