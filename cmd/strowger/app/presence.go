package app

import (
	"context"
	"sync"

	"strowger/sip"
	"strowger/store"
)

// presence answers who can be rung now without asking every registration for every call, and passes changes on to the page.
type presence struct {
	sip  *sip.Server
	tell func(user string, now []store.Binding) // the page

	mu    sync.Mutex
	kinds map[string][]string // by user; nil = to be asked anew
	moved map[string]bool     // users of whom the page does not know yet
	wake  chan struct{}
}

func newPresence(s *sip.Server) *presence {
	p := &presence{sip: s, moved: map[string]bool{}, wake: make(chan struct{}, 1)}
	s.OnRegistrationChange(p.changed)
	return p
}

// changed notes that a user's contacts are others now. It does not block.
func (p *presence) changed(user string) {
	p.mu.Lock()
	p.kinds = nil
	p.moved[user] = true
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	p.sip.LampChanged(userLamp(user))
}

// forget makes the next question be asked anew: devices were disabled, removed or added.
func (p *presence) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kinds = nil
}

// registered tells by which kinds of endpoint users can be rung now. The result is shared: it is replaced, never changed.
func (p *presence) registered() map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kinds == nil {
		p.kinds = p.sip.Kinds()
	}
	return p.kinds
}

// run tells the page until ctx ends. One after the other, so that what is told last is how things are.
func (p *presence) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		p.mu.Lock()
		moved := p.moved
		p.moved = map[string]bool{}
		p.mu.Unlock()
		for user := range moved {
			p.tell(user, p.sip.Registrations(user))
		}
	}
}
