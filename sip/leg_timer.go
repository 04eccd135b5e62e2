package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"strowger/sip/call"
)

// Session timers (RFC 4028).
const (
	statusSessionIntervalTooSmall = 422

	minSessionExpires = 90 * time.Second // RFC 4028 §5: nothing shorter is allowed
)

// sessionTimer makes sure that a call whose peer is gone ends: one side refreshes the session at half of the interval, the
// other hangs up when no refresh comes.
type sessionTimer struct {
	interval time.Duration // 0 = none agreed
	floor    time.Duration // the largest Min-SE that was demanded of us
	refresh  bool          // we are the refresher
	asked    string        // refresher that the peer's last request named: uac, uas or ""
	deadline time.Time     // when the interval is over
	timer    *time.Timer
}

func (s *sessionTimer) stop() { stopTimer(s.timer) }

// accept takes a request of the peer. It returns our minimum when the interval that it asks is shorter: refuse with 422.
func (s *sessionTimer) accept(req *sipmsg.Request, ours time.Duration) (tooSmall time.Duration) {
	ours = max(ours, minSessionExpires)
	interval, refresher := sessionExpires(req)
	if interval > 0 && interval < minSessionExpires {
		return minSessionExpires
	}
	if interval == 0 || interval > ours {
		interval = ours
	}
	s.interval = max(interval, deltaSeconds(headerValue(req, "min-se")))
	s.asked = refresher
	return 0
}

// answer puts what was agreed into our 2xx (RFC 4028 §9). A peer that knows session timers refreshes by itself unless it
// asked us to; for one that does not we do.
func (s *sessionTimer) answer(res *sipmsg.Response, peer abilities) {
	refresher := "uas"
	if peer.timer {
		refresher = orString(s.asked, "uac")
	}
	s.refresh = refresher == "uas"
	if !s.refresh {
		res.AppendHeader(sipmsg.NewHeader("Require", "timer"))
	}
	res.AppendHeader(sipmsg.NewHeader("Session-Expires", seconds(s.interval)+";refresher="+refresher))
}

// request puts our wish into an INVITE or UPDATE of ours; a refresh keeps the roles.
func (s *sessionTimer) request(req *sipmsg.Request, refresh bool) {
	value := seconds(s.interval)
	if refresh && s.refresh {
		value += ";refresher=uac"
	} else if refresh {
		value += ";refresher=uas"
	}
	req.AppendHeader(sipmsg.NewHeader("Session-Expires", value))
	req.AppendHeader(sipmsg.NewHeader("Min-SE", seconds(max(s.floor, minSessionExpires))))
}

// agreed reads the 2xx to our request. When it says nothing the peer has no timers, and we refresh on our own
// (RFC 4028 §7.2).
func (s *sessionTimer) agreed(res *sipmsg.Response) {
	interval, refresher := sessionExpires(res)
	if interval == 0 {
		s.refresh = true
		return
	}
	s.interval = max(interval, minSessionExpires)
	s.refresh = refresher != "uas"
}

// lengthen obeys a 422; false when it asks for nothing longer.
func (s *sessionTimer) lengthen(res *sipmsg.Response) bool {
	floor := deltaSeconds(headerValue(res, "min-se"))
	if floor <= s.interval || floor > 24*time.Hour {
		return false
	}
	s.floor, s.interval = floor, floor
	return true
}

// startSession (re)starts the timer after a 2xx went either way.
func (l *leg) startSession() {
	s := &l.session
	s.stop()
	s.deadline = time.Now().Add(s.interval)
	switch {
	case s.interval == 0:
	case s.refresh:
		s.timer = l.after(s.interval/2, l.refreshSession)
	default:
		// RFC 4028 §10: a little early, so that the peer, which counts too, still gets the BYE.
		s.timer = l.after(s.interval-min(32*time.Second, s.interval/3), l.expireSession)
	}
}

func (l *leg) expireSession() {
	l.end(call.Reason{Protocol: "SIP", Cause: sipmsg.StatusRequestTimeout, Text: "Session expired"})
}

// refreshSession refreshes by UPDATE where the peer takes it, else by a re-INVITE that changes nothing.
func (l *leg) refreshSession() {
	if l.phase != legUp {
		l.session.timer = l.after(time.Second, l.refreshSession)
		return
	}
	if !l.peer.update {
		if l.wanted == nil && l.reinvite == nil && l.glaring == nil {
			l.wanted = &reinvite{refresh: true, version: l.version}
			l.nextReinvite()
		}
		return
	}
	l.ask(l.buildUpdate, l.onRefreshed)
}

func (l *leg) onRefreshed(res *sipmsg.Response) {
	if l.phase != legUp || !l.checkAlive(res) {
		return
	}
	switch code := res.StatusCode; {
	case code < 300:
		l.d.retarget(res)
		l.session.agreed(res)
		l.startSession()
	case code == sipmsg.StatusMethodNotAllowed || code == sipmsg.StatusNotImplemented:
		l.peer.update = false
		l.refreshSession()
	case code == statusSessionIntervalTooSmall && l.session.lengthen(res):
		l.refreshSession()
	default:
		l.refreshFailed(code)
	}
}

// refreshFailed tries again soon when the peer was only busy; else the call goes on until the interval is over.
func (l *leg) refreshFailed(code int) {
	s := &l.session
	s.stop()
	left := time.Until(s.deadline) - min(32*time.Second, s.interval/3)
	pause := 2*time.Second + time.Duration(rand.IntN(200))*10*time.Millisecond
	if busy := code == sipmsg.StatusRequestPending || code >= 500 && code < 600; busy && pause < left {
		s.timer = l.after(pause, l.refreshSession)
		return
	}
	l.log.Info().Int("code", code).Msg("peer refuses to refresh the session")
	s.timer = l.after(max(left, 0), l.expireSession)
}

// sessionExpires reads Session-Expires; 0 when there is none.
func sessionExpires(msg interface {
	GetHeader(string) sipmsg.Header
}) (interval time.Duration, refresher string) {
	value := headerValue(msg, "session-expires")
	if value == "" {
		value = headerValue(msg, "x")
	}
	fields := splitParams(value)
	for _, f := range fields[1:] {
		if key, v, _ := strings.Cut(f, "="); strings.EqualFold(strings.TrimSpace(key), "refresher") {
			refresher = strings.ToLower(strings.TrimSpace(v))
		}
	}
	if refresher != "uac" && refresher != "uas" {
		refresher = ""
	}
	return deltaSeconds(fields[0]), refresher
}

// deltaSeconds reads a number of seconds with optional parameters, at most a week; 0 when it is none.
func deltaSeconds(s string) time.Duration {
	s, _, _ = strings.Cut(s, ";")
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, 7*24*time.Hour)
}

// seconds writes a duration as whole seconds.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
