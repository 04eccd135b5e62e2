package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"strowger/cmd/strowger/app"
	"strowger/cmd/strowger/config"
)

// serverFlags stand over the configuration file, for serve and demo alike.
type serverFlags struct {
	HTTP  string         `name:"http" help:"Listen here for pages, API and browser phones (host:port, port 0 = any free one)."`
	SIP   string         `name:"sip" help:"Listen here for SIP over UDP and TCP; TLS takes the next port."`
	RTP   string         `name:"rtp" help:"RTP ports, FROM-TO."`
	Ready string         `help:"Write the real addresses here as JSON once everything listens." type:"path"`
	Drain *time.Duration `help:"How long a stop waits for calls to end by themselves; default as configured, 1m."`
}

type serveCmd struct {
	serverFlags
	Config string `help:"Configuration file." type:"path"`
}

// Run serves until a signal.
func (c *serveCmd) Run(g *Globals) error {
	cfg, err := config.Load(c.Config)
	if err != nil {
		return err
	}
	if g.DataSet || c.Config == "" {
		cfg.Data = g.Data
	}
	return c.run(g, app.Options{Config: cfg}, nil)
}

// run starts the server, says so, and stops it on the first signal with patience and on the second without.
func (f *serverFlags) run(g *Globals, o app.Options, started func(app.Ready)) error {
	if err := o.Config.Override(config.Flags{HTTP: f.HTTP, SIP: f.SIP, RTP: f.RTP}); err != nil {
		return err
	}
	if f.Drain != nil {
		o.Config.Calls.Drain = *f.Drain
	}
	spareCollector()
	o.Version = version
	o.Log = newLogger(g.Stderr, o.Config.Log)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	a, err := app.New(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := a.Start(ctx); err != nil {
		a.Close()
		return err
	}
	ready := a.Ready()
	if f.Ready != "" {
		if err := ready.WriteFile(f.Ready); err != nil {
			a.Close()
			return err
		}
	}
	if started != nil {
		started(ready)
	}
	o.Log.Info().Str("version", version).Str("data", o.Config.Data).Str("http", ready.HTTP).Str("sip_udp", ready.SIPUDP).Str("sip_tcp", ready.SIPTCP).
		Str("sip_tls", ready.SIPTLS).Str("webrtc", ready.WebRTC).Int("trunks", len(o.Config.Trunks)).Msg("serving")
	select {
	case <-signals:
	case err := <-a.Failed():
		a.Close()
		return err
	}
	a.Drain(o.Config.Calls.Drain, signals)
	return a.Close()
}

// spareCollector lets garbage grow to four times what lives, in place of as much: a server's heap is small, some 30 KiB for
// each call, and a collection costs all calls time. GOGC still decides when it is set, and GOMEMLIMIT bounds the whole.
func spareCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// newLogger writes text to a terminal and JSON elsewhere, unless told otherwise.
func newLogger(w io.Writer, c config.Log) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	file, isFile := w.(*os.File)
	text := c.Format == "text" || c.Format == "auto" && isFile && isatty.IsTerminal(file.Fd())
	if text {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// banner prints lines in a frame of empty lines, for people who look for the URL.
func banner(w io.Writer, lines ...string) {
	fmt.Fprintf(w, "\n  %s\n\n", strings.Join(lines, "\n  "))
}
