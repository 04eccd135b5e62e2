package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// rtpLink is the way to a trunk or a phone: a pair of UDP sockets, and SDES-SRTP where it was agreed. Its SDP side is in
// rtpsdp.go.
type rtpLink struct {
	s         *Session
	rtp, rtcp socket
	sdp       rtpNegotiation

	closed atomic.Bool

	mu      sync.Mutex // receiving; taken before any lock of the session's streams
	latch   latch
	rtcpFit netip.AddrPort // where the peer's SDP wants RTCP; same as RTP's with rtcp-mux
	rtcpSrc netip.AddrPort // where its RTCP came from
	rx      protection

	outMu sync.Mutex // sending
	to    netip.AddrPort
	toRC  netip.AddrPort
	mux   bool
	tx    protection
}

// protection is SRTP in one direction; nil context: plain.
type protection struct {
	key     *cryptoKey
	context *srtp.Context
	rtp     rtp.Header
	rtcp    rtcp.Header
	buf     []byte // for the packet as it comes out; plain RTP needs none
}

// use takes a key. The same key as before keeps the context: a re-INVITE that repeats it continues its packet index.
func (p *protection) use(k *cryptoKey) error {
	switch {
	case k == nil:
		p.key, p.context = nil, nil
		return nil
	case p.key != nil && p.key.key == k.key && p.key.suite == k.suite:
		return nil
	}
	c, err := k.context()
	if err != nil {
		return err
	}
	p.key, p.context = k, c
	if p.buf == nil {
		p.buf = make([]byte, 0, maxDatagram+srtpOverhead)
	}
	return nil
}

func newRTPLink(s *Session) (link, error) {
	l := &rtpLink{s: s}
	l.latch.party = s.opt.Party
	e := s.engine
	var err error
	l.rtp, l.rtcp, err = e.ports.listenPair(s.shard.transport, e.cfg.BindIP, rtpReader{l}, rtcpReader{l})
	if err != nil {
		return nil, err
	}
	l.sdp.init(e.addressFor(s.opt.Address), l.rtp.port(), s.opt.SRTP)
	return l, nil
}

// apply takes over the transport side of an SDP exchange: where to, with which keys.
func (l *rtpLink) apply(r remoteMedia) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.rx.use(r.rxKey); err != nil {
		return err
	}
	l.outMu.Lock()
	err := l.tx.use(r.txKey)
	l.mux = r.mux
	l.outMu.Unlock()
	if err != nil {
		return err
	}
	if !r.addr.IsValid() { // c=0.0.0.0 holds the call: the way stays for when it goes on
		return nil
	}
	if r.rtcp != l.rtcpFit {
		l.rtcpFit, l.rtcpSrc = r.rtcp, netip.AddrPort{}
	}
	if !l.s.opt.Party.IsValid() { // a carrier is expected where its SDP says
		l.latch.party = r.addr.Addr()
	}
	l.latch.signal(r.addr)
	l.aim()
	return nil
}

// aim points our packets at where the party is. Called with mu held.
func (l *rtpLink) aim() {
	to := l.latch.target()
	toRC := l.rtcpFit
	if to != l.latch.signalled {
		toRC = l.rtcpSrc // behind NAT the signalled port leads nowhere
	}
	l.outMu.Lock()
	l.to, l.toRC = to, toRC
	if l.mux {
		l.toRC = to
	}
	l.outMu.Unlock()
	// Connected only to the signalled address: it may claim the leg back from any other.
	if l.latch.settled && to == l.latch.signalled {
		l.rtp.connect(to)
	} else {
		l.rtp.connect(netip.AddrPort{})
	}
}

type rtpReader struct{ l *rtpLink }

func (r rtpReader) datagram(b []byte, from netip.AddrPort, now time.Duration) {
	l := r.l
	if len(b) < headerLen || b[0]>>6 != 2 || l.closed.Load() {
		return
	}
	if isRTCP(b) {
		l.takeRTCP(b, from, now)
		return
	}
	if b = l.takeRTP(b, from, now); b != nil {
		l.s.linkReady()
		l.s.receivedAt(b, now)
	}
}

// takeRTP judges and decrypts; nil drops. Only the one goroutine that reads the socket calls it, so the buffer is its own.
func (l *rtpLink) takeRTP(b []byte, from netip.AddrPort, now time.Duration) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.latch.candidate(from) || !l.s.expects(b[1]&0x7f) {
		return nil
	}
	genuine := l.rx.context != nil
	if genuine {
		l.rx.rtp = rtp.Header{Extensions: l.rx.rtp.Extensions[:0], CSRC: l.rx.rtp.CSRC[:0]}
		out, err := l.rx.context.DecryptRTP(l.rx.buf[:0], b, &l.rx.rtp)
		if err != nil {
			return nil
		}
		b = out
	}
	switch l.latch.judge(b, from, genuine, now) {
	case drop:
		return nil
	case settle:
		l.aim()
	}
	return b
}

type rtcpReader struct{ l *rtpLink }

func (r rtcpReader) datagram(b []byte, from netip.AddrPort, now time.Duration) {
	if isRTCP(b) && b[0]>>6 == 2 && !r.l.closed.Load() {
		r.l.takeRTCP(b, from, now)
	}
}

// takeRTCP accepts reports from the host that is heard (or, before anyone is, from the signalled one).
func (l *rtpLink) takeRTCP(b []byte, from netip.AddrPort, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from.Addr() != l.latch.target().Addr() && from != l.rtcpFit {
		return
	}
	if l.rx.context != nil {
		out, err := l.rx.context.DecryptRTCP(nil, b, &l.rx.rtcp)
		if err != nil {
			return
		}
		b = out
	}
	if l.rtcpSrc != from {
		l.rtcpSrc = from
		l.aim()
	}
	l.s.receivedRTCPAt(b, now)
}

func (l *rtpLink) sendRTP(pkt []byte) {
	l.outMu.Lock()
	defer l.outMu.Unlock()
	if !l.to.IsValid() || l.closed.Load() {
		return
	}
	if l.tx.context != nil {
		out, err := l.tx.context.EncryptRTP(l.tx.buf[:0], pkt, &l.tx.rtp)
		if err != nil {
			return
		}
		pkt = out
	}
	l.rtp.send(pkt, l.to)
}

func (l *rtpLink) sendRTCP(pkt []byte) {
	l.outMu.Lock()
	defer l.outMu.Unlock()
	if !l.toRC.IsValid() || l.toRC.Port() == 0 || l.closed.Load() {
		return
	}
	if l.tx.context != nil {
		out, err := l.tx.context.EncryptRTCP(nil, pkt, &l.tx.rtcp)
		if err != nil {
			return
		}
		pkt = out
	}
	if l.mux {
		l.rtp.send(pkt, l.toRC)
		return
	}
	l.rtcp.send(pkt, l.toRC)
}

func (l *rtpLink) srtp() string {
	l.outMu.Lock()
	defer l.outMu.Unlock()
	if l.tx.context == nil {
		return ""
	}
	return "sdes"
}

func (l *rtpLink) close() {
	if l.closed.CompareAndSwap(false, true) {
		l.rtp.close()
		l.rtcp.close()
	}
}
