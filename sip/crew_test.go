package sip

import (
	"sync"
	"testing"
	"testing/synctest"
)

// A crew does everything that it is given, at once, keeps no more goroutines than it may, and ends when it is disbanded;
// the bubble fails when one is left.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c crew
		for range 3 {
			var wg sync.WaitGroup
			together := make(chan struct{})
			const n = 3 * maxIdle
			wg.Add(n)
			for i := range n {
				c.do(func() { // none may wait for another
					if i == n-1 {
						close(together)
					}
					<-together
					wg.Done()
				})
			}
			wg.Wait()
			synctest.Wait()
			if len(c.idle) > maxIdle || len(c.idle) == 0 {
				t.Errorf("%d goroutines wait, at most %d may", len(c.idle), maxIdle)
			}
		}
		c.disband()
		done := false
		c.do(func() { done = true })
		synctest.Wait()
		if !done {
			t.Error("what came late was not done")
		}
	})
}
