package sip

import (
	"context"
	"sync"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// subscriptions are all there are, found by dialog and by what is watched.
type subscriptions struct {
	packages map[string]*eventPackage // by name; those that somebody provides for
	pause    time.Duration            // between two NOTIFYs of a subscription

	mu       sync.Mutex
	byDialog map[legKey]*subscription
	byWatch  map[watched]map[*subscription]struct{}
	byUser   map[string]int
	ending   bool
}

func newSubscriptions(cfg Config) *subscriptions {
	return &subscriptions{packages: packagesOf(cfg), pause: notifyPause, byDialog: make(map[legKey]*subscription),
		byWatch: make(map[watched]map[*subscription]struct{}), byUser: make(map[string]int)}
}

// farewell is how long the end of the server waits until its phones were told.
const farewell = 2 * time.Second

// add takes in a new subscription, or refuses it. One that the same phone made before for the same, and lost, perhaps by a
// restart of its own, ends without a word.
func (t *subscriptions) add(sub *subscription) *refusal {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old := range t.byWatch[sub.of] {
		if old.user == sub.user && old.device == sub.device && old.from == sub.from && old.header == sub.header {
			t.forget(old)
			old.do(old.close)
		}
	}
	switch {
	case t.ending, len(t.byDialog) >= maxSubscriptions:
		return problem(sipmsg.StatusServiceUnavailable).because("Too Many Subscriptions").with("Retry-After", "60")
	case t.byUser[sub.user] >= maxUserSubscription:
		return problem(sipmsg.StatusForbidden).because("Too Many Subscriptions")
	}
	t.byDialog[legKey{sub.d.callID, sub.d.localTag}] = sub
	if t.byWatch[sub.of] == nil {
		t.byWatch[sub.of] = make(map[*subscription]struct{})
	}
	t.byWatch[sub.of][sub] = struct{}{}
	t.byUser[sub.user]++
	return nil
}

func (t *subscriptions) remove(sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(sub)
}

// forget is remove under the lock.
func (t *subscriptions) forget(sub *subscription) {
	key := legKey{sub.d.callID, sub.d.localTag}
	if t.byDialog[key] != sub {
		return
	}
	delete(t.byDialog, key)
	delete(t.byWatch[sub.of], sub)
	if len(t.byWatch[sub.of]) == 0 {
		delete(t.byWatch, sub.of)
	}
	if t.byUser[sub.user]--; t.byUser[sub.user] == 0 {
		delete(t.byUser, sub.user)
	}
}

// find is the subscription that an in-dialog request belongs to, nil when there is none.
func (t *subscriptions) find(req *sipmsg.Request) *subscription {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byDialog[legKey{callID(req), tagOf(req.To().Params)}]
}

func (t *subscriptions) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byDialog)
}

// changed has those told that watch w.
func (t *subscriptions) changed(w watched) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for sub := range t.byWatch[w] {
		sub.do(sub.news)
	}
}

// watches reports whether a device has a subscription of this package.
func (t *subscriptions) watches(w watched, device string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for sub := range t.byWatch[w] {
		if sub.device == device {
			return true
		}
	}
	return false
}

// each runs f on the queue of every subscription.
func (t *subscriptions) each(f func(*subscription)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sub := range t.byDialog {
		sub.do(func() { f(sub) })
	}
}

// flowClosed ends those whose phone came over a connection that is gone: only the phone can open another.
func (t *subscriptions) flowClosed(id string) {
	t.each(func(sub *subscription) {
		if sub.flow == id {
			sub.close()
		}
	})
}

// close ends them all, because we end: phones are asked to subscribe anew at once (RFC 6665 §4.1.3), and most go on asking for
// as long as a restart takes; after "probation" some would wait for minutes, whatever retry-after says. Nobody waits for
// their answers, nor longer than ctx and farewell for the sending.
func (t *subscriptions) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	t.mu.Lock()
	t.ending = true
	left := len(t.byDialog)
	told := make(chan struct{}, left)
	for _, sub := range t.byDialog {
		sub.queue.post(func() {
			sub.end("deactivated")
			told <- struct{}{}
		})
	}
	t.mu.Unlock()
	for ; left > 0; left-- {
		select {
		case <-told:
		case <-ctx.Done():
			return
		}
	}
}
