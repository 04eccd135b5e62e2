package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"strowger/store"
)

// PasswordParams are argon2id's parameters for new passwords: the second choice of RFC 9106 §4, 64 MiB and three passes.
func PasswordParams() *argon2id.Params {
	return &argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}
}

// hashesAtOnce bounds the memory of password checks: each takes 64 MiB.
const hashesAtOnce = 2

// NewSigninLink makes a one-time sign-in token for a user, good for ttl. The link to hand out is
// BASE/signin#token=TOKEN: the part after # is never sent to a server, so it stands in no log.
func (s *Server) NewSigninLink(user string, ttl time.Duration) (token string, err error) {
	if _, ok := s.cfg.Organisation.UserByID(user); !ok {
		return "", fmt.Errorf("sign-in link for user %q: %w", user, store.ErrNotFound)
	}
	token = rand.Text()
	if err := s.links.PutSigninLink(SigninHash(token), SigninLink{User: user, Expires: time.Now().Add(ttl)}); err != nil {
		return "", fmt.Errorf("sign-in link for user %q: %w", user, err)
	}
	return token, nil
}

// SigninHash is the key under which SigninLinks keeps a token.
func SigninHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// SignOutUser ends the live connections of a user. Their sessions end at the next request when the credential is disabled or
// its password was changed.
func (s *Server) SignOutUser(user string) {
	s.sockets.closeUser(user)
	s.hub.dropUser(user)
}

type signinInput struct {
	Body struct {
		Login    string `json:"login,omitempty" maxLength:"254" doc:"E-mail address or user id"`
		Password string `json:"password,omitempty" maxLength:"1024"`
		Token    string `json:"token,omitempty" maxLength:"200" doc:"Of a one-time sign-in link, instead of login and password"`
	}
}

type signinOutput struct {
	Body struct {
		User string `json:"user" doc:"The id of who is signed in now"`
	}
}

func (s *Server) sessionRoutes() {
	hashing := make(chan struct{}, hashesAtOnce)
	huma.Register(s.api, huma.Operation{
		OperationID: "sign-in", Method: http.MethodPost, Path: "/api/session", Summary: "Sign in",
		Description: "With a password, or with the token of a one-time link. Sets the session cookie. After too many failures for " +
			"one user or from one address the answer is 429 for some minutes, whatever the password.",
		Errors:      []int{http.StatusUnauthorized, http.StatusTooManyRequests},
		Middlewares: huma.Middlewares{withRequest},
	}, func(ctx context.Context, in *signinInput) (*signinOutput, error) {
		user, err := s.recognise(ctx, hashing, in)
		if err != nil {
			return nil, s.problem("sign-in", err)
		}
		if err := s.beginSession(ctx, user); err != nil {
			return nil, s.problem("sign-in", err)
		}
		out := &signinOutput{}
		out.Body.User = user.ID
		return out, nil
	})
	huma.Register(s.api, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: "/api/session", Summary: "Sign out",
		Description: "Ends the session, its event streams and its phone's WebSocket.",
	}, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		if id := s.sessions.GetString(ctx, keyID); id != "" {
			s.sockets.closeSession(id)
			s.hub.dropSession(id)
		}
		return nil, s.problem("sign-out", s.sessions.Destroy(ctx))
	})
}

// beginSession gives the browser a new session: never the one it came with (session fixation).
func (s *Server) beginSession(ctx context.Context, user store.User) error {
	if id := s.sessions.GetString(ctx, keyID); id != "" {
		s.sockets.closeSession(id)
		s.hub.dropSession(id)
	}
	if err := s.sessions.Clear(ctx); err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	s.sessions.Put(ctx, keyUser, user.ID)
	s.sessions.Put(ctx, keyID, rand.Text()[:16])
	s.sessions.Put(ctx, keySigned, time.Now().UnixMilli())
	return nil
}

// recognise returns who signs in, or 401 or 429. hashing has room for hashesAtOnce password checks; the others wait, or give
// up with their request. Every failure says the same: whether a user exists is nobody's business.
func (s *Server) recognise(ctx context.Context, hashing chan struct{}, in *signinInput) (store.User, error) {
	login := strings.ToLower(strings.TrimSpace(in.Body.Login))
	address := addressKey(request(ctx))
	guessed := func() bool { return s.guesses.refuses(login, address) }
	if in.Body.Token == "" && !guessed() {
		// Failures are counted before the next check begins: of many guesses at once no more are judged than one by one.
		select {
		case hashing <- struct{}{}:
			defer func() { <-hashing }()
		case <-ctx.Done():
			return store.User{}, ctx.Err()
		}
	}
	if guessed() {
		s.log.Warn().Str("login", login).Str("remote", remoteHost(request(ctx))).Msg("sign-in refused: too many failures")
		return store.User{}, tooManyGuesses()
	}
	var user store.User
	var ok bool
	var err error
	if in.Body.Token != "" {
		user, ok, err = s.byToken(in.Body.Token)
	} else {
		user, ok, err = s.byPassword(login, in.Body.Password)
	}
	if err != nil {
		return store.User{}, err
	}
	if !ok {
		s.guesses.missed(login, address)
		s.log.Info().Str("login", login).Bool("link", in.Body.Token != "").Str("remote", remoteHost(request(ctx))).Msg("sign-in failed")
		if in.Body.Token != "" {
			return store.User{}, huma.Error401Unauthorized("This sign-in link was used already or has expired: ask for a new one.")
		}
		return store.User{}, huma.Error401Unauthorized("Wrong name or password.")
	}
	for _, name := range []string{user.ID, user.Email} {
		if name = strings.ToLower(name); name != "" {
			s.guesses.succeeded(name, address)
		}
	}
	s.log.Info().Str("user", user.ID).Str("remote", remoteHost(request(ctx))).Msg("signed in")
	return user, nil
}

func tooManyGuesses() error {
	return huma.ErrorWithHeaders(
		huma.Error429TooManyRequests("Too many failed sign-ins: wait some minutes and try again."),
		http.Header{"Retry-After": {strconv.Itoa(int(guessWindow.Seconds()))}})
}

// byToken takes a one-time link.
func (s *Server) byToken(token string) (store.User, bool, error) {
	link, err := s.links.TakeSigninLink(SigninHash(token))
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, false, nil
	}
	if err != nil {
		return store.User{}, false, fmt.Errorf("take sign-in link: %w", err)
	}
	user, ok := s.cfg.Organisation.UserByID(link.User)
	if !ok || time.Now().After(link.Expires) {
		return store.User{}, false, nil
	}
	cred, err := s.cfg.Credentials.Credential(user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, false, fmt.Errorf("read credential of %s: %w", user.ID, err)
	}
	return user, !cred.Disabled, nil
}

// nobodysHash is checked when there is no user, so that the answer takes as long. Its password is unknown to everybody.
const nobodysHash = "$argon2id$v=19$m=65536,t=3,p=2$c3Ryb3dnZXItbm9ib2R5cw$o3Q0cWqVhJvHnD1oS2bq1mXl8sYcG0uT4rB7kEw9aZM"

// byPassword checks a password. The caller sees to it that no more than hashesAtOnce checks run at a time.
func (s *Server) byPassword(login, password string) (store.User, bool, error) {
	user, ok := s.cfg.Organisation.UserByID(login)
	if !ok && strings.Contains(login, "@") {
		user, ok = s.cfg.Organisation.UserByEmail(login)
	}
	hash, usable := nobodysHash, false
	if ok {
		cred, err := s.cfg.Credentials.Credential(user.ID)
		switch {
		case err == nil && cred.Hash != "":
			hash, usable = cred.Hash, !cred.Disabled
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return store.User{}, false, fmt.Errorf("read credential of %s: %w", user.ID, err)
		}
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return store.User{}, false, fmt.Errorf("check the password of %q: %w", login, err)
	}
	return user, match && usable, nil
}

type requestKey struct{}

// withRequest lets an operation see its http.Request.
func withRequest(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	next(huma.WithValue(ctx, requestKey{}, r))
}

func request(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}
