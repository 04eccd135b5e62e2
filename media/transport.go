package media

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// A transport opens the UDP sockets of legs and reads them. netTransport works everywhere, one goroutine per socket;
// epollTransport (Linux) reads all sockets of a shard in one goroutine.
type transport interface {
	// listen binds a socket. Its datagrams are given to r, one at a time, until it is closed.
	listen(at netip.AddrPort, r reader) (socket, error)
	// close ends the goroutines; the sockets must be closed before.
	close()
}

// reader takes datagrams. from is unmapped (an IPv4 address is never ::ffff:...). The slice is free to be overwritten
// during the call and is not kept. now is the engine's clock.
type reader interface {
	datagram(b []byte, from netip.AddrPort, now time.Duration)
}

// socket is one UDP socket. send and close may be called from any goroutine; errors of sending are the network's, as if
// the packet was lost (an ICMP "port unreachable" of a party that is not listening yet must not end anything).
type socket interface {
	port() int
	send(b []byte, to netip.AddrPort)
	// connect narrows the socket to one peer, as an optimisation: others may still be heard, and must be told apart by the
	// reader. The zero AddrPort opens it again.
	connect(to netip.AddrPort)
	// close does not wait for a datagram that is being delivered.
	close()
}

// portRange hands out even port numbers, beginning at a random one: what comes next is not to be guessed, and a port
// that was just freed rests for as long as possible.
type portRange struct {
	mu     sync.Mutex
	lo, n  int // first even port, number of pairs; n = 0: any free port
	cursor int
}

func newPortRange(lo, hi int) *portRange {
	if lo == 0 && hi == 0 {
		return &portRange{}
	}
	lo += lo & 1
	r := &portRange{lo: lo, n: (hi - lo + 1) / 2}
	if r.n > 0 {
		r.cursor = rand.IntN(r.n)
	}
	return r
}

var errNoPorts = errors.New("no free pair of RTP ports")

// listenPair binds an even port for RTP and the next one for RTCP (RFC 3550 §11).
func (r *portRange) listenPair(t transport, ip netip.Addr, rtp, rtcp reader) (a, b socket, err error) {
	tries := r.n
	if r.n == 0 {
		tries = 100
	}
	for range tries {
		a, b, err = r.tryPair(t, ip, rtp, rtcp)
		if err == nil {
			return a, b, nil
		}
	}
	if r.n == 0 {
		return nil, nil, fmt.Errorf("%w on %s: %w", errNoPorts, ip, err)
	}
	return nil, nil, fmt.Errorf("%w on %s within %d-%d (widen the RTP port range or end calls): %w", errNoPorts, ip, r.lo, r.lo+2*r.n-1, err)
}

func (r *portRange) tryPair(t transport, ip netip.Addr, rtp, rtcp reader) (a, b socket, err error) {
	a, err = t.listen(netip.AddrPortFrom(ip, uint16(r.next())), rtp)
	if err != nil {
		return nil, nil, err
	}
	if a.port()&1 != 0 {
		a.close()
		return nil, nil, fmt.Errorf("port %d is odd", a.port())
	}
	b, err = t.listen(netip.AddrPortFrom(ip, uint16(a.port()+1)), rtcp)
	if err != nil {
		a.close()
		return nil, nil, err
	}
	return a, b, nil
}

func (r *portRange) next() int {
	if r.n == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor = (r.cursor + 1) % r.n
	return r.lo + 2*r.cursor
}
