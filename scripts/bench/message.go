package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// message is a SIP message as far as the load looks into it.
type message struct {
	start   string
	headers [][2]string // name in lower case and long form, value
	body    string
}

// longNames are the compact forms that a server may answer with (RFC 3261 §7.3.3).
var longNames = map[string]string{"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}

func parse(datagram []byte) message {
	head, body, _ := strings.Cut(string(datagram), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := message{start: lines[0], body: body}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if long, ok := longNames[name]; ok {
			name = long
		}
		m.headers = append(m.headers, [2]string{name, strings.TrimSpace(value)})
	}
	return m
}

// status is the code of a response, 0 for a request.
func (m *message) status() int {
	rest, ok := strings.CutPrefix(m.start, "SIP/2.0 ")
	if !ok || len(rest) < 3 {
		return 0
	}
	code, _ := strconv.Atoi(rest[:3])
	return code
}

// method is that of the request, or of the request that a response answers.
func (m *message) method() string {
	if m.status() == 0 {
		method, _, _ := strings.Cut(m.start, " ")
		return method
	}
	_, method, _ := strings.Cut(m.get("cseq"), " ")
	return method
}

func (m *message) get(name string) string {
	for _, h := range m.headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// routeSet is the dialog's route set as the caller sees it: Record-Route upside down (RFC 3261 §12.1.2).
func (m *message) routeSet() string {
	routes := ""
	for _, h := range m.headers {
		if h[0] == "record-route" {
			routes = "Route: " + h[1] + "\r\n" + routes
		}
	}
	return routes
}

// answer makes a response that copies what RFC 3261 §8.2.6.2 and §12.1.1 want copied.
func (m *message) answer(status, tag, contact, sdp string) []byte {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, h := range m.headers {
		if h[0] == "via" || h[0] == "record-route" {
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	to := m.get("to")
	if tag != "" && !strings.Contains(to, "tag=") {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:%s>\r\n", m.get("from"), to, m.get("call-id"), m.get("cseq"), contact)
	if sdp != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(sdp), sdp)
	return []byte(b.String())
}

// addressIn takes the URI out of "Name <URI>;parameters".
func addressIn(value string) string {
	if _, rest, ok := strings.Cut(value, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	uri, _, _ := strings.Cut(value, ";")
	return uri
}

// mediaAddress is where an SDP body wants its audio.
func mediaAddress(sdp string) (netip.AddrPort, bool) {
	var addr netip.Addr
	port := 0
	for line := range strings.SplitSeq(sdp, "\r\n") {
		if value, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			addr, _ = netip.ParseAddr(strings.TrimSpace(value))
		}
		if value, ok := strings.CutPrefix(line, "m=audio "); ok {
			text, _, _ := strings.Cut(value, " ")
			port, _ = strconv.Atoi(text)
		}
	}
	return netip.AddrPortFrom(addr, uint16(port)), addr.IsValid() && port > 0
}

// sdpOf offers or answers G.711 µ-law at a port.
func sdpOf(ip string, port int) string {
	return fmt.Sprintf("v=0\r\no=bench 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n", ip, ip, port)
}

// names makes branches, tags and Call-IDs that no run repeats.
type names struct {
	epoch string
	n     atomic.Int64
}

func newNames() *names { return &names{epoch: strconv.FormatInt(time.Now().UnixNano(), 36)} }

func (n *names) next() string { return n.epoch + strconv.FormatInt(n.n.Add(1), 36) }
