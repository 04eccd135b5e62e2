package web

import (
	"math"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/go-chi/httprate"
)

// Failed sign-ins that are allowed in guessWindow, before further ones are refused unseen. The limit of an address is
// higher than that of one user at it: an office shares one. Whoever guesses at somebody's name locks out that name at his
// own address; only guesses from very many addresses lock it everywhere but where its owner has signed in before.
const (
	guessWindow      = 5 * time.Minute
	guessesByUser    = 10 // of one user, from one address
	guessesByAddress = 30
	guessesInAll     = 100 // of one user, from everywhere
	addressesByUser  = 8   // of successful sign-ins that are remembered
)

// guesses counts failed sign-ins in sliding windows. Successful ones cost nothing.
type guesses struct {
	counter httprate.LimitCounter

	mu   sync.Mutex
	home map[string][]string // addresses of successful sign-ins by login, the newest last
}

func newGuesses() *guesses {
	return &guesses{counter: httprate.NewLocalLimitCounter(guessWindow), home: map[string][]string{}}
}

// succeeded remembers from where somebody signed in. Only people who exist are remembered.
func (g *guesses) succeeded(login, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := slices.DeleteFunc(g.home[login], func(a string) bool { return a == address })
	list = append(list, address)
	g.home[login] = list[max(0, len(list)-addressesByUser):]
}

// refuses reports whether guesses at this login from this address are used up.
func (g *guesses) refuses(login, address string) bool {
	switch {
	case g.tooMany(address, guessesByAddress):
		return true
	case login == "":
		return false
	case g.tooMany(atAddress(login, address), guessesByUser):
		return true
	}
	g.mu.Lock()
	known := slices.Contains(g.home[login], address)
	g.mu.Unlock()
	return !known && g.tooMany(everywhere(login), guessesInAll)
}

// missed counts a wrong password.
func (g *guesses) missed(login, address string) {
	if login == "" {
		g.failed(address)
		return
	}
	g.failed(address, atAddress(login, address), everywhere(login))
}

func atAddress(login, address string) string { return "user:" + login + "@" + address }
func everywhere(login string) string         { return "user:" + login }

// failed counts a failed sign-in for these keys.
func (g *guesses) failed(keys ...string) {
	now, _ := guessWindows(time.Now())
	for _, k := range keys {
		_ = g.counter.Increment(k, now) // the local counter cannot fail
	}
}

// tooMany reports whether a key has used up its guesses.
func (g *guesses) tooMany(key string, limit int) bool {
	at := time.Now()
	now, before := guessWindows(at)
	cur, prev, err := g.counter.Get(key, now, before)
	if err != nil {
		return true
	}
	// As in httprate: the last window counts for the part of it that a window ending now still covers.
	rest := 1 - float64(at.Sub(now))/float64(guessWindow)
	return int(math.Floor(float64(prev)*rest))+cur >= limit
}

func guessWindows(at time.Time) (now, before time.Time) {
	now = at.UTC().Truncate(guessWindow)
	return now, now.Add(-guessWindow)
}

// addressKey is what an attacker cannot change cheaply: an IPv4 address or an IPv6 /64.
func addressKey(r *http.Request) string {
	return hostKey(remoteHost(r))
}

func hostKey(host string) string {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "addr:" + host
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if p, err := addr.Prefix(64); err == nil {
			return "addr:" + p.String()
		}
	}
	return "addr:" + addr.String()
}
