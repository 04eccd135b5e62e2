package sip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// A flow is one connection from a phone to us: TCP, TLS or WebSocket (RFC 5626 §2). Bindings that were made over it end
// with it, and requests to the phone go back over it.
type flow struct {
	id        string // unique in this process
	transport string // tcp | tls | ws | wss
	addr      string // key of the connection in sipgo's pool: ip:port of the peer
	remote    string // the peer as the log shows it; differs from addr behind a web proxy
	ws        *WSIdentity
	conn      net.Conn
	proved    bool // somebody we know sent a request over it; under the table's lock
}

// flowTable knows the open flows.
type flowTable struct {
	onClose func(flowID string) // set before the first connection

	mu     sync.Mutex
	next   uint64
	byAddr map[string]*flow // by transport and addr
	perIP  map[string]int
	ending bool // Close is running: closed flows keep their bindings for the record
}

// Limits of connections, against one source that opens them all.
const (
	maxFlows      = 20000
	maxFlowsPerIP = 1000

	// proveWithin ends a connection over which nobody has proved who he is: each costs a buffer of 64 KiB, and a message
	// that trickles in would hold it for ever.
	proveWithin = 30 * time.Second
	// flowWriteTimeout ends a connection whose peer does not read what we answer.
	flowWriteTimeout = 10 * time.Second
)

func newFlowTable() *flowTable {
	return &flowTable{byAddr: make(map[string]*flow), perIP: make(map[string]int)}
}

// find is the open flow with this address, nil when there is none.
func (t *flowTable) find(transport, addr string) *flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byAddr[transport+" "+addr]
}

// add registers a connection and returns its flow, nil when there are too many.
func (t *flowTable) add(transport, remote string, ws *WSIdentity) *flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	ip := hostOf(remote)
	if t.ending || len(t.byAddr) >= maxFlows || t.perIP[ip] >= maxFlowsPerIP {
		return nil
	}
	t.next++
	f := &flow{id: strconv.FormatUint(t.next, 36), transport: transport, addr: remote, remote: remote, ws: ws}
	if _, err := netip.ParseAddrPort(remote); err != nil || t.byAddr[transport+" "+remote] != nil {
		// Behind a web proxy all browsers may share one address. sipgo finds connections by address, so each gets one of
		// its own from the discard prefix (RFC 6666).
		f.addr = discardAddr(t.next)
	}
	t.byAddr[transport+" "+f.addr] = f
	t.perIP[ip]++
	return f
}

// attach tells how to close the flow.
func (t *flowTable) attach(f *flow, c net.Conn) {
	t.mu.Lock()
	f.conn = c
	t.mu.Unlock()
}

// prove notes that somebody we know has sent a request over the flow: it may stay open. f may be nil.
func (t *flowTable) prove(f *flow) {
	if f == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !f.proved {
		f.proved = true
		_ = f.conn.SetReadDeadline(time.Time{})
	}
}

// isProved reports whether prove was called.
func (t *flowTable) isProved(f *flow) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return f.proved
}

// discardAddr is an address that nobody has, as sipgo would write it.
func discardAddr(n uint64) string {
	ip := [16]byte{0: 1}
	binary.BigEndian.PutUint64(ip[8:], n)
	return netip.AddrPortFrom(netip.AddrFrom16(ip), 5060).String()
}

// isDiscard recognises them.
func isDiscard(a netip.Addr) bool {
	ip := a.As16()
	return a.Is6() && [8]byte(ip[:8]) == [8]byte{0: 1}
}

// remove forgets a closed flow and ends its bindings.
func (t *flowTable) remove(f *flow) {
	t.mu.Lock()
	delete(t.byAddr, f.transport+" "+f.addr)
	ip := hostOf(f.remote)
	if t.perIP[ip]--; t.perIP[ip] <= 0 {
		delete(t.perIP, ip)
	}
	ending := t.ending
	t.mu.Unlock()
	if !ending && t.onClose != nil {
		t.onClose(f.id)
	}
}

// closing says that the flows which close from now on do so because we end, and refuses new ones.
func (t *flowTable) closing() {
	t.mu.Lock()
	t.ending = true
	t.mu.Unlock()
}

// closeAll closes every open connection.
func (t *flowTable) closeAll() {
	t.mu.Lock()
	conns := make([]net.Conn, 0, len(t.byAddr))
	for _, f := range t.byAddr {
		if f.conn != nil {
			conns = append(conns, f.conn)
		}
	}
	t.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

// watch wraps a listener so that each accepted connection is a flow.
func (t *flowTable) watch(l net.Listener, transport string) net.Listener {
	return &watchedListener{Listener: l, table: t, transport: transport}
}

type watchedListener struct {
	net.Listener
	table     *flowTable
	transport string
}

func (l *watchedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		f := l.table.add(l.transport, conn.RemoteAddr().String(), nil)
		if f == nil {
			_ = conn.Close()
			continue
		}
		c := &watchedConn{Conn: conn, table: l.table, flow: f}
		_ = c.SetReadDeadline(time.Now().Add(proveWithin)) // until prove
		l.table.attach(f, c)
		return c, nil
	}
}

// watchedConn reports its end to the table. sipgo reads it from one goroutine, writes from many, and closes it when a read
// fails.
type watchedConn struct {
	net.Conn
	table   *flowTable
	flow    *flow
	once    sync.Once
	writing sync.Mutex
}

// Write gives the peer flowWriteTimeout. After a write that failed the stream has lost its place: it is closed. The lock
// keeps those who wait behind a slow write from prolonging its deadline.
func (c *watchedConn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.Conn.SetWriteDeadline(time.Now().Add(flowWriteTimeout)) // fails when it is closed: then so does Write
	n, err := c.Conn.Write(b)
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

func (c *watchedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.table.remove(c.flow) })
	return err
}

// hostOf is the host of host:port, or s itself.
func hostOf(s string) string {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return s
	}
	return host
}
