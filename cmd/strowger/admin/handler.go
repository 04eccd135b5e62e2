package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
)

// Handler serves the admin requests. live is nil when no server runs.
func Handler(db *bolt.DB, data string, live Live) http.Handler {
	s := &service{db: db, data: data, live: live}
	mux := http.NewServeMux()
	route := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, f) })
	}
	route("GET /status", s.status)
	route("GET /users", s.users)
	route("POST /users", s.addUser)
	route("PUT /users/{id}/password", s.setPassword)
	route("POST /users/{id}/link", s.signinLink)
	route("PUT /mailboxes/{box}/pin", s.setPIN)
	route("GET /mails", s.mails)
	route("GET /devices", s.devices)
	route("POST /devices", s.addDevice)
	route("DELETE /devices/{id}", s.removeDevice)
	route("GET /calls", s.calls)
	route("GET /calls/{id}", s.call)
	route("GET /active", s.active)
	route("DELETE /active/{id}", s.hangup)
	route("GET /registrations", s.registrations)
	route("GET /trunks", s.trunks)
	route("GET /state", s.state)
	mux.HandleFunc("GET /backup", s.backup)
	mux.HandleFunc("POST /carrier/call", s.carrierCall)
	s.directoryRoutes(mux, route)
	return mux
}

type service struct {
	db   *bolt.DB
	data string
	live Live
}

// answer writes a result as JSON, or an error with the status that fits it.
func answer(w http.ResponseWriter, r *http.Request, f func(*http.Request) (any, error)) {
	out, err := f(r)
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		code := http.StatusBadRequest
		switch {
		case errors.Is(err, store.ErrNotFound):
			code = http.StatusNotFound
		case errors.Is(err, store.ErrConflict):
			code = http.StatusConflict
		case errors.Is(err, errNoServer):
			code = http.StatusServiceUnavailable
		}
		w.WriteHeader(code)
		out = map[string]string{"error": err.Error()}
	}
	if out == nil {
		out = struct{}{}
	}
	json.NewEncoder(w).Encode(out)
}

func decode[T any](r *http.Request) (T, error) {
	var v T
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("read the request: %w", err)
	}
	return v, nil
}

// changed lets the running server take over what was written.
func (s *service) changed(actor, action, object string) error {
	if err := s.db.Audit(store.AuditEntry{At: time.Now(), Actor: actor, Action: action, Object: object}); err != nil {
		return err
	}
	if s.live == nil {
		return nil
	}
	return s.live.Reload()
}

func (s *service) status(*http.Request) (any, error) {
	if s.live == nil {
		return nil, errNoServer
	}
	return s.live.Status(), nil
}

func (s *service) calls(r *http.Request) (any, error) {
	q := r.URL.Query()
	f := store.CallFilter{User: q.Get("user"), Missed: q.Get("missed") == "true", Before: q.Get("before")}
	if v := q.Get("since"); v != "" {
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return nil, fmt.Errorf("since: %w", err)
		}
		f.Since = t
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return nil, fmt.Errorf("limit: %w", err)
		}
		f.Limit = n
	}
	return s.db.Calls(f)
}

func (s *service) call(r *http.Request) (any, error) { return s.db.Call(r.PathValue("id")) }

func (s *service) active(*http.Request) (any, error) {
	if s.live == nil {
		return []ActiveCall{}, nil
	}
	return s.live.ActiveCalls(), nil
}

func (s *service) hangup(r *http.Request) (any, error) {
	if s.live == nil {
		return nil, errNoServer
	}
	if !s.live.Hangup(r.PathValue("id")) {
		return nil, fmt.Errorf("call %s is not in progress: %w", r.PathValue("id"), store.ErrNotFound)
	}
	return nil, nil
}

// registrations are those of the running server, else the ones that it will find when it starts.
func (s *service) registrations(r *http.Request) (any, error) {
	user := r.URL.Query().Get("user")
	if s.live != nil {
		return s.live.Registrations(user), nil
	}
	all, err := s.db.LoadBindings()
	kept := []store.Binding{}
	for _, b := range all {
		if user == "" || b.User == user {
			kept = append(kept, b)
		}
	}
	return kept, err
}

func (s *service) trunks(*http.Request) (any, error) {
	if s.live == nil {
		return nil, errNoServer
	}
	return s.live.Trunks(), nil
}

// state is what routing must know of the moment; nothing is registered or busy when no server runs.
func (s *service) state(*http.Request) (any, error) {
	if s.live == nil {
		return routing.Live{}, nil
	}
	return s.live.State(), nil
}

func (s *service) backup(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	if _, err := s.db.Backup(w); err != nil {
		panic(http.ErrAbortHandler) // the reader must see a broken stream, not a short backup
	}
}

func (s *service) carrierCall(w http.ResponseWriter, r *http.Request) {
	req, err := decode[CarrierCall](r)
	if err == nil && s.live == nil {
		err = errNoServer
	}
	if err != nil {
		answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	report := func(step CarrierStep) { out.Encode(step); flush.Flush() }
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if err := s.live.CarrierCall(ctx, req, report); err != nil {
		report(CarrierStep{At: time.Now(), Who: "strowger", What: "failed", Detail: err.Error(), Failed: true})
	}
}
