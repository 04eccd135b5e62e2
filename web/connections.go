package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// Limits of what one client may hold open at a time. An office behind one address has a few connections per browser.
const (
	// ConnectionsPerAddress is how many HTTP connections one IPv4 address or IPv6 /64 may have.
	ConnectionsPerAddress = 1000
	heldPerSession        = 16  // event streams, and phones' WebSockets: one per tab
	heldPerUser           = 100 // the same, over all sessions; also those of the admin token
)

// LimitConnections wraps a listener so that one address has no more than per connections open; further ones are closed at
// once. Those from exempt networks, such as our reverse proxies, are not counted.
func LimitConnections(l net.Listener, per int, exempt []netip.Prefix) net.Listener {
	return &limitedListener{Listener: l, per: per, exempt: exempt, open: map[string]int{}}
}

type limitedListener struct {
	net.Listener
	per    int
	exempt []netip.Prefix

	mu   sync.Mutex
	open map[string]int // by what hostKey makes of the address
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
		addr, bad := netip.ParseAddr(host)
		if err != nil || bad == nil && slices.ContainsFunc(l.exempt, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) }) {
			return conn, nil
		}
		key := hostKey(host)
		if !l.enter(key) {
			_ = conn.Close()
			continue
		}
		return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.exit(key) })}, nil
	}
}

func (l *limitedListener) enter(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key] >= l.per {
		return false
	}
	l.open[key]++
	return true
}

func (l *limitedListener) exit(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// tooMany reports whether p holds as many of something as it may, given who holds those that are open.
func (p Principal) tooMany(open func(yield func(Principal) bool)) bool {
	session, user := 0, 0
	for other := range open {
		if other.User.ID == p.User.ID {
			user++
			if other.Session == p.Session && p.Session != "" {
				session++
			}
		}
	}
	return session >= heldPerSession || user >= heldPerUser
}

// full reports whether p has all the event streams that it may have.
func (h *hub) full(p Principal) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return p.tooMany(func(yield func(Principal) bool) {
		for s := range h.streams {
			if !yield(s.p) {
				return
			}
		}
	})
}

// room refuses one event stream too many.
func (s *Server) room(ctx huma.Context, next func(huma.Context)) {
	if p, _ := principal(ctx.Context()); s.hub.full(p) {
		if err := huma.WriteErr(s.api, ctx, http.StatusTooManyRequests, "Too many event streams are open: close some tabs."); err != nil {
			s.log.Debug().Err(err).Msg("refusal not written")
		}
		return
	}
	next(ctx)
}
