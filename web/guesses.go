package web

import (
	"math"
	"net/http"
	"net/netip"
	"time"

	"github.com/go-chi/httprate"
)

// Failed sign-ins that are allowed in guessWindow, before further ones are refused unseen. The limit of an address is
// higher: an office shares one.
const (
	guessWindow      = 5 * time.Minute
	guessesByUser    = 10
	guessesByAddress = 30
)

// guesses counts failed sign-ins in sliding windows, by user and by address. Successful ones cost nothing.
type guesses struct {
	counter httprate.LimitCounter
}

func newGuesses() *guesses {
	return &guesses{counter: httprate.NewLocalLimitCounter(guessWindow)}
}

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
	host := remoteHost(r)
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
