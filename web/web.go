// Package web is the HTTP side of the phone system: sign-in, the API that the page and scripts use, live events, the
// WebSocket by which browser phones speak SIP (RFC 7118), and the page itself.
//
// What it needs it names in interfaces of its own (ports.go); cmd binds them. Every route of the API is registered with
// huma, so that the OpenAPI document at /api/openapi.json is made from the code; openapi.json beside this file is the same
// document, and a test keeps it so.
package web

import (
	"errors"
	"io/fs"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"
)

// Config is what a Server needs. Fields without "may be nil" are required.
type Config struct {
	Organisation Organisation
	People       People
	Credentials  Credentials
	SigninLinks  SigninLinks // may be nil: links live in memory and end with the process
	Sessions     scs.Store   // keyed by the SHA-256 of the cookie; may be nil: sessions end with the process
	Calls        Calls
	Active       Active
	Voicemails   Voicemails
	Recordings   Recordings
	Mailboxes    Mailboxes
	Mails        Mails
	Phones       Phones
	Trunks       Trunks
	Demo         Demo  // may be nil: there is no demo
	UI           fs.FS // the built page (ui.Files()); without index.html a page tells how to build it

	// AdminToken lets scripts in as an owner ("Authorization: Bearer ..."). "" = no such way in.
	AdminToken string
	// Secure says that browsers reach us by HTTPS only: the cookie is Secure, and HSTS is sent.
	Secure bool
	// URL is the origin by which browsers reach us ("https://phone.example.com"), "" = the host that they name: for a reverse
	// proxy that names another one to us.
	URL string
	// AllowedOrigins are other web origins ("https://crm.example") whose pages may open the phone's WebSocket. A browser's
	// cookie never counts for them: they must authenticate with digest.
	AllowedOrigins []string
	// TrustedProxies are reverse proxies before us: the client's address is then what they say in X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// SIPDomain is the host part of users' SIP addresses, "" = the host that the browser uses.
	SIPDomain string
	// SessionLifetime is how long a sign-in lasts; 0 = 14 days.
	SessionLifetime time.Duration
	// Heartbeat is the time between signs of life on an event stream; 0 = 15 s.
	Heartbeat time.Duration
	// Version of the program, for people.
	Version string
	Log     zerolog.Logger
}

// Server is the HTTP handler. Close ends its streams and sockets; requests in progress are the http.Server's to end.
type Server struct {
	cfg        Config
	sessions   *scs.SessionManager
	links      SigninLinks
	guesses    *guesses
	hub        *hub
	alerts     alerts
	parked     parked
	listenings listenings
	sockets    *sockets
	api        huma.API
	handler    http.Handler
	log        zerolog.Logger
}

// New makes a Server. The error names what is missing in cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.SessionLifetime <= 0 {
		cfg.SessionLifetime = 14 * 24 * time.Hour
	}
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 15 * time.Second
	}
	s := &Server{
		cfg:     cfg,
		links:   cfg.SigninLinks,
		guesses: newGuesses(),
		hub:     newHub(),
		sockets: newSockets(),
		log:     cfg.Log,
	}
	if s.links == nil {
		s.links = newMemoryLinks()
	}
	s.sessions = newSessions(cfg, s.log)

	mux := http.NewServeMux()
	s.api = newAPI(mux)
	s.routes()
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("GET /ws", s.serveWebSocket)
	mux.HandleFunc("/api/", noSuchRoute)
	mux.Handle("/", s.page())
	s.handler = s.guard(s.sessions.LoadAndSave(s.authenticate(mux)))
	return s, nil
}

func (c Config) check() error {
	var errs []error
	need := func(there bool, name string) {
		if !there {
			errs = append(errs, errors.New("web: Config."+name+" is required"))
		}
	}
	need(c.Organisation != nil, "Organisation")
	need(c.People != nil, "People")
	need(c.Credentials != nil, "Credentials")
	need(c.Calls != nil, "Calls")
	need(c.Active != nil, "Active")
	need(c.Voicemails != nil, "Voicemails")
	need(c.Recordings != nil, "Recordings")
	need(c.Mailboxes != nil, "Mailboxes")
	need(c.Mails != nil, "Mails")
	need(c.Phones != nil, "Phones")
	need(c.Trunks != nil, "Trunks")
	need(c.UI != nil, "UI")
	if c.AdminToken != "" && len(c.AdminToken) < 16 {
		errs = append(errs, errors.New("web: Config.AdminToken is shorter than 16 characters: it could be guessed"))
	}
	return errors.Join(errs...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends all event streams and phones' WebSockets. New ones are refused with 503.
func (s *Server) Close() {
	s.hub.close()
	s.sockets.close()
}

// routes registers the API.
func (s *Server) routes() {
	s.sessionRoutes()
	s.meRoutes()
	s.callRoutes()
	s.activeRoutes()
	s.controlRoutes()
	s.reachRoutes()
	s.roomRoutes()
	s.qualityRoutes()
	s.alertRoutes()
	s.recordingRoutes()
	s.voicemailRoutes()
	s.voicemailChangeRoutes()
	s.mailboxRoutes()
	s.mailRoutes()
	s.phoneRoutes()
	s.demoRoutes()
	s.eventRoutes()
}

func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}
