package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/cmd/strowger/carrier"
)

type callCmd struct {
	To     string        `help:"Number to call, one of ours (E.164)." required:""`
	From   string        `help:"Caller's number (E.164), or anonymous." required:""`
	Play   string        `help:"WAV file to say once answered (mono, 16 bit, 8 or 16 kHz); default: a greeting, then an echo, and the greeting again after a silence." type:"existingfile"`
	Record string        `help:"Write what is heard to this WAV file." type:"path"`
	Keys   string        `help:"Keys to press after the answer: 0-9 * #."`
	For    time.Duration `help:"Hang up so long after the answer." default:"10s"`
	JSON   bool          `help:"Print the steps as JSON lines."`
}

// Help says what the command needs.
func (c *callCmd) Help() string {
	return "Makes an inbound call through the carrier of a running `strowger demo`, and reports step by step what rang,\n" +
		"who answered and what was heard. Exits with 1 when the call was not answered.\n" +
		"A message in a mailbox needs time for its greeting: --for 20s."
}

// Run makes the call.
func (c *callCmd) Run(g *Globals) error {
	req := admin.CarrierCall{To: c.To, From: c.From, Keys: c.Keys, Seconds: c.For.Seconds(), Record: c.Record != ""}
	if c.Play != "" {
		samples, err := carrier.ReadWAV(c.Play)
		if err != nil {
			return err
		}
		req.Play = samples
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var answered bool
	err := g.withAdmin(func(a *admin.Client) error {
		body, err := a.Open(ctx, http.MethodPost, "/carrier/call", req)
		if err != nil {
			return err
		}
		defer body.Close()
		answered, err = c.follow(g, body)
		return err
	})
	if err == nil && !answered {
		return exitCode(1)
	}
	return err
}

// follow prints the steps as they come.
func (c *callCmd) follow(g *Globals, body io.Reader) (answered bool, err error) {
	var start time.Time
	in := bufio.NewReader(body)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return answered, nil
		}
		if err != nil {
			return answered, err
		}
		var s admin.CarrierStep
		if err := json.Unmarshal(line, &s); err != nil {
			return answered, fmt.Errorf("unreadable step: %w", err)
		}
		if start.IsZero() {
			start = s.At
		}
		if s.Failed {
			return answered, errors.New(s.Detail)
		}
		answered = answered || s.What == "answered"
		if s.Heard != nil {
			if err := c.keep(s.Heard); err != nil {
				return answered, err
			}
			s.Heard = nil
		}
		if c.JSON {
			printLine(g.Stdout, s)
			continue
		}
		fmt.Fprintf(g.Stdout, "%7.2f s  %-9s %-12s %s\n", s.At.Sub(start).Seconds(), s.Who, s.What, s.Detail)
	}
}

func printLine(w io.Writer, v any) { json.NewEncoder(w).Encode(v) }

func (c *callCmd) keep(samples []int16) error {
	if c.Record == "" {
		return nil
	}
	return carrier.WriteWAV(c.Record, samples)
}
