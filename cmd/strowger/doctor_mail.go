package main

import (
	"context"
	"fmt"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/mail"
)

// mail reaches the mail server, signs in there, and looks for mails that it did not take.
func (e *examination) mail(g *Globals) {
	m := &e.cfg.Mail
	if m.Host == "" {
		e.ok("mail", "off: nobody is told of messages by mail (mail.host)")
		return
	}
	host, port := m.HostPort()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	s := mail.Server{Host: host, Port: port, TLS: m.TLS, Username: m.Username, Password: m.Password, From: m.From}
	if err := s.Check(ctx); err != nil {
		e.bad("mail", err.Error(), "check mail.host, tls, username and password, and the firewall")
	} else {
		e.ok("mail", "%s takes mails on port %s", host, port)
	}
	var list []admin.Mail
	if err := g.withAdmin(func(a *admin.Client) error { return a.Get("/mails", nil, &list) }); err != nil {
		e.warn("mails", "the queue cannot be read: "+err.Error(), "run this as the server's user")
		return
	}
	waiting, failed, why := 0, 0, ""
	for _, m := range list {
		switch {
		case m.Failed:
			failed, why = failed+1, m.To+": "+m.Error
		case m.Tries > 0:
			waiting, why = waiting+1, m.To+": "+m.Error
		}
	}
	if failed+waiting > 0 {
		e.warn("mails", fmt.Sprintf("%d wait for another try, %d were given up; the last: %s", waiting, failed, why), "check the addresses of users, and the mail server's log")
	}
}
