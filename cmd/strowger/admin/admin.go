// Package admin is how commands reach the store: over the admin socket of the running server, or, when none runs, by opening
// the store themselves. Both speak HTTP to the same handler, so a command is written once and the administrator does not
// care which it is.
//
//	command → Client → unix socket → Handler → store and live state      (a server runs)
//	command → Client → Handler → store                                   (none runs)
//
// The socket is in the data folder and open to its owner only; whoever may read the store may use it.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"strowger/routing"
	"strowger/store"
	"strowger/store/bolt"
)

// SocketName is the admin socket's name in the data folder, StoreName the store's.
const (
	SocketName = "admin.sock"
	StoreName  = "strowger.db"
)

// Live is what only a running server knows and does.
type Live interface {
	Status() Status
	// Reload takes over a changed directory, changed devices or changed passwords.
	Reload() error
	Registrations(user string) []store.Binding
	Trunks() []TrunkStatus
	ActiveCalls() []ActiveCall
	Hangup(id string) bool
	// SigninLink makes a one-time link by which this user signs in.
	SigninLink(user string) (string, error)
	// State is the live state that routing reads.
	State() routing.Live
	// CarrierCall makes the demo's carrier call in and reports what happens as it happens.
	CarrierCall(ctx context.Context, req CarrierCall, report func(CarrierStep)) error
}

// Status of the running server.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Calls   int       `json:"calls"`
	Listen  any       `json:"listen"`
}

// TrunkStatus is a trunk as it is now.
type TrunkStatus struct {
	Name       string        `json:"name"`
	State      string        `json:"state"`
	Registered bool          `json:"registered"`
	Detail     string        `json:"detail,omitempty"`
	Since      time.Time     `json:"since,omitzero"`
	Latency    time.Duration `json:"latency,omitempty"`
	Calls      int           `json:"calls"`
}

// ActiveCall is a call in progress.
type ActiveCall struct {
	ID    string    `json:"id"`
	From  string    `json:"from"`
	To    string    `json:"to"`
	Phase string    `json:"phase"`
	Start time.Time `json:"start"`
	Who   string    `json:"who"` // who rings, or who answered
}

// CarrierCall asks the demo's carrier to call in.
type CarrierCall struct {
	To      string  `json:"to"`
	From    string  `json:"from"`
	Play    []int16 `json:"play,omitempty"` // 8 kHz
	Keys    string  `json:"keys,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // hang up so long after the answer
	Record  bool    `json:"record,omitempty"`  // return what was heard
}

// CarrierStep is a line of the report.
type CarrierStep struct {
	At     time.Time `json:"at"`
	Who    string    `json:"who"` // carrier | strowger
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
	Heard  []int16   `json:"heard,omitempty"` // last step: 8 kHz
	Code   int       `json:"code,omitempty"`
	Failed bool      `json:"failed,omitempty"`
}

// errNoServer: the command needs a running server.
var errNoServer = errors.New("no server runs on this data folder; start one with `strowger serve` or `strowger demo`")

// Make makes the data folder and an empty store in it, unless they are there.
func Make(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(data, StoreName)); err == nil {
		return nil
	}
	db, err := bolt.Open(filepath.Join(data, StoreName), bolt.Options{})
	if err != nil {
		return err
	}
	return db.Close()
}

// Dial reaches the store of a data folder. Close the client when done.
func Dial(data string) (*Client, error) {
	socket := filepath.Join(data, SocketName)
	if conn, err := net.DialTimeout("unix", socket, 2*time.Second); err == nil {
		conn.Close()
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}
		return &Client{http: &http.Client{Transport: transport}, Live: true, close: func() error { transport.CloseIdleConnections(); return nil }}, nil
	}
	if _, err := os.Stat(filepath.Join(data, StoreName)); err != nil {
		return nil, fmt.Errorf("there is no store in the data folder: %w; name the right one with --data, or load an organisation with `strowger apply`", err)
	}
	db, err := bolt.Open(filepath.Join(data, StoreName), bolt.Options{})
	if err != nil {
		return nil, err
	}
	return &Client{http: &http.Client{Transport: inProcess{Handler(db, data, nil)}}, close: db.Close}, nil
}
