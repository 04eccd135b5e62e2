package media

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// SDP as far as audio needs it (RFC 8866). The parser takes what real phones send (bare LF, unknown lines, missing
// o=, s= or t=) and refuses what it would have to guess about.

const (
	sdpMaxSize  = 64 << 10
	sdpMaxMedia = 32
)

// The directions (RFC 8866 §6.7).
const (
	sendrecv = "sendrecv"
	sendonly = "sendonly"
	recvonly = "recvonly"
	inactive = "inactive"
)

// sdpError says what is wrong with the peer's SDP, and where.
type sdpError struct {
	line int // 0: the whole
	what string
}

func (e *sdpError) Error() string {
	if e.line == 0 {
		return "SDP: " + e.what
	}
	return fmt.Sprintf("SDP line %d: %s", e.line, e.what)
}

// sdpDoc is a parsed session description.
type sdpDoc struct {
	session []sdpAttr // attributes above the first m= line
	media   []sdpMedia
}

// sdpMedia is one m= section, with what it inherits from the session level filled in.
type sdpMedia struct {
	line    int // of the m=
	kind    string
	port    int
	proto   string
	formats []string
	conn    netip.Addr // invalid when there is no c=
	dir     string
	attrs   []sdpAttr
}

type sdpAttr struct {
	name, value string
	line        int
}

// attr returns the first attribute of this name.
func (m *sdpMedia) attr(name string) (sdpAttr, bool) {
	for _, a := range m.attrs {
		if a.name == name {
			return a, true
		}
	}
	return sdpAttr{}, false
}

// parseSDP reads a description; all errors are *sdpError.
func parseSDP(b []byte) (*sdpDoc, error) {
	if len(b) == 0 {
		return nil, &sdpError{0, "is empty"}
	}
	if len(b) > sdpMaxSize {
		return nil, &sdpError{0, fmt.Sprintf("is %d bytes long, more than %d", len(b), sdpMaxSize)}
	}
	doc := &sdpDoc{}
	var session sdpMedia // collects the session level
	session.dir = sendrecv
	cur := &session
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return nil, &sdpError{n, fmt.Sprintf("%.40q is not of the form x=value", line)}
		}
		value := line[2:]
		switch line[0] {
		case 'v':
			if strings.TrimSpace(value) != "0" {
				return nil, &sdpError{n, fmt.Sprintf("version %.20q, want 0", value)}
			}
		case 'm':
			m, err := parseMediaLine(value, n)
			if err != nil {
				return nil, err
			}
			if len(doc.media) == sdpMaxMedia {
				return nil, &sdpError{n, fmt.Sprintf("more than %d m= lines", sdpMaxMedia)}
			}
			m.conn, m.dir = session.conn, session.dir
			doc.media = append(doc.media, m)
			cur = &doc.media[len(doc.media)-1]
		case 'c':
			addr, err := parseConn(value, n)
			if err != nil {
				return nil, err
			}
			cur.conn = addr
		case 'a':
			cur.addAttr(value, n)
		}
	}
	if len(doc.media) == 0 {
		return nil, &sdpError{0, "has no m= line"}
	}
	doc.session = session.attrs
	return doc, nil
}

func (m *sdpMedia) addAttr(value string, line int) {
	name, rest, _ := strings.Cut(value, ":")
	name = strings.TrimSpace(name)
	switch name {
	case sendrecv, sendonly, recvonly, inactive:
		m.dir = name
	default:
		m.attrs = append(m.attrs, sdpAttr{name, strings.TrimSpace(rest), line})
	}
}

// parseMediaLine reads "audio 49170 RTP/AVP 0 8"; a port count ("49170/2") is read as one.
func parseMediaLine(value string, line int) (sdpMedia, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return sdpMedia{}, &sdpError{line, fmt.Sprintf("m=%.60s: want media, port, protocol and formats", value)}
	}
	port, _, _ := strings.Cut(f[1], "/")
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return sdpMedia{}, &sdpError{line, fmt.Sprintf("m=: port %.20q is not a number of 0-65535", f[1])}
	}
	return sdpMedia{line: line, kind: f[0], port: int(p), proto: f[2], formats: f[3:]}, nil
}

// parseConn reads "IN IP4 192.0.2.1", with or without "/ttl".
func parseConn(value string, line int) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "IN" || f[1] != "IP4" && f[1] != "IP6" {
		return netip.Addr{}, &sdpError{line, fmt.Sprintf("c=%.60s: want IN IP4 or IN IP6 and an address", value)}
	}
	text, _, _ := strings.Cut(f[2], "/")
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, &sdpError{line, fmt.Sprintf("c=: %.60q is not an IP address (host names are not looked up)", text)}
	}
	if addr.Is4() != (f[1] == "IP4") {
		return netip.Addr{}, &sdpError{line, fmt.Sprintf("c=: %s is not an %s address", addr, f[1])}
	}
	if addr.Zone() != "" {
		return netip.Addr{}, &sdpError{line, fmt.Sprintf("c=: %.60s has a zone, which names an interface of the peer's (RFC 4007 §6)", text)}
	}
	if !unicast(addr) {
		return netip.Addr{}, &sdpError{line, fmt.Sprintf("c=: %s is a multicast or broadcast address", addr)}
	}
	return addr, nil
}

// unicast reports whether packets to a reach one host at most: nobody shall make us shout into a network.
func unicast(a netip.Addr) bool {
	return !a.IsMulticast() && a.Unmap() != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// sdpPayload is one format of an m= line with its codec: one of ours, or nil.
type sdpPayload struct {
	pt    uint8
	name  string // for messages
	codec *codecInfo
}

// payloads reads the formats of an audio line, in its order. Static payload types need no rtpmap (RFC 3551 §6).
func (m *sdpMedia) payloads() ([]sdpPayload, error) {
	maps := map[string]string{}
	for _, a := range m.attrs {
		if a.name != "rtpmap" {
			continue
		}
		pt, enc, ok := strings.Cut(a.value, " ")
		if !ok {
			return nil, &sdpError{a.line, fmt.Sprintf("a=rtpmap:%.60s: want a payload type and an encoding", a.value)}
		}
		maps[pt] = strings.TrimSpace(enc)
	}
	var list []sdpPayload
	for _, f := range m.formats {
		pt, err := strconv.ParseUint(f, 10, 8)
		if err != nil || pt > 127 {
			return nil, &sdpError{m.line, fmt.Sprintf("m=: format %.20q is not a payload type of 0-127", f)}
		}
		p := sdpPayload{pt: uint8(pt), name: maps[f]}
		if p.name == "" {
			p.codec = staticCodec(p.pt)
			p.name = f
		} else {
			p.codec = codecByMap(p.name)
		}
		list = append(list, p)
	}
	return list, nil
}

func staticCodec(pt uint8) *codecInfo {
	if pt == codecNoise.payload {
		return codecNoise
	}
	for _, c := range allCodecs {
		if c.static && c.payload == pt {
			return c
		}
	}
	return nil
}

// codecByMap finds a codec by the value of an rtpmap: name/clock[/channels].
func codecByMap(enc string) *codecInfo {
	f := strings.Split(enc, "/")
	if len(f) < 2 {
		return nil
	}
	channels := "1"
	if len(f) > 2 {
		channels = f[2]
	}
	for _, c := range []*codecInfo{codecOpus, codecG722, codecPCMU, codecPCMA, codecEvent8, codecEvent48, codecNoise} {
		if strings.EqualFold(c.name, f[0]) && strconv.Itoa(int(c.clock)) == f[1] && strconv.Itoa(max(c.channels, 1)) == channels {
			return c
		}
	}
	return nil
}

// ptime is the packet length that the peer wants, within what makes sense for speech; 20 when it does not say.
func (m *sdpMedia) ptime() int {
	want := 20
	if a, ok := m.attr("ptime"); ok {
		if v, err := strconv.Atoi(a.value); err == nil && v >= 10 && v <= 60 {
			want = v / 10 * 10
		}
	}
	if a, ok := m.attr("maxptime"); ok {
		if v, err := strconv.Atoi(a.value); err == nil && v >= 10 {
			want = min(want, v/10*10)
		}
	}
	return want
}

// rtcpAddr is where RTCP goes without rtcp-mux: a=rtcp (RFC 3605), or the port after RTP's.
func (m *sdpMedia) rtcpAddr() netip.AddrPort {
	addr, port := m.conn, m.port+1
	if a, ok := m.attr("rtcp"); ok {
		f := strings.Fields(a.value)
		if len(f) > 0 {
			if p, err := strconv.ParseUint(f[0], 10, 16); err == nil {
				port = int(p)
			}
		}
		if len(f) == 4 {
			if ip, err := netip.ParseAddr(f[3]); err == nil && unicast(ip) && ip.Unmap().Is4() == addr.Is4() {
				addr = ip.Unmap().WithZone("")
			}
		}
	}
	if port > 65535 {
		port = 0
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// mirror is the answer to a direction (RFC 3264 §6.1).
func mirror(dir string) string {
	switch dir {
	case sendonly:
		return recvonly
	case recvonly:
		return sendonly
	}
	return dir
}

// agreement begins with what does not depend on codecs.
func (m *sdpMedia) agreement() agreement {
	d := m.effectiveDir()
	return agreement{xr: m.takesXR(), ptime: m.ptime(), send: d == sendrecv || d == recvonly, recv: d == sendrecv || d == sendonly}
}

// takesXR is what the peer takes of RTCP XR (RFC 3611 §5.1).
func (m *sdpMedia) takesXR() xrTerms {
	a, _ := m.attr("rtcp-xr")
	var t xrTerms
	for _, f := range strings.Fields(a.value) {
		t.metrics = t.metrics || f == "voip-metrics"
		t.rtt = t.rtt || strings.HasPrefix(f, "rcvr-rtt=")
	}
	return t
}

// effectiveDir reads c=0.0.0.0, and :: likewise, as a hold (RFC 3264 §8.4): nothing can be sent there.
func (m *sdpMedia) effectiveDir() string {
	if m.conn.IsUnspecified() && m.dir != sendonly {
		return inactive
	}
	return m.dir
}

// way is the transport address of the peer.
func (m *sdpMedia) way(mux bool) remoteMedia {
	r := remoteMedia{mux: mux}
	if m.conn.IsUnspecified() {
		return r
	}
	r.addr = netip.AddrPortFrom(m.conn.Unmap(), uint16(m.port))
	r.rtcp = r.addr
	if !mux {
		r.rtcp = m.rtcpAddr()
	}
	return r
}

func hasCodec(list []sdpPayload, c *codecInfo) bool {
	for _, p := range list {
		if p.codec == c {
			return true
		}
	}
	return false
}

func payloadCodecs(list []sdpPayload) []*codecInfo {
	codecs := make([]*codecInfo, len(list))
	for i, p := range list {
		codecs[i] = p.codec
	}
	return codecs
}
