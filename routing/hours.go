package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"strowger/store"
)

const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

// Hours are weekly wall-clock windows in compiled form: minutes of a week that starts on Sunday. The zero value is never
// open.
type Hours struct{ spans []span }

// span is [from, to) in minutes of the week.
type span struct{ from, to int }

// ParseHours compiles windows. The error names the window and what is wrong with it.
func ParseHours(windows []store.Window) (Hours, error) {
	var h Hours
	for i, w := range windows {
		from, err := parseClock(w.From)
		if err != nil || from == dayMinutes {
			return Hours{}, fmt.Errorf("window %d: from %q is not a time between 00:00 and 23:59", i+1, w.From)
		}
		to, err := parseClock(w.To)
		if err != nil {
			return Hours{}, fmt.Errorf("window %d: to %q is not a time between 00:00 and 24:00", i+1, w.To)
		}
		if from == to {
			return Hours{}, fmt.Errorf("window %d: from and to are both %s; a whole day is 00:00 to 24:00", i+1, w.From)
		}
		if to < from {
			to += dayMinutes
		}
		if len(w.Days) == 0 {
			return Hours{}, fmt.Errorf("window %d: no days", i+1)
		}
		for _, name := range w.Days {
			day := slices.Index(dayNames(), name)
			if day < 0 {
				return Hours{}, fmt.Errorf("window %d: %q is not a day; use mon, tue, wed, thu, fri, sat or sun", i+1, name)
			}
			h.add(day*dayMinutes+from, day*dayMinutes+to)
		}
	}
	return h, nil
}

// add a span, in two pieces when it goes past the week's end.
func (h *Hours) add(from, to int) {
	if to > weekMinutes {
		h.spans = append(h.spans, span{0, to - weekMinutes})
		to = weekMinutes
	}
	h.spans = append(h.spans, span{from, to})
}

// At reports whether the wall clock of t, in t's location, is inside a window.
func (h Hours) At(t time.Time) bool { return h.contains(weekMinute(t)) }

func (h Hours) contains(minute int) bool {
	for _, s := range h.spans {
		if minute >= s.from && minute < s.to {
			return true
		}
	}
	return false
}

// weekMinute is the minute of the week that a clock on the wall shows.
func weekMinute(t time.Time) int {
	hour, minute, _ := t.Clock()
	return int(t.Weekday())*dayMinutes + hour*60 + minute
}

// dateKey makes a comparable number of the calendar date, e.g. 20261225.
func dateKey(t time.Time) int {
	y, m, d := t.Date()
	return y*10000 + int(m)*100 + d
}

// dayNames in the order of time.Weekday.
func dayNames() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

// parseClock reads "15:04" as minutes after midnight; "24:00" is dayMinutes.
func parseClock(s string) (int, error) {
	hh, mm, found := strings.Cut(s, ":")
	hour, err1 := strconv.ParseUint(hh, 10, 8)
	minute, err2 := strconv.ParseUint(mm, 10, 8)
	total := int(hour)*60 + int(minute)
	if !found || err1 != nil || err2 != nil || len(hh) != 2 || len(mm) != 2 || minute > 59 || total > dayMinutes {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	return total, nil
}

// moment is an instant as the company's calendar and clock show it.
type moment struct {
	minute int  // of the week
	closed bool // a holiday
}

func (c *Company) moment(now time.Time) moment {
	local := now.In(c.location)
	_, closed := c.closed[dateKey(local)]
	return moment{weekMinute(local), closed}
}

// open reports whether the company is open: inside its hours, when it has any, and not on a holiday.
func (c *Company) open(at moment) bool {
	return !at.closed && (c.hours == nil || c.hours.contains(at.minute))
}
