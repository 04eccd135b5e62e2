package media

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/fingerprint"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/deadline"

	"strowger/media/icelite"
)

// dtlsIdentity is our side of every DTLS handshake: one certificate per engine, trusted by its fingerprint in the SDP
// (RFC 8122), which signalling protects.
type dtlsIdentity struct {
	cert        tls.Certificate
	fingerprint string // SHA-256, as in a=fingerprint
}

// newDTLSIdentity makes a fresh self-signed P-256 certificate. It lives as long as the process and names nobody, so that
// browsers cannot be told apart, nor servers followed, by it (RFC 8827 §6.5).
func newDTLSIdentity() (*dtlsIdentity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the DTLS key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make the DTLS certificate: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "WebRTC"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the DTLS certificate: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the DTLS certificate: %w", err)
	}
	sum, err := certFingerprint(parsed, "sha-256")
	if err != nil {
		return nil, err
	}
	return &dtlsIdentity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, sum}, nil
}

func certFingerprint(cert *x509.Certificate, hash string) (string, error) {
	h, err := fingerprint.HashFromString(strings.ToLower(hash))
	if err != nil {
		return "", fmt.Errorf("certificate fingerprint with %q: %w", hash, err)
	}
	sum, err := fingerprint.Fingerprint(cert, h)
	if err != nil {
		return "", fmt.Errorf("certificate fingerprint with %q: %w", hash, err)
	}
	return strings.ToUpper(sum), nil
}

// certHash is one a=fingerprint of the peer.
type certHash struct{ hash, value string }

// usableHash leaves out MD5 and SHA-1, which RFC 8122 §5 allows no more.
func usableHash(name string) bool {
	switch strings.ToLower(name) {
	case "sha-256", "sha-384", "sha-512":
		return true
	}
	return false
}

var errFingerprint = errors.New("the certificate of the DTLS handshake is not the one whose fingerprint the SDP gave")

// verify compares the peer's certificate with the fingerprints of its SDP; one match is enough (RFC 8122 §5).
func verify(want []certHash, raw [][]byte) error {
	if len(raw) == 0 {
		return errFingerprint
	}
	cert, err := x509.ParseCertificate(raw[0])
	if err != nil {
		return fmt.Errorf("the peer's DTLS certificate: %w", err)
	}
	for _, w := range want {
		if sum, err := certFingerprint(cert, w.hash); err == nil && sum == w.value {
			return nil
		}
	}
	return errFingerprint
}

// dtlsKeys are the SRTP contexts of one handshake. They are not safe for concurrent use: in belongs to who delivers,
// out to who sends.
type dtlsKeys struct{ in, out *srtp.Context }

// dtlsHandshake runs one handshake over pipe until ctx ends and derives the SRTP keys (RFC 5764). The connection stays open
// to repeat our last flight and to hear the peer's close_notify.
func dtlsHandshake(ctx context.Context, id *dtlsIdentity, pipe *dtlsPipe, client bool, want []certHash) (*dtls.Conn, *dtlsKeys, error) {
	shared := []dtls.Option{
		dtls.WithCertificates(id.cert),
		// GCM first: with hardware AES it costs an eighth of counter mode with SHA-1 (RFC 7714).
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // no authority signs these certificates: VerifyPeerCertificate does it by fingerprint
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error { return verify(want, raw) }),
		dtls.WithFlightInterval(200 * time.Millisecond),
		dtls.WithLoggerFactory(silentLoggers{}),
	}
	var conn *dtls.Conn
	var err error
	if client {
		opts := make([]dtls.ClientOption, len(shared))
		for i, o := range shared {
			opts[i] = o
		}
		conn, err = dtls.ClientWithOptions(pipe, pipe.LocalAddr(), opts...)
	} else {
		// No HelloVerifyRequest: ICE has proved that the peer receives at its address.
		opts := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, o := range shared {
			opts = append(opts, o)
		}
		conn, err = dtls.ServerWithOptions(pipe, pipe.LocalAddr(), opts...)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start DTLS: %w", err)
	}
	if err = conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("DTLS handshake: %w", err)
	}
	keys, err := deriveSRTP(conn, client)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, keys, nil
}

// deriveSRTP makes both directions' contexts of the negotiated profile.
func deriveSRTP(conn *dtls.Conn, client bool) (*dtlsKeys, error) {
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errors.New("DTLS handshake: the peer agreed to no SRTP profile of ours")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errors.New("DTLS handshake: no connection state")
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfileAes128CmHmacSha1_80}
	if chosen == dtls.SRTP_AEAD_AES_128_GCM {
		cfg.Profile = srtp.ProtectionProfileAeadAes128Gcm
	}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return nil, fmt.Errorf("derive SRTP keys: %w", err)
	}
	in, err := srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(128), srtp.SRTCPReplayProtection(128))
	if err != nil {
		return nil, fmt.Errorf("derive SRTP keys: %w", err)
	}
	out, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return nil, fmt.Errorf("derive SRTP keys: %w", err)
	}
	return &dtlsKeys{in, out}, nil
}

// dtlsPipe is the net.PacketConn that pion's DTLS sits on: what the port sorted out as DTLS comes in by push, what DTLS
// writes goes out on the ICE agent's selected path.
type dtlsPipe struct {
	agent  *icelite.Agent
	in     chan []byte
	change bool // a ChangeCipherSpec came; only push uses it, and calls do not overlap
	closed chan struct{}
	once   sync.Once
	read   *deadline.Deadline
}

// dtlsBacklog holds the records of the peer's first flights while the SDP that names its certificate is still on its way.
const dtlsBacklog = 32

func newDTLSPipe(a *icelite.Agent) *dtlsPipe {
	return &dtlsPipe{agent: a, in: make(chan []byte, dtlsBacklog), closed: make(chan struct{}), read: deadline.New()}
}

// push queues copies of the datagram's records (RFC 6347 §4.1). It does not block: what does not fit is lost, and repeated by
// the peer.
//
// Records go one by one because pion's DTLS (v3.1.8) keeps those that it cannot decrypt yet in a read buffer that other
// connections use meanwhile. A browser's last flight brings the key exchange, ChangeCipherSpec and Finished in one datagram;
// apart, each finds the one before it done with. For the same reason encrypted records that come before ChangeCipherSpec (out
// of order, or of an association that this one replaces) are dropped: the peer repeats its flight as a whole.
func (p *dtlsPipe) push(datagram []byte) {
	const header = 13
	for len(datagram) >= header {
		n := header + int(binary.BigEndian.Uint16(datagram[header-2:]))
		if n > len(datagram) {
			return
		}
		epoch := binary.BigEndian.Uint16(datagram[3:])
		p.change = p.change || datagram[0] == byte(protocol.ContentTypeChangeCipherSpec)
		if epoch == 0 || p.change {
			select {
			case p.in <- append([]byte(nil), datagram[:n]...):
			default:
			}
		}
		datagram = datagram[n:]
	}
}

// ReadFrom implements net.PacketConn.
func (p *dtlsPipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case <-p.read.Done():
		return 0, nil, os.ErrDeadlineExceeded
	case <-p.closed:
		return 0, nil, net.ErrClosed
	case pkt := <-p.in:
		return copy(b, pkt), p.LocalAddr(), nil
	}
}

// WriteTo implements net.PacketConn. A packet without a way to go counts as lost; DTLS repeats it.
func (p *dtlsPipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	_ = p.agent.Write(b)
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *dtlsPipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr implements net.PacketConn. DTLS only wants an address to exist: the path may change during a handshake.
func (p *dtlsPipe) LocalAddr() net.Addr { return &net.UDPAddr{} }

// SetReadDeadline implements net.PacketConn.
func (p *dtlsPipe) SetReadDeadline(t time.Time) error { p.read.Set(t); return nil }

// SetWriteDeadline implements net.PacketConn; writes do not block.
func (p *dtlsPipe) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (p *dtlsPipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// silentLoggers keeps pion from writing to stderr: what matters comes back as an error.
type silentLoggers struct{}

// NewLogger implements logging.LoggerFactory.
func (silentLoggers) NewLogger(string) logging.LeveledLogger { return silentLogger{} }

type silentLogger struct{}

func (silentLogger) Trace(string)          {}
func (silentLogger) Tracef(string, ...any) {}
func (silentLogger) Debug(string)          {}
func (silentLogger) Debugf(string, ...any) {}
func (silentLogger) Info(string)           {}
func (silentLogger) Infof(string, ...any)  {}
func (silentLogger) Warn(string)           {}
func (silentLogger) Warnf(string, ...any)  {}
func (silentLogger) Error(string)          {}
func (silentLogger) Errorf(string, ...any) {}
