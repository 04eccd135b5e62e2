package sip

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
)

// dialTLS is for TLS connections that we open. Where a trunk waives the proof of the carrier's name, the check is ours to
// make for the others: sipgo has one configuration for all.
func (s *Server) dialTLS() *tls.Config {
	base := s.cfg.DialTLS
	if !slices.ContainsFunc(s.cfg.Trunks, func(t TrunkConfig) bool { return t.TLSSkipVerify }) {
		return base
	}
	c := &tls.Config{}
	if base != nil {
		c = base.Clone()
	}
	c.InsecureSkipVerify = true //nolint:gosec // verifyCarrier does it
	c.VerifyConnection = func(state tls.ConnectionState) error { return s.verifyCarrier(state, c.RootCAs) }
	return c
}

// verifyCarrier checks a carrier's certificate (RFC 5922 §7.2) unless its trunk waives that. The name is empty for a
// carrier that is configured by its address: it may then show any trunk's address.
func (s *Server) verifyCarrier(state tls.ConnectionState, roots *x509.CertPool) error {
	set := &s.calls.trunks
	if _, waived := set.waived.Load(state.ServerName); waived {
		return nil
	}
	opts := x509.VerifyOptions{Roots: roots, DNSName: state.ServerName, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	leaf := state.PeerCertificates[0]
	if _, err := leaf.Verify(opts); err != nil {
		return fmt.Errorf("the carrier's certificate: %w; tls_skip_verify takes any", err)
	}
	if state.ServerName != "" {
		return nil
	}
	for _, t := range set.all {
		if host, _ := splitHostPort(orString(t.cfg.OutboundProxy, t.cfg.Server)); isAddress(host) && leaf.VerifyHostname(host) == nil {
			return nil
		}
	}
	return fmt.Errorf("the carrier's certificate is for none of the trunks' addresses; tls_skip_verify takes any")
}

// waive lets the hosts of a trunk show any certificate.
func (t *trunk) waive(hops []hop) {
	if !t.cfg.TLSSkipVerify {
		return
	}
	set := &t.srv.calls.trunks
	for _, h := range hops {
		name, ok := set.tlsNames.Load(h.addr)
		if !ok {
			name = "" // configured by its address
		}
		set.waived.Store(name, true)
	}
}
