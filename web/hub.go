package web

import (
	"slices"
	"sync"
	"time"
)

// Sizes of the hub: what a stream may fall behind before it is cut, and how far back a reconnecting one is served.
const (
	streamBuffer = 128
	hubHistory   = 256
)

// event is something that happened, before it is made into what a viewer sees.
type event struct {
	id    int64
	shows func(Principal) bool
	data  func() any // the API's form; called on the viewer's goroutine, as it may look up names
}

// hub hands events to streams. publish never blocks: a stream that does not keep up is closed, and its page reconnects
// with the id of the last event it saw.
type hub struct {
	mu      sync.Mutex
	last    int64
	history []event // oldest first, at most hubHistory
	streams map[*stream]struct{}
	closed  bool
}

// stream is one viewer's. events is closed when the stream is over.
type stream struct {
	p      Principal
	events chan event
}

// newHub starts counting at the clock, so that ids of an earlier process are older than ours.
func newHub() *hub {
	return &hub{last: time.Now().UnixMilli(), streams: map[*stream]struct{}{}}
}

func (h *hub) publish(shows func(Principal) bool, data func() any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.last++
	e := event{id: h.last, shows: shows, data: data}
	if len(h.history) == hubHistory {
		h.history = slices.Delete(h.history, 0, 1)
	}
	h.history = append(h.history, e)
	for s := range h.streams {
		if !shows(s.p) {
			continue
		}
		select {
		case s.events <- e:
		default:
			h.drop(s)
		}
	}
}

// tell hands every viewer what data makes for them, nil = nothing, if they keep up. It is not kept for those who reconnect.
func (h *hub) tell(data func(Principal) any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		v := data(s.p)
		if v == nil {
			continue
		}
		select {
		case s.events <- event{data: func() any { return v }}:
		default:
		}
	}
}

// subscribe opens a stream. With the id of the last event that the viewer saw, missed holds what came since and resumed is
// true; when that is too long ago (or another process's), the viewer must read everything anew. last is the newest id so far.
func (h *hub) subscribe(p Principal, lastSeen int64) (s *stream, missed []event, resumed bool, last int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s = &stream{p: p, events: make(chan event, streamBuffer)}
	if h.closed {
		close(s.events)
		return s, nil, false, h.last
	}
	h.streams[s] = struct{}{}
	oldest := h.last + 1 - int64(len(h.history))
	if lastSeen < oldest-1 || lastSeen > h.last {
		return s, nil, false, h.last
	}
	for _, e := range h.history {
		if e.id > lastSeen && e.shows(p) {
			missed = append(missed, e)
		}
	}
	return s, missed, true, h.last
}

func (h *hub) unsubscribe(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s)
}

// drop ends a stream; the caller holds the lock.
func (h *hub) drop(s *stream) {
	if _, ok := h.streams[s]; ok {
		delete(h.streams, s)
		close(s.events)
	}
}

func (h *hub) dropSession(session string) {
	h.dropIf(func(p Principal) bool { return p.Session == session })
}

func (h *hub) dropUser(user string) { h.dropIf(func(p Principal) bool { return p.User.ID == user }) }

func (h *hub) dropIf(which func(Principal) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.streams {
		if which(s.p) {
			h.drop(s)
		}
	}
}

func (h *hub) close() {
	h.dropIf(func(Principal) bool { return true })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
