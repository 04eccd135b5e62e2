package media

import (
	"fmt"
	"strings"
)

// localMedia is our m= section.
type localMedia struct {
	proto   string
	dir     string
	formats []format
	mux     bool
	// rtcp is the port for RTCP. In a first offer with rtcp-mux it is the next one still, for peers that do not know
	// rtcp-mux (RFC 5761 §5.1.1).
	rtcp int
	xr   xrTerms // what is welcome of RTCP XR
	keys []*cryptoKey
}

// write makes the description: all m= lines of the session, ours filled in, the others refused with port 0 (RFC 3264 §6).
// The version counts changes.
func (n *rtpNegotiation) write(m localMedia) []byte {
	var b strings.Builder
	family := "IP4"
	if !n.public.Is4() {
		family = "IP6"
	}
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, n.public)
	for i, line := range n.lines {
		if i == n.audio {
			n.writeAudio(&b, m)
			continue
		}
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", line.kind, line.proto, line.format)
	}
	if body := b.String(); body != n.lastBody {
		n.version, n.lastBody = n.version+1, body
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN %s %s\r\n%s", n.id, n.version, family, n.public, n.lastBody)
}

func (n *rtpNegotiation) writeAudio(b *strings.Builder, m localMedia) {
	fmt.Fprintf(b, "m=audio %d %s", n.port, m.proto)
	for _, f := range m.formats {
		fmt.Fprintf(b, " %d", f.recv)
	}
	b.WriteString("\r\n")
	for _, f := range m.formats {
		c := f.codec
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d", f.recv, c.name, c.clock)
		if c.channels > 0 {
			fmt.Fprintf(b, "/%d", c.channels)
		}
		b.WriteString("\r\n")
		if c.fmtp != "" {
			fmt.Fprintf(b, "a=fmtp:%d %s\r\n", f.recv, c.fmtp)
		}
	}
	for _, k := range m.keys {
		fmt.Fprintf(b, "a=crypto:%s\r\n", k.line())
	}
	fmt.Fprintf(b, "a=rtcp:%d\r\n", m.rtcp)
	if m.mux {
		b.WriteString("a=rtcp-mux\r\n")
	}
	if terms := m.xr.String(); terms != "" {
		fmt.Fprintf(b, "a=rtcp-xr:%s\r\n", terms)
	}
	fmt.Fprintf(b, "a=ptime:20\r\na=%s\r\n", m.dir)
}
