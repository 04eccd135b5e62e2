package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/rs/zerolog"

	"strowger/store/bolt"
)

// guarded is a mail server that takes mails of one account only.
type guarded struct{ *postOffice }

const account, secret = "phone@example.com", "open-5esame"

func (g guarded) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &login{visit: visit{g.postOffice}}, nil
}

type login struct {
	visit
	in bool
}

func (l *login) AuthMechanisms() []string { return []string{sasl.Plain} }

func (l *login) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != account || password != secret {
			return smtp.ErrAuthFailed
		}
		l.in = true
		return nil
	}), nil
}

func (l *login) Mail(from string, o *smtp.MailOptions) error {
	if !l.in {
		return smtp.ErrAuthRequired
	}
	return l.visit.Mail(from, o)
}

// certificate is one for 127.0.0.1, and a pool of the authority that it stands for.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// guardedOffice starts a mail server that wants its clients to sign in, over TLS from the start (implicit) or by STARTTLS.
func guardedOffice(t *testing.T, implicit bool) (*postOffice, Server) {
	t.Helper()
	cert, pool := certificate(t)
	p := &postOffice{}
	s := smtp.NewServer(guarded{p})
	s.Domain, s.TLSConfig = "localhost", &tls.Config{Certificates: []tls.Certificate{cert}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	way := "starttls"
	if implicit {
		way, l = "tls", tls.NewListener(l, s.TLSConfig)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-ended })
	return p, Server{Host: host, Port: port, TLS: way, Username: account, Password: secret, From: account,
		Trust: &tls.Config{RootCAs: pool, ServerName: host}}
}

// A mail goes to a server that it has signed in to, over TLS. What is wrong with the account, the certificate or the TLS keeps the
// mail in the queue, and is told in the log, in the queue and by doctor's check; the password is not.
func TestMailSignsIn(t *testing.T) {
	for _, c := range []struct {
		name     string
		implicit bool
		change   func(*Server)
		fails    string // "" = it is sent
	}{
		{"starttls", false, nil, ""},
		{"tls", true, nil, ""},
		{"wrong password", false, func(s *Server) { s.Password += "x" }, "authentication"},
		{"wrong password over tls", true, func(s *Server) { s.Password += "x" }, "authentication"},
		{"no account", false, func(s *Server) { s.Username, s.Password = "", "" }, "authenticate first"},
		{"unknown authority", false, func(s *Server) { s.Trust = nil }, "certificate"},
		{"another name", false, func(s *Server) { s.Trust.ServerName = "mail.example.com" }, "certificate"},
		{"unguarded", false, func(s *Server) { s.TLS = "none" }, "auth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, server := guardedOffice(t, c.implicit)
			if c.change != nil {
				c.change(&server)
			}
			db, err := bolt.Open(filepath.Join(t.TempDir(), "x.db"), bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			var log bytes.Buffer
			q := New(Config{Store: db, Server: server, Log: zerolog.New(&log)})
			m := job("1", "ann@example.com")
			m.Voicemail = ""
			queue(t, db, m)
			q.round(context.Background(), made)
			left, err := db.Mails()
			if err != nil {
				t.Fatal(err)
			}
			checked := server.Check(context.Background())
			if c.fails == "" {
				if len(p.got()) != 1 || len(left) != 0 || checked != nil {
					t.Errorf("%d mails, left %+v, check: %v", len(p.got()), left, checked)
				}
				return
			}
			if len(p.got()) != 0 || len(left) != 1 || left[0].Failed {
				t.Fatalf("%d mails, left %+v", len(p.got()), left)
			}
			told := map[string]string{"log": log.String(), "queue": left[0].Error}
			if c.name != "no account" { // only who sends something is told
				if checked == nil {
					t.Fatal("the check finds nothing")
				}
				told["check"] = checked.Error()
			}
			for where, text := range told {
				if !strings.Contains(strings.ToLower(text), c.fails) {
					t.Errorf("the %s does not say %q: %s", where, c.fails, text)
				}
				if strings.Contains(text, secret) {
					t.Errorf("the %s holds the password: %s", where, text)
				}
			}
		})
	}
}
