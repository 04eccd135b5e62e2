package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/config"
)

type doctorCmd struct {
	Config string `help:"Configuration file." type:"path"`
	JSON   bool   `help:"Print JSON."`
}

// diagnosis is one thing that doctor looked at.
type diagnosis struct {
	What   string `json:"what"`
	State  string `json:"state"` // ok | warning | problem
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// examination collects diagnoses.
type examination struct {
	cfg     config.Config
	running bool // a server runs on this data folder
	list    []diagnosis
}

func (e *examination) ok(what, format string, args ...any) {
	e.list = append(e.list, diagnosis{what, "ok", fmt.Sprintf(format, args...), ""})
}

func (e *examination) warn(what, detail, remedy string) {
	e.list = append(e.list, diagnosis{what, "warning", detail, remedy})
}

func (e *examination) bad(what, detail, remedy string) {
	e.list = append(e.list, diagnosis{what, "problem", detail, remedy})
}

// Help says what is looked at.
func (c *doctorCmd) Help() string {
	return "Compares the configuration with the world: data folder and disk, ports, addresses, TLS certificates, trunks, clock,\n" +
		"file limits, recordings, codecs, mail. Each finding comes with what to do. Exits with 1 when there is a problem."
}

// Run examines everything.
func (c *doctorCmd) Run(g *Globals) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if g.DataSet || c.Config == "" {
		cfg.Data = g.Data
	}
	e := &examination{cfg: cfg}
	e.dataFolder()
	e.ports()
	e.addresses()
	e.certificates()
	e.trunks()
	e.clock()
	e.limits()
	e.recordings()
	e.codecs()
	e.mail(g)
	return e.report(g, c.JSON)
}

func (e *examination) report(g *Globals, asJSON bool) error {
	if asJSON {
		if err := printJSON(g.Stdout, e.list); err != nil {
			return err
		}
	}
	problems := 0
	marks := map[string]string{"ok": "ok  ", "warning": "WARN", "problem": "FAIL"}
	for _, f := range e.list {
		if f.State == "problem" {
			problems++
		}
		if asJSON {
			continue
		}
		fmt.Fprintf(g.Stdout, "%s  %-14s %s\n", marks[f.State], f.What, f.Detail)
		if f.Remedy != "" {
			fmt.Fprintf(g.Stdout, "                      → %s\n", f.Remedy)
		}
	}
	if problems > 0 {
		return exitCode(1)
	}
	return nil
}

func (e *examination) dataFolder() {
	const what = "data folder"
	dir := e.cfg.Data
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		e.ok(what, "%s does not exist yet; the server makes it", dir)
		dir = filepath.Dir(dir)
	} else if err != nil {
		e.bad(what, err.Error(), "let the server's user read and write it")
		return
	} else {
		if info.Mode().Perm()&0o077 != 0 {
			e.warn(what, fmt.Sprintf("%s is readable by others (%v)", dir, info.Mode().Perm()), "chmod 700 "+dir)
		}
		probe, err := os.CreateTemp(dir, ".doctor-*")
		if err != nil {
			e.bad(what, err.Error(), "let the server's user write there")
			return
		}
		probe.Close()
		os.Remove(probe.Name())
		e.ok(what, "%s is writable", dir)
	}
	e.disk(dir)
	if conn, err := net.DialTimeout("unix", filepath.Join(e.cfg.Data, admin.SocketName), time.Second); err == nil {
		conn.Close()
		e.running = true
		e.ok("server", "a server runs on this data folder; its ports are not tried")
	}
}

func (e *examination) disk(dir string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		e.warn("disk", err.Error(), "check that "+dir+" is mounted")
		return
	}
	free := fs.Bavail * uint64(fs.Bsize) >> 20
	detail := fmt.Sprintf("%d MB free; an hour of voicemail takes up to 115 MB", free)
	switch {
	case free < 100:
		e.bad("disk", detail, "make room: below 100 MB messages and records may be lost")
	case free < 1000:
		e.warn("disk", detail, "make room soon")
	default:
		e.ok("disk", "%s", detail)
	}
}

// ports tries to listen where the server would.
func (e *examination) ports() {
	if e.running {
		return
	}
	for _, p := range []struct{ key, network, addr string }{
		{"http.listen", "tcp", e.cfg.HTTP.Listen}, {"http.tls", "tcp", e.cfg.HTTP.TLS}, {"sip.udp", "udp", e.cfg.SIP.UDP}, {"sip.tcp", "tcp", e.cfg.SIP.TCP},
		{"sip.tls", "tcp", e.cfg.SIP.TLS}, {"webrtc.udp", "udp", e.cfg.WebRTC.UDP}, {"webrtc.tcp", "tcp", e.cfg.WebRTC.TCP},
	} {
		if p.addr == "" {
			continue
		}
		if err := tryListen(p.network, p.addr); err != nil {
			remedy := "choose another address or stop what uses it (ss -lnup; ss -lntp)"
			if errors.Is(err, syscall.EACCES) {
				remedy = "ports below 1024 need CAP_NET_BIND_SERVICE (setcap, or AmbientCapabilities in the service file)"
			}
			e.bad(p.key, err.Error(), remedy)
			continue
		}
		e.ok(p.key, "%s %s is free", p.network, p.addr)
	}
}

func tryListen(network, addr string) error {
	if network == "udp" {
		c, err := net.ListenPacket(network, addr)
		if err == nil {
			c.Close()
		}
		return err
	}
	l, err := net.Listen(network, addr)
	if err == nil {
		l.Close()
	}
	return err
}

// addresses looks whether the address in our SDP can be reached from where the trunks are.
func (e *examination) addresses() {
	const what = "public address"
	var own []netip.Addr
	list, _ := net.InterfaceAddrs()
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			own = append(own, p.Addr())
		}
	}
	if e.cfg.PublicAddress != "" {
		e.ok(what, "%s, as configured; the router must forward SIP, RTP %d-%d and WebRTC to this machine", e.cfg.PublicAddress, e.cfg.RTP.Ports.From, e.cfg.RTP.Ports.To)
		return
	}
	for _, a := range own {
		if a.Is4() && a.IsGlobalUnicast() && !a.IsPrivate() {
			e.ok(what, "this machine has %s", a)
			return
		}
	}
	if len(e.cfg.Trunks) > 0 {
		e.warn(what, "this machine has private addresses only, and trunks are configured", "set public_address to the router's address, or carriers send their audio nowhere")
		return
	}
	e.ok(what, "private addresses only; good for phones and browsers of this network")
}

func (e *examination) certificates() {
	for _, c := range []struct{ what, cert, key, listen string }{{"http.cert", e.cfg.HTTP.Cert, e.cfg.HTTP.Key, e.cfg.HTTP.TLS}, {"sip.cert", e.cfg.SIP.Cert, e.cfg.SIP.Key, e.cfg.SIP.TLS}} {
		switch {
		case c.listen == "":
		case c.cert == "":
			e.warn(c.what, "a self-signed certificate is used", "browsers and most phones refuse it until they are told to trust it; set cert and key")
		default:
			e.certificate(c.what, c.cert, c.key)
		}
	}
	if e.cfg.HTTP.TLS == "" && !loopback(e.cfg.HTTP.Listen) {
		e.warn("http", "plain HTTP only", "browsers give a page the microphone only over HTTPS or on localhost: set http.tls, or put a reverse proxy in front")
	}
}

func (e *examination) certificate(what, cert, key string) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		e.bad(what, err.Error(), "the files must be PEM, and the key must be the certificate's")
		return
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		e.bad(what, err.Error(), "get a new certificate")
		return
	}
	left := time.Until(leaf.NotAfter)
	switch {
	case left <= 0:
		e.bad(what, "it expired on "+leaf.NotAfter.Format(time.DateOnly), "renew it and restart")
	case left < 14*24*time.Hour:
		e.warn(what, fmt.Sprintf("it expires in %d days", int(left.Hours()/24)), "renew it")
	default:
		e.ok(what, "for %s, until %s", strings.Join(leaf.DNSNames, ", "), leaf.NotAfter.Format(time.DateOnly))
	}
}

func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// clock asks the kernel whether something keeps the clock right. Digest nonces and certificates depend on it.
func (e *examination) clock() {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	const timeError = 5 // TIME_ERROR: the clock is not synchronised
	switch {
	case err != nil:
		e.warn("clock", "its state cannot be read: "+err.Error(), "make sure that it is synchronised (timedatectl)")
	case state == timeError || t.Status&unix.STA_UNSYNC != 0:
		e.warn("clock", time.Now().Format(time.RFC3339)+", and nothing synchronises it", "run systemd-timesyncd or chrony; records, office hours and TLS depend on the clock")
	default:
		e.ok("clock", "%s, synchronised", time.Now().Format(time.RFC3339))
	}
}

func (e *examination) limits() {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		e.warn("file limit", err.Error(), "")
		return
	}
	need := uint64(e.cfg.Limits.Calls)*4 + 500 // two sockets a leg, two legs a call
	if e.cfg.Limits.Calls == 0 {
		need = 4500
	}
	if r.Max < need {
		e.bad("file limit", fmt.Sprintf("%d open files are allowed, %d calls may need %d", r.Max, e.cfg.Limits.Calls, need), fmt.Sprintf("LimitNOFILE=%d in the service file, or a lower limits.calls", need))
	} else {
		e.ok("file limit", "%d open files are allowed, %d may be needed", r.Max, need)
	}
	ports := (e.cfg.RTP.Ports.To - e.cfg.RTP.Ports.From + 1) / 4
	if e.cfg.Limits.Calls > ports {
		e.bad("rtp.ports", fmt.Sprintf("they suffice for %d calls, limits.calls is %d", ports, e.cfg.Limits.Calls), "widen the range or lower the limit: a call between phones takes four ports")
	} else {
		e.ok("rtp.ports", "they suffice for %d calls", ports)
	}
}
