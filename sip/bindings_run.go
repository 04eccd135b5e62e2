package sip

import (
	"container/heap"
	"context"
	"time"

	"strowger/store"
)

// change is what the store does not know yet of a binding.
type change struct {
	binding store.Binding
	gone    bool
}

// When changes are written: a contact that appeared or went soon, a refresh with the next batch, a failed write later.
const (
	writeSoon   = 50 * time.Millisecond
	writeLater  = time.Second
	writeFailed = 5 * time.Second
)

// note remembers a change for the store.
func (t *locationTable) note(b *store.Binding, gone bool, within time.Duration, now time.Time) {
	if t.store == nil {
		return
	}
	t.dirty[keyOfBinding(b)] = change{*b, gone}
	t.schedule(now.Add(within))
}

// schedule lets the writer run at the latest then.
func (t *locationTable) schedule(at time.Time) {
	if t.due.IsZero() || at.Before(t.due) {
		t.due = at
		t.signal()
	}
}

// signal wakes run to look at the times again.
func (t *locationTable) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run expires bindings and writes changes until ctx ends.
func (t *locationTable) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		next, write := t.tick(now)
		if write {
			if err := t.flush(); err != nil {
				t.log.Error().Err(err).Msg("registrations not written; trying again")
			}
			continue
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-timer.C:
		}
	}
}

// tick drops what has expired. It returns how long to wait for the next thing to do, or that it is time to write.
func (t *locationTable) tick(now time.Time) (next time.Duration, write bool) {
	t.mu.Lock()
	defer t.unlock()
	for len(t.expiry) > 0 && !t.expiry[0].at.After(now) {
		e := heap.Pop(&t.expiry).(expiring)
		if t.queued[e.key].Equal(e.at) {
			delete(t.queued, e.key)
		}
		switch b := t.find(e.key); {
		case b == nil:
		case b.Expires.After(now):
			t.queue(b)
		default:
			t.log.Info().Str("user", b.User).Str("device", b.Device).Str("contact", b.Contact).Msg("registration expired")
			t.drop(e.key, now)
		}
	}
	next = time.Hour
	if len(t.expiry) > 0 {
		next = t.expiry[0].at.Sub(now)
	}
	if !t.due.IsZero() {
		if !t.due.After(now) {
			return 0, true
		}
		next = min(next, t.due.Sub(now))
	}
	return next, false
}

// flush writes all changes. What could not be written stays to be written.
func (t *locationTable) flush() error {
	t.mu.Lock()
	batch := t.dirty
	t.dirty, t.due = make(map[bindingKey]change), time.Time{}
	t.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	var put, del []store.Binding
	for _, c := range batch {
		if c.gone {
			del = append(del, c.binding)
		} else {
			put = append(put, c.binding)
		}
	}
	err := t.store.SaveBindings(put, del)
	if err != nil {
		t.mu.Lock()
		for key, c := range batch {
			if _, newer := t.dirty[key]; !newer {
				t.dirty[key] = c
			}
		}
		t.schedule(time.Now().Add(writeFailed))
		t.mu.Unlock()
	}
	return err
}

// expiryHeap orders bindings by the time at which they may have expired.
type expiryHeap []expiring

type expiring struct {
	at  time.Time
	key bindingKey
}

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *expiryHeap) Push(x any)        { *h = append(*h, x.(expiring)) }
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// queue sees to it that the binding is looked at when it expires. A refresh needs no entry of its own: the older one finds
// the binding alive and is queued again.
func (t *locationTable) queue(b *store.Binding) {
	key := keyOfBinding(b)
	if at, ok := t.queued[key]; ok && !b.Expires.Before(at) {
		return
	}
	t.queued[key] = b.Expires
	heap.Push(&t.expiry, expiring{b.Expires, key})
	if t.expiry[0].key == key {
		t.signal()
	}
}
