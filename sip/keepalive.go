package sip

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/store"
)

// keepAliveInterval is below the 30 s after which the stricter NATs forget a UDP mapping (RFC 4787 §4.3 allows no less
// than two minutes; many do).
const keepAliveInterval = 25 * time.Second

// keepAlive sends a double CRLF to every phone that registered by UDP from behind a NAT, until ctx ends. The phone ignores
// it (RFC 3261 §7.5); the NAT keeps the way open by which the next INVITE must come.
func (s *Server) keepAlive(ctx context.Context) {
	tick := time.NewTicker(keepAliveInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, b := range s.Registrations("") {
			if addr, ok := natted(&b); ok {
				_, _ = s.listeners.udp.WriteTo([]byte("\r\n\r\n"), net.UDPAddrFromAddrPort(addr))
			}
		}
	}
}

// natted is where a phone behind NAT is reached by UDP: its contact names another host than the one the REGISTER came
// from. Phones behind a proxy with Path are the proxy's business.
func natted(b *store.Binding) (netip.AddrPort, bool) {
	var uri sipmsg.Uri
	source, err := netip.ParseAddrPort(b.Source)
	if err != nil || b.Transport != "udp" || len(b.Path) > 0 || sipmsg.ParseUri(b.Contact, &uri) != nil {
		return netip.AddrPort{}, false
	}
	host, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	return source, err != nil || host.Unmap() != source.Addr().Unmap()
}
