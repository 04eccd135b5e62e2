package sip

import (
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// anonymous is the Number of a caller who withholds it (RFC 3323 §4.1.1.3).
const anonymous = "anonymous"

// nameAddr is one value of From, P-Asserted-Identity, Diversion and their kin (RFC 3261 §25.1, name-addr).
type nameAddr struct {
	name   string
	uri    sipmsg.Uri
	params sipmsg.HeaderParams
}

// readNameAddr reads one name-addr or addr-spec with its parameters.
func readNameAddr(s string) (a nameAddr, err error) {
	a.name, a.params, err = parseNameAddr(s, &a.uri)
	a.name = unescapeQuoted(a.name)
	return a, err
}

// uriUser is the user part as a person dials it: percent-decoded, without parameters, with a global phone-context
// (RFC 3966 §5.1.5) put before a local number, and visual separators taken out of numbers.
func uriUser(u *sipmsg.Uri) string {
	user := u.User
	if u.Scheme == "tel" {
		user = u.Raw()
	}
	user, params, _ := strings.Cut(user, ";")
	user = unescapeURI(user)
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(key, "phone-context") && strings.HasPrefix(value, "+") && !strings.HasPrefix(user, "+") {
			user = unescapeURI(value) + user
		}
	}
	return stripSeparators(user)
}

// stripSeparators takes "-", ".", "(", ")" and spaces out of a number (RFC 3966 §5.1.1); names are left alone.
func stripSeparators(s string) string {
	digits, separators := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '+' && i == 0, c == '*', c == '#':
			digits++
		case strings.IndexByte("-.() ", c) >= 0:
			separators++
		default:
			return s
		}
	}
	if separators == 0 || digits == 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-.() ", r) {
			return -1
		}
		return r
	}, s)
}

// unescapeURI decodes %XX; what is no escape stays as it is, and control characters are dropped.
func unescapeURI(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		if c >= ' ' && c != 0x7f {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// escapeUser writes a user part: what RFC 3261 §25.1 does not allow there is percent-encoded.
func escapeUser(s string) string {
	const allowed = "-_.!~*'()&=+$,/"
	clean := true
	for i := 0; i < len(s); i++ {
		clean = clean && (isAlnum(s[i]) || strings.IndexByte(allowed, s[i]) >= 0)
	}
	if clean {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isAlnum(c) || strings.IndexByte(allowed, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// escapeQuoted makes a display name safe between quotes: quotes and backslashes are escaped, control characters dropped.
func escapeQuoted(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == '"' || r == '\\' || r < ' ' || r == 0x7f }) < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) { // by bytes: an opaque value comes back as it was, whatever its encoding
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= ' ' && c != 0x7f:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unescapeQuoted(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quoteAddr writes "Name" <uri>.
func quoteAddr(name, uri string) string {
	if name == "" {
		return "<" + uri + ">"
	}
	return `"` + escapeQuoted(name) + `" <` + uri + ">"
}

// callerOf says who calls. A trunk is trusted to assert an identity (RFC 3325 §5): P-Asserted-Identity, then
// Remote-Party-ID, then From; a caller who asks for privacy, or whose From is anonymous (RFC 3323 §4.1.1.3), stays so. A
// user's phone is known already, From is its wish.
func callerOf(req *sipmsg.Request, trusted bool) call.Party {
	from := req.From()
	party := call.Party{Number: uriUser(&from.Address), Name: unescapeQuoted(from.DisplayName)}
	withheld := strings.EqualFold(party.Number, anonymous) || strings.EqualFold(from.Address.Host, "anonymous.invalid")
	if withheld || (trusted && wantsPrivacy(req)) {
		return call.Party{Number: anonymous}
	}
	if trusted {
		if a, ok := assertedIdentity(req); ok {
			party = call.Party{Number: uriUser(&a.uri), Name: orString(a.name, party.Name)}
		}
	}
	if party.Number == "" || strings.EqualFold(party.Number, "unknown") {
		return call.Party{Number: anonymous}
	}
	return party
}

// assertedIdentity is the first telephone number or address that the peer's network vouches for.
func assertedIdentity(req *sipmsg.Request) (nameAddr, bool) {
	for _, header := range [...]string{"p-asserted-identity", "remote-party-id"} {
		for _, h := range req.GetHeaders(header) {
			for _, value := range splitList(h.Value()) {
				if a, err := readNameAddr(value); err == nil && uriUser(&a.uri) != "" {
					return a, true
				}
			}
		}
	}
	return nameAddr{}, false
}

// wantsPrivacy reports whether the identity must not be shown (RFC 3323 §4.2; RFC 3325 §9.3; Remote-Party-ID's privacy).
func wantsPrivacy(req *sipmsg.Request) bool {
	if h := req.GetHeader("privacy"); h != nil {
		for _, v := range strings.FieldsFunc(h.Value(), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch strings.ToLower(v) {
			case "id", "user", "header":
				return true
			}
		}
	}
	if h := req.GetHeader("remote-party-id"); h != nil {
		if a, err := readNameAddr(splitList(h.Value())[0]); err == nil {
			for _, p := range a.params {
				if strings.EqualFold(p.K, "privacy") && !strings.EqualFold(p.V, "off") {
					return true
				}
			}
		}
	}
	return false
}

// wantedCallerID is the number that a user's phone asks to show (RFC 3325 §9.2, or X-Caller-ID), "" when it asks nothing.
func wantedCallerID(req *sipmsg.Request) string {
	if h := req.GetHeader("p-preferred-identity"); h != nil {
		for _, value := range splitList(h.Value()) {
			if a, err := readNameAddr(value); err == nil && uriUser(&a.uri) != "" {
				return uriUser(&a.uri)
			}
		}
	}
	if h := req.GetHeader("x-caller-id"); h != nil {
		if a, err := readNameAddr(h.Value()); err == nil && uriUser(&a.uri) != "" {
			return uriUser(&a.uri)
		}
		return stripSeparators(strings.TrimSpace(h.Value()))
	}
	return ""
}
