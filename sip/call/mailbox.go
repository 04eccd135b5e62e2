package call

import "sync"

// letter is what arrives at an actor: a LegEvent or MediaEvent of one leg, or a What that is ready for Step.
type letter struct {
	way  *route // of the leg, nil = it is the call's
	what any
}

// mailbox is an unbounded queue. Posting never blocks: sipgo posts while it holds its transaction lock.
type mailbox struct {
	mu     sync.Mutex
	queue  []letter
	closed bool
	ready  chan struct{} // holds one token while the queue is not empty
}

func newMailbox() *mailbox { return &mailbox{ready: make(chan struct{}, 1)} }

// post adds a letter; after close it is dropped, and post reports false.
func (b *mailbox) post(l letter) bool {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.queue = append(b.queue, l)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return true
}

// take waits for letters and returns all of them. spare becomes the new queue's space.
func (b *mailbox) take(spare []letter) []letter {
	for {
		<-b.ready
		b.mu.Lock()
		got := b.queue
		b.queue = spare[:0]
		b.mu.Unlock()
		if len(got) > 0 {
			return got
		}
		spare = got
	}
}

// empty reports whether nothing waits.
func (b *mailbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue) == 0
}

// close takes no more letters, and returns those that nobody has read.
func (b *mailbox) close() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.queue
	b.closed, b.queue = true, nil
	return left
}

// serial runs functions one after the other, in order, on a goroutine that lives only while there is work: the store may
// take its time without holding up the call, and nothing overtakes.
type serial struct {
	wg      *sync.WaitGroup // the owner waits on it
	mu      sync.Mutex
	queue   []func()
	running bool
}

func (s *serial) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, f)
	if !s.running {
		s.running = true
		s.wg.Add(1)
		go s.run()
	}
}

func (s *serial) run() {
	defer s.wg.Done()
	for {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.running = false
			s.mu.Unlock()
			return
		}
		f := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		f()
	}
}
