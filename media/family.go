package media

import (
	"fmt"
	"net"
	"net/netip"
)

// bothFamilies is what RTP sockets bind to in order to be reached by IPv4 and IPv6 alike: "::" opened for both, or
// 0.0.0.0 on a host without IPv6.
func bothFamilies() netip.Addr {
	c, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6unspecified})
	if err != nil {
		return netip.IPv4Unspecified()
	}
	_ = c.Close()
	return netip.IPv6Unspecified()
}

// carries reports whether our RTP sockets can send to a: they are of its family, or of both.
func (e *Engine) carries(a netip.Addr) bool {
	bound := e.cfg.BindIP
	return bound == netip.IPv6Unspecified() || bound.Is4() == a.Is4()
}

// addressFor is what SDP says to a party that reaches us at address a: that one, or where the sockets are bound to another
// one, theirs.
func (e *Engine) addressFor(a netip.Addr) netip.Addr {
	bound := e.cfg.BindIP
	switch {
	case !a.IsValid() || !e.carries(a) || a == e.cfg.PublicIP:
		return e.cfg.PublicIP
	case bound.IsUnspecified():
		return a
	}
	return bound
}

// addressToward is our address as a party at a reaches it; invalid when the routing table knows no way there.
func (e *Engine) addressToward(a netip.Addr) netip.Addr {
	public := e.cfg.PublicIP
	if a.Is6() && public.Is4() {
		public = e.cfg.PublicIP6
	}
	if public.IsValid() && public.Is4() == a.Is4() && !withinNetwork(a) {
		return public
	}
	// No packet is sent: connecting a UDP socket only asks the routing table.
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	return local.Unmap().WithZone("")
}

// withinNetwork reports whether a is reached without passing our NAT.
func withinNetwork(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// meet finds the addresses at which the party of an m= line and we reach each other. A description in a family that is
// not the one of ours so far is answered in its own where the sockets and the routing table know a way (RFC 6157 §4).
// Where they know none, a party that signals from an address that we can reach is taken to have its port there: phones
// with both families write the one that they prefer, whichever way they came.
func (l *rtpLink) meet(m *sdpMedia) (theirs, ours netip.Addr, err error) {
	e, theirs, ours := l.s.engine, m.conn.Unmap(), l.sdp.public
	if !theirs.IsValid() {
		return theirs, ours, &sdpError{m.line, "m=audio has no c= address"}
	}
	if theirs.IsUnspecified() || theirs.Is4() == ours.Is4() {
		return theirs, ours, nil
	}
	if e.carries(theirs) && !theirs.IsLinkLocalUnicast() {
		if local := e.addressToward(theirs); local.IsValid() {
			return theirs, local, nil
		}
	}
	if party := l.s.opt.Party; party.IsValid() && party.Is4() == ours.Is4() {
		return party, ours, nil
	}
	return theirs, ours, &sdpError{m.line, fmt.Sprintf("m=audio: there is no way to the address %s from ours, %s", m.conn, ours)}
}
