package main

import (
	"fmt"
	"os"
	"strings"

	"strowger/cmd/strowger/app"
	"strowger/cmd/strowger/carrier"
	"strowger/cmd/strowger/config"
)

type demoCmd struct {
	serverFlags
	Verbose bool `short:"v" help:"Show the server's log."`
}

// Help lists the carrier's numbers.
func (c *demoCmd) Help() string {
	var b strings.Builder
	b.WriteString("Everything is on this machine: the store in the data folder, an example organisation, and a simulated\n" +
		"carrier that speaks real SIP and RTP. These numbers of the carrier can be dialled from the page:\n\n")
	for _, n := range carrier.Numbers() {
		fmt.Fprintf(&b, "  %s  %-15s %s\n", n.Number, n.Label, n.What)
	}
	b.WriteString("\nAny other number rings for two seconds, answers, repeats what you say, and hangs up after a minute.\n" +
		"`strowger call --to +12025550001 --from +12025550900` makes the carrier call in.\n")
	return b.String()
}

// Run serves the demo until a signal.
func (c *demoCmd) Run(g *Globals) error {
	cfg := config.Default()
	cfg.Demo()
	if err := cfg.Environment(); err != nil {
		return err
	}
	cfg.Data = g.Data
	if !c.Verbose && cfg.Log.Level == config.Default().Log.Level {
		cfg.Log.Level = "warn"
	}
	return c.run(g, app.Options{Config: cfg, Demo: true, AnyPort: true}, func(r app.Ready) {
		// As it was started: the reader may have no strowger in the path, or another data folder.
		strowger := os.Args[0]
		if g.DataSet {
			strowger += " --data " + g.Data
		}
		banner(g.Stdout,
			"Strowger's demo is running. Open this page (the link works once):", "",
			"    "+r.SigninURL, "",
			"and press \"Call me\". To call by hand, in another terminal:", "",
			"    "+strowger+" call --to +12025550001 --from +12025550900", "",
			"A desk phone registers at "+r.SIPUDP+"; `"+strowger+" device add bob` makes it an account.",
			"Another sign-in link: "+strowger+" user link ann. Stop with Ctrl-C.")
	})
}
