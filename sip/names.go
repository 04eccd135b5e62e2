package sip

import (
	"net"
	"net/netip"
	"strings"
)

// ownNames are the hosts that mean this server.
type ownNames struct {
	names map[string]bool
	addrs map[netip.Addr]bool
}

func newOwnNames(cfg Config) *ownNames {
	o := &ownNames{names: make(map[string]bool), addrs: make(map[netip.Addr]bool)}
	for _, name := range append([]string{cfg.Realm, cfg.PublicHost, cfg.PublicHost6}, cfg.Domains...) {
		if name != "" {
			o.names[strings.ToLower(name)] = true
		}
	}
	all := false // some listener takes all addresses of this machine
	for _, listen := range []string{cfg.UDP, cfg.TCP, cfg.TLS} {
		addr, err := netip.ParseAddr(hostOf(listen))
		switch {
		case listen == "":
		case err != nil || addr.IsUnspecified():
			all = true
		default:
			o.addrs[addr.Unmap()] = true
		}
	}
	if all {
		local, _ := net.InterfaceAddrs()
		for _, a := range local {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				o.addrs[p.Addr().Unmap()] = true
			}
		}
	}
	return o
}

// has reports whether a URI's host is us.
func (o *ownNames) has(host string) bool {
	if o.names[strings.ToLower(host)] {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && o.addrs[addr.Unmap().WithZone("")]
}
