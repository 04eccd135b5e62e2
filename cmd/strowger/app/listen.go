package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/web"
)

// addresses are where media binds and what it says of itself: the configured address, that of SIP, or for a wildcard the
// machine's first address.
func (a *App) addresses() (bind, public netip.Addr, err error) {
	host := a.cfg.RTP.Listen
	if host == "" {
		host, _, err = net.SplitHostPort(a.cfg.SIP.UDP)
		if err != nil && a.cfg.SIP.UDP != "" {
			return bind, public, fmt.Errorf("sip.udp %q: %w", a.cfg.SIP.UDP, err)
		}
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if host != "" {
		if bind, err = netip.ParseAddr(host); err != nil {
			return bind, public, fmt.Errorf("the media address %q must be an IP address: %w", host, err)
		}
	}
	if a.cfg.PublicAddress != "" {
		if public, err = netip.ParseAddr(a.cfg.PublicAddress); err != nil {
			return bind, public, fmt.Errorf("public_address %q must be an IP address: %w", a.cfg.PublicAddress, err)
		}
	}
	if !public.IsValid() && (!bind.IsValid() || bind.IsUnspecified()) {
		public = machineAddress()
	}
	return bind, public, nil
}

// machineAddress is the first IPv4 address of an interface that is up, loopback when there is no other.
func machineAddress() netip.Addr {
	list, _ := net.InterfaceAddrs()
	for _, item := range list {
		prefix, err := netip.ParsePrefix(item.String())
		if err == nil && prefix.Addr().Is4() && prefix.Addr().IsGlobalUnicast() {
			return prefix.Addr()
		}
	}
	return netip.MustParseAddr("127.0.0.1")
}

// listen opens a TCP port, or any free one where the configured one is in use and that is allowed.
func (a *App) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil && a.opt.AnyPort && errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", anyPort(addr))
	}
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP on %s: %w; choose another address with --http or http.listen", addr, err)
	}
	return web.LimitConnections(l, web.ConnectionsPerAddress, a.cfg.HTTP.Proxies()), nil // below TLS, which http.Server looks for
}

// startHTTP serves pages, API and browser phones.
func (a *App) startHTTP() error {
	if a.cfg.HTTP.Listen != "" {
		l, err := a.listen(a.cfg.HTTP.Listen)
		if err != nil {
			return err
		}
		a.httpURL = "http://" + reachable(l.Addr())
		a.serveHTTP(l)
	}
	if a.cfg.HTTP.TLS != "" {
		cert, err := certificate(a.cfg.HTTP.Cert, a.cfg.HTTP.Key, filepath.Join(a.cfg.Data, "tls"), a.hosts())
		if err != nil {
			return err
		}
		l, err := a.listen(a.cfg.HTTP.TLS)
		if err != nil {
			return err
		}
		a.httpURL = "https://" + reachable(l.Addr())
		secure := a.tlsConfig(a.cfg.HTTP.Cert, a.cfg.HTTP.Key, cert)
		secure.NextProtos = []string{"http/1.1"}
		a.serveHTTP(tls.NewListener(l, secure))
	}
	if a.cfg.HTTP.URL != "" {
		a.httpURL = a.cfg.HTTP.URL
	}
	return nil
}

func (a *App) serveHTTP(l net.Listener) {
	s := &http.Server{Handler: a.web, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	a.http = append(a.http, s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("HTTP on %s: %w", l.Addr(), err)
		}
	}()
	a.onClose(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		<-done
	})
}

// reachable is an address that a browser on this machine can open.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", fmt.Sprint(tcp.Port))
}

// hosts are the names and addresses by which we are known, for certificates.
func (a *App) hosts() []string {
	hosts := append([]string{a.cfg.PublicAddress}, a.cfg.SIP.Domains...)
	return append(hosts, machineAddress().String())
}

// startAdmin opens the admin socket. The store's lock says that no other server has it, so a socket that is there is stale.
func (a *App) startAdmin() error {
	path := filepath.Join(a.cfg.Data, admin.SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("admin socket: %w", err)
	}
	old := syscall.Umask(0o077)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return fmt.Errorf("admin socket: %w; a data folder with a shorter path may help", err)
	}
	a.admin = &http.Server{Handler: admin.Handler(a.db, a.cfg.Data, a), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); a.admin.Serve(l) }()
	a.onClose(func() { a.admin.Close(); <-done })
	return nil
}

// freeOrAny is the address, with port 0 when its port is in use.
func freeOrAny(network, addr string) string {
	if addr == "" {
		return ""
	}
	var free error
	if network == "udp" {
		var c net.PacketConn
		if c, free = net.ListenPacket(network, addr); free == nil {
			c.Close()
		}
	} else {
		var l net.Listener
		if l, free = net.Listen(network, addr); free == nil {
			l.Close()
		}
	}
	if errors.Is(free, syscall.EADDRINUSE) {
		return anyPort(addr)
	}
	return addr
}

// anyPort is the address with port 0.
func anyPort(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return net.JoinHostPort(host, "0")
}
