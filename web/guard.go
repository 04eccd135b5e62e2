package web

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// guard stands before everything: it logs, recovers from panics, sets the security headers, and refuses requests that
// change something but come from another site's page (net/http.CrossOriginProtection: Sec-Fetch-Site, else Origin).
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusForbidden, "This request came from another site's page.")
	}))
	next = cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = s.fromClient(r)
		rec := &recorder{ResponseWriter: w}
		start := time.Now()
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				s.log.Error().Interface("panic", v).Bytes("stack", debug.Stack()).Str("path", r.URL.Path).Msg("request panicked")
				if rec.status == 0 {
					writeProblem(rec, http.StatusInternalServerError, "Something went wrong on our side; the server's log says what.")
				}
			}
			s.access(rec, r, time.Since(start))
		}()
		s.secureHeaders(w.Header())
		next.ServeHTTP(rec, r)
	})
}

// secureHeaders are those of every answer. The page adds its own Content-Security-Policy.
func (s *Server) secureHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=()")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	if s.cfg.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// access logs a request. Neither the query nor any header is logged: they may hold secrets.
func (s *Server) access(rec *recorder, r *http.Request, took time.Duration) {
	level := zerolog.InfoLevel
	switch {
	case rec.status >= 500:
		level = zerolog.ErrorLevel
	case rec.status < 400 && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		level = zerolog.DebugLevel // reading is what a page does all day
	}
	s.log.WithLevel(level).Str("method", r.Method).Str("path", r.URL.Path).Int("status", rec.status).
		Int64("bytes", rec.bytes).Dur("took", took).Str("remote", remoteHost(r)).Msg("http")
}

// fromClient gives a request that came by a trusted proxy the address of its client: of the addresses in X-Forwarded-For,
// which anybody may have begun, the last one that is no trusted proxy's.
func (s *Server) fromClient(r *http.Request) *http.Request {
	if !s.isProxy(remoteHost(r)) {
		return r
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			return r
		}
		if s.isProxy(addr.String()) {
			continue
		}
		_, port, _ := net.SplitHostPort(r.RemoteAddr)
		c := *r
		c.RemoteAddr = net.JoinHostPort(addr.Unmap().String(), port)
		return &c
	}
	return r
}

func (s *Server) isProxy(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// recorder remembers what was answered. Unwrap keeps flushing, hijacking and deadlines working (http.ResponseController).
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(code int) {
	if r.status == 0 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// remoteHost is the address of the peer without its port.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// pagePolicy is the Content-Security-Policy of the page: nothing from elsewhere, and styles only with this nonce.
func pagePolicy(nonce string) string {
	return fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' data:; font-src 'self'; "+
		"connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", nonce)
}

func newNonce() string { return rand.Text() }
