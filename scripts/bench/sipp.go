package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sipp is SIPp with a scenario of ours, on the load's CPU.
func (l *lab) sipp(scenario string, args ...string) *exec.Cmd {
	cmd := exec.Command("sipp", append([]string{"-sf", l.file(scenario), "-nostdin", "-timer_resol", "1", "-buff_size", "4194304"}, args...)...)
	cmd.Dir = l.folder
	return cmd
}

// answerCalls runs SIPp as the callee until the returned function is called.
func (l *lab) answerCalls() (stop func(), err error) {
	ip, port, _ := strings.Cut(calleeAt, ":")
	cmd := l.sipp("uas.xml", "-i", ip, "-p", port, "-mi", ip, "-mp", "43000", "-deadcall_wait", "3000", strowgerAt)
	if err := l.begin(cmd); err != nil {
		return nil, err
	}
	time.Sleep(300 * time.Millisecond)
	return func() { _, _ = cmd.Process.Kill(), l.end(cmd) }, nil
}

// load is one step of a signalling load.
type load struct {
	rate    int // a second
	seconds int
	hold    time.Duration // of calls
}

// calls sets up and tears down calls through a server. Beside SIPp, which counts in milliseconds, a caller of our own
// measures the time from INVITE to ringing.
func (l *lab) calls(s server, step load) (sample, error) {
	stop, err := l.answerCalls()
	if err != nil {
		return sample{}, err
	}
	defer stop()
	probe, err := newCaller(callerIP, s.at)
	if err != nil {
		return sample{}, err
	}
	defer probe.close()
	probing := make(chan probed, 1)
	return l.drive(s, step, "uac.xml", []string{"-s", calledNumber, "-d", strconv.Itoa(int(step.hold.Milliseconds()))},
		func() { probing <- probe.probe(step) }, probing)
}

// registers registers devices with digest: a REGISTER that is challenged, and one that answers the challenge.
func (l *lab) registers(s server, step load) (sample, error) {
	return l.drive(s, step, "register.xml", []string{"-inf", l.file("devices.csv")}, nil, nil)
}

// drive runs SIPp for one step and says what it cost the server.
func (l *lab) drive(s server, step load, scenario string, args []string, beside func(), probing chan probed) (sample, error) {
	ip, port, _ := strings.Cut(callerAt, ":")
	n := step.rate * step.seconds
	args = append(args, "-i", ip, "-p", port, "-mi", ip, "-mp", "43200", "-r", strconv.Itoa(step.rate), "-m", strconv.Itoa(n),
		"-l", strconv.Itoa(step.rate*10+100), "-recv_timeout", "6000", "-timeout", strconv.Itoa(step.seconds+15), "-trace_stat", "-fd", "1",
		"-deadcall_wait", "1000", s.at)
	cmd := l.sipp(scenario, args...)
	before, begun := s.pids.cpu(), time.Now()
	if err := l.begin(cmd); err != nil {
		return sample{}, err
	}
	if beside != nil {
		go beside()
	}
	err := l.end(cmd)
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) { // failed calls are no failure of ours
		return sample{}, fmt.Errorf("sipp: %w", err)
	}
	var p probed
	if probing != nil {
		p = <-probing
	}
	cost := s.pids.cpu() - before
	stats, err := l.statistics()
	if err != nil {
		return sample{}, err
	}
	ok := stats["SuccessfulCall(C)"] + p.answered
	if ok == 0 {
		return sample{}, fmt.Errorf("%s: none of %d succeeded; see %s with -keep", s.name, n, l.folder)
	}
	return sample{
		units: ok, failed: n + p.placed - ok, repeated: stats["Retransmissions(C)"],
		cpu: cost.Seconds() / float64(ok), load: cost.Seconds() / time.Since(begun).Seconds(),
		p50: quantile(p.ringing, 0.5).Seconds(), p99: quantile(p.ringing, 0.99).Seconds(), memory: s.pids.memory(),
	}, nil
}

// probed is what the caller beside SIPp saw.
type probed struct {
	placed, answered int
	ringing          []time.Duration // sorted
}

// probesPerSecond is enough for a 99th percentile and little beside the load.
const probesPerSecond = 20

// probe places calls for the time of a step and hangs each up after its hold.
func (c *caller) probe(step load) (p probed) {
	var calls []*outgoing
	tick := time.NewTicker(time.Second / probesPerSecond)
	defer tick.Stop()
	for range step.seconds * probesPerSecond {
		<-tick.C
		call := c.place(calledNumber, 43400)
		calls = append(calls, call)
		time.AfterFunc(step.hold, func() {
			if waitFor(call.done, 5*time.Second) {
				c.hangUp(call)
			}
		})
	}
	for _, call := range calls {
		if !waitFor(call.done, 5*time.Second) {
			continue
		}
		status, ringing := c.result(call)
		if status == 200 && waitFor(call.gone, step.hold+5*time.Second) {
			p.answered++
			p.ringing = append(p.ringing, ringing)
		}
	}
	p.placed = len(calls)
	slices.Sort(p.ringing)
	return p
}

func waitFor(done <-chan struct{}, patience time.Duration) bool {
	select {
	case <-done:
		return true
	case <-time.After(patience):
		return false
	}
}

// statistics reads the last line of SIPp's statistics file, and removes it.
func (l *lab) statistics() (map[string]int, error) {
	found, _ := filepath.Glob(l.file("*_.csv"))
	if len(found) != 1 {
		return nil, fmt.Errorf("sipp left %d statistics files in %s, not one", len(found), l.folder)
	}
	f, err := os.Open(found[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	defer os.Remove(found[0])
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, fmt.Errorf("sipp's statistics have %d lines: %w", len(rows), err)
	}
	stats, last := map[string]int{}, rows[len(rows)-1]
	for i, name := range rows[0] {
		if i < len(last) {
			stats[name], _ = strconv.Atoi(last[i])
		}
	}
	return stats, nil
}
