package sip

import "sync"

// crew are goroutines that wait for work. Handling a message takes a deep stack, and each new goroutine begins with a small
// one that is doubled and copied, frame by frame, until it is deep enough: with one goroutine per message this took a tenth
// of the time that a REGISTER costs. Those of a crew keep theirs.
type crew struct {
	mu        sync.Mutex
	idle      []chan func() // one for each that waits; who came last, whose stack the cache still has, goes first
	disbanded bool
}

// maxIdle is how many wait at most. What comes in bursts beyond it gets goroutines that end.
const maxIdle = 32

// do runs f soon, on another goroutine. It never blocks. A nil crew begins a goroutine for each.
func (c *crew) do(f func()) {
	if c == nil {
		go f()
		return
	}
	c.mu.Lock()
	n := len(c.idle) - 1
	if n < 0 {
		c.mu.Unlock()
		go c.work(f)
		return
	}
	w := c.idle[n]
	c.idle = c.idle[:n]
	c.mu.Unlock()
	w <- f
}

func (c *crew) work(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		c.mu.Lock()
		if c.disbanded || len(c.idle) == maxIdle {
			c.mu.Unlock()
			return
		}
		c.idle = append(c.idle, next)
		c.mu.Unlock()
		f = <-next
	}
}

// disband ends those that wait, and the others when they have done what they do. Work that comes later is still done.
func (c *crew) disband() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disbanded = true
	for _, w := range c.idle {
		w <- nil
	}
	c.idle = nil
}
