package sip

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// errFlood ends a connection that sends too much: a stream cannot lose a piece and go on.
var errFlood = errors.New("sip: too many requests")

// filter sees what the sockets read, before sipgo does: the place to drop what is too much and to repair or refuse what
// sipgo would drop in silence. It never fails for UDP: an error would stop the listener.
func (s *Server) filter(info sipmsg.TransportReadProps, data []byte) ([]byte, error) {
	if len(data) <= 4 && len(bytes.Trim(data, "\r\n")) == 0 {
		return data, nil // keep-alive (RFC 5626 §3.5.1): sipgo answers it on connections
	}
	datagram := info.Transport != "TCP" && info.Transport != "TLS"
	if !s.guard.allow(netAddrOf(info.RemoteAddr), time.Now()) {
		if !datagram {
			return nil, errFlood
		}
		return nil, nil
	}
	if !datagram {
		return data, nil // a piece of a stream; its parser finds the messages
	}
	data = withCRLF(data)
	if fault := datagramFault(data); fault != "" {
		s.refuseDatagram(info, data, fault)
		return nil, nil
	}
	return data, nil
}

// withCRLF gives a message whose lines end in LF alone the ends that RFC 3261 §7 wants. The body stays as it is.
func withCRLF(data []byte) []byte {
	if i := bytes.IndexByte(data, '\n'); i <= 0 || data[i-1] == '\r' {
		return data
	}
	head, body := data, []byte(nil)
	if i := bytes.Index(data, []byte("\n\n")); i >= 0 {
		head, body = data[:i+2], data[i+2:]
	}
	fixed := make([]byte, 0, len(data)+64)
	for line := range bytes.Lines(head) {
		fixed = append(fixed, bytes.TrimRight(line, "\r\n")...)
		fixed = append(fixed, '\r', '\n')
	}
	return append(fixed, body...)
}

// datagramFault says why sipgo could not parse a request that came in one piece, "" when it can. Responses pass: nobody
// waits for an answer to them.
func datagramFault(data []byte) string {
	if bytes.HasPrefix(data, []byte("SIP/")) {
		return ""
	}
	end := bytes.Index(data, []byte("\r\n\r\n"))
	line, rest, ok := bytes.Cut(data, []byte("\r\n"))
	if end < 0 || !ok {
		return "Incomplete Header"
	}
	if fault := startLineFault(line); fault != "" {
		return fault
	}
	if end < len(line) { // no header at all
		return "Missing Header"
	}
	for header := range bytes.SplitSeq(rest[:max(0, end-len(line)-2)], []byte("\r\n")) {
		colon := bytes.IndexByte(header, ':')
		folded := len(header) > 0 && (header[0] == ' ' || header[0] == '\t')
		switch {
		case folded:
		case colon <= 0 || bytes.IndexByte(header, '\r') >= 0:
			return "Bad Header"
		case isContentLength(bytes.TrimRight(header[:colon], " \t")):
			n, err := strconv.Atoi(string(bytes.TrimSpace(header[colon+1:])))
			if err != nil || n < 0 || n > len(data)-end-4 {
				return "Bad Content-Length"
			}
		}
	}
	return ""
}

func isContentLength(name []byte) bool {
	return (len(name) == 1 && (name[0] == 'l' || name[0] == 'L')) || (len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")))
}

// startLineFault judges "METHOD URI SIP/x" (RFC 3261 §7.1).
func startLineFault(line []byte) string {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	uri, version, _ := bytes.Cut(rest, []byte(" "))
	if !isToken(method) || !bytes.HasPrefix(version, []byte("SIP/")) || bytes.IndexByte(version, ' ') >= 0 {
		return "Bad Request Line"
	}
	var u sipmsg.Uri
	if err := sipmsg.ParseUri(string(uri), &u); err != nil || u.Wildcard || bytes.ContainsAny(uri, "<>\"\t") {
		return "Bad Request-URI"
	}
	return ""
}

// isToken reports whether b is a token (RFC 3261 §25.1).
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}

// refuseDatagram answers 400 to what cannot be parsed, with the header lines that a response repeats, as far as there are
// any. What has no Via cannot be answered; an ACK is not.
func (s *Server) refuseDatagram(info sipmsg.TransportReadProps, data []byte, fault string) {
	res := sipmsg.NewResponse(sipmsg.StatusBadRequest, fault)
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	lines := bytes.Split(head, []byte("\r\n"))
	via := false
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(string(line), ":")
		long := repeated(strings.TrimSpace(name))
		if value = strings.TrimSpace(value); long == "" || value == "" {
			continue
		}
		if long == "Via" && !via {
			via = true
			value = viaReceived(value, info.RemoteAddr.String())
		}
		if long == "To" && !strings.Contains(strings.ToLower(value), "tag=") {
			value += ";tag=" + s.newTag()
		}
		res.AppendHeader(sipmsg.NewHeader(long, value))
	}
	if !via || bytes.HasPrefix(lines[0], []byte("ACK ")) {
		return
	}
	addr := info.RemoteAddr.String()
	res.SetTransport(info.Transport)
	res.SetDestination(addr)
	res.SetBody(nil)
	key := addr
	if info.Transport == "UDP" {
		key = info.LocalAddr.String() // the listener's own entry; the peer's is made after the filter
	}
	conn, err := s.tp.GetConnection(info.Transport, key)
	if err != nil {
		return
	}
	_ = conn.WriteMsg(res)
	_, _ = conn.TryClose()
	s.log.Debug().Str("peer", addr).Str("reason", fault).Msg("malformed datagram refused")
}

// repeated is the long form of a header that every response copies (RFC 3261 §8.2.6.2), "" for others.
func repeated(name string) string {
	switch strings.ToLower(name) {
	case "via", "v":
		return "Via"
	case "from", "f":
		return "From"
	case "to", "t":
		return "To"
	case "call-id", "i":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	}
	return ""
}

// viaReceived notes the source in an unparsed Via.
func viaReceived(via, source string) string {
	host, port, err := net.SplitHostPort(source)
	if err != nil {
		return via
	}
	first, others, more := strings.Cut(via, ",")
	first = strings.Replace(first+";", ";rport;", ";rport="+port+";", 1) + "received=" + host
	if more {
		return first + "," + others
	}
	return first
}
