package media

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
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
	audio  string // formats of the m-line and their a=rtpmap lines
	mute   atomic.Bool
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
	return &thinBrowser{conn: conn, id: id, audio: "0"}
}

func (b *thinBrowser) sdp() []byte {
	lines := []string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF " + b.audio, "c=IN IP4 0.0.0.0",
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
	b.mute.Store(true)
	_ = b.dtls.Close()
	b.dtls = nil
	_ = b.conn.SetReadDeadline(time.Time{})
}

func (b *thinBrowser) pipe() net.PacketConn { return thinPipe{b.conn, b} }

type thinPipe struct {
	*net.UDPConn
	b *thinBrowser
}

// Close leaves the socket open.
func (p thinPipe) Close() error { return nil }

func (p thinPipe) WriteTo(pkt []byte, to net.Addr) (int, error) {
	if p.b.mute.Load() {
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

// send encrypts and sends.
func (b *thinBrowser) send(t testing.TB, p *rtp.Packet) {
	t.Helper()
	plain, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	pkt, err := b.keys.out.EncryptRTP(nil, plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.conn.WriteToUDPAddrPort(pkt, b.server); err != nil {
		t.Fatal(err)
	}
}

// receive waits for an RTP packet and decrypts it.
func (b *thinBrowser) receive(t testing.TB) *rtp.Packet {
	t.Helper()
	buf := make([]byte, 1500)
	for {
		_ = b.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := b.conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if buf[0] < 128 || isRTCP(buf[:n]) {
			continue
		}
		plain, err := b.keys.in.DecryptRTP(nil, buf[:n], nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &rtp.Packet{}
		if err := p.Unmarshal(plain); err != nil {
			t.Fatal(err)
		}
		return p
	}
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
