package media

import (
	"runtime"
	"sync"
	"time"
)

const (
	tickInterval = 20 * time.Millisecond  // players and keys
	scanInterval = 100 * time.Millisecond // reports, timeouts
)

func (c *Config) completeShards() error {
	if c.Shards <= 0 {
		c.Shards = max(1, runtime.NumCPU()/2)
	}
	return nil
}

// shard owns a part of the sessions: the transport that reads their sockets, and one clock for all of them, instead of
// timers per session. The clock ticks every 20 ms while anything plays, every 100 ms while there are sessions, and
// stands still otherwise.
type shard struct {
	engine    *Engine
	transport transport
	stop      chan struct{}
	wake      chan struct{} // buffered: something became active
	done      chan struct{}

	taster taster // the clock's

	mu       sync.Mutex
	sessions map[*Session]struct{}
	active   map[*Session]bool // sessions that tick; true: activated since the last tick looked
}

func newShard(e *Engine) (*shard, error) {
	sh := &shard{
		engine: e, stop: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
		sessions: map[*Session]struct{}{}, active: map[*Session]bool{},
	}
	sh.taster.init()
	sh.transport = &netTransport{now: e.now}
	if !e.cfg.Portable {
		t, err := newTransport(e.now)
		if err != nil {
			return nil, err
		}
		sh.transport = t
	}
	go sh.clock()
	return sh, nil
}

// close ends the goroutines; the sessions are closed already.
func (sh *shard) close() {
	close(sh.stop)
	<-sh.done
	sh.transport.close()
}

func (sh *shard) add(s *Session) {
	sh.mu.Lock()
	sh.sessions[s] = struct{}{}
	sh.mu.Unlock()
	sh.rouse()
}

func (sh *shard) remove(s *Session) {
	sh.mu.Lock()
	delete(sh.sessions, s)
	sh.mu.Unlock()
}

// activate makes s tick until its tick says that nothing is left to do.
func (sh *shard) activate(s *Session) {
	sh.mu.Lock()
	sh.active[s] = true
	sh.mu.Unlock()
	sh.rouse()
}

func (sh *shard) rouse() {
	select {
	case sh.wake <- struct{}{}:
	default:
	}
}

// clock is the shard's goroutine for everything that is due by time.
func (sh *shard) clock() {
	defer close(sh.done)
	timer := time.NewTimer(scanInterval)
	defer timer.Stop()
	var lastScan, due time.Duration
	var list []*Session
	for {
		select {
		case <-sh.stop:
			return
		case <-sh.wake:
			now := sh.engine.now()
			if wait := sh.pace(); wait > 0 && due > now+wait || due == 0 {
				due = now + wait
				timer.Reset(wait)
			}
			continue
		case <-timer.C:
		}
		now := sh.engine.now()
		list = sh.tick(list[:0], now)
		if now-lastScan >= scanInterval {
			lastScan = now
			list = sh.scan(list[:0], now)
		}
		wait := sh.pace()
		if wait == 0 {
			due = 0
			continue // stands still until roused
		}
		// Ticks keep their place in time, whatever one took; those that were missed are the players' to catch up with.
		due = max(due+wait, now+time.Millisecond)
		timer.Reset(due - now)
	}
}

// pace is the time between ticks now, 0 = none.
func (sh *shard) pace() time.Duration {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case len(sh.active) > 0:
		return tickInterval
	case len(sh.sessions) > 0:
		return scanInterval
	}
	return 0
}

func (sh *shard) tick(list []*Session, now time.Duration) []*Session {
	sh.mu.Lock()
	for s := range sh.active {
		list = append(list, s)
		sh.active[s] = false
	}
	sh.mu.Unlock()
	for _, s := range list {
		if s.tick(now) {
			continue
		}
		sh.mu.Lock()
		if !sh.active[s] {
			delete(sh.active, s)
		}
		sh.mu.Unlock()
	}
	return list
}

func (sh *shard) scan(list []*Session, now time.Duration) []*Session {
	sh.mu.Lock()
	for s := range sh.sessions {
		list = append(list, s)
	}
	sh.mu.Unlock()
	for _, s := range list {
		s.scan(now)
	}
	clear(list)
	return list
}
