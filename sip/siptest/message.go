package siptest

import (
	"errors"
	"strconv"
	"strings"
)

// Message is a SIP message as text, split no further than a test needs.
type Message struct {
	Start   string // request or status line
	Headers []Header
	Body    string
}

// Header is one header line.
type Header struct{ Name, Value string }

// Parse reads a datagram.
func Parse(data string) (*Message, error) {
	head, body, ok := strings.Cut(data, "\r\n\r\n")
	if !ok {
		return nil, errors.New("siptest: no end of headers")
	}
	lines := strings.Split(head, "\r\n")
	m := &Message{Start: lines[0], Body: body}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		m.Headers = append(m.Headers, Header{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return m, nil
}

// Method of a request, "" for a response.
func (m *Message) Method() string {
	if m.Code() != 0 {
		return ""
	}
	method, _, _ := strings.Cut(m.Start, " ")
	return method
}

// URI of a request.
func (m *Message) URI() string {
	if f := strings.Fields(m.Start); len(f) > 1 {
		return f[1]
	}
	return ""
}

// Code of a response, 0 for a request.
func (m *Message) Code() int {
	if !strings.HasPrefix(m.Start, "SIP/2.0 ") || len(m.Start) < 11 {
		return 0
	}
	n, _ := strconv.Atoi(m.Start[8:11])
	return n
}

// Get is the first value of a header, "" when there is none.
func (m *Message) Get(name string) string {
	if all := m.All(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// All is every value of a header.
func (m *Message) All(name string) []string {
	var out []string
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			out = append(out, h.Value)
		}
	}
	return out
}

// CSeq splits the CSeq header.
func (m *Message) CSeq() (number int, method string) {
	n, method, _ := strings.Cut(m.Get("CSeq"), " ")
	number, _ = strconv.Atoi(n)
	return number, method
}

// Tag of From or To, "" when there is none.
func (m *Message) Tag(header string) string { return param(m.Get(header), "tag") }

// Branch of the top Via.
func (m *Message) Branch() string { return param(m.Get("Via"), "branch") }

// ContactURI is what stands in the brackets of Contact.
func (m *Message) ContactURI() string { return between(m.Get("Contact")) }

func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func param(s, name string) string {
	if i := strings.LastIndex(s, ">"); i >= 0 {
		s = s[i:]
	}
	for _, p := range strings.Split(s, ";")[1:] {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
