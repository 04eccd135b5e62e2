package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"

	"strowger/cmd/strowger/admin"
	"strowger/sip"
	"strowger/sip/call"
	"strowger/store"
	"strowger/store/bolt"
	"strowger/web"
	"strowger/web/ui"
)

// openWeb builds the web server.
func (a *App) openWeb() error {
	c := web.Config{
		Organisation: a.org, People: webPeople{a.features()}, Credentials: a.db, SigninLinks: webLinks{a.db}, Sessions: a.db.Sessions(), Calls: webCalls{a}, Active: webActive{a}, Voicemails: webVoicemails{a}, Recordings: webRecordings{a}, Mailboxes: webMailboxes{a}, Mails: a.db,
		Phones: webPhones{a}, Trunks: webTrunks{a}, UI: ui.Files(), AdminToken: a.token,
		Secure: a.cfg.HTTP.OnlyHTTPS(), URL: a.cfg.HTTP.URL, AllowedOrigins: a.cfg.HTTP.Origins, TrustedProxies: a.cfg.HTTP.Proxies(), Version: a.opt.Version, Log: a.log,
	}
	if a.opt.Demo {
		c.Demo = a
	}
	var err error
	if a.web, err = web.New(c); err != nil {
		return err
	}
	a.onClose(a.web.Close)
	a.records.onNew = a.web.RecordChanged
	a.onMessage = append(a.onMessage, a.web.VoicemailChanged)
	a.onClose(a.calls.Subscribe(a.web.CallChanged))
	a.whileOpen(a.tellQuality)
	a.presence.tell = a.web.RegistrationChanged
	a.background.Go(func() { a.presence.run(a.life) })
	a.sip.OnTrunkChange(func(t sip.TrunkStatus) { a.web.TrunkChanged(webTrunk(trunkStatus(t))) })
	return nil
}

// SigninLink implements admin.Live.
func (a *App) SigninLink(user string) (string, error) {
	token, err := a.web.NewSigninLink(user, 24*time.Hour)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(a.httpURL, "/") + "/signin#token=" + token, nil
}

// firstOwner is who a fresh server's sign-in link is for.
func (a *App) firstOwner() string {
	for _, role := range []store.Role{store.Owner, store.Admin} {
		for _, u := range a.org.Users() {
			if u.Role == role {
				return u.ID
			}
		}
	}
	return ""
}

// webLinks are the one-time sign-in links, which outlive the process.
type webLinks struct{ db *bolt.DB }

func (w webLinks) PutSigninLink(hash string, link web.SigninLink) error {
	return w.db.PutLink(hash, link.User, link.Expires)
}

func (w webLinks) TakeSigninLink(hash string) (web.SigninLink, error) {
	user, expires, err := w.db.TakeLink(hash)
	return web.SigninLink{User: user, Expires: expires}, err
}

// webPeople changes what users change of themselves.
type webPeople struct{ f *features }

func (w webPeople) SetReach(user string, dnd bool, forward string) error {
	to, err := w.f.forwardTarget(user, forward)
	if err != nil {
		return fmt.Errorf("%w: %s", web.ErrUnacceptable, err.Error())
	}
	return w.f.changeUser(user, func(u *store.User) { u.DND, u.ForwardTo = dnd, to })
}

// webActive is the calls in progress for the page.
type webActive struct{ a *App }

func (w webActive) ActiveCalls() []call.Snapshot { return w.a.calls.Active() }
func (w webActive) Measure() []call.Measured     { return w.a.calls.Measure() }
func (w webActive) Hangup(id string) bool        { return w.a.Hangup(id) }
func (w webActive) Control(ctx context.Context, id string, c call.Command) error {
	if park, ok := c.(call.ParkOn); ok && park.Orbit == "" {
		if park.Orbit = w.a.freeOrbit(); park.Orbit == "" {
			return call.ErrNotNow("every parking orbit is taken")
		}
		c = park
	}
	return w.a.calls.Control(ctx, id, c)
}

// freeOrbit is the first orbit on which nobody is parked, "" = none. Two who park at the same moment may be given the same
// one; the second is told that it is taken.
func (a *App) freeOrbit() string {
	taken := map[string]bool{}
	for _, c := range a.calls.Active() {
		taken[c.Orbit] = true
	}
	for _, orbit := range a.org.view().index.Features().AllOrbits() {
		if !taken[orbit] {
			return orbit
		}
	}
	return ""
}

func (w webActive) Originate(r call.OriginateRequest) (string, error) { return w.a.calls.Originate(r) }

// webCalls are the records as the page asks for them.
type webCalls struct{ a *App }

func (w webCalls) Calls(f store.CallFilter) ([]store.CallRecord, error) { return w.a.db.Calls(f) }
func (w webCalls) Call(id string) (store.CallRecord, error)             { return w.a.db.Call(id) }
func (w webCalls) Claim(id, user string) (store.CallRecord, error)      { return w.a.db.ClaimCall(id, user) }

// webPhones hands the browsers' WebSockets to SIP.
type webPhones struct{ a *App }

func (w webPhones) ServeWebSocket(conn *websocket.Conn, remote string, id web.PhoneIdentity) error {
	return w.a.sip.ServeWebSocket(conn, remote, sip.WSIdentity{User: id.User, Session: id.Session, Trusted: id.Trusted, Secure: id.Secure})
}

func (w webPhones) Registrations(user string) []store.Binding { return w.a.sip.Registrations(user) }

// webTrunks are the outside lines.
type webTrunks struct{ a *App }

func (w webTrunks) TrunkStatuses() []web.TrunkStatus {
	var list []web.TrunkStatus
	for _, t := range w.a.Trunks() {
		list = append(list, webTrunk(t))
	}
	return list
}

func webTrunk(t admin.TrunkStatus) web.TrunkStatus {
	return web.TrunkStatus{Name: t.Name, State: t.State, Registered: t.Registered, Detail: t.Detail, Since: t.Since, Calls: t.Calls}
}
