package sip

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// guard protects us from sources that send too much or guess passwords. It decides by address, before anything is parsed
// or kept, and its own memory is bounded.
type guard struct {
	rate float64 // requests a second of an unknown source, <= 0 = no limit

	mu      sync.Mutex
	sources map[netip.Addr]*source
	fails   map[failKey]*failures
	swept   time.Time

	sweptFails time.Time
}

// source is what we remember of an address.
type source struct {
	tokens  float64
	seen    time.Time
	trusted time.Time // until then: it has authenticated, or it is a trunk
}

// failKey counts wrong passwords: by address alone, or, for an address where somebody has signed in, by address and
// digest username, so that one misconfigured phone does not lock an office out.
type failKey struct {
	addr netip.Addr
	user string
}

type failures struct {
	count  int
	since  time.Time
	banned time.Time // until then
	bans   int       // how often; each ban lasts twice as long as the one before
}

const (
	guardTrust   = time.Hour
	trustFactor  = 200 // rate of trusted sources, in rates of unknown ones
	burstSeconds = 4

	maxFailures   = 10
	failureWindow = 5 * time.Minute
	firstBan      = 5 * time.Minute
	longestBan    = time.Hour

	maxSources = 65536
	sourceIdle = 10 * time.Minute
	sweepEvery = time.Second
)

func newGuard(rate int) *guard {
	return &guard{rate: float64(rate), sources: make(map[netip.Addr]*source), fails: make(map[failKey]*failures)}
}

// allow takes one request of a source, and is false when it is to be dropped.
func (g *guard) allow(addr netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	src := g.sources[addr]
	if src == nil {
		g.sweep(now)
		src = &source{tokens: g.rate * burstSeconds, seen: now}
		g.sources[addr] = src
	}
	trusted := now.Before(src.trusted)
	if !trusted && len(g.fails) > 0 {
		if f := g.fails[failKey{addr: addr}]; f != nil && now.Before(f.banned) {
			return false
		}
	}
	if g.rate <= 0 {
		return true
	}
	rate := g.rate
	if trusted {
		rate *= trustFactor
	}
	src.tokens = min(src.tokens+now.Sub(src.seen).Seconds()*rate, rate*burstSeconds)
	src.seen = now
	if src.tokens < 1 {
		return false
	}
	src.tokens--
	return true
}

// trust notes that whoever is at peer ("ip:port") has proved who he is.
func (g *guard) trust(peer string) {
	addr, now := addrOf(peer), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	src := g.sources[addr]
	if src == nil {
		g.sweep(now)
		src = &source{tokens: g.rate * burstSeconds, seen: now}
		g.sources[addr] = src
	}
	if now.After(src.trusted) {
		src.tokens = g.rate * trustFactor * burstSeconds
	}
	src.trusted = now.Add(guardTrust)
}

// failed notes a wrong password or an unknown user at peer.
func (g *guard) failed(peer, user string) {
	addr, now := addrOf(peer), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	key := g.keyFor(addr, user, now)
	f := g.fails[key]
	if f == nil {
		if len(g.fails) >= maxSources {
			g.sweepFails(now)
		}
		f = &failures{since: now}
		g.fails[key] = f
	}
	if now.Sub(f.since) > failureWindow {
		f.count, f.since = 0, now
	}
	if f.count++; f.count >= maxFailures {
		f.banned = now.Add(min(firstBan<<min(f.bans, 8), longestBan))
		f.bans++
		f.count, f.since = 0, now
	}
}

// blocked reports whether this user may not even try from this peer. The user is challenged as if the password were wrong.
func (g *guard) blocked(peer, user string) bool {
	addr, now := addrOf(peer), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.fails[failKey{addr, user}]
	return f != nil && now.Before(f.banned)
}

// succeeded forgets the user's failures at peer and trusts the source.
func (g *guard) succeeded(peer, user string) {
	g.trust(peer)
	g.mu.Lock()
	if len(g.fails) > 0 {
		addr := addrOf(peer)
		delete(g.fails, failKey{addr, user})
		delete(g.fails, failKey{addr: addr})
	}
	g.mu.Unlock()
}

func (g *guard) keyFor(addr netip.Addr, user string, now time.Time) failKey {
	if src := g.sources[addr]; src != nil && now.Before(src.trusted) {
		return failKey{addr, user}
	}
	return failKey{addr: addr}
}

// sweep makes room for a source. In a flood of forged addresses any source that has not authenticated may go.
func (g *guard) sweep(now time.Time) {
	if now.Sub(g.swept) >= sweepEvery && len(g.sources) > maxSources/2 {
		g.swept = now
		for addr, src := range g.sources {
			if now.Sub(src.seen) > sourceIdle && now.After(src.trusted) {
				delete(g.sources, addr)
			}
		}
	}
	if len(g.sources) < maxSources {
		return
	}
	looked := 0
	for addr, src := range g.sources {
		if looked++; now.After(src.trusted) || looked > 64 {
			delete(g.sources, addr)
			return
		}
	}
}

// sweepFails makes room in the table of failures: old ones, else any one.
func (g *guard) sweepFails(now time.Time) {
	if now.Sub(g.sweptFails) >= sweepEvery {
		g.sweptFails = now
		for key, f := range g.fails {
			if now.Sub(f.since) > failureWindow && now.Sub(f.banned) > longestBan {
				delete(g.fails, key)
			}
		}
	}
	for key := range g.fails {
		if len(g.fails) < maxSources {
			return
		}
		delete(g.fails, key)
	}
}

// network is what a source cannot change at will: an IPv4 address, or the /64 that every IPv6 host has to itself. The
// addresses that we gave to browsers behind a web proxy are each one's own.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if p, err := a.Prefix(64); err == nil && a.Is6() && !isDiscard(a) {
		return p.Addr()
	}
	return a
}

// addrOf is the network of "ip:port"; the zero Addr stands for what is none.
func addrOf(peer string) netip.Addr {
	ap, err := netip.ParseAddrPort(peer)
	if err != nil {
		return netip.Addr{}
	}
	return network(ap.Addr())
}

// netAddrOf is the same for a net.Addr, without a detour over text for real sockets.
func netAddrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.UDPAddr:
		return network(a.AddrPort().Addr())
	case *net.TCPAddr:
		return network(a.AddrPort().Addr())
	}
	return addrOf(a.String())
}
