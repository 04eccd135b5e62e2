package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// message is a SIP request or response (RFC 3261 §7). The carrier reads and writes SIP by itself, without package sip,
// so that a mistake in one of them shows as a failing call instead of being made on both sides.
type message struct {
	method  string // requests
	uri     string // requests
	code    int    // responses
	phrase  string // responses
	headers []header
	body    []byte
}

type header struct{ name, value string }

// compact forms, RFC 3261 §7.3.3.
var compact = map[string]string{"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "k": "supported"}

var errMessage = errors.New("not a SIP message")

func parse(data []byte) (*message, error) {
	head, body, found := bytes.Cut(data, []byte("\r\n\r\n"))
	if !found {
		return nil, errMessage
	}
	lines := strings.Split(string(head), "\r\n")
	m := &message{body: body}
	first := strings.SplitN(lines[0], " ", 3)
	if len(first) != 3 {
		return nil, errMessage
	}
	if first[0] == "SIP/2.0" {
		code, err := strconv.Atoi(first[1])
		if err != nil {
			return nil, errMessage
		}
		m.code, m.phrase = code, first[2]
	} else {
		m.method, m.uri = first[0], first[1]
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if long, ok := compact[name]; ok {
			name = long
		}
		m.add(name, strings.TrimSpace(value))
	}
	return m, nil
}

func (m *message) add(name, value string) { m.headers = append(m.headers, header{name, value}) }

// get returns the first value of a header, "" when absent.
func (m *message) get(name string) string {
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

func (m *message) all(name string) []string {
	var values []string
	for _, h := range m.headers {
		if strings.EqualFold(h.name, name) {
			values = append(values, h.value)
		}
	}
	return values
}

// cseq returns the number and the method of CSeq.
func (m *message) cseq() (int, string) {
	number, method, _ := strings.Cut(m.get("cseq"), " ")
	n, _ := strconv.Atoi(number)
	return n, strings.TrimSpace(method)
}

func (m *message) bytes() []byte {
	var b bytes.Buffer
	if m.method != "" {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.method, m.uri)
	} else {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.code, m.phrase)
	}
	for _, h := range m.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.name, h.value)
	}
	if len(m.body) > 0 {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.body))
	b.Write(m.body)
	return b.Bytes()
}

// reply makes a response to a request; tag is added to To when it has none.
func (m *message) reply(code int, phrase, tag string) *message {
	r := &message{code: code, phrase: phrase}
	for _, h := range m.headers {
		switch h.name {
		case "via", "record-route", "from", "call-id", "cseq":
			r.headers = append(r.headers, h)
		case "to":
			if !strings.Contains(h.value, ";tag=") && tag != "" {
				h.value += ";tag=" + tag
			}
			r.headers = append(r.headers, h)
		}
	}
	return r
}

// uriOf takes the URI from a name-addr: `"Ann" <sip:201@host>;tag=x` → `sip:201@host`.
func uriOf(addr string) string {
	if _, after, ok := strings.Cut(addr, "<"); ok {
		uri, _, _ := strings.Cut(after, ">")
		return uri
	}
	uri, _, _ := strings.Cut(addr, ";")
	return strings.TrimSpace(uri)
}

// userOf takes the user part from a name-addr or URI.
func userOf(addr string) string {
	uri := uriOf(addr)
	_, rest, _ := strings.Cut(uri, ":")
	user, _, _ := strings.Cut(rest, "@")
	user, _, _ = strings.Cut(user, ";")
	return strings.ReplaceAll(user, "%2B", "+")
}

// param returns a header parameter's value ("tag" of From).
func param(value, name string) string {
	_, after, ok := strings.Cut(value, ";"+name+"=")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(after, ";,>"); i >= 0 {
		after = after[:i]
	}
	return after
}
