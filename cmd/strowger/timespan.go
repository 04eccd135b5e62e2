package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timespan is a duration on the command line: as Go writes it, and also in days and weeks, such as 7d, 2w or 1d12h.
type timespan time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *timespan) UnmarshalText(text []byte) error {
	rest, total := string(text), 0.0
	for _, unit := range []struct {
		name  string
		hours float64
	}{{"w", 7 * 24}, {"d", 24}} {
		count, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(count, 64)
		if err != nil {
			return badTimespan(text)
		}
		total += n * unit.hours * float64(time.Hour)
		rest = after
	}
	if rest != "" || len(text) == 0 {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return badTimespan(text)
		}
		total += float64(d)
	}
	if !(total > 0 && total < float64(100*365*24*time.Hour)) {
		return badTimespan(text)
	}
	*s = timespan(total)
	return nil
}

func badTimespan(text []byte) error {
	return fmt.Errorf("%q is not a time span; write one like 7d, 36h or 1d12h", text)
}

// before is the moment that lies the span before now.
func (s timespan) before(now time.Time) time.Time { return now.Add(-time.Duration(s)) }
