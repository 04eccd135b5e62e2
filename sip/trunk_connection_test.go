package sip

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"strowger/sip/call"
	"strowger/sip/siptest"
)

// Carriers over TLS and TCP.

// Over TLS the certificate is checked against the carrier's name, though the address was looked up by us.
func TestTrunkTLS(t *testing.T) {
	cert, roots := certificate(t, "carrier.test")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port := splitHostPort(listener.Addr().String())
	cfg := newOffice().config()
	cfg.DialTLS = &tls.Config{RootCAs: roots}
	cfg.Resolver = fakeDNS{
		srv:   map[string][]*net.SRV{"_sips._tcp.carrier.test": {{Target: "localhost.", Port: uint16(port)}}},
		hosts: map[string][]netip.Addr{"localhost": {netip.MustParseAddr("127.0.0.1")}},
	}
	cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: "carrier.test", Transport: "tls", Qualify: -1}}
	s := startEdge(t, cfg)
	p := newParty(t)
	leg, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "carrier", Number: "+12025550177"}, SDP: []byte(answerSDP)}, p.post)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	invite := readMessage(t, conn)
	if invite.URI() != "sip:+12025550177@carrier.test;transport=tls" || !strings.HasPrefix(invite.Get("Via"), "SIP/2.0/TLS ") {
		t.Errorf("INVITE: %+v", invite)
	}
	ring(t, conn, invite)
	p.expect(call.Progress)
	leg.Hangup(call.AnsweredElsewhere)
	if cancel := readMessage(t, conn); cancel.Method() != "CANCEL" || cancel.Branch() != invite.Branch() {
		t.Errorf("CANCEL: %+v", cancel)
	}
}

// readMessage reads one message, written at once, from a stream.
func readMessage(t *testing.T, conn net.Conn) *siptest.Message {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	m, err := siptest.Parse(string(buf[:n]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ring answers an INVITE with 180 on a stream.
func ring(t *testing.T, conn net.Conn, invite *siptest.Message) {
	t.Helper()
	text := "SIP/2.0 180 Ringing\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		text += name + ": " + invite.Get(name) + "\r\n"
	}
	if _, err := conn.Write([]byte(text + "Content-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
}

// certificate makes a self-signed one for these names and localhost.
func certificate(t *testing.T, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: append(names, "localhost"),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// The carrier's connection breaks while it rings: the next trunk can be tried at once.
func TestTrunkConnectionLost(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cfg := newOffice().config()
	cfg.Trunks = []TrunkConfig{{Name: "carrier", Server: listener.Addr().String(), Transport: "tcp", Qualify: -1}}
	s := startEdge(t, cfg)
	p := newParty(t)
	if _, err := s.Dial(t.Context(), call.DialRequest{To: call.Endpoint{Trunk: "carrier", Number: "+12025550177"}, SDP: []byte(answerSDP)}, p.post); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ring(t, conn, readMessage(t, conn))
	p.expect(call.Progress)
	_ = conn.Close()
	if e := p.expect(call.Failed); e.Code != 503 {
		t.Errorf("failed: %+v", e)
	}
}
