package sip

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// Redirections (3xx, RFC 3261 §8.1.3.4). Where a phone sends its calls is for the call to judge, as if its user had dialled
// that. A carrier's redirection is followed here, as long as it leads to the carrier itself.

// Bounds of redirections.
const (
	maxContacts  = 5 // that are read of one response
	maxRedirects = 3 // one after another
)

// redirects is how far an INVITE to a carrier was sent on.
type redirects struct {
	depth int
	tried map[string]bool // request URIs
	left  []sipmsg.Uri    // still to be tried, best first
}

// contactsOf are the URIs of a redirection, the preferred one first.
func contactsOf(res *sipmsg.Response) []sipmsg.Uri {
	type contact struct {
		uri sipmsg.Uri
		q   float64
	}
	var list []contact
	for _, h := range res.GetHeaders("contact") {
		for _, value := range splitList(h.Value()) {
			a, err := readNameAddr(value)
			if err != nil || a.uri.Wildcard || len(list) == maxContacts {
				continue
			}
			c := contact{a.uri, 1}
			if text, ok := a.params.Get("q"); ok {
				if q, err := strconv.ParseFloat(text, 64); err == nil {
					c.q = q
				}
			}
			c.uri.Headers = nil // RFC 3261 §19.1.5: nobody writes our headers for us
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b contact) int { return cmp.Compare(b.q, a.q) })
	out := make([]sipmsg.Uri, len(list))
	for i := range list {
		out[i] = list[i].uri
	}
	return out
}

// diverted is what a phone's redirection asks to be dialled: the numbers and names that it gives at this server.
func (l *leg) diverted(res *sipmsg.Response) []string {
	if l.trunk != nil || res.StatusCode < 300 || res.StatusCode > 399 {
		return nil
	}
	var out []string
	for _, uri := range contactsOf(res) {
		user := uriUser(&uri)
		here := uri.Scheme == "tel" || l.srv.auth.names.has(uri.Host) || strings.EqualFold(uri.Host, l.d.contact.Host)
		if !here || user == "" || len(user) > 128 {
			l.log.Info().Str("peer", l.remote).Str("contact", uri.String()).Msg("the phone redirects to somewhere that is not ours; not followed")
			continue
		}
		if !slices.Contains(out, user) {
			out = append(out, user)
		}
	}
	return out
}

// redirected takes a refusal of a carrier that says where else to try, or the next of the places that an earlier one named.
// It reports whether there is another try.
func (l *leg) redirected(o *outbound, res *sipmsg.Response) bool {
	if l.trunk == nil || o != l.out || o.cancel != nil || res.StatusCode >= 600 {
		return false
	}
	r := &o.redirects
	if res.StatusCode < 400 {
		if r.tried == nil {
			r.tried = map[string]bool{o.req.Recipient.String(): true}
		}
		if r.depth++; r.depth > maxRedirects {
			l.log.Warn().Str("trunk", l.trunk.cfg.Name).Msg("the carrier redirects again and again; given up")
			r.left = nil
			return false
		}
		var more []sipmsg.Uri
		for _, uri := range contactsOf(res) {
			if !l.trunk.serves(&uri) {
				l.log.Warn().Str("trunk", l.trunk.cfg.Name).Str("contact", uri.String()).Msg("the carrier redirects to another network; not followed")
				continue
			}
			more = append(more, uri)
		}
		r.left = append(more, r.left...)
		r.left = r.left[:min(len(r.left), maxContacts)]
	}
	for len(r.left) > 0 {
		uri := r.left[0]
		r.left = r.left[1:]
		if key := uri.String(); !r.tried[key] {
			r.tried[key] = true
			l.d.target = uri
			l.log.Info().Str("trunk", l.trunk.cfg.Name).Str("to", key).Int("code", res.StatusCode).Msg("trying where the carrier redirects to")
			return true
		}
	}
	return false
}

// serves reports whether a URI is at the carrier: by its names, or by an address that is known for its own.
func (t *trunk) serves(u *sipmsg.Uri) bool {
	if u.Scheme != "sip" && u.Scheme != "sips" || u.User == "" {
		return false
	}
	if t.goesBy(u.Host) {
		return true
	}
	host := strings.Trim(u.Host, "[]")
	if list := t.known.Load(); list != nil {
		for _, h := range *list {
			if hostOf(h.addr) == host {
				return true
			}
		}
	}
	return false
}
