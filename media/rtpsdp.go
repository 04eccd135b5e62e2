package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// remoteMedia is what an SDP exchange says about the way to the party.
type remoteMedia struct {
	addr, rtcp   netip.AddrPort
	mux          bool
	rxKey, txKey *cryptoKey
}

// rtpNegotiation is the SDP state of an rtpLink (RFC 3264).
type rtpNegotiation struct {
	public netip.Addr
	port   int
	policy Policy

	id, version uint64
	lastBody    string

	pts  map[*codecInfo]uint8  // payload types that we receive; once used they keep their meaning (RFC 3264 §8.3.2)
	keys map[*suite]*cryptoKey // ours, for the life of the link
	mux  bool                  // agreed
	dir  string                // the peer's, by its last SDP

	// The m= lines of the session, which every later SDP must repeat (RFC 3264 §8). Empty before the first exchange.
	lines []mediaLine
	audio int // index of ours

	offered []*codecInfo // of our last offer, without events
	pending *remoteOffer // the peer's last offer, until there is another one of either side
}

// mediaLine is an m= line that we refuse, or the place of ours.
type mediaLine struct{ kind, proto, format string }

// remoteOffer is a peer's offer that was found usable.
type remoteOffer struct {
	doc    *sdpDoc
	index  int        // of the audio line that we take
	ours   netip.Addr // our address for the answer
	audio  []sdpPayload
	events []sdpPayload
	noise  bool       // it takes comfort noise
	key    *cryptoKey // the peer's; nil: plain RTP
}

func (n *rtpNegotiation) init(public netip.Addr, port int, policy Policy) {
	var b [8]byte
	_, _ = rand.Read(b[:])
	*n = rtpNegotiation{
		public: public, port: port, policy: policy, id: binary.BigEndian.Uint64(b[:]) >> 2, version: 0,
		pts: map[*codecInfo]uint8{}, keys: map[*suite]*cryptoKey{}, dir: sendrecv,
		lines: []mediaLine{{kind: "audio"}},
	}
}

func (l *rtpLink) remoteDirection() string { return l.sdp.dir }

// offer implements link.
func (l *rtpLink) offer(codecs []*codecInfo) ([]byte, error) {
	n := &l.sdp
	if len(codecs) == 0 {
		return nil, errors.New("SDP offer: no codec that we know")
	}
	n.offered, n.pending = codecs, nil
	m := localMedia{dir: sendrecv, proto: "RTP/AVP", mux: true, xr: xrTerms{metrics: true, rtt: true}, rtcp: n.port + 1}
	if n.mux {
		m.rtcp = n.port
	}
	if n.policy == Required {
		m.proto = "RTP/SAVP"
	}
	if n.policy != None {
		for i, s := range suites {
			k := n.key(s)
			k.tag = i + 1
			m.keys = append(m.keys, k)
		}
	}
	for _, c := range withEvents(codecs) {
		m.formats = append(m.formats, format{codec: c, recv: n.payload(c)})
	}
	return n.write(m), nil
}

// withEvents adds telephone-event, with the clocks of these codecs (RFC 4733 §2.1) and 8000 Hz, which everybody has.
func withEvents(codecs []*codecInfo) []*codecInfo {
	list := append([]*codecInfo(nil), codecs...)
	for _, c := range codecs {
		if c == codecOpus {
			list = append(list, codecEvent48)
			break
		}
	}
	return append(list, codecEvent8)
}

func (n *rtpNegotiation) key(s *suite) *cryptoKey {
	if n.keys[s] == nil {
		n.keys[s] = newCryptoKey(1, s)
	}
	return n.keys[s]
}

// payload is the payload type that we receive a codec with: the one of before, its own, or a free dynamic one.
func (n *rtpNegotiation) payload(c *codecInfo) uint8 {
	if pt, ok := n.pts[c]; ok {
		return pt
	}
	pt := c.payload
	if !c.static && n.taken(pt) {
		for pt = 96; n.taken(pt); pt++ {
		}
	}
	n.pts[c] = pt
	return pt
}

func (n *rtpNegotiation) taken(pt uint8) bool {
	for _, used := range n.pts {
		if used == pt {
			return true
		}
	}
	return false
}

// remoteOffer implements link. Nothing changes before the answer.
func (l *rtpLink) remoteOffer(sdp []byte) ([]*codecInfo, error) {
	n := &l.sdp
	n.pending = nil // a broken offer is not answered with the one before it
	doc, err := parseSDP(sdp)
	if err != nil {
		return nil, err
	}
	var why error
	for i := range doc.media {
		if doc.media[i].kind != "audio" {
			continue
		}
		o, err := l.consider(doc, i)
		if err != nil {
			why = errors.Join(why, err)
			continue
		}
		n.pending, n.dir = o, doc.media[i].effectiveDir()
		return payloadCodecs(o.audio), nil
	}
	if why == nil {
		why = &sdpError{0, "has no m=audio line"}
	}
	return nil, why
}

// consider says whether this audio line can be taken.
func (l *rtpLink) consider(doc *sdpDoc, index int) (*remoteOffer, error) {
	n, m := &l.sdp, &doc.media[index]
	o := &remoteOffer{doc: doc, index: index}
	if m.port == 0 {
		return nil, &sdpError{m.line, "m=audio has port 0: the peer does not want audio"}
	}
	var err error
	if m.conn, o.ours, err = l.meet(m); err != nil {
		return nil, err
	}
	if o.key, err = n.protection(m); err != nil {
		return nil, err
	}
	list, err := m.payloads()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range list {
		switch {
		case p.codec == nil:
		case p.codec == codecNoise:
			o.noise = p.pt == codecNoise.payload
		case p.codec == codecEvent8 || p.codec == codecEvent48:
			o.events = append(o.events, p)
		case !hasCodec(o.audio, p.codec):
			o.audio = append(o.audio, p)
		}
		names = append(names, p.name)
	}
	if len(o.audio) == 0 {
		return nil, &sdpError{m.line, fmt.Sprintf("no codec in common: the peer has %.200s; we have opus, G722, PCMU, PCMA", strings.Join(names, ", "))}
	}
	return o, nil
}

// protection chooses the peer's key; nil is plain RTP. It fails where the peer's wish and our policy do not meet.
func (n *rtpNegotiation) protection(m *sdpMedia) (*cryptoKey, error) {
	secure := false
	switch strings.ToUpper(m.proto) {
	case "RTP/AVP", "RTP/AVPF":
	case "RTP/SAVP", "RTP/SAVPF":
		secure = true
	case "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF":
		return nil, &sdpError{m.line, "m=audio: " + m.proto + " (DTLS-SRTP) is only taken from browsers"}
	default:
		return nil, &sdpError{m.line, fmt.Sprintf("m=audio: protocol %.40q is not supported; want RTP/AVP or RTP/SAVP", m.proto)}
	}
	if secure && n.policy == None {
		return nil, &sdpError{m.line, "m=audio: the peer demands SRTP, which is switched off for it"}
	}
	if n.policy == None {
		return nil, nil
	}
	keys, why := m.cryptoKeys()
	key := chooseKey(keys)
	if key == nil && (secure || n.policy == Required) {
		if why == nil {
			why = &sdpError{m.line, "m=audio: there is no a=crypto line"}
		}
		return nil, fmt.Errorf("SRTP is required: %w", why)
	}
	return key, nil
}

// answer implements link. The same offer may be answered again: first in a 183, then in the 200.
func (l *rtpLink) answer(codecs []*codecInfo) ([]byte, agreement, error) {
	n := &l.sdp
	o := n.pending
	if o == nil {
		return nil, agreement{}, errors.New("SDP answer: there is no offer to answer")
	}
	if codecs == nil {
		codecs = payloadCodecs(o.audio)
	}
	remote := &o.doc.media[o.index]
	a := remote.agreement()
	for _, c := range codecs {
		for _, p := range o.audio {
			if p.codec == c {
				a.audio = append(a.audio, format{c, p.pt, p.pt})
			}
		}
	}
	if len(a.audio) == 0 {
		return nil, agreement{}, fmt.Errorf("SDP answer: the offer has none of %s", strings.Join(codecNames(codecs), ", "))
	}
	for _, p := range o.events {
		if _, opus := a.format(codecOpus); p.codec == codecEvent8 || opus {
			a.events = append(a.events, format{p.codec, p.pt, p.pt})
		}
	}
	m := localMedia{dir: mirror(n.dir), proto: remote.proto}
	if o.noise && a.g711() {
		a.noise = codecNoise.payload
	}
	_, m.mux = remote.attr("rtcp-mux")
	m.xr = a.xr
	if m.rtcp = n.port + 1; m.mux {
		m.rtcp = n.port
	}
	m.formats = append(append(m.formats, a.audio...), a.events...)
	if a.noise != 0 {
		m.formats = append(m.formats, format{codecNoise, a.noise, a.noise})
	}
	way := remote.way(m.mux)
	if o.key != nil {
		k := n.key(o.key.suite)
		k.tag = o.key.tag // the answer echoes the tag (RFC 4568 §5.1.2)
		m.keys, way.rxKey, way.txKey = []*cryptoKey{k}, o.key, k
	}
	if err := l.apply(way); err != nil {
		return nil, agreement{}, err
	}
	n.mux, n.public = m.mux, o.ours
	for _, f := range m.formats {
		n.pts[f.codec] = f.recv
	}
	n.remember(o.doc, o.index)
	return n.write(m), a, nil
}

// remember keeps the m= lines for later offers.
func (n *rtpNegotiation) remember(doc *sdpDoc, audio int) {
	n.audio, n.lines = audio, n.lines[:0]
	for _, m := range doc.media {
		n.lines = append(n.lines, mediaLine{m.kind, m.proto, m.formats[0]})
	}
}

// remoteAnswer implements link. It may be called again for the same offer: a fork, or early media and then the 200.
func (l *rtpLink) remoteAnswer(sdp []byte) (agreement, error) {
	n := &l.sdp
	doc, err := parseSDP(sdp)
	if err != nil {
		return agreement{}, err
	}
	if n.audio >= len(doc.media) || doc.media[n.audio].kind != "audio" {
		return agreement{}, &sdpError{0, "the answer has no m=audio line where the offer had it"}
	}
	m := &doc.media[n.audio]
	if m.port == 0 {
		return agreement{}, &sdpError{m.line, "m=audio has port 0: the peer refused the audio"}
	}
	if m.conn, n.public, err = l.meet(m); err != nil {
		return agreement{}, err
	}
	_, mux := m.attr("rtcp-mux")
	way := m.way(mux)
	if way.rxKey, err = n.protection(m); err != nil {
		return agreement{}, err
	}
	if way.rxKey != nil {
		if way.txKey = n.keys[way.rxKey.suite]; way.txKey == nil || way.txKey.tag != way.rxKey.tag {
			return agreement{}, &sdpError{m.line, fmt.Sprintf("a=crypto: tag %d with %s was not offered", way.rxKey.tag, way.rxKey.suite.name)}
		}
	}
	a, err := n.answered(m)
	if err != nil {
		return agreement{}, err
	}
	if err := l.apply(way); err != nil {
		return agreement{}, err
	}
	n.mux, n.dir = mux, m.effectiveDir()
	return a, nil
}

// answered reads which of the offered formats the peer took, in its order.
func (n *rtpNegotiation) answered(m *sdpMedia) (agreement, error) {
	list, err := m.payloads()
	if err != nil {
		return agreement{}, err
	}
	a := m.agreement()
	var names []string
	for _, p := range list {
		names = append(names, p.name)
		if p.codec == nil {
			continue
		}
		f := format{p.codec, p.pt, n.pts[p.codec]}
		if p.codec == codecNoise {
			continue // never offered
		}
		if p.codec == codecEvent8 || p.codec == codecEvent48 {
			if _, ok := n.pts[p.codec]; ok {
				a.events = append(a.events, f)
			}
			continue
		}
		for _, c := range n.offered {
			if c == p.codec {
				a.audio = append(a.audio, f)
			}
		}
	}
	if len(a.audio) == 0 {
		return a, &sdpError{m.line, fmt.Sprintf("the answer takes none of the offered codecs: it has %.200s", strings.Join(names, ", "))}
	}
	return a, nil
}
