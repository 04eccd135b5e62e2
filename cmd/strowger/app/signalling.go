package app

import (
	"context"
	"path/filepath"

	"strowger/cmd/strowger/config"
	"strowger/sip"
	"strowger/sip/call"
)

// openSIP builds the SIP server.
func (a *App) openSIP() error {
	if a.opt.AnyPort {
		a.cfg.SIP.UDP = freeOrAny("udp", a.cfg.SIP.UDP)
		a.cfg.SIP.TCP = freeOrAny("tcp", a.cfg.SIP.TCP)
		a.cfg.SIP.TLS = freeOrAny("tcp", a.cfg.SIP.TLS)
	}
	a.lamps = newLamps(a.org, func() map[string][]string { return a.presence.registered() }, func(keys ...string) { a.sip.LampChanged(keys...) })
	a.waiting = &waiting{org: a.org, boxes: a.boxes, tell: func(key string) { a.sip.MessagesChanged(key) }, log: a.log}
	c := sip.Config{
		UDP: a.cfg.SIP.UDP, TCP: a.cfg.SIP.TCP, TLS: a.cfg.SIP.TLS,
		PublicHost: a.cfg.PublicAddress, PublicHost6: a.cfg.PublicAddress6, Domains: a.cfg.SIP.Domains, Realm: a.cfg.SIP.Realm,
		UserAgent: "Strowger/" + a.opt.Version, Region: a.org.Company().Region,
		Devices: a.org, Users: a.org, Numbers: a.org, Bindings: a.db,
		OnCall:     func(in call.Incoming) { a.calls.Incoming(in) },
		MinExpires: a.cfg.SIP.MinExpires, MaxExpires: a.cfg.SIP.MaxExpires, SessionExpires: a.cfg.SIP.SessionExpires,
		Lamps: a.lamps, Messages: a.waiting, TellMessages: a.cfg.SIP.TellMessages, MayPickUp: a.org.mayPickUp,
		Log: a.log,
	}
	for _, t := range a.cfg.Trunks {
		c.Trunks = append(c.Trunks, trunkConfig(t))
	}
	if c.TLS != "" {
		cert, err := certificate(a.cfg.SIP.Cert, a.cfg.SIP.Key, filepath.Join(a.cfg.Data, "tls"), a.hosts())
		if err != nil {
			return err
		}
		c.TLSConfig = a.tlsConfig(a.cfg.SIP.Cert, a.cfg.SIP.Key, cert)
	}
	var err error
	if a.sip, err = sip.New(c); err != nil {
		return err
	}
	a.presence = newPresence(a.sip)
	return nil
}

// openLamps lets phones' lamps follow calls and messages.
func (a *App) openLamps() error {
	a.onClose(a.calls.Subscribe(a.lamps.change))
	a.onMessage = append(a.onMessage, a.waiting.changed)
	return nil
}

func trunkConfig(t config.Trunk) sip.TrunkConfig {
	out := sip.TrunkConfig{
		Name: t.Name, Server: t.Server, Domain: t.Domain, OutboundProxy: t.Proxy, Transport: t.Transport,
		Username: t.Username, AuthUsername: t.AuthUsername, Password: t.Password,
		Register: t.Register, Expires: t.Expires, Addresses: t.Prefixes(),
		CallerID: t.CallerID, NumberFormat: t.NumberFormat, Region: t.Region, Diversion: t.Diversion == nil || *t.Diversion,
		TLSSkipVerify: t.TLSSkipVerify, CallerUsername: t.CallerUsername, CallerPassword: t.CallerPassword,
		Privacy: t.Privacy, Numbers: t.Numbers, Codecs: t.Codecs, EarlyMedia: t.EarlyMedia, MaxCalls: t.MaxCalls, Priority: t.Priority,
		Refer: t.Transfer == "refer",
	}
	if t.Qualify != nil {
		if out.Qualify = *t.Qualify; out.Qualify == 0 {
			out.Qualify = -1 // in the file 0 means never
		}
	}
	switch t.SRTP {
	case "optional":
		out.SRTP = call.SRTPOptional
	case "required":
		out.SRTP = call.SRTPRequired
	}
	return out
}

func (a *App) startSIP(ctx context.Context) error {
	if err := a.sip.Start(ctx); err != nil {
		return err
	}
	a.onClose(func() {
		if err := a.sip.Close(context.Background()); err != nil {
			a.log.Warn().Err(err).Msg("SIP did not close cleanly")
		}
	})
	return nil
}
