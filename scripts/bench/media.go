package main

import (
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"
)

// audio is one step of a media load: calls that are up and speak G.711 in both directions.
type audio struct {
	calls   int
	seconds int // measured
}

const (
	setupRate = 100 // calls a second
	settling  = 2 * time.Second
)

// speak brings calls up through a server, sends audio both ways and measures what anchoring it costs.
func (l *lab) speak(s server, step audio) (sample, error) {
	g, err := newGenerator([2]string{callerIP, calleeIP}, step.calls)
	if err != nil {
		return sample{}, err
	}
	defer g.close()
	memory := s.pids.memory()
	up, hangUp, err := connect(s, g, step.calls)
	if err != nil {
		return sample{}, err
	}
	defer hangUp()

	// The load must not pause for its own garbage while it measures.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	g.start()
	time.Sleep(settling)
	memory = s.pids.memory() - memory
	busy, stolen := machine()
	before, begun := s.pids.cpu(), time.Now()
	g.counting.Store(true)
	time.Sleep(time.Duration(step.seconds) * time.Second)
	cost, took := s.pids.cpu()-before, time.Since(begun)
	busy2, stolen2 := machine()
	g.stop()
	return sample{
		units: up, failed: step.calls - up + g.deaf(),
		cpu: cost.Seconds() / (float64(up) * took.Minutes()), load: cost.Seconds() / took.Seconds(),
		p50: g.latency(0.5).Seconds(), p99: g.latency(0.99).Seconds(),
		sent: g.sent, lost: g.sent - g.received, late: g.late.Seconds(),
		memory: memory / int64(up), busy: (busy2 - busy).Seconds() / took.Seconds(), stolen: (stolen2 - stolen).Seconds() / took.Seconds(),
	}, nil
}

// connect brings calls up, aims each stream at where the server wants it, and returns how to end them.
func connect(s server, g *generator, n int) (up int, hangUp func(), err error) {
	next := n // the streams of the callee follow those of the caller
	to, err := newCallee(calleeAt, func(remote netip.AddrPort) int {
		if next == len(g.streams) {
			return 0
		}
		stream := g.streams[next]
		next++
		stream.aim(remote)
		return stream.port
	})
	if err != nil {
		return 0, nil, err
	}
	from, err := newCaller(callerIP, s.at)
	if err != nil {
		to.close()
		return 0, nil, err
	}
	calls := make([]*outgoing, n)
	tick := time.NewTicker(time.Second / setupRate)
	for i := range calls {
		<-tick.C
		calls[i] = from.place(calledNumber, g.streams[i].port)
	}
	tick.Stop()
	var talking []*outgoing
	for i, call := range calls {
		if !waitFor(call.done, 5*time.Second) {
			continue
		}
		if status, _ := from.result(call); status == 200 && call.remote.IsValid() {
			g.streams[i].aim(call.remote)
			talking = append(talking, call)
		}
	}
	hangUp = func() {
		for _, call := range talking {
			from.hangUp(call)
			time.Sleep(4 * time.Millisecond)
		}
		for _, call := range talking {
			waitFor(call.gone, time.Second)
		}
		from.close()
		to.close()
	}
	if len(talking) == 0 {
		hangUp()
		return 0, nil, fmt.Errorf("%s: none of %d calls came up", s.name, n)
	}
	return len(talking), hangUp, nil
}
