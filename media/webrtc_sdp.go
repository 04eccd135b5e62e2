package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Errors of a browser's SDP.
var (
	errNoICE    = errors.New("the SDP is not for WebRTC: no a=ice-ufrag and a=ice-pwd")
	errNoDTLS   = errors.New("the SDP is not for WebRTC: no a=fingerprint with SHA-256 or better, so no DTLS-SRTP")
	errNoMux    = errors.New("the SDP has no a=rtcp-mux: RTCP on a port of its own is not possible here")
	errBothLite = errors.New("the SDP says a=ice-lite: one side must be a full ICE agent, and we are not")
	errProto    = errors.New("the SDP's audio is not of a WebRTC protocol: want UDP/TLS/RTP/SAVPF")
	errNoAudio  = errors.New("the SDP has no audio")
	errNoCodec  = errors.New("the SDP has no audio codec of ours")
	errNoOffer  = errors.New("there is no offer to answer")
	errNoLocal  = errors.New("there is no offer of ours that this SDP could answer")
	errSetup    = errors.New("the SDP has no usable a=setup")
)

// webrtcProtos are the names that stand for SRTP by DTLS in a browser's SDP: all of them, RFC 9429 §5.1.2 says, mean the same.
var webrtcProtos = []string{
	"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP",
	"TCP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP",
}

// section is one m-line, as far as it must be repeated.
type section struct {
	media, proto, mid string
	format            string // one of its formats: a refused m-line needs one (RFC 3264 §6)
}

// browserSDP is what a browser's description says, reduced to what we use.
type browserSDP struct {
	sections []section
	audio    int // index in sections
	bundle   bool
	ufrag    string
	pwd      string
	hashes   []certHash
	setup    string // active, passive, actpass
	dir      string // sendrecv, sendonly, recvonly, inactive; c=IN IP4 0.0.0.0 is no hold here: addresses are candidates
	ptime    int    // ms
	codecs   []sdpPayload
	events   []sdpPayload
}

// parseBrowserSDP takes an offer or answer apart.
func parseBrowserSDP(raw []byte) (*browserSDP, error) {
	doc, err := parseSDP(raw)
	if err != nil {
		return nil, err
	}
	b := &browserSDP{audio: -1}
	for i := range doc.media {
		m := &doc.media[i]
		mid, _ := m.attr("mid")
		b.sections = append(b.sections, section{media: m.kind, proto: m.proto, mid: mid.value, format: m.formats[0]})
		if _, bundled := m.attr("bundle-only"); b.audio < 0 && m.kind == "audio" && (m.port != 0 || bundled) {
			b.audio = i
		}
	}
	if b.audio < 0 {
		return nil, errNoAudio
	}
	m := &doc.media[b.audio]
	if !slices.Contains(webrtcProtos, strings.ToUpper(m.proto)) {
		return nil, errProto
	}
	b.dir, b.ptime = m.dir, m.ptime()
	if err := b.transport(doc.session, m); err != nil {
		return nil, err
	}
	if err := b.formats(m); err != nil {
		return nil, err
	}
	return b, nil
}

// transport reads ICE and DTLS parameters, of the medium or, where it has none, of the session (RFC 8839 §5.4, RFC 8122 §5).
func (b *browserSDP) transport(session []sdpAttr, m *sdpMedia) error {
	var lite bool
	for _, a := range session {
		switch a.name {
		case "ice-lite":
			lite = true
		case "group":
			f := strings.Fields(a.value)
			b.bundle = b.bundle || len(f) > 1 && f[0] == "BUNDLE" && slices.Contains(f[1:], b.sections[b.audio].mid)
		}
	}
	b.attributes(m.attrs)
	b.attributes(session)
	_, mux := m.attr("rtcp-mux")
	switch {
	case len(b.hashes) == 0:
		return errNoDTLS
	case b.ufrag == "" || b.pwd == "":
		return errNoICE
	case lite:
		return errBothLite
	case !mux:
		return errNoMux
	case b.setup != "actpass" && b.setup != "active" && b.setup != "passive":
		return errSetup
	}
	return nil
}

// attributes fills in what is still missing.
func (b *browserSDP) attributes(attrs []sdpAttr) {
	known := len(b.hashes) > 0
	for _, a := range attrs {
		switch {
		case a.name == "ice-ufrag" && b.ufrag == "":
			b.ufrag = a.value
		case a.name == "ice-pwd" && b.pwd == "":
			b.pwd = a.value
		case a.name == "setup" && b.setup == "":
			b.setup = a.value
		case a.name == "fingerprint" && !known:
			hash, value, _ := strings.Cut(a.value, " ")
			if value = strings.ToUpper(strings.TrimSpace(value)); value != "" && usableHash(hash) {
				b.hashes = append(b.hashes, certHash{strings.ToLower(hash), value})
			}
		}
	}
}

// formats finds the codecs and telephone-events of ours, each once, in the m-line's order.
func (b *browserSDP) formats(m *sdpMedia) error {
	list, err := m.payloads()
	if err != nil {
		return err
	}
	for _, p := range list {
		switch {
		case p.codec == nil, p.codec == codecNoise: // browsers have Opus
		case p.codec == codecEvent8 || p.codec == codecEvent48:
			if !hasCodec(b.events, p.codec) {
				b.events = append(b.events, p)
			}
		case !hasCodec(b.codecs, p.codec):
			b.codecs = append(b.codecs, p)
		}
	}
	if len(b.codecs) == 0 {
		return errNoCodec
	}
	return nil
}

// agreement begins with what does not depend on codecs.
func (b *browserSDP) agreement() agreement {
	return agreement{
		ptime: b.ptime,
		send:  b.dir == sendrecv || b.dir == recvonly,
		recv:  b.dir == sendrecv || b.dir == sendonly,
	}
}

func payloadOf(list []sdpPayload, c *codecInfo) *sdpPayload {
	for i := range list {
		if list[i].codec == c {
			return &list[i]
		}
	}
	return nil
}

// browserNegotiation is the SDP state of a webrtcLink (RFC 3264).
type browserNegotiation struct {
	id, version uint64
	lastBody    string
	dir         string // the peer's, by its last SDP

	// The m-lines of the session, which every later SDP must repeat (RFC 3264 §8), and which one is ours.
	sections []section
	audio    int
	bundle   bool

	remote  *browserSDP          // in force
	offered *browserSDP          // the peer's last offer
	local   []format             // of our last offer, recv only
	pts     map[*codecInfo]uint8 // payload types that we receive; once used they keep their meaning (RFC 3264 §8.3.2)
}

func (n *browserNegotiation) init() {
	var b [8]byte
	_, _ = rand.Read(b[:])
	*n = browserNegotiation{
		id: binary.BigEndian.Uint64(b[:]) >> 2, dir: sendrecv, pts: map[*codecInfo]uint8{}, bundle: true,
		sections: []section{{media: "audio", proto: "UDP/TLS/RTP/SAVPF", mid: "0"}},
	}
}

// adopt puts an exchange into force.
func (n *browserNegotiation) adopt(r *browserSDP, a agreement) {
	n.remote, n.dir = r, r.dir
	for _, f := range slices.Concat(a.audio, a.events) {
		n.pts[f.codec] = f.recv
	}
}

// offerFormats gives each codec, and the telephone-events, the payload type that it has, or its usual one, or a free one.
func (n *browserNegotiation) offerFormats(codecs []*codecInfo) []format {
	var used [128]bool
	for _, pt := range n.pts {
		used[pt] = true
	}
	var formats []format
	for _, c := range withEvents(codecs) {
		pt, ok := n.pts[c]
		if !ok {
			pt = c.payload
			for free := uint8(96); used[pt] && free < 128; free++ {
				pt = free
			}
			used[pt] = true
		}
		formats = append(formats, format{codec: c, recv: pt})
	}
	return formats
}

// taken lists which of our offer's formats an answer has, in its order.
func (n *browserNegotiation) taken(list []sdpPayload) []format {
	var formats []format
	for _, p := range list {
		for _, f := range n.local {
			if f.codec == p.codec {
				formats = append(formats, format{p.codec, p.pt, f.recv})
			}
		}
	}
	return formats
}

// ourSDP is everything that goes into a description of ours.
type ourSDP struct {
	id          uint64
	sections    []section
	audio       int
	bundle      bool
	ufrag, pwd  string
	fingerprint string
	setup       string
	dir         string
	ssrc        uint32
	cname       string
	at          netip.AddrPort // default candidate
	candidates  []string
	formats     []format // audio, then events; recv is written
}

func (o *ourSDP) conn() string {
	if o.at.Addr().Is6() {
		return "IN IP6 " + o.at.Addr().String()
	}
	return "IN IP4 " + o.at.Addr().String()
}

// head is what precedes the body; the version grows with every change of it (RFC 3264 §8).
func (o *ourSDP) head(version uint64) string {
	return fmt.Sprintf("v=0\r\no=- %d %d %s\r\n", o.id, version, o.conn())
}

// body writes the description. All m-lines but the audio are refused with port 0 (RFC 3264 §6).
func (o *ourSDP) body() string {
	var w strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&w, format+"\r\n", args...) }
	line("s=-")
	line("t=0 0")
	line("a=ice-lite")
	line("a=ice-options:ice2") // RFC 8839 §4.2.3; no trickle: all candidates are here
	if o.bundle {
		line("a=group:BUNDLE %s", o.sections[o.audio].mid)
	}
	line("a=msid-semantic: WMS *")
	for i, s := range o.sections {
		if i == o.audio {
			o.writeAudio(line, s)
			continue
		}
		line("m=%s 0 %s %s", s.media, s.proto, s.format)
		line("c=%s", o.conn())
		if s.mid != "" {
			line("a=mid:%s", s.mid)
		}
		line("a=inactive")
	}
	return w.String()
}

func (o *ourSDP) writeAudio(line func(string, ...any), s section) {
	var pts strings.Builder
	for _, f := range o.formats {
		fmt.Fprintf(&pts, " %d", f.recv)
	}
	line("m=audio %d %s%s", o.at.Port(), s.proto, pts.String())
	line("c=%s", o.conn())
	if s.mid != "" {
		line("a=mid:%s", s.mid)
	}
	line("a=%s", o.dir)
	line("a=rtcp-mux")
	line("a=ice-ufrag:%s", o.ufrag)
	line("a=ice-pwd:%s", o.pwd)
	line("a=fingerprint:sha-256 %s", o.fingerprint)
	line("a=setup:%s", o.setup)
	for _, f := range o.formats {
		c := f.codec
		if c.channels > 0 {
			line("a=rtpmap:%d %s/%d/%d", f.recv, c.name, c.clock, c.channels)
		} else {
			line("a=rtpmap:%d %s/%d", f.recv, c.name, c.clock)
		}
		if c.fmtp != "" {
			line("a=fmtp:%d %s", f.recv, c.fmtp)
		}
	}
	line("a=ptime:20")
	line("a=msid:strowger audio")
	line("a=ssrc:%d cname:%s", o.ssrc, o.cname)
	for _, c := range o.candidates {
		line("a=candidate:%s", c)
	}
	line("a=end-of-candidates")
}
