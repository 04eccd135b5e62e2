package sip

import (
	"net/netip"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/store"
)

// trunkOf recognises the carrier that sent a request: by the addresses configured, or by those that its name leads to. A
// loopback address is shared by everybody on the machine, so there the port counts too.
func (s *Server) trunkOf(req *sipmsg.Request) *trunk {
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return nil
	}
	source = netip.AddrPortFrom(source.Addr().Unmap().WithZone(""), source.Port())
	var found *trunk
	best := 0
	for _, t := range s.calls.trunks.all {
		score := t.recognises(source, req)
		if score > 0 && t.cfg.Username != "" && req.Recipient.User == t.cfg.Username {
			score++ // several accounts at one carrier: the one whose Contact was called
		}
		if score > best {
			found, best = t, score
		}
	}
	return found
}

func (t *trunk) recognises(source netip.AddrPort, req *sipmsg.Request) int {
	score := 0
	for _, p := range t.cfg.Addresses {
		if p.Contains(source.Addr()) {
			score = 2
		}
	}
	list := t.known.Load()
	if list == nil {
		return score
	}
	for _, h := range *list {
		addr, err := netip.ParseAddrPort(h.addr)
		switch {
		case err != nil || addr.Addr().Unmap() != source.Addr():
		case addr.Port() == source.Port(), contactPort(req) == int(addr.Port()):
			return 4
		case !source.Addr().IsLoopback():
			score = max(score, 2)
		}
	}
	return score
}

// called is the number that a carrier's INVITE asks for. Carriers call the Contact that we registered; the number stands in
// To then.
func (t *trunk) called(req *sipmsg.Request) string {
	called := uriUser(&req.Recipient)
	if t.cfg.Username != "" && called == t.cfg.Username {
		return uriUser(&req.To().Address)
	}
	return called
}

// goesBy reports whether a host name is the carrier's own.
func (t *trunk) goesBy(host string) bool {
	if t == nil {
		return false
	}
	server, _ := splitHostPort(t.cfg.Server)
	return strings.EqualFold(host, t.cfg.Domain) || strings.EqualFold(host, server)
}

// contactPort is the port that the peer listens on by its own word: connections come from another one.
func contactPort(req *sipmsg.Request) int {
	if req.Transport() == "UDP" {
		return 0
	}
	if c := req.Contact(); c != nil {
		return c.Address.Port
	}
	return 0
}

// trunkLogins lets carriers answer digest challenges as phones do: a carrier with CallerUsername is a device without user.
type trunkLogins struct {
	Devices
	trunks *trunkSet
	realm  string
}

// Device implements Devices.
func (d trunkLogins) Device(id string) (store.Device, bool) {
	for _, t := range d.trunks.all {
		if id != "" && t.cfg.CallerUsername == id {
			md5, sha := HA1(id, d.realm, t.cfg.CallerPassword)
			return store.Device{ID: id, Kind: kindTrunk, Realm: d.realm, HA1MD5: md5, HA1SHA: sha}, true
		}
	}
	return d.Devices.Device(id)
}

// kindTrunk is Incoming.Kind of a carrier's call.
const kindTrunk = "trunk"

// byLogin is the trunk that authenticated as this device, nil when it is a phone.
func (s *trunkSet) byLogin(d store.Device) *trunk {
	if d.Kind != kindTrunk {
		return nil
	}
	for _, t := range s.all {
		if t.cfg.CallerUsername == d.ID {
			return t
		}
	}
	return nil
}
