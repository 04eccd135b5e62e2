package sip

import (
	"errors"
	"slices"
	"strings"

	sipmsg "github.com/emiago/sipgo/sip"
)

// replaces names a dialog whose place a call shall take (RFC 3891 §6.1). The tags are from the view of whoever gets it:
// toTag is its own.
type replaces struct {
	callID, toTag, fromTag string
	earlyOnly              bool // only as long as the dialog is not confirmed
}

// String is the header's value.
func (r replaces) String() string {
	s := r.callID + ";to-tag=" + r.toTag + ";from-tag=" + r.fromTag
	if r.earlyOnly {
		s += ";early-only"
	}
	return s
}

// maxReplaces bounds a Replaces value: a Call-ID and two tags.
const maxReplaces = 1024

var errReplaces = errors.New("malformed Replaces")

// parseReplaces reads the value of a Replaces header. Parameters that we do not know are left alone.
func parseReplaces(value string) (r replaces, err error) {
	if len(value) > maxReplaces || indexOutsideQuotes(value, ',') != len(value) {
		return r, errReplaces
	}
	id, rest, _ := strings.Cut(value, ";")
	if r.callID = strings.TrimSpace(id); r.callID == "" || strings.ContainsAny(r.callID, " \t\"<>") {
		return r, errReplaces
	}
	params, err := parseParams(";" + rest)
	if err != nil {
		return r, errReplaces
	}
	for _, p := range params {
		switch p.K {
		case "to-tag":
			r.toTag = p.V
		case "from-tag":
			r.fromTag = p.V
		case "early-only":
			r.earlyOnly = true
		}
	}
	if r.toTag == "" || r.fromTag == "" || strings.ContainsAny(r.toTag+r.fromTag, " \t\",;<>") { // not every phone's tag is a token
		return r, errReplaces
	}
	return r, nil
}

// replacesOf reads a request's Replaces header; ok is false when it has none.
func replacesOf(req *sipmsg.Request) (r replaces, ok bool, p *refusal) {
	count := 0
	for value := range named(req, "Replaces") {
		var err error
		if r, err = parseReplaces(value); err != nil {
			return r, false, malformed("Bad Replaces")
		}
		count++
	}
	switch {
	case count > 1, count == 1 && firstNamed(req, "Join") != "":
		return r, false, malformed("More Than One Replaces or Join") // RFC 3891 §3, RFC 3911 §4
	case count == 1 && req.Method != sipmsg.INVITE:
		return r, false, malformed("Replaces Outside of INVITE")
	}
	return r, count == 1, nil
}

// replacing finds the leg that a call wants to take over, and decides whether it may (RFC 3891 §3). nil without a refusal
// means that the call is an ordinary one.
func (s *Server) replacing(req *sipmsg.Request, id identity) (*leg, replaces, *refusal) {
	r, ok, p := replacesOf(req)
	if !ok {
		return nil, r, p
	}
	if id.trunk != nil {
		return nil, r, problem(sipmsg.StatusForbidden) // a carrier has no business with our calls
	}
	l, phase := s.calls.dialogs.meant(r)
	switch {
	case l == nil, phase == legTrying && l.uas:
		// RFC 3891 §3: an early dialog that the other side began cannot be taken over, since whoever does would have to answer it.
		return nil, r, problem(sipmsg.StatusCallTransactionDoesNotExists)
	case phase == legClosing || phase == legOver:
		return nil, r, &refusal{code: sipmsg.StatusGlobalDecline, phrase: legPhrases[sipmsg.StatusGlobalDecline]}
	case !s.mayReplace(id, l, phase):
		s.event(s.log.Warn(), req).Str("user", id.user).Str("leg", l.remote).Msg("a call wants to replace one that is none of the caller's; refused")
		return nil, r, problem(sipmsg.StatusForbidden)
	case r.earlyOnly && phase != legTrying:
		return nil, r, &refusal{code: sipmsg.StatusBusyHere, phrase: legPhrases[sipmsg.StatusBusyHere]}
	}
	r.earlyOnly = r.earlyOnly || l.user != id.user // it may be answered before the call is there
	return l, r, nil
}

// mayReplace reports whether a user may take over a leg: one of the user's own, or a colleague's that rings, which is pickup.
// Nobody takes over a colleague's that is up, whatever Referred-By says: whoever may pick a call up has been shown its tags, so
// that knowing them proves nothing, and the server does attended transfers itself (leg.attended).
func (s *Server) mayReplace(id identity, l *leg, phase legPhase) bool {
	switch {
	case l.trunk != nil || l.user == "":
		return false
	case l.user == id.user:
		return true
	}
	return phase == legTrying && (s.cfg.MayPickUp == nil || s.cfg.MayPickUp(id.user, l.user))
}

// isUser reports whether a user part of a URI means this user: by id, extension or device.
func (s *Server) isUser(name, user string) bool {
	if name == user {
		return true
	}
	if u, ok := s.cfg.Users.UserByExtension(name); ok {
		return u.ID == user
	}
	d, ok := s.cfg.Devices.Device(name)
	return ok && d.User == user
}

// meant finds the leg that a Replaces means, and its phase. Watchers and phones do not agree whose view the tags of a dialog
// document have (RFC 4235 §4.1.2), so either order will do.
func (t *dialogTable) meant(r replaces) (*leg, legPhase) {
	for _, tags := range [...][2]string{{r.toTag, r.fromTag}, {r.fromTag, r.toTag}} {
		t.mu.RLock()
		l := t.legs[legKey{r.callID, tags[0]}]
		t.mu.RUnlock()
		if l == nil {
			continue
		}
		if v := l.view.Load(); slices.Contains(v.remoteTags, tags[1]) {
			return l, v.phase
		}
	}
	return nil, legOver
}

// legView is what others may know of a leg without asking its queue, which may be waiting for theirs. It is never changed.
type legView struct {
	phase      legPhase
	remoteTags []string // the peer's; before its answer there may be several, one for each fork
}

// publish makes a new view when there is something new to see.
func (l *leg) publish() {
	old := l.view.Load()
	forks := 0
	if l.out != nil {
		forks = len(l.out.tags)
	}
	if old != nil && old.phase == l.phase && (l.d.remoteTag == "" && len(old.remoteTags) == forks ||
		len(old.remoteTags) == 1 && old.remoteTags[0] == l.d.remoteTag) {
		return
	}
	v := &legView{phase: l.phase}
	switch {
	case l.d.remoteTag != "":
		v.remoteTags = []string{l.d.remoteTag}
	case forks > 0:
		v.remoteTags = slices.Clone(l.out.tags)
	}
	l.view.Store(v)
}

// maxForkTags bounds the early dialogs of an INVITE that are told apart.
const maxForkTags = 16

// forked notes an early dialog (RFC 3261 §12.1.2).
func (o *outbound) forked(tag string) {
	if tag != "" && len(o.tags) < maxForkTags && !slices.Contains(o.tags, tag) {
		o.tags = append(o.tags, tag)
	}
}
