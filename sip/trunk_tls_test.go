package sip

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"testing"
)

// TestTrunkTLSVerification: a certificate that does not fit is refused unless the trunk waives the check; one trunk's waiver
// is no other trunk's.
func TestTrunkTLSVerification(t *testing.T) {
	cert, roots := certificate(t, "carrier.test")
	local := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	for _, test := range []struct {
		name   string
		server string // of the first trunk
		waived [2]bool
		roots  *x509.CertPool
		good   bool
	}{
		{"the right one", "carrier.test", [2]bool{}, roots, true},
		{"the right one beside a waiver", "carrier.test", [2]bool{false, true}, roots, true},
		{"another name's", "other.test", [2]bool{}, roots, false},
		{"another name's, waived", "other.test", [2]bool{true, false}, roots, true},
		{"another name's, waived for another trunk", "other.test", [2]bool{false, true}, roots, false},
		{"signed by nobody beside a waiver", "carrier.test", [2]bool{false, true}, x509.NewCertPool(), false},
		{"for no address", "127.0.0.1", [2]bool{false, true}, roots, false},
		{"for no address, waived", "127.0.0.1", [2]bool{true, false}, roots, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := newOffice().config()
			cfg.DialTLS = &tls.Config{RootCAs: test.roots}
			cfg.Resolver = fakeDNS{hosts: map[string][]netip.Addr{"carrier.test": local, "other.test": local, "third.test": local}}
			cfg.Trunks = []TrunkConfig{
				{Name: "carrier", Server: test.server + ":5061", Transport: "tls", Qualify: -1, TLSSkipVerify: test.waived[0]},
				{Name: "third", Server: "third.test:5061", Transport: "tls", Qualify: -1, TLSSkipVerify: test.waived[1]}}
			s := startEdge(t, cfg)
			for _, carrier := range s.calls.trunks.all {
				if _, err := carrier.resolve(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer theirs.Close()
			go func() {
				_ = tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}}).HandshakeContext(t.Context())
			}()
			dial := s.dialTLS().Clone()
			dial.ServerName = test.server // as sipgo does
			if err := tls.Client(ours, dial).HandshakeContext(t.Context()); (err == nil) != test.good {
				t.Errorf("the handshake: %v", err)
			}
		})
	}
}
