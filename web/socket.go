package web

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// sipMessageLimit bounds one SIP message on a WebSocket, in bytes.
const sipMessageLimit = 64 * 1024

// serveWebSocket accepts a phone's WebSocket (RFC 7118 §4) and hands it over. A page of ours is known by its session
// (RFC 7118 §7); anybody else must authenticate with digest.
func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	if !offersSIP(r) {
		writeProblem(w, http.StatusBadRequest, "This is for phones: a WebSocket with the subprotocol sip (RFC 7118).")
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"sip"}, OriginPatterns: s.origins()})
	if err != nil {
		s.log.Info().Err(err).Str("remote", r.RemoteAddr).Str("origin", r.Header.Get("Origin")).Msg("websocket refused")
		return // Accept has answered
	}
	conn.SetReadLimit(sipMessageLimit)
	id := PhoneIdentity{Secure: r.TLS != nil || s.cfg.Secure}
	p, known := principal(r.Context())
	if known && p.User.ID != "" && s.sameOrigin(r) {
		id.User, id.Session, id.Trusted = p.User.ID, p.Session, true
	}
	remove, ok := s.sockets.add(conn, socket{p, id})
	if !ok {
		_ = conn.Close(websocket.StatusTryAgainLater, "shutting down, or too many phones of one user")
		return
	}
	defer remove()
	if id.Trusted { // the socket lasts no longer than the session that vouched for it
		expiry := time.AfterFunc(time.Until(s.sessions.Deadline(r.Context())), func() {
			_ = conn.Close(websocket.StatusPolicyViolation, "session expired")
		})
		defer expiry.Stop()
	}
	err = s.cfg.Phones.ServeWebSocket(conn, r.RemoteAddr, id)
	if err != nil {
		s.log.Debug().Err(err).Str("remote", r.RemoteAddr).Str("user", id.User).Msg("phone's websocket ended")
	}
	_ = conn.CloseNow()
}

func offersSIP(r *http.Request) bool {
	for _, h := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(h, ",") {
			if strings.EqualFold(strings.TrimSpace(p), "sip") {
				return true
			}
		}
	}
	return false
}

// origins are the foreign pages that may open the socket, and ours by the name that a reverse proxy may hide.
func (s *Server) origins() []string {
	if s.cfg.URL == "" {
		return s.cfg.AllowedOrigins
	}
	return append([]string{strings.TrimSuffix(s.cfg.URL, "/")}, s.cfg.AllowedOrigins...)
}

// sameOrigin reports whether a page of ours opened the socket: one of this host, or of the URL by which people reach us. A
// cookie that came with another origin, or with none, proves nothing about who wrote the page's script.
func (s *Server) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || s.cfg.URL != "" && strings.EqualFold(origin, strings.TrimSuffix(s.cfg.URL, "/"))
}

// sockets is the open WebSockets of phones.
type sockets struct {
	mu     sync.Mutex
	open   map[*websocket.Conn]socket
	closed bool
	ending sync.WaitGroup
}

// socket is who opened a WebSocket.
type socket struct {
	p  Principal // zero for a stranger
	id PhoneIdentity
}

func newSockets() *sockets { return &sockets{open: map[*websocket.Conn]socket{}} }

func (s *sockets) add(conn *websocket.Conn, who socket) (remove func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || who.p.User.ID != "" && who.p.tooMany(s.holders) {
		return nil, false
	}
	s.open[conn] = who
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, conn)
	}, true
}

// holders are who opened those that are open. The lock is held.
func (s *sockets) holders(yield func(Principal) bool) {
	for _, who := range s.open {
		if !yield(who.p) {
			return
		}
	}
}

func (s *sockets) closeSession(session string) {
	s.closeIf(websocket.StatusPolicyViolation, "signed out", func(_ Principal, id PhoneIdentity) bool { return id.Session == session })
}

func (s *sockets) closeUser(user string) {
	s.closeIf(websocket.StatusPolicyViolation, "signed out", func(_ Principal, id PhoneIdentity) bool { return id.User == user })
}

func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.closeIf(websocket.StatusGoingAway, "shutting down", func(Principal, PhoneIdentity) bool { return true })
	s.ending.Wait()
}

// closeIf closes sockets, each on a goroutine of its own: the closing handshake waits for the peer, up to 5 s.
func (s *sockets) closeIf(code websocket.StatusCode, reason string, which func(Principal, PhoneIdentity) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn, who := range s.open {
		if which(who.p, who.id) {
			s.ending.Go(func() { _ = conn.Close(code, reason) })
		}
	}
}
