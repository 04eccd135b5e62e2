// Command bench measures strowger beside Debian's Kamailio with rtpengine, under the same load, in one run.
//
// The servers share one CPU, the load has another; the steps are interleaved, so that what else the machine does meets
// both alike. A server's cost is its CPU time as the kernel counts it. Costs compare at equal rates only: the more there
// is to do, the more of it one wake-up does.
//
// It needs kamailio, rtpengine, sipp and taskset; scripts/bench.sh installs them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	binary             string
	rounds             int
	rates, talks, regs []int
	seconds            int
	serverCPU, loadCPU int
	only               string
	keep, withoutPeer  bool
	at                 []int
}

func main() {
	var o options
	quick := flag.Bool("quick", false, "fewer and shorter steps")
	flag.StringVar(&o.binary, "strowger", "bin/strowger", "the program to measure")
	flag.IntVar(&o.rounds, "rounds", 2, "how often everything is measured")
	flag.IntVar(&o.seconds, "seconds", 8, "length of a step")
	flag.StringVar(&o.only, "only", "", "calls, media or register; all when empty")
	flag.IntVar(&o.serverCPU, "server-cpu", runtime.NumCPU()-1, "CPU of the measured servers")
	flag.IntVar(&o.loadCPU, "load-cpu", 0, "CPU of the load")
	flag.BoolVar(&o.keep, "keep", false, "keep the folder with configurations and logs")
	at := flag.String("at", "", "measure at these rates or numbers of calls only, such as 50,400; with -only")
	flag.BoolVar(&o.withoutPeer, "alone", false, "measure strowger alone")
	flag.Parse()
	o.rates, o.talks, o.regs = []int{100, 200, 400}, []int{50, 400, 500, 800}, []int{1000, 2000}
	if *quick {
		o.rounds, o.seconds = 1, 5
		o.rates, o.talks, o.regs = []int{200}, []int{50, 400, 800}, []int{1000}
	}
	for size := range strings.SplitSeq(*at, ",") {
		if n, err := strconv.Atoi(size); err == nil {
			o.at = append(o.at, n)
		}
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	if o.serverCPU == o.loadCPU {
		return errors.New("the servers and the load need a CPU each; this machine has one")
	}
	l, err := newLab(o.serverCPU, o.loadCPU)
	if l != nil {
		l.keep = o.keep
		defer l.close()
	}
	if err != nil {
		return err
	}
	// An interrupt must leave no process behind.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-interrupted
		l.close()
		os.Exit(130)
	}()
	ours, err := l.strowger(o.binary)
	if err != nil {
		return err
	}
	servers := []server{ours}
	if !o.withoutPeer {
		peer, err := l.peer()
		if err != nil {
			return err
		}
		servers = append(servers, peer)
	}
	if err := l.pinSelf(); err != nil {
		return err
	}
	return l.measure(o, servers)
}

// measure runs all steps with all servers, round by round, and prints the tables.
func (l *lab) measure(o options, servers []server) error {
	calls := table{title: "Calls set up and torn down; p50 and p99 are from INVITE to ringing", unit: "ms/call", scale: 1e3}
	media := table{title: "Anchored G.711, 20 ms, both directions; p50 and p99 are the time a packet takes", unit: "ms/call-minute", scale: 1e3, audio: true}
	registers := table{title: "REGISTER with digest: challenge and answer", unit: "µs/registration", scale: 1e6}
	plan := []struct {
		kind  string
		table *table
		sizes []int
		name  string
		do    func(s server, size, seconds int) (sample, error)
	}{
		{"calls", &calls, o.rates, "%d calls/s", func(s server, rate, seconds int) (sample, error) {
			return l.calls(s, load{rate: rate, seconds: seconds, hold: time.Second})
		}},
		{"media", &media, o.talks, "%d calls up", func(s server, n, seconds int) (sample, error) {
			return l.speak(s, audio{calls: n, seconds: seconds})
		}},
		{"register", &registers, o.regs, "%d a second", func(s server, rate, seconds int) (sample, error) {
			return l.registers(s, load{rate: rate, seconds: seconds})
		}},
	}
	for _, p := range plan {
		if o.only != "" && o.only != p.kind {
			continue
		}
		if len(o.at) > 0 {
			p.sizes = o.at
		}
		for _, size := range p.sizes {
			p.table.rows = append(p.table.rows, &row{name: fmt.Sprintf(p.name, size), samples: map[string][]sample{}})
		}
		for round := range o.rounds {
			for i, size := range p.sizes {
				for _, s := range servers {
					if round == 0 && i == 0 { // caches, pools and lazy parts
						if _, err := p.do(s, max(1, size/4), 2); err != nil {
							return err
						}
					}
					fmt.Fprintf(os.Stderr, "round %d: %s, %s\n", round+1, p.table.rows[i].name, s.name)
					got, err := p.do(s, size, o.seconds)
					if err != nil {
						return err
					}
					p.table.rows[i].samples[s.name] = append(p.table.rows[i].samples[s.name], got)
				}
			}
		}
		p.table.print(os.Stdout, servers)
	}
	return nil
}
