package sip

import (
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// reasonHeader writes a Reason header (RFC 3326 §2), nil when r says nothing.
func reasonHeader(r call.Reason) sipmsg.Header {
	if r.Cause == 0 {
		return nil
	}
	v := orString(r.Protocol, "SIP") + ";cause=" + strconv.Itoa(r.Cause)
	if r.Text != "" {
		v += `;text="` + escapeQuoted(r.Text) + `"`
	}
	return sipmsg.NewHeader("Reason", v)
}

// reasonOf reads the peer's Reason header: a SIP or Q.850 reason, SIP preferred. Zero when there is none.
func reasonOf(msg interface {
	GetHeaders(string) []sipmsg.Header
}) call.Reason {
	var found call.Reason
	for _, h := range msg.GetHeaders("reason") {
		for _, value := range splitList(h.Value()) {
			r := parseReason(value)
			if r.Cause != 0 && (found.Cause == 0 || strings.EqualFold(r.Protocol, "SIP")) {
				found = r
			}
		}
	}
	return found
}

// parseReason reads one value: protocol *(SEMI reason-params).
func parseReason(s string) call.Reason {
	fields := splitParams(s)
	r := call.Reason{Protocol: strings.TrimSpace(fields[0])}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "cause":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 1000 {
				r.Cause = n
			}
		case "text":
			r.Text = unquote(value)
		}
	}
	return r
}

// splitParams splits at the semicolons that are not in quotes.
func splitParams(s string) []string {
	var out []string
	for {
		end := indexOutsideQuotes(s, ';')
		if end < 0 || end == len(s) {
			return append(out, s)
		}
		out = append(out, s[:end])
		s = s[end+1:]
	}
}

// responseReason is the peer's Reason header or, failing that, its status line.
func responseReason(res *sipmsg.Response) call.Reason {
	if r := reasonOf(res); r.Cause != 0 {
		return r
	}
	return call.Reason{Protocol: "SIP", Cause: res.StatusCode, Text: res.Reason}
}
