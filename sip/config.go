// Package sip is the edge where SIP comes in and goes out: transports, validation, digest, registrar, location table,
// trunks, dialogs and legs. It is the only package that sees sipgo, of which it uses the transport and transaction layers.
//
// A request passes these stations, each in a file of its own: filter.go (rate limit, bans and malformed datagrams, before
// any state is made), parser.go (headers), dispatch.go (recover, method), door.go (RFC 3261 validation), order.go (requests
// of one dialog in order), digest.go (who is it), and then the registrar, a leg or a subscription.
package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/rs/zerolog"

	"strowger/sip/call"
	"strowger/store"
)

// Config is what a Server needs. The zero value of a field means its default, where one is named.
type Config struct {
	UDP, TCP, TLS string      // listen addresses "ip:port"; "" = off, port 0 = any free one
	TLSConfig     *tls.Config // certificates of the TLS listener; required with TLS
	DialTLS       *tls.Config // for TLS connections that we open (trunks); nil = the system's roots

	// PublicHost is advertised in Via and Contact toward public destinations; "" = the address of the interface that
	// leads there. Destinations in private and loopback networks see the interface's address, unless PublicHost is a private
	// address too: then only loopback ones do.
	PublicHost string
	// PublicHost6 is the IPv6 address in its place toward IPv6 destinations, where PublicHost is an IPv4 address; "" = the
	// address of the interface that leads there.
	PublicHost6 string
	Domains     []string // names that are us, besides our addresses
	Realm       string   // digest realm; the stored HA1 hashes are for it
	UserAgent   string   // "Strowger/x", for User-Agent and Server
	Trunks      []TrunkConfig
	Region      string // ISO 3166 alpha-2, to read national numbers; see SetRegion

	Devices  Devices
	Users    Users
	Numbers  Numbers
	Bindings BindingStore        // nil = registrations do not survive a restart
	OnCall   func(call.Incoming) // a new, authorised call; must not block

	MinExpires     time.Duration // of a registration, shorter ones get 423; 0 = 30 s
	MaxExpires     time.Duration // longer ones are shortened; 0 = 1 h
	DefaultExpires time.Duration // when the phone names none; 0 = 10 min
	MaxContacts    int           // per address of record; 0 = 20
	NonceLifetime  time.Duration // of a digest nonce, after which it is stale; 0 = 5 min
	SessionExpires time.Duration // RFC 4028, 0 = 1800 s

	// Resolver finds the carriers' addresses; nil = the system's.
	Resolver Resolver

	Lamps    Lamps         // for the packages dialog and presence; nil = they are refused
	Messages MessageCounts // for message-summary; nil = it is refused
	// TellMessages sends message-summary also to registered phones that did not subscribe.
	TellMessages bool

	// MayPickUp reports whether a user may take a call that rings a colleague (RFC 3891); nil = always.
	MayPickUp func(user, colleague string) bool

	// RateLimit is how many requests a second one source may send before it has authenticated (bursts of four seconds'
	// worth are let through); sources that have, and trunks, get 200 times as much. 0 = 50, negative = no limit.
	RateLimit int

	Log zerolog.Logger

	// ListenPacket and Listen open the sockets; nil = package net. Tests put a network in memory here.
	ListenPacket func(ctx context.Context, network, addr string) (net.PacketConn, error)
	Listen       func(ctx context.Context, network, addr string) (net.Listener, error)
}

// Devices finds the phones that may register, by digest username. It is asked for each authenticated request and must
// answer from memory.
type Devices interface {
	Device(id string) (store.Device, bool)
}

// Users finds the people behind addresses of record. It must answer from memory.
type Users interface {
	UserByID(id string) (store.User, bool)
	UserByExtension(ext string) (store.User, bool)
}

// Numbers knows which telephone numbers (E.164) are ours.
type Numbers interface {
	IsOurs(e164 string) bool
}

// BindingStore keeps registrations over a restart. A binding's key is its user with Instance and RegID, or with Contact
// when it has no instance. SaveBindings is called with whole batches, never from a request's goroutine.
type BindingStore interface {
	LoadBindings() ([]store.Binding, error)
	SaveBindings(put, del []store.Binding) error
}

// Addrs are the addresses that a Server listens on; "" = off.
type Addrs struct {
	UDP, TCP, TLS string
}

// withDefaults fills in what the zero value means.
func (c Config) withDefaults() Config {
	setDuration := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	setDuration(&c.MinExpires, 30*time.Second)
	setDuration(&c.MaxExpires, time.Hour)
	setDuration(&c.DefaultExpires, 10*time.Minute)
	setDuration(&c.NonceLifetime, 5*time.Minute)
	setDuration(&c.SessionExpires, 30*time.Minute)
	if c.MaxContacts <= 0 {
		c.MaxContacts = 20
	}
	if c.RateLimit == 0 {
		c.RateLimit = 50
	}
	if c.UserAgent == "" {
		c.UserAgent = "Strowger"
	}
	if c.ListenPacket == nil {
		c.ListenPacket = new(net.ListenConfig).ListenPacket
	}
	if c.Listen == nil {
		c.Listen = new(net.ListenConfig).Listen
	}
	return c
}

// validate reports what cannot work, all at once.
func (c Config) validate() error {
	var errs []error
	if c.Realm == "" {
		errs = append(errs, errors.New("sip: no digest realm; set the domain under which phones register"))
	}
	if c.Devices == nil || c.Users == nil || c.Numbers == nil {
		errs = append(errs, errors.New("sip: Devices, Users and Numbers are required"))
	}
	if c.TLS != "" && c.TLSConfig == nil {
		errs = append(errs, fmt.Errorf("sip: TLS listener %s without a certificate; set one or remove the listener", c.TLS))
	}
	if c.MinExpires > c.MaxExpires {
		errs = append(errs, fmt.Errorf("sip: shortest registration %v is longer than the longest %v", c.MinExpires, c.MaxExpires))
	}
	for _, t := range c.Trunks {
		if err := t.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
