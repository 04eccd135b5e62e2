package web

import (
	"sync"
	"time"
)

// Listening: a page asks for a recording in parts, and again whenever somebody seeks in it. That is one listening as long as
// the same session asks again within listeningGap.
const (
	listeningGap  = 10 * time.Minute
	maxListenings = 1000 // that are remembered; one that was forgotten is noted a second time
)

// listening is who hears what.
type listening struct{ actor, session, action, recording string }

// listenings are those that stand in the audit log already, and when they were last asked for.
type listenings struct {
	mu   sync.Mutex
	last map[listening]time.Time
}

// noted reports whether l goes on.
func (n *listenings) noted(l listening, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, ok := n.last[l]
	if !ok || now.Sub(last) >= listeningGap {
		return false
	}
	n.last[l] = now
	return true
}

// note remembers that l stands in the audit log.
func (n *listenings) note(l listening, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last == nil {
		n.last = map[listening]time.Time{}
	}
	if len(n.last) >= maxListenings {
		oldest, at := listening{}, now
		for k, v := range n.last {
			switch {
			case now.Sub(v) >= listeningGap:
				delete(n.last, k)
			case v.Before(at):
				oldest, at = k, v
			}
		}
		if len(n.last) >= maxListenings {
			delete(n.last, oldest)
		}
	}
	n.last[l] = now
}
