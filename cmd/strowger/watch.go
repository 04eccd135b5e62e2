package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/routing"
	"strowger/store"
)

type callsCmd struct {
	ID     string   `arg:"" optional:"" help:"Show this call whole, with its routing trace."`
	User   string   `help:"Only calls of this user."`
	Missed bool     `help:"Only missed calls."`
	Since  timespan `help:"Only calls of the last so long, such as 24h or 7d." placeholder:"TIME"`
	Limit  int      `help:"At most so many." default:"30"`
	JSON   bool     `help:"Print JSON."`
	Active bool     `help:"Calls in progress instead of records."`
}

// Run prints call records.
func (c *callsCmd) Run(g *Globals) error {
	return g.withAdmin(func(a *admin.Client) error {
		switch {
		case c.Active:
			return c.active(g, a)
		case c.ID != "":
			return c.one(g, a)
		}
		q := url.Values{"user": {c.User}, "missed": {strconv.FormatBool(c.Missed)}, "limit": {strconv.Itoa(c.Limit)}}
		if c.Since > 0 {
			q.Set("since", c.Since.before(time.Now()).Format(time.RFC3339))
		}
		var list []store.CallRecord
		if err := a.Get("/calls", q, &list); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.Stdout, list)
		}
		if len(list) == 0 {
			_, err := fmt.Fprintln(g.Stdout, "no such call is recorded; calls in progress: strowger calls --active")
			return err
		}
		return g.table("ID\tSTART\tFROM\tTO\tDISPOSITION\tANSWERED BY\tSECONDS\tWHY", len(list), func(i int) string {
			r := list[i]
			return strings.Join([]string{r.ID, r.Start.Local().Format(time.DateTime), r.From, r.To, r.Disposition, r.AnsweredBy, talk(r), r.Reason}, "\t")
		})
	})
}

func talk(r store.CallRecord) string {
	if r.Answer.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%.0f", r.End.Sub(r.Answer).Seconds())
}

func (c *callsCmd) active(g *Globals, a *admin.Client) error {
	var list []admin.ActiveCall
	if err := a.Get("/active", nil, &list); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(g.Stdout, list)
	}
	return g.table("ID\tSINCE\tFROM\tTO\tPHASE\tWHO", len(list), func(i int) string {
		k := list[i]
		return strings.Join([]string{k.ID, k.Start.Local().Format(time.TimeOnly), k.From, k.To, k.Phase, k.Who}, "\t")
	})
}

func (c *callsCmd) one(g *Globals, a *admin.Client) error {
	var r store.CallRecord
	if err := a.Get("/calls/"+url.PathEscape(c.ID), nil, &r); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(g.Stdout, r)
	}
	printCall(g.Stdout, r)
	return nil
}

// printCall tells a call's whole story: who, when, which legs, why.
func printCall(w io.Writer, r store.CallRecord) {
	fmt.Fprintf(w, "%s  %s → %s  %s\n", r.ID, r.From, r.To, r.Direction)
	fmt.Fprintf(w, "%s", r.Disposition)
	if r.AnsweredBy != "" {
		fmt.Fprintf(w, " by %s", r.AnsweredBy)
	}
	fmt.Fprintf(w, "; ended by %s: %s (%d)\n\nstory\n", r.EndedBy, r.Reason, r.Code)
	for _, e := range r.Events {
		who := ""
		if e.Leg >= 0 && e.Leg < len(r.Legs) {
			who = " [" + r.Legs[e.Leg].Peer + "]"
		}
		fmt.Fprintf(w, "  %+7.2f s  %s%s\n", e.At.Sub(r.Start).Seconds(), e.What, who)
	}
	for _, rec := range r.Recordings {
		fmt.Fprintf(w, "\nrecording %s: %.0f s, %s (%s)", rec.ID, rec.Seconds, rec.File, rec.Why)
		if !rec.Deleted.IsZero() {
			fmt.Fprintf(w, "; deleted %s by %s", rec.Deleted.Local().Format(time.DateTime), rec.DeletedBy)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\nlegs")
	for _, l := range r.Legs {
		fmt.Fprintf(w, "  %s (%s): %d %s\n", l.Peer, l.Kind, l.Code, l.Reason)
		printQuality(w, l.Media)
	}
	if len(r.Plan) > 0 {
		var plan routing.Plan
		if json.Unmarshal(r.Plan, &plan) == nil {
			fmt.Fprintf(w, "\nrouting\n%s", planText(routing.KindCall, plan, r.Start.Local()))
		}
	}
}

// printQuality tells how a leg sounded, a line per direction.
func printQuality(w io.Writer, m store.MediaStat) {
	if m.In.Packets+m.Out.Packets == 0 {
		return
	}
	sound := m.Codec
	if m.SRTP != "" {
		sound += " over SRTP (" + m.SRTP + ")"
	}
	fmt.Fprintf(w, "    %s\n", sound)
	for _, d := range []struct {
		name string
		s    store.StreamStat
	}{{"from it", m.In}, {"to it", m.Out}} {
		s := d.s
		fmt.Fprintf(w, "    %-7s  %d packets, %d lost, %d late, jitter %.1f ms", d.name, s.Packets, s.Lost, s.Late, s.JitterMS)
		if s.RTTMS > 0 {
			fmt.Fprintf(w, ", round trip %.0f ms", s.RTTMS)
		}
		if s.ConcealedMS > 0 {
			fmt.Fprintf(w, ", concealed %.0f ms", s.ConcealedMS)
		}
		if s.MOS > 0 {
			fmt.Fprintf(w, ", MOS %.2f (R %.0f)", s.MOS, s.R)
		}
		fmt.Fprintln(w)
	}
}

type registrationsCmd struct {
	User string `help:"Only this user's."`
	JSON bool   `help:"Print JSON."`
}

// Run prints who is registered.
func (c *registrationsCmd) Run(g *Globals) error {
	var list []store.Binding
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Get("/registrations", url.Values{"user": {c.User}}, &list); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.Stdout, list)
		}
		return g.table("USER\tDEVICE\tKIND\tTRANSPORT\tSOURCE\tEXPIRES IN\tAGENT", len(list), func(i int) string {
			b := list[i]
			return strings.Join([]string{b.User, b.Device, b.Kind, b.Transport, b.Source, time.Until(b.Expires).Round(time.Second).String(), b.UserAgent}, "\t")
		})
	})
}

type trunksCmd struct {
	JSON bool `help:"Print JSON."`
}

// Run prints the trunks' state.
func (c *trunksCmd) Run(g *Globals) error {
	var list []admin.TrunkStatus
	return g.withAdmin(func(a *admin.Client) error {
		if err := a.Get("/trunks", nil, &list); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(g.Stdout, list)
		}
		return g.table("NAME\tSTATE\tREGISTERED\tLATENCY\tCALLS\tSINCE\tDETAIL", len(list), func(i int) string {
			t := list[i]
			latency := "-"
			if t.Latency > 0 {
				latency = t.Latency.Round(time.Millisecond).String()
			}
			return strings.Join([]string{t.Name, t.State, strconv.FormatBool(t.Registered), latency, strconv.Itoa(t.Calls), t.Since.Local().Format(time.DateTime), t.Detail}, "\t")
		})
	})
}

type backupCmd struct {
	File string `arg:"" help:"Where to write the backup of the store; it must not exist." type:"path"`
}

// Help says what the copy holds, and how it comes back.
func (c *backupCmd) Help() string {
	return "The copy is consistent, whether the server runs or not: people, numbers, rules, contacts, phones, passwords, records.\n" +
		"Messages are files in the data folder's voicemail; copy that too.\n\n" +
		"To restore: stop the server, put the copy into the data folder as strowger.db, voicemail beside it, and start again."
}

// Run writes a consistent copy of the store, while the server runs or not.
func (c *backupCmd) Run(g *Globals) error {
	return g.withAdmin(func(a *admin.Client) error {
		if _, err := os.Lstat(c.File); err == nil {
			return fmt.Errorf("%s is there already; a backup overwrites nothing", c.File)
		}
		body, err := a.Open(context.Background(), http.MethodGet, "/backup", nil)
		if err != nil {
			return err
		}
		defer body.Close()
		f, err := os.CreateTemp(filepath.Dir(c.File), ".backup-*")
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		defer os.Remove(f.Name())
		n, err := io.Copy(f, body)
		if err == nil {
			err = f.Sync()
		}
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Rename(f.Name(), c.File)
		}
		if err != nil {
			return fmt.Errorf("backup to %s: %w", c.File, err)
		}
		fmt.Fprintf(g.Stdout, "%s: %d bytes; voicemails are files of the data folder, copy its voicemail folder too\n", c.File, n)
		return nil
	})
}
