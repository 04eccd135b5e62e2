package icelite

import (
	"fmt"
	"net/netip"
	"slices"
)

// Candidate is one address for the description (RFC 8839 §5.1, RFC 6544 §4.5).
type Candidate struct {
	Addr     netip.AddrPort
	TCP      bool
	Priority uint32
	// Foundation is the same for candidates of one base (RFC 8445 §5.1.1.3).
	Foundation int
}

// String is the value of an a=candidate line.
func (c Candidate) String() string {
	s := fmt.Sprintf("%d 1 udp %d %s %d typ host", c.Foundation, c.Priority, c.Addr.Addr(), c.Addr.Port())
	if c.TCP {
		s = fmt.Sprintf("%d 1 tcp %d %s %d typ host tcptype passive", c.Foundation, c.Priority, c.Addr.Addr(), c.Addr.Port())
	}
	return s
}

// Candidates lists where the mux can be reached, best first: public addresses, then its own, each by UDP before all by TCP.
// All are host candidates, as a lite agent's must be (RFC 8445 §5.2).
func (m *Mux) Candidates() []Candidate {
	var list []Candidate
	for i, a := range m.reached(m.udp.addrs()) {
		list = append(list, Candidate{Addr: a, Priority: priority(126, 65535-i), Foundation: len(list) + 1})
	}
	for i, a := range m.reached(m.tcp.addrs()) {
		list = append(list, Candidate{Addr: a, TCP: true, Priority: priority(90, 65535-i), Foundation: len(list) + 1})
	}
	return list
}

// reached puts the public addresses before the local ones.
func (m *Mux) reached(local []netip.AddrPort) []netip.AddrPort {
	if len(local) == 0 {
		return nil
	}
	var list []netip.AddrPort
	for _, ip := range m.cfg.Public {
		if a := netip.AddrPortFrom(ip, local[0].Port()); !slices.Contains(local, a) {
			list = append(list, a)
		}
	}
	return append(list, local...)
}

// priority is RFC 8445 §5.1.2.1 for component 1. TCP gets a lower type preference: RFC 6544 §4.2 wants UDP first.
func priority(typePreference, localPreference int) uint32 {
	return uint32(typePreference)<<24 | uint32(localPreference)<<8 | 255
}
