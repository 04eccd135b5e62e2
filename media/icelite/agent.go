package icelite

import (
	"crypto/rand"
	"errors"
	"math/big"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// maxPaths bounds the sources that one agent remembers. A browser has a handful of interfaces; the oldest makes room.
const maxPaths = 16

// settleAfter is how long the selected path must be silent before a nominated path of lower priority replaces it.
const settleAfter = 2 * time.Second

// Handler is told what comes to an agent. Its methods are called from the mux's goroutines: they must not block and must
// not call the agent, except Write.
type Handler interface {
	// Packet is one datagram that is not STUN, from a source that proved the password. The slice is valid during the call.
	Packet(b []byte)
	// Lost is told once per silence: when nothing at all was heard for Config.LostAfter, after something had been.
	Lost()
}

// socket is where a packet came from and can be answered: the UDP socket, or one TCP connection.
type socket interface {
	write(b []byte, to netip.AddrPort) error
	setPath(p *path)
	dropPath(p *path)
}

// path is one way to the peer: it sent a check with the password from remote to this socket.
type path struct {
	agent    *Agent
	socket   socket
	remote   netip.AddrPort
	priority uint32       // PRIORITY of the peer's checks
	heard    atomic.Int64 // Mux.now of the last packet
}

// Agent is the local half of one ICE session.
type Agent struct {
	mux *Mux
	h   Handler

	selected atomic.Pointer[path]
	lost     atomic.Bool

	rx     sync.Mutex // held while a packet is delivered
	closed bool       // guarded by rx and mu: written with both held

	mu          sync.Mutex
	ufrag, pwd  string
	keys        map[string]*stun.MessageIntegrity // by ufrag; two during an ICE restart
	old         string                            // ufrag before the last restart
	paths       []*path
	haveNominee bool
}

// NewAgent makes an agent with fresh credentials. It answers checks at once, before the peer's answer is known: a browser that
// was offered may be faster than the signalling (RFC 8445 §7.3).
func (m *Mux) NewAgent(h Handler) (*Agent, error) {
	a := &Agent{mux: m, h: h, keys: map[string]*stun.MessageIntegrity{}}
	if err := a.Restart(); err != nil {
		return nil, err
	}
	return a, nil
}

// Credentials are the ufrag and password for the next description (RFC 8839 §5.4).
func (a *Agent) Credentials() (ufrag, pwd string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ufrag, a.pwd
}

// Restart makes new credentials (RFC 8445 §9). The ones before stay good, and media goes on where it goes, until the peer
// nominates anew.
func (a *Agent) Restart() error {
	ufrag, err := randomString(8)
	if err != nil {
		return err
	}
	pwd, err := randomString(24)
	if err != nil {
		return err
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return errClosed
	}
	if a.old != "" {
		delete(a.keys, a.old)
	}
	forget := a.old
	a.old, a.ufrag, a.pwd = a.ufrag, ufrag, pwd
	key := stun.NewShortTermIntegrity(pwd)
	a.keys[ufrag] = &key
	a.haveNominee = false
	a.mu.Unlock()
	if forget != "" {
		a.mux.unregister(forget)
	}
	return a.mux.register(ufrag, a)
}

func (a *Agent) integrity(ufrag string) *stun.MessageIntegrity {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keys[ufrag]
}

// heardFrom notes a check that knew the password and selects the path to send on. It is false when the agent is closed.
func (a *Agent) heardFrom(s socket, from netip.AddrPort, priority uint32, nominated bool) bool {
	now := a.mux.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	p := a.pathFrom(s, from)
	p.priority = priority
	p.heard.Store(int64(now))
	a.lost.Store(false)
	if a.choose(p, nominated, now) {
		a.selected.Store(p)
	}
	a.haveNominee = a.haveNominee || nominated
	return true
}

// choose says whether p becomes the selected path. A lite agent follows the peer's nomination (RFC 8445 §8.2). A peer that
// nominates every pair that works means the one of highest priority; one that moves to a lesser path has stopped using the other.
// Before any nomination the first path that works is good enough to begin the DTLS handshake on.
func (a *Agent) choose(p *path, nominated bool, now time.Duration) bool {
	cur := a.selected.Load()
	switch {
	case cur == nil:
		return true
	case cur == p || !nominated:
		return false
	case !a.haveNominee:
		return true
	}
	return p.priority >= cur.priority || now-time.Duration(cur.heard.Load()) > settleAfter
}

// pathFrom finds or makes the path of a source. mu is held.
func (a *Agent) pathFrom(s socket, from netip.AddrPort) *path {
	for _, p := range a.paths {
		if p.remote == from && p.socket == s {
			return p
		}
	}
	if len(a.paths) >= maxPaths {
		a.dropOldest()
	}
	p := &path{agent: a, socket: s, remote: from}
	a.paths = append(a.paths, p)
	s.setPath(p)
	return p
}

// dropOldest forgets the path that was silent longest, but not the selected one. mu is held.
func (a *Agent) dropOldest() {
	oldest := -1
	for i, p := range a.paths {
		if p != a.selected.Load() && (oldest < 0 || p.heard.Load() < a.paths[oldest].heard.Load()) {
			oldest = i
		}
	}
	p := a.paths[oldest]
	a.paths = append(a.paths[:oldest], a.paths[oldest+1:]...)
	p.socket.dropPath(p)
}

// pathGone is told by a TCP connection that ended.
func (a *Agent) pathGone(p *path) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, q := range a.paths {
		if q == p {
			a.paths = append(a.paths[:i], a.paths[i+1:]...)
			break
		}
	}
	if !a.selected.CompareAndSwap(p, nil) {
		return
	}
	for _, q := range a.paths {
		if best := a.selected.Load(); best == nil || q.heard.Load() > best.heard.Load() {
			a.selected.Store(q)
		}
	}
}

// deliver hands a packet to the agent's handler, one at a time and never after Close.
func (p *path) deliver(b []byte) {
	p.heard.Store(int64(p.agent.mux.now()))
	a := p.agent
	a.rx.Lock()
	defer a.rx.Unlock()
	if !a.closed {
		a.h.Packet(b)
	}
}

// ErrNoPath is returned by Write while the peer has not been heard.
var ErrNoPath = errors.New("no way to the peer is known yet")

// Write sends one datagram on the selected path. It does not block and does not keep b.
func (a *Agent) Write(b []byte) error {
	p := a.selected.Load()
	if p == nil {
		return ErrNoPath
	}
	return p.socket.write(b, p.remote)
}

// Remote is the address of the selected path; it is not valid while there is none.
func (a *Agent) Remote() netip.AddrPort {
	if p := a.selected.Load(); p != nil {
		return p.remote
	}
	return netip.AddrPort{}
}

// checkSilence tells the handler once when no path has been heard for long, and stops sending: the peer's checks are its
// consent (RFC 7675 §5.1).
func (a *Agent) checkSilence(now time.Duration) {
	a.mu.Lock()
	last := int64(-1)
	for _, p := range a.paths {
		last = max(last, p.heard.Load())
	}
	a.mu.Unlock()
	if last < 0 || now-time.Duration(last) < a.mux.cfg.LostAfter || !a.lost.CompareAndSwap(false, true) {
		return
	}
	a.selected.Store(nil)
	a.rx.Lock()
	defer a.rx.Unlock()
	if !a.closed {
		a.h.Lost()
	}
}

// Close forgets the agent. No method of the handler runs after it returns.
func (a *Agent) Close() {
	a.rx.Lock()
	a.mu.Lock()
	a.closed = true
	paths, ufrag, old := a.paths, a.ufrag, a.old
	a.paths = nil
	a.mu.Unlock()
	a.rx.Unlock()
	a.mux.unregister(ufrag, old)
	for _, p := range paths {
		p.socket.dropPath(p)
	}
}

// ICE characters without + and /, which some stacks quote (RFC 8839 §5.4 allows both).
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func randomString(n int) (string, error) {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b), nil
}
