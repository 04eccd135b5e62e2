package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// sample is what one step with one server showed. Times are seconds.
type sample struct {
	units, failed int // calls or registrations that succeeded, and that did not
	repeated      int // retransmissions
	cpu           float64
	load          float64 // CPUs of the server in use
	p50, p99      float64
	sent, lost    int     // packets
	late          float64 // at most: how long our sender was behind
	memory        int64   // bytes; per call where calls are up
	busy, stolen  float64 // CPUs of the whole machine
}

// row is one line of the table: the same step with each server, in all rounds.
type row struct {
	name    string
	samples map[string][]sample
}

// mean of what the rounds showed. Losses and failures are summed: none may be hidden.
func (r *row) mean(server string) (m sample) {
	list := r.samples[server]
	n := float64(len(list))
	for _, s := range list {
		m.units, m.failed, m.repeated, m.sent, m.lost = m.units+s.units, m.failed+s.failed, m.repeated+s.repeated, m.sent+s.sent, m.lost+s.lost
		m.cpu, m.load, m.p50, m.p99 = m.cpu+s.cpu/n, m.load+s.load/n, m.p50+s.p50/n, m.p99+s.p99/n
		m.busy, m.stolen, m.late, m.memory = m.busy+s.busy/n, m.stolen+s.stolen/n, max(m.late, s.late), m.memory+s.memory/int64(len(list))
	}
	return m
}

// table is everything that was measured of one kind of load.
type table struct {
	title, unit string
	scale       float64 // of the CPU time, to the unit
	audio       bool
	rows        []*row
}

// print writes the table with one line for each step and server.
func (t *table) print(w io.Writer, servers []server) {
	fmt.Fprintf(w, "\n%s\n\n", t.title)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "\t\tCPU %s\tof a core\tp50 ms\tp99 ms\tfailed\t", t.unit)
	if t.audio {
		fmt.Fprint(tw, "packets lost\tof\tKiB/call\tload late ms\tCPUs busy\tstolen\t")
	} else {
		fmt.Fprint(tw, "repeated\tof\t")
	}
	fmt.Fprintln(tw)
	for _, r := range t.rows {
		first := r.mean(servers[0].name).cpu
		for i, s := range servers {
			m := r.mean(s.name)
			fmt.Fprintf(tw, "%s\t%s\t%.3g\t%.0f%%\t%s\t%s\t%d\t", r.name, s.name, m.cpu*t.scale, m.load*100, millis(m.p50), millis(m.p99), m.failed)
			if t.audio {
				fmt.Fprintf(tw, "%d\t%d\t%d\t%.1f\t%.2f\t%.2f\t", m.lost, m.sent, m.memory>>10, m.late*1e3, m.busy, m.stolen)
			} else {
				fmt.Fprintf(tw, "%d\t%d\t", m.repeated, m.units+m.failed)
			}
			if i > 0 && m.cpu > 0 {
				fmt.Fprintf(tw, "strowger is %.2f×\t", first/m.cpu)
			}
			fmt.Fprintln(tw)
		}
	}
	_ = tw.Flush()
}

// millis is a time in seconds as milliseconds, "-" when it was not measured.
func millis(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", seconds*1e3)
}
