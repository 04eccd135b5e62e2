package media

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/rtp"

	"strowger/media/icelite"
)

// webrtcLink is the way to one browser: an ICE-lite agent, one DTLS association at a time, and its SRTP keys.
//
//	port ─→ agent ─→ Packet ─┬ 20..63   → dtls association ─ keys ─┐
//	                         └ 128..191 → decrypt with the keys ←──┘─→ Session.received, receivedRTCP
//
// SDP methods run under the session's negotiation lock; Packet and Lost in the port's goroutines, one at a time; sendRTP and
// sendRTCP under the outgoing stream's lock.
type webrtcLink struct {
	hub   *browserHub
	s     *Session
	agent *icelite.Agent
	assoc atomic.Pointer[association] // present from the start: DTLS may come before the SDP that it belongs to
	keys  atomic.Pointer[dtlsKeys]
	dead  atomic.Bool

	rxBuf, txBuf [maxMTU + srtpOverhead]byte
	rxHeader     rtp.Header
	txHeader     rtp.Header

	// mu guards nego against close; the rest of nego's users come one at a time.
	mu   sync.Mutex
	nego browserNegotiation
}

const (
	maxMTU       = 1500
	srtpOverhead = 32 // authentication tag, SRTCP index
)

func newWebRTCLink(h *browserHub, s *Session) (*webrtcLink, error) {
	l := &webrtcLink{hub: h, s: s}
	agent, err := h.mux.NewAgent(l)
	if err != nil {
		return nil, err
	}
	l.agent = agent
	l.assoc.Store(newAssociation(l))
	l.nego.init()
	return l, nil
}

// offer implements link. The DTLS roles are left to the browser; a re-offer repeats the ICE and DTLS that are in use, so that
// nothing is set up anew.
func (l *webrtcLink) offer(codecs []*codecInfo) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(codecs) == 0 {
		return nil, errNoCodec
	}
	l.nego.offered = nil
	l.nego.local = l.nego.offerFormats(codecs)
	return l.describe("actpass", sendrecv, l.nego.local), nil
}

// remoteOffer implements link. Nothing changes before the answer.
func (l *webrtcLink) remoteOffer(raw []byte) ([]*codecInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := parseBrowserSDP(raw)
	l.nego.offered = r // nil: a broken offer is not answered with the one before it
	if err != nil {
		return nil, err
	}
	l.nego.dir = r.dir
	return payloadCodecs(r.codecs), nil
}

// answer implements link. Payload types are the offer's (RFC 3264 §6.1).
func (l *webrtcLink) answer(codecs []*codecInfo) ([]byte, agreement, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.nego.offered
	if r == nil {
		return nil, agreement{}, errNoOffer
	}
	if codecs == nil {
		codecs = payloadCodecs(r.codecs)
	}
	a := r.agreement()
	for _, c := range codecs {
		if p := payloadOf(r.codecs, c); p != nil {
			a.audio = append(a.audio, format{c, p.pt, p.pt})
		}
	}
	if len(a.audio) == 0 {
		return nil, agreement{}, errNoCodec
	}
	for _, p := range r.events {
		if _, opus := a.format(codecOpus); p.codec == codecEvent8 || opus {
			a.events = append(a.events, format{p.codec, p.pt, p.pt})
		}
	}
	if old := l.nego.remote; old != nil && (old.ufrag != r.ufrag || old.pwd != r.pwd) {
		if err := l.agent.Restart(); err != nil { // RFC 8839 §4.4.1.1.1: new credentials are a restart
			return nil, agreement{}, fmt.Errorf("ICE restart: %w", err)
		}
	}
	client, err := l.connect(r)
	if err != nil {
		return nil, agreement{}, err
	}
	l.nego.adopt(r, a)
	l.nego.sections, l.nego.audio, l.nego.bundle = r.sections, r.audio, r.bundle
	setup := "passive"
	if client {
		setup = "active"
	}
	return l.describe(setup, mirror(r.dir), slices.Concat(a.audio, a.events)), a, nil
}

// remoteAnswer implements link. The peer may use payload types of its own towards itself (RFC 3264 §6.1).
func (l *webrtcLink) remoteAnswer(raw []byte) (agreement, error) {
	r, err := parseBrowserSDP(raw)
	if err != nil {
		return agreement{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nego.local == nil {
		return agreement{}, errNoLocal
	}
	a := r.agreement()
	a.audio, a.events = l.nego.taken(r.codecs), l.nego.taken(r.events)
	if len(a.audio) == 0 {
		return agreement{}, errNoCodec
	}
	if _, err := l.connect(r); err != nil {
		return agreement{}, err
	}
	l.nego.adopt(r, a)
	return a, nil
}

// connect lets the DTLS handshake begin when r names a peer that is not connected yet, and says whether we are its client.
// Without a new certificate the association stays, with the roles that it has (RFC 8842 §5.5).
func (l *webrtcLink) connect(r *browserSDP) (client bool, err error) {
	if l.dead.Load() {
		return false, ErrClosed
	}
	a := l.assoc.Load()
	if old := l.nego.remote; old != nil && !slices.Equal(old.hashes, r.hashes) {
		a.close()
		a = newAssociation(l)
		l.assoc.Store(a)
	}
	return a.start(r.hashes, r.setup == "passive"), nil
}

// remoteDirection implements link.
func (l *webrtcLink) remoteDirection() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nego.dir
}

// describe writes our description. mu is held.
func (l *webrtcLink) describe(setup, dir string, formats []format) []byte {
	n := &l.nego
	o := ourSDP{
		id: n.id, sections: n.sections, audio: n.audio, bundle: n.bundle,
		fingerprint: l.hub.id.fingerprint, setup: setup, dir: dir, formats: formats,
	}
	o.ufrag, o.pwd = l.agent.Credentials()
	l.s.out.mu.Lock()
	o.ssrc, o.cname = l.s.out.ssrc, l.s.out.rtcp.name()
	l.s.out.mu.Unlock()
	candidates := l.hub.mux.Candidates()
	o.at = candidates[0].Addr // the default; there is one as long as the port is open
	for _, c := range candidates {
		o.candidates = append(o.candidates, c.String())
	}
	if body := o.body(); body != n.lastBody {
		n.version++
		n.lastBody = body
	}
	return []byte(o.head(n.version) + n.lastBody)
}

// Packet implements icelite.Handler: it sorts by first byte (RFC 7983 §7).
func (l *webrtcLink) Packet(b []byte) {
	switch {
	case b[0] >= 20 && b[0] <= 63:
		l.assoc.Load().pipe.push(b)
	case b[0] >= 128 && b[0] <= 191:
		l.receive(b)
	}
}

// receive decrypts and hands over. What does not decrypt is forged, replayed, or from before the handshake: dropped.
func (l *webrtcLink) receive(b []byte) {
	keys := l.keys.Load()
	if keys == nil {
		return
	}
	if isRTCP(b) {
		if pkt, err := keys.in.DecryptRTCP(l.rxBuf[:0], b, nil); err == nil {
			l.s.receivedRTCP(pkt)
		}
		return
	}
	if pkt, err := keys.in.DecryptRTP(l.rxBuf[:0], b, &l.rxHeader); err == nil {
		l.s.received(pkt)
	}
}

// Lost implements icelite.Handler.
func (l *webrtcLink) Lost() {
	l.s.linkLost("the browser has fallen silent: no ICE checks and no media")
}

// sendRTP implements link.
func (l *webrtcLink) sendRTP(pkt []byte) {
	keys := l.keys.Load()
	if keys == nil || len(pkt) > maxMTU {
		return
	}
	if out, err := keys.out.EncryptRTP(l.txBuf[:0], pkt, &l.txHeader); err == nil {
		_ = l.agent.Write(out) // lost, as any packet may be
	}
}

// sendRTCP implements link.
func (l *webrtcLink) sendRTCP(pkt []byte) {
	keys := l.keys.Load()
	if keys == nil || len(pkt) > maxMTU {
		return
	}
	if out, err := keys.out.EncryptRTCP(l.txBuf[:0], pkt, nil); err == nil {
		_ = l.agent.Write(out)
	}
}

// srtp implements link.
func (l *webrtcLink) srtp() string { return "dtls" }

// close implements link. The browser is told by DTLS's close_notify, which the association's goroutine still
// sends on the path that was selected.
func (l *webrtcLink) close() {
	if !l.dead.CompareAndSwap(false, true) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.assoc.Load().close()
	l.agent.Close()
}
