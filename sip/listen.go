package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// listeners are the open sockets. ws and wss are no sockets: package web accepts WebSockets and ServeWebSocket feeds them
// in.
type listeners struct {
	udp     net.PacketConn
	tcp     net.Listener
	tls     net.Listener
	ws, wss *feedListener
	dialed  *feedListener // TLS connections that we opened
	bound   Addrs         // the real addresses, asked once: every request that goes out needs them
}

// udpReadBuffer holds what arrives while the process is not scheduled: two seconds of a few thousand requests.
const udpReadBuffer = 4 << 20

// open binds what cfg asks for; on error nothing stays open.
func (l *listeners) open(ctx context.Context, cfg Config) (err error) {
	l.ws, l.wss, l.dialed = newFeedListener(), newFeedListener(), newFeedListener()
	defer func() {
		if err != nil {
			_ = l.close()
		}
	}()
	if cfg.UDP != "" {
		if l.udp, err = cfg.ListenPacket(ctx, "udp", cfg.UDP); err != nil {
			return fmt.Errorf("sip: listen on UDP %s: %w", cfg.UDP, err)
		}
		if c, ok := l.udp.(*net.UDPConn); ok {
			_ = c.SetReadBuffer(udpReadBuffer) // the system's limit may be lower: then it is that
			l.udp = rawSocket(c)
		}
	}
	if cfg.TCP != "" {
		if l.tcp, err = cfg.Listen(ctx, "tcp", cfg.TCP); err != nil {
			return fmt.Errorf("sip: listen on TCP %s: %w", cfg.TCP, err)
		}
	}
	if cfg.TLS != "" {
		plain, err := cfg.Listen(ctx, "tcp", cfg.TLS)
		if err != nil {
			return fmt.Errorf("sip: listen on TLS %s: %w", cfg.TLS, err)
		}
		l.tls = tls.NewListener(plain, cfg.TLSConfig)
	}
	l.bound = l.addrs()
	return nil
}

// close closes what is open. A listener that is closed already is no error.
func (l *listeners) close() error {
	var errs []error
	note := func(err error) {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("sip: close listener: %w", err))
		}
	}
	if l.udp != nil {
		note(l.udp.Close())
	}
	for _, listener := range []net.Listener{l.tcp, l.tls} {
		if listener != nil {
			note(listener.Close())
		}
	}
	if l.ws != nil {
		note(l.ws.Close())
		note(l.wss.Close())
		note(l.dialed.Close())
	}
	return errors.Join(errs...)
}

func (l *listeners) addrs() Addrs {
	var a Addrs
	if l.udp != nil {
		a.UDP = l.udp.LocalAddr().String()
	}
	if l.tcp != nil {
		a.TCP = l.tcp.Addr().String()
	}
	if l.tls != nil {
		a.TLS = l.tls.Addr().String()
	}
	return a
}

// of is the address we listen on for a transport, "" when we do not.
func (l *listeners) of(transport string) string {
	switch a := l.bound; transport {
	case "udp":
		return a.UDP
	case "tcp":
		return a.TCP
	case "tls":
		return a.TLS
	}
	return ""
}
