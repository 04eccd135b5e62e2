package spoken

import (
	"strconv"
	"time"
)

// English is American English, with a clock of twelve hours.
type English struct{}

var _ Language = English{}

// Number implements Language.
func (e English) Number(n int) []string {
	switch {
	case n < 0 && n > -1e9:
		return append([]string{"minus"}, e.Number(-n)...)
	case n < 0 || n >= 1e9: // nobody listens to such a number as a whole
		return Digits(strconv.Itoa(n))
	case n < 100:
		return []string{"n-" + strconv.Itoa(n)}
	}
	unit, name := 100, "hundred"
	if n >= 1e6 {
		unit, name = 1e6, "million"
	} else if n >= 1000 {
		unit, name = 1000, "thousand"
	}
	names := append(e.Number(n/unit), name)
	if n%unit != 0 {
		names = append(names, e.Number(n%unit)...)
	}
	return names
}

// Ordinal implements Language.
func (e English) Ordinal(n int) []string {
	if n < 1 || n > 31 {
		return e.Number(n)
	}
	return []string{"o-" + strconv.Itoa(n)}
}

// Day implements Language: within the last week the weekday is enough, and within the last months the year is.
func (e English) Day(t, now time.Time) []string {
	switch days := daysBetween(t, now); {
	case days == 0:
		return []string{"today"}
	case days == 1:
		return []string{"yesterday"}
	case days == -1:
		return []string{"tomorrow"}
	case days > 1 && days < 7:
		return []string{"day-" + strconv.Itoa(int(t.Weekday()))}
	case days >= 7 && days < 300 || days < 0 && days > -300:
		return append([]string{"day-" + strconv.Itoa(int(t.Weekday()))}, e.date(t)...)
	}
	return append(e.date(t), e.year(t.Year())...)
}

func (e English) date(t time.Time) []string {
	return append([]string{"month-" + strconv.Itoa(int(t.Month()))}, e.Ordinal(t.Day())...)
}

// year: two thousand five, twenty twenty-six, nineteen hundred.
func (e English) year(y int) []string {
	high, low := y/100, y%100
	switch {
	case y < 1100 || y >= 10000 || y >= 2000 && y < 2010:
		return e.Number(y)
	case low == 0:
		return append(e.Number(high), "hundred")
	case low < 10:
		return append(e.Number(high), "oh", "n-"+strconv.Itoa(low))
	}
	return append(e.Number(high), e.Number(low)...)
}

// Clock implements Language: three p.m., three oh five p.m., twelve thirty a.m.
func (e English) Clock(t time.Time) []string {
	half, hour := "am", t.Hour()
	if hour >= 12 {
		half, hour = "pm", hour-12
	}
	if hour == 0 {
		hour = 12
	}
	names := e.Number(hour)
	switch m := t.Minute(); {
	case m == 0:
	case m < 10:
		names = append(names, "oh", "n-"+strconv.Itoa(m))
	default:
		names = append(names, e.Number(m)...)
	}
	return append(names, half)
}

// Length implements Language.
func (e English) Length(d time.Duration) []string {
	seconds := int(d.Round(time.Second).Seconds())
	var names []string
	for _, u := range []struct {
		size      int
		one, many string
	}{{3600, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"}} {
		if n := seconds / u.size; n > 0 || u.size == 1 && names == nil {
			names = append(names, e.Count(n, u.one, u.many)...)
		}
		seconds %= u.size
	}
	return names
}

// Count implements Language.
func (e English) Count(n int, one, many string) []string {
	if n == 1 {
		return append(e.Number(n), one)
	}
	return append(e.Number(n), many)
}

// daysBetween is how many midnights lie between t and now, negative when t is later.
func daysBetween(t, now time.Time) int {
	noon := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, time.UTC) }
	return int(noon(now).Sub(noon(t)).Hours() / 24)
}
