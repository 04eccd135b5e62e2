package call

import "sync"

// route is the way that the letters of one leg take: those of its signalling, of its media, and of the call to itself. It
// leads to the mailbox of the call that has the leg. When the leg moves to another call, the route turns with all that is
// under way: order is kept, nothing is lost, and nobody who posts is held up.
type route struct {
	mu   sync.Mutex // before the mailboxes' locks, of which never two are held at once
	mail *mailbox
}

// post never blocks for longer than a move takes.
func (r *route) post(what any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mail.post(letter{way: r, what: what})
}

// move turns the route to another mailbox. There the first letter is announce; then come those of unread, which the old
// owner has taken out but not read, and those that wait in the old mailbox. It reports false when the other mailbox is
// closed: then nothing has changed.
func (r *route) move(to *mailbox, announce letter, unread []letter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !to.post(announce) {
		return false
	}
	for _, l := range append(r.of(unread), r.mail.pick(r)...) {
		to.post(l)
	}
	r.mail = to
	return true
}

// end lets what is still posted fall: the leg belongs to no call any more.
func (r *route) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mail = &mailbox{closed: true}
}

// of are the letters that take this route.
func (r *route) of(letters []letter) []letter {
	var mine []letter
	for _, l := range letters {
		if l.way == r {
			mine = append(mine, l)
		}
	}
	return mine
}

// pick takes the letters of a route out of the mailbox.
func (b *mailbox) pick(r *route) []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := r.of(b.queue)
	if len(mine) == 0 {
		return nil
	}
	kept := b.queue[:0]
	for _, l := range b.queue {
		if l.way != r {
			kept = append(kept, l)
		}
	}
	clear(b.queue[len(kept):])
	b.queue = kept
	return mine
}
