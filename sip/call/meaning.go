package call

import (
	"slices"

	"strowger/store"
)

// What codecs and status codes mean to the other side.

// spoken are the codecs that we can always make sound in ourselves, best first. Opus, where we can too, takes more work: it
// is left to callers who have nothing else.
var spoken = []string{"G722", "PCMU", "PCMA"}

// both are the codecs of a that b has too, in a's order. A nil b means all.
func both(a, b []string) []string {
	if b == nil {
		return a
	}
	var fit []string
	for _, c := range a {
		if slices.Contains(b, c) {
			fit = append(fit, c)
		}
	}
	return fit
}

// offerTo are the codecs to offer to a leg, as far as its endpoint allows them: first those that the caller has offered, or
// already uses, which pass unchanged; after them what the bridge can turn those into, for an endpoint that has none of them.
// When even the allowed ones share nothing the endpoint gets all it allows. opus says that Opus can be turned into others.
func offerTo(offered, committed, allowed []string, opus bool) []string {
	want := offered
	if committed != nil {
		want = committed
	}
	if want == nil {
		return allowed
	}
	fit := both(want, allowed)
	if len(fit) == 0 {
		return allowed
	}
	if len(both(want, spoken)) == 0 && !opus {
		return fit
	}
	ours := spoken
	if opus {
		ours = append(slices.Clone(spoken), "opus") // last: for who has nothing else
	}
	fit = slices.Clone(fit)
	for _, c := range both(ours, allowed) {
		if !slices.Contains(fit, c) {
			fit = append(fit, c)
		}
	}
	return fit
}

// answerWith are the codecs to answer the caller with: what the callee agreed to, in the callee's order, or else what
// can be transcoded. offered is nil for a delayed offer, which becomes our offer within the limits of the trunk.
func answerWith(offered, agreed, allowed []string) []string {
	want := offered
	if want == nil {
		want = allowed
	}
	if fit := both(agreed, want); len(fit) > 0 {
		return fit
	}
	return speakable(want)
}

// speakable are those of the codecs that we can speak ourselves; all of ours when want is nil.
func speakable(want []string) []string {
	if want == nil {
		return spoken
	}
	if fit := both(want, spoken); len(fit) > 0 {
		return fit
	}
	return want
}

// failsOver reports whether another trunk may do better: a fault of the way, not an answer of the callee.
func failsOver(code int) bool { return code == 408 || code >= 500 && code < 600 }

// tells ranks failures by how much they tell the caller: a callee's decision before a network's fault (RFC 3261 §16.7).
func tells(code int) int {
	switch {
	case code == 0:
		return 0
	case code >= 600:
		return 9
	case code == 486:
		return 8
	case code == 404 || code == 410 || code == 484:
		return 7
	case code == 403 || code == 488:
		return 6
	case code == 480:
		return 5
	case code == 401 || code == 407 || code == 408:
		return 2
	case code >= 500:
		return 3
	}
	return 4
}

// meaning ends an outgoing call with what the most telling leg said.
func (m *machine) meaning() ending {
	e := ending{disposition: store.Failed, by: "carrier", code: m.Worst, toCaller: m.WorstOf}
	switch {
	case m.Worst >= 600 || m.Worst == 486:
		e.disposition, e.by = store.Busy, "callee"
	case m.Worst == 480 || m.Worst == 487:
		e.disposition, e.by, e.code = store.Missed, "callee", 480
	case m.Worst >= 500:
		if m.Worst != 500 && m.Worst != 504 {
			e.code = 503
		}
	case m.Worst == 401 || m.Worst == 407 || m.Worst == 408: // between us and the carrier: congestion, to the caller
		e.code = 503
	case m.Worst < 400:
		e.code = 480
	}
	e.why = orText(m.WorstOf, phrase(m.Worst))
	if e.toCaller.Cause == 0 {
		e.toCaller = Reason{"SIP", m.Worst, e.why}
	}
	return e
}

// blame tells a peer that hung up from a network that lost it.
func blame(l *LegState, party string, code int, r Reason) string {
	lost := code == 408 || code >= 500 && code < 600 || r.Protocol == "SIP" && (r.Cause == 408 || r.Cause >= 500 && r.Cause < 600)
	if lost && l.Trunk != "" {
		return "carrier"
	}
	return party
}

// orText is the peer's reason for people, or text when it gave none that says anything.
func orText(r Reason, text string) string {
	normal := r.Protocol == "Q.850" && r.Cause == 16 || r.Protocol == "SIP" && r.Cause == 200
	if r.Text != "" && !normal {
		return r.Text
	}
	return text
}

// describe names a leg in the story.
func describe(l *LegState) string {
	switch {
	case l.Trunk != "":
		return l.Peer + " over " + l.Trunk
	case l.Kind != "":
		return l.Peer + " at " + l.Kind
	}
	return l.Peer
}

// phrase is the reason phrase of a status (RFC 3261 §21).
func phrase(code int) string {
	switch code {
	case 200:
		return "OK"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 408:
		return "Request Timeout"
	case 410:
		return "Gone"
	case 480:
		return "Temporarily Unavailable"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 484:
		return "Address Incomplete"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 500:
		return "Server Internal Error"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Server Time-out"
	case 600:
		return "Busy Everywhere"
	case 603:
		return "Decline"
	case 604:
		return "Does Not Exist Anywhere"
	case 606:
		return "Not Acceptable"
	}
	return "Failed"
}
