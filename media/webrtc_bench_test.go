package media

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
)

// thinBrowser is the least that can talk to a webrtcLink: a UDP socket, one ICE check, DTLS and SRTP keys. It costs little,
// so that a benchmark sees our side.
type thinBrowser struct {
	conn   *net.UDPConn
	server netip.AddrPort
	id     *dtlsIdentity
	mute   bool
	dtls   *dtls.Conn
	keys   *dtlsKeys
}

func newThinBrowser(t testing.TB) *thinBrowser {
	t.Helper()
	id, err := newDTLSIdentity()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &thinBrowser{conn: conn, id: id}
}

func (b *thinBrowser) sdp() []byte {
	lines := []string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0",
		"a=mid:0", "a=sendrecv", "a=rtcp-mux", "a=ice-ufrag:thin", "a=ice-pwd:thinthinthinthinthinthin", "a=setup:actpass",
		"a=fingerprint:sha-256 " + b.id.fingerprint, "",
	}
	return []byte(strings.Join(lines, "\r\n"))
}

// connect does what a browser does once it has our answer.
func (b *thinBrowser) connect(t testing.TB, answer string) {
	t.Helper()
	b.server = netip.MustParseAddrPort("127.0.0.1:" + strings.Fields(line(answer, "m=audio"))[1])
	name := stun.NewUsername(strings.TrimPrefix(line(answer, "a=ice-ufrag:"), "a=ice-ufrag:") + ":thin")
	key := stun.NewShortTermIntegrity(strings.TrimPrefix(line(answer, "a=ice-pwd:"), "a=ice-pwd:"))
	req := stun.MustBuild(stun.TransactionID, stun.BindingRequest, name, stun.RawAttribute{Type: stun.AttrUseCandidate}, key, stun.Fingerprint)
	if _, err := b.conn.WriteToUDPAddrPort(req.Raw, b.server); err != nil {
		t.Fatal(err)
	}
	if _, err := b.conn.Read(make([]byte, 1500)); err != nil {
		t.Fatal(err)
	}
	conn, err := dtls.ClientWithOptions(b.pipe(), net.UDPAddrFromAddrPort(b.server), dtls.WithCertificates(b.id.cert),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM), dtls.WithInsecureSkipVerify(true), dtls.WithLoggerFactory(silentLoggers{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if b.keys, err = deriveSRTP(conn, true); err != nil {
		t.Fatal(err)
	}
	b.dtls = conn
}

// vanish ends our DTLS without a word to the server.
func (b *thinBrowser) vanish() {
	b.mute = true
	_ = b.dtls.Close()
	b.dtls = nil
}

func (b *thinBrowser) pipe() net.PacketConn { return thinPipe{b.conn, b} }

type thinPipe struct {
	*net.UDPConn
	b *thinBrowser
}

func (p thinPipe) WriteTo(pkt []byte, to net.Addr) (int, error) {
	if p.b.mute {
		return len(pkt), nil
	}
	return p.UDPConn.WriteTo(pkt, to)
}

// call sets a session up with the thin browser.
func (b *thinBrowser) call(t testing.TB, e *Engine) *party {
	t.Helper()
	p := newParty(t, e, Options{ID: "thin", WebRTC: true})
	if _, err := p.RemoteOffer(b.sdp()); err != nil {
		t.Fatal(err)
	}
	answer, err := p.Answer(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.connect(t, string(answer))
	p.wait(t, Ready)
	return p
}

// voice makes n encrypted packets of 20 ms of PCMU that follow seq.
func (b *thinBrowser) voice(t testing.TB, seq *uint16, n int) [][]byte {
	t.Helper()
	list := make([][]byte, n)
	for i := range list {
		*seq++
		plain, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: *seq, Timestamp: uint32(*seq) * 160, SSRC: 7}, Payload: make([]byte, 160)}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if list[i], err = b.keys.out.EncryptRTP(nil, plain, nil); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// BenchmarkWebRTCRelay is the cost of one packet from one browser to another in our code and one sendto: sorting, SRTP in,
// relay, SRTP out, send. It must not allocate.
func BenchmarkWebRTCRelay(b *testing.B) {
	e := webrtcEngine(b)
	alice, bob := newThinBrowser(b), newThinBrowser(b)
	pa, pb := alice.call(b, e), bob.call(b, e)
	alice.vanish() // their DTLS would only read along
	bob.vanish()
	if err := pa.Bridge(pb.Session); err != nil {
		b.Fatal(err)
	}
	l := pa.link.(*webrtcLink)
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := alice.voice(b, &seq, 1000)
		b.StartTimer()
		for _, pkt := range batch {
			l.Packet(pkt)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/packet")
	if got := pb.Stats().Out.Packets; got < uint64(b.N)*1000 {
		b.Errorf("%d packets were relayed, want %d", got, b.N*1000)
	}
}

// BenchmarkWebRTCSetup is one call from offer to keys, the thin browser's half of the DTLS handshake included.
func BenchmarkWebRTCSetup(b *testing.B) {
	e := webrtcEngine(b)
	for b.Loop() {
		c := newThinBrowser(b)
		p := c.call(b, e)
		c.vanish()
		p.Close()
		_ = c.conn.Close()
	}
}

// BenchmarkWebRTCMemory reports what a connected session keeps.
func BenchmarkWebRTCMemory(b *testing.B) {
	e := webrtcEngine(b)
	const sessions = 200
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		var parties []*party
		for range sessions {
			c := newThinBrowser(b)
			parties = append(parties, c.call(b, e))
			c.vanish()
			_ = c.conn.Close()
		}
		time.Sleep(200 * time.Millisecond)
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/sessions, "goroutines/session")
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/sessions/1024, "KB/session")
		for _, p := range parties {
			p.Close()
		}
	}
}
