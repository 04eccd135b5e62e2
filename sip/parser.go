package sip

import (
	"errors"
	"iter"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// newParser is sipgo's parser with header parsers of ours where its own lose what the door must judge: a header that
// cannot be read stays in the message as plain text (the door then answers 400 instead of nobody answering), addresses are
// split with regard to quotes, parameter names are lower case, and all compact forms are known.
func newParser() *sipmsg.Parser {
	known := sipmsg.DefaultHeadersParser()
	parsers := make(map[string]sipmsg.HeaderParser, len(known)+len(compactForms))
	for name, long := range typedHeaders {
		parsers[name] = orText(long, known[name])
	}
	parsers["from"], parsers["f"] = parseFrom, parseFrom
	parsers["to"], parsers["t"] = parseTo, parseTo
	parsers["contact"], parsers["m"] = parseContact, parseContact
	for short, long := range compactForms {
		parsers[short] = asText(long)
	}
	return sipmsg.NewParser(sipmsg.WithHeadersParsers(parsers))
}

// typedHeaders are the names whose sipgo parser is good, with the long form.
var typedHeaders = map[string]string{
	"c": "Content-Type", "content-type": "Content-Type",
	"i": "Call-ID", "call-id": "Call-ID",
	"cseq": "CSeq",
	"v":    "Via", "via": "Via",
	"max-forwards": "Max-Forwards",
	"l":            "Content-Length", "content-length": "Content-Length",
	"route": "Route", "record-route": "Record-Route",
}

// compactForms are those that sipgo does not know (RFC 3261 §7.3.3, the IANA registry).
var compactForms = map[string]string{
	"a": "Accept-Contact", "b": "Referred-By", "d": "Request-Disposition", "e": "Content-Encoding", "j": "Reject-Contact",
	"k": "Supported", "o": "Event", "r": "Refer-To", "s": "Subject", "u": "Allow-Events", "x": "Session-Expires",
	"y": "Identity",
}

func asText(long string) sipmsg.HeaderParser {
	return func(_ []byte, text string) (sipmsg.Header, error) { return sipmsg.NewHeader(long, text), nil }
}

// errComma is what sipgo's parsers say when another value follows; its type is not exported.
const errComma = "comma detected"

func orText(long string, parse sipmsg.HeaderParser) sipmsg.HeaderParser {
	return func(name []byte, text string) (sipmsg.Header, error) {
		h, err := parse(name, text)
		if err != nil && err.Error() != errComma {
			return sipmsg.NewHeader(long, text), nil
		}
		return h, err
	}
}

func parseFrom(_ []byte, text string) (sipmsg.Header, error) {
	var h sipmsg.FromHeader
	var err error
	if h.DisplayName, h.Params, err = parseNameAddr(text, &h.Address); err != nil {
		return sipmsg.NewHeader("From", text), nil
	}
	return &h, nil
}

func parseTo(_ []byte, text string) (sipmsg.Header, error) {
	var h sipmsg.ToHeader
	var err error
	if h.DisplayName, h.Params, err = parseNameAddr(text, &h.Address); err != nil {
		return sipmsg.NewHeader("To", text), nil
	}
	return &h, nil
}

// parseContact reads a single contact. A list, which only REGISTER and redirections have, stays text for contacts().
func parseContact(_ []byte, text string) (sipmsg.Header, error) {
	var h sipmsg.ContactHeader
	if strings.TrimSpace(text) == "*" {
		h.Address.Wildcard, h.Address.Host = true, "*"
		return &h, nil
	}
	var err error
	if h.DisplayName, h.Params, err = parseNameAddr(text, &h.Address); err != nil {
		return sipmsg.NewHeader("Contact", text), nil
	}
	return &h, nil
}

// contacts are all Contact values of a message, in order.
func contacts(m interface{ Headers() []sipmsg.Header }) ([]*sipmsg.ContactHeader, error) {
	var list []*sipmsg.ContactHeader
	for _, h := range m.Headers() {
		switch h := h.(type) {
		case *sipmsg.ContactHeader:
			list = append(list, h)
		default:
			if !strings.EqualFold(h.Name(), "Contact") {
				continue
			}
			for _, one := range splitList(h.Value()) {
				parsed, _ := parseContact(nil, one)
				c, ok := parsed.(*sipmsg.ContactHeader)
				if !ok {
					return nil, errAddress
				}
				list = append(list, c)
			}
		}
	}
	return list, nil
}

var errAddress = errors.New("malformed address")

// parseNameAddr reads name-addr or addr-spec with header parameters (RFC 3261 §25.1) that ends at the end of text.
// Parameter names come in lower case, values as they stand, quotes included.
func parseNameAddr(text string, uri *sipmsg.Uri) (display string, params sipmsg.HeaderParams, err error) {
	text = strings.TrimSpace(text)
	rest := text
	if strings.HasPrefix(text, `"`) {
		end := quotedEnd(text)
		if end < 0 {
			return "", nil, errAddress
		}
		display, rest = text[1:end-1], strings.TrimLeft(text[end:], " \t")
		if !strings.HasPrefix(rest, "<") {
			return "", nil, errAddress
		}
	}
	if open := strings.IndexByte(rest, '<'); open >= 0 {
		end := strings.IndexByte(rest, '>')
		if end < open {
			return "", nil, errAddress
		}
		if open > 0 {
			display = strings.TrimSpace(rest[:open])
		}
		if err := parseURI(rest[open+1:end], uri); err != nil {
			return "", nil, err
		}
		params, err = parseParams(rest[end+1:])
		return display, params, err
	}
	// Without brackets everything after the first semicolon belongs to the header (RFC 3261 §20.10).
	spec, tail := rest, ""
	if i := strings.IndexByte(rest, ';'); i >= 0 {
		spec, tail = rest[:i], rest[i:]
	}
	if strings.ContainsAny(spec, " ,\"?") {
		return "", nil, errAddress
	}
	if err := parseURI(spec, uri); err != nil {
		return "", nil, err
	}
	params, err = parseParams(tail)
	return "", params, err
}

// parseURI is sipmsg.ParseUri with the checks that it leaves out: a SIP URI has a host, and none of its bytes is a blank
// or a control.
func parseURI(text string, uri *sipmsg.Uri) error {
	text = strings.TrimSpace(text)
	if strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r == '<' || r == '>' || r == 0x7f }) >= 0 {
		return errAddress
	}
	if err := sipmsg.ParseUri(text, uri); err != nil {
		return errAddress
	}
	return checkURI(uri)
}

func checkURI(uri *sipmsg.Uri) error {
	if uri.Wildcard {
		return errAddress
	}
	if uri.Scheme == "sip" || uri.Scheme == "sips" {
		if uri.Host == "" || uri.Port < 0 || uri.Port > 65535 || strings.ContainsAny(uri.Host, "@ \t\r\n\"<>") {
			return errAddress
		}
	}
	return nil
}

// parseParams reads ";name=value;name" with quoted values.
func parseParams(text string) (sipmsg.HeaderParams, error) {
	var params sipmsg.HeaderParams
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if text[0] != ';' {
			return nil, errAddress
		}
		one := text[1:]
		end := indexOutsideQuotes(one, ';')
		if end < 0 {
			return nil, errAddress
		}
		text, one = one[end:], one[:end]
		if indexOutsideQuotes(one, ',') < len(one) {
			return nil, errAddress // the end of a list's item
		}
		name, value, _ := strings.Cut(one, "=")
		if name = strings.TrimSpace(name); name != "" {
			if value = strings.TrimSpace(value); strings.ContainsAny(value, " \t") {
				value = unquote(value) // sipgo quotes such values when it writes them
			}
			params = append(params, sipmsg.HeaderKV{K: strings.ToLower(name), V: value})
		}
	}
	return params, nil
}

// splitList splits a header's value at its commas, those in quotes and in angle brackets excepted.
func splitList(text string) []string {
	var list []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := quotedEnd(text[i:])
			if end < 0 {
				return append(list, text[start:])
			}
			i += end - 1
		case '<':
			depth++
		case '>':
			depth--
		case ',':
			if depth <= 0 {
				list = append(list, strings.TrimSpace(text[start:i]))
				start = i + 1
			}
		}
	}
	return append(list, strings.TrimSpace(text[start:]))
}

// quotedEnd is the index after the quoted string at the start of s, -1 when it does not end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// indexOutsideQuotes is the index of c in s outside quoted strings, len(s) when there is none, -1 when a quote does not
// end.
func indexOutsideQuotes(s string, c byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case c:
			return i
		case '"':
			end := quotedEnd(s[i:])
			if end < 0 {
				return -1
			}
			i += end - 1
		}
	}
	return len(s)
}

// unquote removes the quotes and escapes of a quoted string (RFC 3261 §25.1); other text is returned as it is.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return unescapeQuoted(s[1 : len(s)-1])
}

// named are the values of the headers with this name, in order. sipgo's own search makes a lower-case copy of every name.
func named(m interface{ Headers() []sipmsg.Header }, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, h := range m.Headers() {
			if n := h.Name(); len(n) == len(name) && strings.EqualFold(n, name) && !yield(h.Value()) {
				return
			}
		}
	}
}

// firstNamed is the first value of a header, "" when there is none.
func firstNamed(m interface{ Headers() []sipmsg.Header }, name string) string {
	for value := range named(m, name) {
		return value
	}
	return ""
}

// headerValue is the text of the first header with this name, "" when there is none.
func headerValue(m interface {
	GetHeader(string) sipmsg.Header
}, name string) string {
	if h := m.GetHeader(name); h != nil {
		return h.Value()
	}
	return ""
}
