package web

import (
	"fmt"
	"sync"
	"time"

	"strowger/store"
)

// memoryLinks keeps sign-in links for the life of the process.
type memoryLinks struct {
	mu    sync.Mutex
	links map[string]SigninLink
}

func newMemoryLinks() *memoryLinks { return &memoryLinks{links: map[string]SigninLink{}} }

// PutSigninLink implements SigninLinks, and forgets expired ones.
func (m *memoryLinks) PutSigninLink(hash string, link SigninLink) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for h, l := range m.links {
		if l.Expires.Before(now) {
			delete(m.links, h)
		}
	}
	m.links[hash] = link
	return nil
}

// TakeSigninLink implements SigninLinks.
func (m *memoryLinks) TakeSigninLink(hash string) (SigninLink, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.links[hash]
	if !ok {
		return SigninLink{}, fmt.Errorf("sign-in link: %w", store.ErrNotFound)
	}
	delete(m.links, hash)
	return l, nil
}

// memorySessions is an scs.Store without the clean-up goroutine of scs's own: it forgets expired sessions when it writes.
type memorySessions struct {
	mu   sync.Mutex
	data map[string]memorySession
}

type memorySession struct {
	bytes  []byte
	expiry time.Time
}

func newMemorySessions() *memorySessions { return &memorySessions{data: map[string]memorySession{}} }

// Find implements scs.Store.
func (m *memorySessions) Find(token string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.data[token]
	if !ok || s.expiry.Before(time.Now()) {
		return nil, false, nil
	}
	return s.bytes, true, nil
}

// Commit implements scs.Store.
func (m *memorySessions) Commit(token string, b []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for t, s := range m.data {
		if s.expiry.Before(now) {
			delete(m.data, t)
		}
	}
	m.data[token] = memorySession{bytes: b, expiry: expiry}
	return nil
}

// Delete implements scs.Store.
func (m *memorySessions) Delete(token string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, token)
	return nil
}
