package sip

import "sync"

// serial runs functions one at a time, in the order in which they were given, so that what they share needs no lock. It has
// a goroutine, of its crew, only while there is something to run.
type serial struct {
	crew *crew
	mu   sync.Mutex
	todo []func()
	busy bool
}

// post runs f soon, on another goroutine. It never blocks.
func (q *serial) post(f func()) {
	if q.add(f) {
		q.crew.do(q.drain)
	}
}

// run runs f, and what was given before it, on the caller's goroutine, unless another one is at it already and will take
// f too. The caller must not hold a lock that some f may want.
func (q *serial) run(f func()) {
	if q.add(f) {
		q.drain()
	}
}

// wait is run that returns only when f has run.
func (q *serial) wait(f func()) {
	done := make(chan struct{})
	if q.add(func() { defer close(done); f() }) {
		q.drain()
		return
	}
	<-done
}

// add reports whether the caller has to drain.
func (q *serial) add(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.todo = append(q.todo, f)
	first := !q.busy
	q.busy = true
	return first
}

func (q *serial) drain() {
	for {
		q.mu.Lock()
		if len(q.todo) == 0 {
			q.todo, q.busy = nil, false
			q.mu.Unlock()
			return
		}
		f := q.todo[0]
		q.todo[0] = nil
		q.todo = q.todo[1:]
		q.mu.Unlock()
		f()
	}
}
