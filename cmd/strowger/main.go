// Command strowger is a phone system for a small team in one binary: SIP registrar, back-to-back user agent with WebRTC,
// media, web phone and state. `strowger demo` shows it without any set-up; `strowger serve` runs it.
package main

import (
	"errors"
	"fmt"
	"os"
	_ "time/tzdata" // company time zones work on machines without a zone database

	"github.com/alecthomas/kong"
)

// version is set by the linker (see Makefile).
var version = "dev"

// cli is the command tree; each command is a file of this package.
type cli struct {
	Data    string           `help:"Data folder; default ./data." env:"STROWGER_DATA" type:"path"`
	Version kong.VersionFlag `help:"Print the version."`

	Demo          demoCmd          `cmd:"" help:"Try everything on this machine, without any set-up."`
	Serve         serveCmd         `cmd:"" help:"Run the phone system."`
	Call          callCmd          `cmd:"" help:"Make an inbound call through the demo's carrier."`
	User          userCmd          `cmd:"" help:"People."`
	Device        deviceCmd        `cmd:"" help:"Their phones."`
	Calls         callsCmd         `cmd:"" help:"Show call records, or calls in progress."`
	Registrations registrationsCmd `cmd:"" help:"Show which phones are registered."`
	Trunks        trunksCmd        `cmd:"" help:"Show the trunks' state."`
	Route         RouteCmd         `cmd:"" help:"Explain, test and replay routing."`
	Apply         applyCmd         `cmd:"" help:"Change the organisation to what a document says."`
	Export        exportCmd        `cmd:"" help:"Print the organisation as a document."`
	Lint          lintCmd          `cmd:"" help:"Look for what is allowed but hardly meant."`
	Contacts      contactsCmd      `cmd:"" help:"Contacts in bulk."`
	Doctor        doctorCmd        `cmd:"" help:"Check the configuration against the world, and say what to do."`
	Backup        backupCmd        `cmd:"" help:"Copy the store, while the server runs or not."`
}

// exitCode is an error that ends the process with a code of its own and prints nothing more.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() {
	var c cli
	parser := kong.Must(&c, kong.Name("strowger"), kong.UsageOnError(),
		kong.Description("A phone system for a small team in one binary. Start with: strowger demo"),
		kong.Vars{"version": version})
	args := os.Args[1:]
	if len(args) == 0 || args[0] == "help" { // strowger help COMMAND is strowger COMMAND --help
		args = append(args[min(1, len(args)):], "--help")
	}
	k, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	g := &Globals{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Data: c.Data, DataSet: c.Data != ""}
	if !g.DataSet {
		g.Data = "data"
	}
	err = k.Run(g)
	var code exitCode
	switch {
	case err == nil:
	case errors.As(err, &code):
		os.Exit(int(code))
	default:
		fmt.Fprintln(os.Stderr, "strowger:", err)
		os.Exit(1)
	}
}
