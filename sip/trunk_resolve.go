package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Resolver asks the DNS; net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	lookupTimeout = 5 * time.Second
	// lookupInterval is how long addresses are used before the DNS is asked again: the records' own lifetime is hidden by
	// the system's resolver, which caches them.
	lookupInterval = time.Minute
	maxAddresses   = 16
)

var errNoAddress = errors.New("the name has no address")

// hops are the carrier's addresses, best first, those that failed lately last. Only the very first call may have to wait for
// the DNS: keepResolved asks it again in the background.
func (t *trunk) hops(ctx context.Context) ([]hop, error) {
	list := t.known.Load()
	if list == nil {
		found, err := t.resolve(ctx)
		if err != nil {
			return nil, err
		}
		list = &found
		t.know(list)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.orderedLocked(*list), nil
}

// know takes over the carrier's addresses. What comes from there is not held to the rate of strangers from the start: a
// carrier that only takes our calls never proves itself by a request, and its answers would be dropped under load.
func (t *trunk) know(list *[]hop) {
	t.known.Store(list)
	for _, h := range *list {
		t.srv.guard.trust(h.addr)
	}
}

// keepResolved asks for the carrier's addresses again and again until ctx ends. When the DNS fails, the addresses that were
// known are used on.
func (t *trunk) keepResolved(ctx context.Context) {
	unknown := false
	for {
		pause := lookupInterval
		found, err := t.resolve(ctx)
		switch {
		case err == nil:
			t.know(&found)
			if unknown {
				unknown = false
				t.setState(func(st *TrunkStatus) { st.LastError = "" })
			}
		case ctx.Err() != nil:
			return
		case t.known.Load() != nil:
			t.log.Warn().Err(err).Msg("name lookup failed; using the addresses known before")
		default:
			t.log.Warn().Err(err).Msg("the carrier's address is unknown: it cannot be called, and its calls are not recognised")
			unknown, pause = true, optionsWhenDown
			t.setState(func(st *TrunkStatus) { st.LastError = err.Error() })
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// orderedLocked puts failed addresses behind the others; the caller holds mu.
func (t *trunk) orderedLocked(list []hop) []hop {
	now := time.Now()
	good, bad := make([]hop, 0, len(list)), []hop(nil)
	for _, h := range list {
		if until, ok := t.bad[h]; ok && now.Before(until) {
			bad = append(bad, h)
		} else {
			good = append(good, h)
		}
	}
	return append(good, bad...)
}

// suspect notes that an address failed.
func (t *trunk) suspect(h hop) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad[h] = time.Now().Add(badAddressTime)
}

// trusted notes that an address answered.
func (t *trunk) trusted(h hop) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.bad, h)
}

// resolve finds the addresses of the server or proxy (RFC 3263 §4.2): an address as it is, a name with a port by its
// address records, a bare name by its SRV records first.
func (t *trunk) resolve(ctx context.Context) (hops []hop, err error) {
	defer func() { t.waive(hops) }()
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	set := &t.srv.calls.trunks
	host, port := splitHostPort(orString(t.cfg.OutboundProxy, t.cfg.Server))
	if port == 0 {
		if _, err := netip.ParseAddr(host); err != nil {
			if hops := set.services(ctx, host, t.cfg.Transport); len(hops) > 0 {
				return hops, nil
			}
		}
		port = sipmsg.DefaultPort(t.cfg.Transport)
	}
	return set.addresses(ctx, host, port, t.cfg.Transport)
}

// services resolves SRV records in the order of RFC 2782; a target without address is left out.
func (s *trunkSet) services(ctx context.Context, host, transport string) []hop {
	service, proto := "sip", transport
	if transport == "tls" {
		service, proto = "sips", "tcp"
	}
	_, records, err := s.resolver.LookupSRV(ctx, service, proto, host)
	if err != nil {
		return nil
	}
	var out []hop
	for _, r := range sortSRV(records) {
		if r.Target == "." || r.Target == "" {
			continue // RFC 2782: the service is decidedly not available
		}
		if hops, err := s.addresses(ctx, strings.TrimSuffix(r.Target, "."), int(r.Port), transport); err == nil {
			out = append(out, hops...)
		}
	}
	return out[:min(len(out), maxAddresses)]
}

// sortSRV orders records by priority, and within one by weighted chance.
func sortSRV(records []*net.SRV) []*net.SRV {
	rest := slices.Clone(records)
	slices.SortStableFunc(rest, func(a, b *net.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
	var out []*net.SRV
	for len(rest) > 0 {
		end, sum := 0, 0
		for end < len(rest) && rest[end].Priority == rest[0].Priority {
			sum += int(rest[end].Weight)
			end++
		}
		pick, mark := 0, rand.IntN(sum+1)
		for i, acc := 0, 0; i < end; i++ {
			if acc += int(rest[i].Weight); acc >= mark {
				pick = i
				break
			}
		}
		out = append(out, rest[pick])
		rest = slices.Delete(rest, pick, pick+1)
	}
	return out
}

// addresses resolves a host, IPv4 before IPv6.
func (s *trunkSet) addresses(ctx context.Context, host string, port int, transport string) ([]hop, error) {
	list := []netip.Addr{}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		list = append(list, a)
	} else if list, err = s.resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("look up %s: %w", host, errNoAddress)
	}
	list = slices.Clone(list) // the resolver's may be shared
	slices.SortStableFunc(list, func(a, b netip.Addr) int {
		return cmp.Compare(a.Unmap().BitLen(), b.Unmap().BitLen())
	})
	out := make([]hop, 0, len(list))
	for _, a := range list[:min(len(list), maxAddresses)] {
		addr := netip.AddrPortFrom(a.Unmap(), uint16(port)).String()
		if transport == "tls" && host != a.String() {
			s.tlsNames.Store(addr, host)
		}
		out = append(out, hop{transport: transport, addr: addr})
	}
	return out, nil
}

// lookup resolves the host:port of a Contact or Route to ip:port.
func (s *trunkSet) lookup(ctx context.Context, h hop) (string, error) {
	host, port := splitHostPort(h.addr)
	if port <= 0 {
		return "", fmt.Errorf("sip: %q is not host:port", h.addr)
	}
	if strings.HasSuffix(strings.ToLower(host), ".invalid") {
		return "", fmt.Errorf("sip: %s: %w", host, errNoAddress) // RFC 2606 §2
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	hops, err := s.addresses(ctx, host, port, h.transport)
	if err != nil {
		return "", fmt.Errorf("sip: %w", err)
	}
	return hops[0].addr, nil
}
