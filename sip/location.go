package sip

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
	"strowger/store"
)

// Registrations are the contacts bound now, of one user or of all (""), in the order in which they appeared.
func (s *Server) Registrations(user string) []store.Binding {
	return s.location.registrations(user, time.Now())
}

// DropBinding removes a registered contact, for an administrator, and reports whether there was one. The phone may
// register again.
func (s *Server) DropBinding(user, contact string) bool {
	now := time.Now()
	s.location.mu.Lock()
	defer s.location.unlock()
	return s.location.dropWhere(now, user, func(b *store.Binding) bool { return b.Contact == contact }) > 0
}

// Endpoints are the contacts at which a user can be rung now, of these kinds (browser, desk, mobile), the ones with the
// highest q first. Phones whose device was disabled or removed, and those whose connection is gone, are left out.
func (s *Server) Endpoints(user string, kinds []string) []call.Endpoint {
	list := s.Registrations(user)
	slices.SortStableFunc(list, func(a, b store.Binding) int { return b.Q - a.Q })
	var out []call.Endpoint
	for i := range list {
		b := &list[i]
		if !slices.Contains(kinds, b.Kind) || !s.mayRing(b) {
			continue
		}
		if _, _, _, ok := s.flowDestination(b); ok {
			out = append(out, s.endpointOf(b))
		}
	}
	return out
}

// mayRing reports whether the binding's device may still be used.
func (s *Server) mayRing(b *store.Binding) bool {
	if strings.HasPrefix(b.Device, browserDevice("")) {
		return true
	}
	d, ok := s.cfg.Devices.Device(b.Device)
	return ok && !d.Disabled && d.User == b.User
}

// endpointOf says how to ring a binding. Keys of SDES must not cross the network in the clear (RFC 4568 §7), so SRTP is
// offered to phones that registered over TLS only.
func (s *Server) endpointOf(b *store.Binding) call.Endpoint {
	e := call.Endpoint{Binding: b, WebRTC: b.Kind == store.Browser}
	if !e.WebRTC {
		e.Host, _ = s.localFor(b.Transport, b.Source)
	}
	if b.Transport == "tls" && !e.WebRTC {
		e.SRTP = call.SRTPOptional
	}
	return e
}

// Kinds tells by which kinds of device (browser, desk, mobile) each user who has a contact can be rung now.
func (s *Server) Kinds() map[string][]string {
	kinds := map[string][]string{}
	for _, b := range s.Registrations("") {
		if !slices.Contains(kinds[b.User], b.Kind) && s.mayRing(&b) {
			kinds[b.User] = append(kinds[b.User], b.Kind)
		}
	}
	return kinds
}

// OnRegistrationChange calls f with each user whose contacts have become more, fewer or others, whatever the cause;
// Registrations then tells the new ones. Refreshes are no change. Set it before Start; f must not block.
func (s *Server) OnRegistrationChange(f func(user string)) { s.location.changed = f }

// registerWatchers are those who want to know of contacts that appear.
type registerWatchers struct {
	mu   sync.Mutex
	next int
	all  map[int]func(string, call.Endpoint)
}

// OnRegister calls f whenever a contact of a user appears: a new one, or one that came back from another address, not a
// refresh. f must not block. The returned function ends it.
func (s *Server) OnRegister(f func(user string, e call.Endpoint)) (stop func()) {
	w := &s.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = make(map[int]func(string, call.Endpoint))
	}
	id := w.next
	w.next++
	w.all[id] = f
	return func() {
		w.mu.Lock()
		delete(w.all, id)
		w.mu.Unlock()
	}
}

// appeared tells the watchers.
func (s *Server) appeared(b store.Binding) {
	w := &s.watchers
	w.mu.Lock()
	fs := make([]func(string, call.Endpoint), 0, len(w.all))
	for _, f := range w.all {
		fs = append(fs, f)
	}
	w.mu.Unlock()
	for _, f := range fs {
		f(b.User, s.endpointOf(&b))
	}
	s.tellRegistered(b)
}

// flowDestination is how to send a request to a registered contact: transport (UDP, TCP, TLS, WS, WSS), the address, and
// the Route set (RFC 3327 §5.1). ok is false when its connection is gone. Over a connection a request goes back the way
// the REGISTER came (RFC 5626 §5.3). By UDP it goes to the contact when the REGISTER came from that host, else (NAT) to
// where it came from: a contact cannot make us send to third parties.
func (s *Server) flowDestination(b *store.Binding) (transport, addr string, route []string, ok bool) {
	transport = strings.ToUpper(b.Transport)
	if b.Flow != "" {
		f := s.flows.find(b.Transport, b.Source)
		return transport, b.Source, b.Path, f != nil && f.id == b.Flow
	}
	if b.Transport != "udp" {
		return transport, b.Source, b.Path, false
	}
	var uri sipmsg.Uri
	if err := sipmsg.ParseUri(b.Contact, &uri); err != nil || len(b.Path) > 0 {
		return transport, b.Source, b.Path, err == nil
	}
	host, _, err := net.SplitHostPort(b.Source)
	if err != nil {
		return transport, b.Source, nil, false
	}
	contact, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	if err != nil || contact.Unmap().String() != host {
		return transport, b.Source, nil, true
	}
	port := uri.Port
	if port == 0 {
		port = sipmsg.DefaultUdpPort
	}
	return transport, net.JoinHostPort(host, strconv.Itoa(port)), nil, true
}
