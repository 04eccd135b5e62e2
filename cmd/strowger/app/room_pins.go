package app

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Wrong PINs in a row, over all calls, after which a room does not even look at those of a user, or of all callers from
// outside, who can call themselves what they like.
const (
	wrongRoomPINs = 10
	roomPINLock   = 15 * time.Minute
)

// guesser tries the PINs of a room: a user, or "" for everybody outside.
type guesser struct{ room, user string }

// wrongPINs counts them. Rooms and users bound what it keeps.
type wrongPINs struct {
	log zerolog.Logger

	mu    sync.Mutex
	tries map[guesser]roomTries
}

type roomTries struct {
	count  int
	locked time.Time // until then
}

func newWrongPINs(log zerolog.Logger) *wrongPINs {
	return &wrongPINs{log: log, tries: map[guesser]roomTries{}}
}

func (w *wrongPINs) refuses(who guesser, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Before(w.tries[who].locked)
}

func (w *wrongPINs) right(who guesser) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tries, who)
}

func (w *wrongPINs) wrong(who guesser, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tries[who]
	if t.count++; t.count >= wrongRoomPINs {
		t = roomTries{locked: now.Add(roomPINLock)}
		w.log.Warn().Str("room", who.room).Str("user", who.user).Dur("for", roomPINLock).Msg("too many wrong PINs for a conference room; further ones are not looked at")
	}
	w.tries[who] = t
}
