package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"strowger/store"
)

const cookieName = "strowger"

// Keys of what a session holds.
const (
	keyUser   = "user"   // User.ID
	keyID     = "id"     // public name of the session, for registrations and logs; the cookie is the secret
	keySigned = "signed" // when the user signed in, Unix milliseconds
)

// Principal is who makes a request.
type Principal struct {
	User    store.User // zero for the admin token
	Session string     // public name of the session, "" for the admin token
	Admin   bool       // owner, admin or the admin token: may see everything

	signed time.Time // when the user signed in
}

// sees reports whether the principal may see what these users take part in.
func (p Principal) sees(participants []string) bool {
	return p.Admin || slices.Contains(participants, p.User.ID)
}

type principalKey struct{}

func principal(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// newSessions makes the session manager. There is no idle timeout: it would write to the store on every request.
func newSessions(cfg Config, log zerolog.Logger) *scs.SessionManager {
	sessions := cfg.Sessions
	if sessions == nil {
		sessions = newMemorySessions()
	}
	// Not scs.New: it starts a goroutine that nobody ends.
	m := &scs.SessionManager{
		Store:            sessions,
		Codec:            scs.GobCodec{},
		HashTokenInStore: true,
		Lifetime:         cfg.SessionLifetime,
		Cookie: scs.SessionCookie{
			Name: cookieName, Path: "/", HttpOnly: true, Persist: true, Secure: cfg.Secure, SameSite: http.SameSiteStrictMode,
		},
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		log.Error().Err(err).Str("path", r.URL.Path).Msg("session store failed")
		writeProblem(w, http.StatusInternalServerError, "The session could not be read or kept; the server's log says why.")
	}
	return m
}

// authenticate finds out who makes the request. It refuses nobody: routes do.
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := s.bearer(r)
		if !ok {
			p, ok = s.signedIn(r.Context())
		}
		if ok {
			r = r.WithContext(context.WithValue(r.Context(), principalKey{}, p))
		}
		next.ServeHTTP(w, r)
	})
}

// bearer recognises the admin token, in constant time.
func (s *Server) bearer(r *http.Request) (Principal, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || s.cfg.AdminToken == "" {
		return Principal{}, false
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.cfg.AdminToken))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return Principal{}, false
	}
	return Principal{Admin: true}, true
}

// signedIn recognises a session's user, who must still exist, not be disabled, and not have changed the password since.
func (s *Server) signedIn(ctx context.Context) (Principal, bool) {
	id, signed := s.sessions.GetString(ctx, keyUser), time.UnixMilli(s.sessions.GetInt64(ctx, keySigned))
	user, ok := s.welcome(id, signed)
	if !ok {
		return Principal{}, false
	}
	return Principal{User: user, Session: s.sessions.GetString(ctx, keyID), Admin: isAdmin(user), signed: signed}, true
}

// welcome reports whether a user who signed in then still exists, is not disabled, and has the same password.
func (s *Server) welcome(id string, signed time.Time) (store.User, bool) {
	user, ok := s.cfg.Organisation.UserByID(id)
	if !ok || id == "" {
		return store.User{}, false
	}
	if cred, err := s.cfg.Credentials.Credential(id); err == nil && (cred.Disabled || cred.Changed.After(signed)) {
		return store.User{}, false
	}
	return user, true
}

// PeopleChanged takes over changed users and passwords: the event streams and phones' sockets of those who may not be here
// any more end, and the streams of those with another role, whose pages then open new ones.
func (s *Server) PeopleChanged() {
	gone := func(p Principal) bool {
		if p.User.ID == "" {
			return false // the admin token
		}
		_, ok := s.welcome(p.User.ID, p.signed)
		return !ok
	}
	s.hub.dropIf(func(p Principal) bool {
		u, _ := s.cfg.Organisation.UserByID(p.User.ID)
		return gone(p) || (p.User.ID != "" && isAdmin(u) != p.Admin)
	})
	s.sockets.closeIf(websocket.StatusPolicyViolation, "signed out", func(p Principal, id PhoneIdentity) bool { return id.Trusted && gone(p) })
}

func isAdmin(u store.User) bool { return u.Role == store.Owner || u.Role == store.Admin }
