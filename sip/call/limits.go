package call

import (
	"maps"
	"slices"
	"time"

	"strowger/store"
)

// Limits of the whole system; 0 = none. The limit per number is routing's (Number.MaxInbound).
type Limits struct {
	Calls    int            // calls at once
	PerUser  int            // calls at once that one user may make
	PerTrunk map[string]int // calls at once on a trunk, both directions

	// Silence ends a call of which a party sent no RTP for so long, hold excepted. 0 = 3 minutes, negative = never.
	Silence time.Duration
	// MessageSeconds is the longest voicemail, 0 = 300; MessageSilence ends it after so many seconds, 0 = 8.
	MessageSeconds int
	MessageSilence int
}

func (l Limits) withDefaults() Limits {
	if l.Silence == 0 {
		l.Silence = 3 * time.Minute
	}
	l.Silence = max(l.Silence, 0)
	if l.MessageSeconds == 0 {
		l.MessageSeconds = messageSeconds
	}
	if l.MessageSilence == 0 {
		l.MessageSilence = messageSilence
	}
	return l
}

// usage is what one call counts for.
type usage struct {
	number string   // the number of ours that is called, from outside
	made   string   // the user who makes the call
	busy   []string // users on the call
	trunks []string // one entry per leg
}

// usageOf counts a call. A user who calls is on a call from the start; one who is called, from picking up.
func usageOf(s *State) usage {
	if s.Phase == Over {
		return usage{}
	}
	u := usage{made: s.Start.User}
	if d := s.first().Direction; d != "" && d != store.Outbound {
		u.number = s.called()
	}
	if s.Start.User != "" && s.First.Direction == "" && !s.Reseated { // once transferred, the legs tell
		u.busy = append(u.busy, s.Start.User)
	}
	for i := range s.Legs {
		l := &s.Legs[i]
		if s.Handing.To != "" && s.Handing.Leg == i && !s.Handing.Taken { // until the other call counts it
			l = &s.Handing.Was
		}
		if l.User != "" && l.Phase.talking() && !slices.Contains(u.busy, l.User) {
			u.busy = append(u.busy, l.User)
		}
		if l.Trunk != "" && l.Phase.live() {
			u.trunks = append(u.trunks, l.Trunk)
		}
	}
	return u
}

func (u usage) equal(v usage) bool {
	return u.number == v.number && u.made == v.made && slices.Equal(u.busy, v.busy) && slices.Equal(u.trunks, v.trunks)
}

// counts adds up the usage of all calls. Manager.mu guards it.
type counts struct {
	numbers, made, trunks, busy map[string]int
	busyUsers                   []string // the keys of busy, sorted
}

func newCounts() counts {
	return counts{numbers: map[string]int{}, made: map[string]int{}, trunks: map[string]int{}, busy: map[string]int{}}
}

// add counts u n times, n being 1 or -1.
func (c *counts) add(u usage, n int) {
	count(c.numbers, u.number, n)
	count(c.made, u.made, n)
	for _, t := range u.trunks {
		count(c.trunks, t, n)
	}
	for _, user := range u.busy {
		before := c.busy[user]
		count(c.busy, user, n)
		at, _ := slices.BinarySearch(c.busyUsers, user)
		switch after := c.busy[user]; {
		case before == 0 && after > 0:
			c.busyUsers = slices.Insert(c.busyUsers, at, user)
		case before > 0 && after == 0:
			c.busyUsers = slices.Delete(c.busyUsers, at, at+1)
		}
	}
}

func count(m map[string]int, key string, n int) {
	if key == "" {
		return
	}
	if m[key] += n; m[key] <= 0 {
		delete(m, key)
	}
}

// live is the state for routing, without what the call that asks counts for itself.
func (c *counts) live(own usage) LiveState {
	c.add(own, -1)
	defer c.add(own, 1)
	return LiveState{Busy: slices.Clone(c.busyUsers), Active: maps.Clone(c.numbers)}
}
