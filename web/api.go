package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"strowger/store"
)

// newAPI makes the API's frame: JSON only, OpenAPI 3.1 at /api/openapi.json, errors as problem+json (RFC 9457).
func newAPI(mux *http.ServeMux) huma.API {
	cfg := huma.DefaultConfig("Strowger", "1")
	cfg.Info.Description = "Calls, voicemails, live events and sign-in of a Strowger phone system. A browser authenticates with its " +
		"session cookie, a script with the admin token. Agents see what is theirs; owners and admins see everything."
	cfg.OpenAPIPath = "/api/openapi"
	cfg.DocsPath = ""    // the usual viewers load scripts from elsewhere
	cfg.SchemasPath = "" // the document holds them all
	cfg.CreateHooks = nil
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "Set by POST /api/session."},
		"token":   {Type: "http", Scheme: "bearer", Description: "The admin token, for scripts."},
	}
	return humago.New(mux, cfg)
}

// need is what a route asks of whoever calls it.
type need int

const (
	needPerson need = iota // a signed-in user
	needAny                // a signed-in user or the admin token
	needAdmin              // an owner, an admin or the admin token
)

// route registers an operation that only those whom it admits may call. Who calls is asked before the request is read, so
// that a stranger learns nothing from how it is validated.
func route[I, O any](s *Server, n need, op huma.Operation, h func(ctx context.Context, p Principal, in *I) (*O, error)) {
	op.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	op.Errors = append(op.Errors, http.StatusUnauthorized)
	switch n {
	case needPerson:
		op.Security = op.Security[:1]
		op.Errors = append(op.Errors, http.StatusForbidden)
	case needAdmin:
		op.Errors = append(op.Errors, http.StatusForbidden)
	}
	op.Middlewares = append(huma.Middlewares{s.admit(n)}, op.Middlewares...)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		p, _ := principal(ctx) // admitted
		out, err := h(ctx, p, in)
		return out, s.problem(op.OperationID, err)
	})
}

// admit answers 401 or 403 to those who may not use a route.
func (s *Server) admit(n need) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		p, ok := principal(ctx.Context())
		refuse := func(status int, why string) {
			if err := huma.WriteErr(s.api, ctx, status, why); err != nil {
				s.log.Debug().Err(err).Msg("refusal not written")
			}
		}
		switch {
		case !ok:
			refuse(http.StatusUnauthorized, "Sign in first.")
		case n == needPerson && p.User.ID == "":
			refuse(http.StatusForbidden, "The admin token is nobody's phone: sign in as a user.")
		case n == needAdmin && !p.Admin:
			refuse(http.StatusForbidden, "Only owners and admins may see this.")
		default:
			next(ctx)
		}
	}
}

// problem turns a store's error into the answer for it. What is not the caller's doing is logged here, once, and the caller
// is told no more than that.
func (s *Server) problem(op string, err error) error {
	var status huma.StatusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status):
		return err
	case errors.Is(err, store.ErrNotFound):
		return huma.Error404NotFound("There is no such thing, or it is not yours to see.")
	case errors.Is(err, ErrUnacceptable):
		return huma.Error422UnprocessableEntity(strings.TrimPrefix(err.Error(), ErrUnacceptable.Error()+": "))
	case errors.Is(err, store.ErrClaimed):
		return huma.Error409Conflict("Somebody else has taken this call already.")
	}
	s.log.Error().Err(err).Str("operation", op).Msg("request failed")
	return huma.Error500InternalServerError("Something went wrong on our side; the server's log says what.")
}

// noSuchRoute answers API paths that do not exist as the API does, and not with the page.
func noSuchRoute(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, http.StatusNotFound, "There is no such route; /api/openapi.json lists them all.")
}

// writeProblem writes an RFC 9457 problem where huma is not in charge.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
