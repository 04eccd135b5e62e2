// Command devserver serves the page over a made-up office, to work on the page without a phone system:
//
//	make ui && go run ./web/webtest/devserver
//
// It prints a sign-in link for each user. Calls between two signed-in pages are real WebRTC: relay.go passes their SIP on.
// "Call me" rings the page with an INVITE that cannot be answered.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"strowger/store"
	"strowger/web"
	"strowger/web/ui"
	"strowger/web/webtest"
)

func main() {
	addr := flag.String("http", "127.0.0.1:8080", "listen address")
	flag.Parse()
	if err := run(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "devserver:", err)
		os.Exit(1)
	}
}

func run(addr string) error {
	fake := webtest.NewLakeside(time.Now())
	cfg := fake.Config()
	cfg.UI = ui.Files()
	cfg.AdminToken = webtest.AdminToken
	cfg.Log = zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr}).Level(zerolog.InfoLevel)
	s, err := web.New(cfg)
	if err != nil {
		return err
	}
	r := newRelay(fake, s)
	fake.Serve = r.serve
	fake.OnCallMe = func(u store.User, _ string) error { return r.callMe(u) }

	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for _, u := range fake.Users() {
		token, err := s.NewSigninLink(u.ID, time.Hour)
		if err != nil {
			return errors.Join(err, l.Close())
		}
		fmt.Printf("%s http://%s/signin#token=%s\n", u.ID, l.Addr(), token)
	}
	hs := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return hs.Serve(l)
}
