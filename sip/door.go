package sip

import (
	"bytes"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// What we accept.
const (
	allowedMethods   = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, UPDATE, PRACK, REFER, SUBSCRIBE"
	supportedOptions = "path, outbound, timer, 100rel, replaces, norefersub"
	allowedEvents    = "dialog, presence, message-summary, refer"
	acceptedTypes    = "application/sdp"
)

// maxBody is the largest body we read; the largest SDP of a browser has a tenth of it.
const maxBody = 32 << 10

// refusal is a final response of the door, with the header fields that RFC 3261 wants for its code.
type refusal struct {
	code    int
	phrase  string
	headers []sipmsg.Header
}

func problem(code int) *refusal { return &refusal{code: code, phrase: phrases[code]} }

// because replaces the reason phrase, to say what is wrong (RFC 3261 §21.4.1).
func (p *refusal) because(phrase string) *refusal {
	p.phrase = phrase
	return p
}

func (p *refusal) with(name, value string) *refusal {
	p.headers = append(p.headers, sipmsg.NewHeader(name, value))
	return p
}

func malformed(what string) *refusal { return problem(sipmsg.StatusBadRequest).because(what) }

var phrases = map[int]string{
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	421: "Extension Required", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 488: "Not Acceptable Here",
	489: "Bad Event", 500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported",
}

// check validates a request as RFC 3261 §8.2 and §16.3 demand; nil means that it may come in. A multipart body is replaced
// by its SDP part.
func (s *Server) check(req *sipmsg.Request) *refusal {
	if !strings.EqualFold(req.SipVersion, "SIP/2.0") {
		return problem(505)
	}
	if p := checkHeaders(req); p != nil {
		return p
	}
	if p := checkTarget(req); p != nil {
		return p
	}
	if s.looped(req) {
		return problem(482)
	}
	if p := checkMethod(req); p != nil {
		return p
	}
	if p := checkRequire(req); p != nil {
		return p
	}
	return checkBody(req)
}

// checkHeaders looks for the header fields that every request has exactly once (RFC 3261 §8.1.1), and for those that the
// parser could not read and left as text.
func checkHeaders(req *sipmsg.Request) *refusal {
	var from, to, id, cseq, via int
	for _, h := range req.Headers() {
		switch h.(type) {
		case *sipmsg.FromHeader:
			from++
		case *sipmsg.ToHeader:
			to++
		case *sipmsg.CallIDHeader:
			id++
		case *sipmsg.CSeqHeader:
			cseq++
		case *sipmsg.ViaHeader:
			via++
		default:
			if p := checkText(req, h); p != nil {
				return p
			}
		}
	}
	switch {
	case from != 1:
		return malformed("Missing or Multiple From")
	case to != 1:
		return malformed("Missing or Multiple To")
	case id != 1:
		return malformed("Missing or Multiple Call-ID")
	case cseq != 1:
		return malformed("Missing or Multiple CSeq")
	case via == 0:
		return malformed("Missing Via")
	case req.CSeq().MethodName != req.Method:
		return malformed("CSeq Method Mismatch")
	case tagOf(req.From().Params) == "":
		return malformed("Missing From Tag")
	case req.Via().Host == "" || !strings.EqualFold(req.Via().ProtocolName, "SIP"):
		return malformed("Bad Via")
	}
	if n := req.ContentLength(); n != nil && int(*n) != len(req.Body()) {
		return malformed("Bad Content-Length")
	}
	return nil
}

// checkText judges a header that came as text: one that the parser knows and could not read bears its long name.
func checkText(req *sipmsg.Request, h sipmsg.Header) *refusal {
	name := h.Name()
	switch name {
	case "From", "To", "Via", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Route", "Record-Route", "Contact":
	default:
		return nil
	}
	switch h.(type) {
	case *sipmsg.MaxForwardsHeader, *sipmsg.ContentLengthHeader, *sipmsg.ContentTypeHeader, *sipmsg.RouteHeader,
		*sipmsg.RecordRouteHeader, *sipmsg.ContactHeader:
		return nil
	}
	if name == "Contact" && req.Method == sipmsg.REGISTER {
		if _, err := contacts(req); err == nil {
			return nil // a list
		}
	}
	return malformed("Bad " + name)
}

// checkTarget judges the request URI (RFC 3261 §8.2.2.1) and Max-Forwards (§16.3). Only requests that would be carried on
// can have too many hops: those of a dialog end here, and OPTIONS may be answered by anybody.
func checkTarget(req *sipmsg.Request) *refusal {
	switch req.Recipient.Scheme {
	case "sip", "sips":
		if checkURI(&req.Recipient) != nil {
			return malformed("Bad Request-URI")
		}
	case "tel":
		if req.Recipient.Raw() == "" {
			return malformed("Bad Request-URI")
		}
	default:
		return problem(416)
	}
	if n := req.MaxForwards(); n != nil && *n == 0 && !inDialog(req) {
		switch req.Method {
		case sipmsg.OPTIONS, sipmsg.ACK, sipmsg.CANCEL:
		default:
			return problem(483)
		}
	}
	return nil
}

// looped reports whether the request passed here before: one of its Vias is ours (RFC 3261 §16.3 item 4).
func (s *Server) looped(req *sipmsg.Request) bool {
	for _, h := range req.Headers() {
		if via, ok := h.(*sipmsg.ViaHeader); ok {
			if branch, _ := via.Params.Get("branch"); s.branches.own(branch) {
				return true
			}
		}
	}
	return false
}

// checkMethod refuses methods that nobody here takes (RFC 3261 §8.2.1). What a dialog can do is the dialog's to say.
func checkMethod(req *sipmsg.Request) *refusal {
	switch req.Method {
	case sipmsg.INVITE, sipmsg.ACK, sipmsg.CANCEL, sipmsg.BYE, sipmsg.OPTIONS, sipmsg.REGISTER, sipmsg.INFO, sipmsg.UPDATE, sipmsg.NOTIFY:
		return nil
	case sipmsg.REFER, sipmsg.SUBSCRIBE, sipmsg.PRACK:
		return nil
	case sipmsg.MESSAGE, sipmsg.PUBLISH:
		return problem(405).with("Allow", allowedMethods)
	}
	return problem(501).with("Allow", allowedMethods)
}

// checkRequire refuses extensions that we do not have (RFC 3261 §8.2.2.3). ACK and CANCEL are exempt.
func checkRequire(req *sipmsg.Request) *refusal {
	if req.Method == sipmsg.ACK || req.Method == sipmsg.CANCEL {
		return nil
	}
	var unknown []string
	for _, name := range []string{"Require", "Proxy-Require"} {
		for value := range named(req, name) {
			for _, tag := range splitList(value) {
				if tag != "" && !hasOption(supportedOptions, tag) && !slices.Contains(unknown, tag) {
					unknown = append(unknown, tag)
				}
			}
		}
	}
	if unknown == nil {
		return nil
	}
	return problem(420).with("Unsupported", strings.Join(unknown, ", "))
}

// hasOption reports whether an option tag is in a comma-separated list. Option tags are tokens: case does not matter.
func hasOption(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(one), tag) {
			return true
		}
	}
	return false
}

// checkBody judges the body (RFC 3261 §8.2.3).
func checkBody(req *sipmsg.Request) *refusal {
	body := req.Body()
	if len(body) == 0 {
		return nil
	}
	if len(body) > maxBody {
		return problem(413)
	}
	if req.Method == sipmsg.ACK && req.ContentType() == nil {
		return nil
	}
	if enc := firstNamed(req, "Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return unlessOptional(req, problem(415).with("Accept-Encoding", "identity"))
	}
	switch req.Method {
	case sipmsg.INVITE, sipmsg.UPDATE, sipmsg.ACK:
	default:
		return nil // INFO, NOTIFY and REFER have bodies of their own; the others' are ignored
	}
	if req.ContentType() == nil {
		return malformed("Missing Content-Type")
	}
	kind, params, err := mime.ParseMediaType(req.ContentType().Value())
	if err != nil {
		return malformed("Bad Content-Type")
	}
	switch {
	case kind == "application/sdp":
		return nil
	case strings.HasPrefix(kind, "multipart/"):
		if sdp := sdpPart(body, params["boundary"]); sdp != nil {
			req.ReplaceHeader(contentTypeSDP())
			req.SetBody(sdp)
			return nil
		}
	}
	return unlessOptional(req, problem(415).with("Accept", acceptedTypes))
}

func contentTypeSDP() *sipmsg.ContentTypeHeader {
	h := sipmsg.ContentTypeHeader("application/sdp")
	return &h
}

// unlessOptional drops a body that we need not understand (RFC 3261 §20.11) instead of refusing the request.
func unlessOptional(req *sipmsg.Request, p *refusal) *refusal {
	if strings.Contains(strings.ToLower(firstNamed(req, "Content-Disposition")), "handling=optional") {
		req.SetBody(nil)
		return nil
	}
	return p
}

// sdpPart is the SDP in a multipart body (RFC 5621), nil when there is none.
func sdpPart(body []byte, boundary string) []byte {
	if boundary == "" {
		return nil
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if err != nil {
			return nil
		}
		if kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind == "application/sdp" {
			var sdp bytes.Buffer
			if _, err := sdp.ReadFrom(part); err != nil || sdp.Len() == 0 {
				return nil
			}
			return sdp.Bytes()
		}
	}
}

// tagOf is the tag in From's or To's parameters, "" when there is none.
func tagOf(params sipmsg.HeaderParams) string {
	tag, _ := params.Get("tag")
	return tag
}

// inDialog reports whether a request belongs to a dialog: its To has a tag (RFC 3261 §12.2).
func inDialog(req *sipmsg.Request) bool { return tagOf(req.To().Params) != "" }
