package directory

import (
	"cmp"
	"fmt"
	"slices"

	"strowger/store"
	"strowger/store/directory/strict"
)

// Minutes of the week: windows are compared on a circle that begins on Monday at midnight.
const (
	minutesPerDay  = 24 * 60
	minutesPerWeek = 7 * minutesPerDay
)

var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// windows checks that windows are windows; whether several are open at once does not matter here.
func (v *validator) windows(path string, list []store.Window) {
	for i, w := range list {
		at := strict.Index(path, i)
		if len(w.Days) == 0 {
			v.add(at, "add days: [mon, tue, ...]", "the window has no days")
		}
		for j, day := range w.Days {
			switch {
			case !slices.Contains(days, day):
				v.add(strict.Index(at+".days", j), strict.OneOf(day, days), "there is no day %q", clip(day))
			case slices.Index(w.Days, day) < j:
				v.add(strict.Index(at+".days", j), "name each day once", "%s is in this window already", day)
			}
		}
		from, okFrom := clock(w.From)
		to, okTo := clock(w.To)
		v.clockForm(at, "from", w.From, okFrom)
		v.clockForm(at, "to", w.To, okTo)
		switch {
		case okFrom && from == minutesPerDay:
			v.add(at+".from", `a window that begins at midnight begins at "00:00"`, "a window cannot begin at 24:00")
		case okFrom && okTo && from == to:
			v.add(at, `for a whole day write from: "00:00", to: "24:00"`, "the window from %s to %s is empty", w.From, w.To)
		}
	}
}

func (v *validator) clockForm(path, key, value string, ok bool) {
	switch {
	case value == "":
		v.add(path, fmt.Sprintf(`add %s: "09:00"`, key), "the window has no %s", key)
	case !ok:
		v.add(path+"."+key, `write it like "09:00" or "17:30", from 00:00 to 24:00`, "%q is not a time of day", clip(value))
	}
}

// clock reads "15:04" as minutes after midnight; "24:00" is the day's end.
func clock(s string) (minutes int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return h*60 + m, m < 60 && h*60+m <= minutesPerDay
}

// span is one day of a window on the circle of the week; end may pass the week's end.
type span struct {
	start, end int
	rule       string
	path       string
}

// spans lays a window out over the week; damaged parts are left out.
func spans(w store.Window, rule, path string) []span {
	from, okFrom := clock(w.From)
	to, okTo := clock(w.To)
	if !okFrom || !okTo || from == to || from == minutesPerDay {
		return nil
	}
	if to < from {
		to += minutesPerDay
	}
	var list []span
	for i, name := range days {
		if slices.Contains(w.Days, name) {
			list = append(list, span{i*minutesPerDay + from, i*minutesPerDay + to, rule, path})
		}
	}
	return list
}

// ruleOverlaps refuses windows of one number's rules that are open at the same time, also across midnight and the week's
// end; each pair of windows once, at its first common minute.
func (v *validator) ruleOverlaps(n *store.Number, path string) {
	var all []span
	for j := range n.Rules {
		at := strict.Index(path+".rules", j)
		for k, w := range n.Rules[j].Hours {
			all = append(all, spans(w, ruleName(&n.Rules[j], at), strict.Index(at+".hours", k))...)
		}
	}
	for _, s := range slices.Clone(all) { // the part behind the week's end is also at its beginning
		if s.end > minutesPerWeek {
			all = append(all, span{s.start - minutesPerWeek, s.end - minutesPerWeek, s.rule, s.path})
		}
	}
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	told := map[[2]string]bool{}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if b.start >= a.end {
				break
			}
			pair := [2]string{min(a.path, b.path), max(a.path, b.path)}
			if a.path == b.path || told[pair] {
				continue
			}
			told[pair] = true
			later, earlier := a, b
			if earlier.path > later.path {
				later, earlier = b, a
			}
			v.add(later.path, "let one begin where the other ends", "%s overlaps %s, %s, on %s",
				later.rule, earlier.rule, v.other(earlier.path), moment(b.start, min(a.end, b.end)))
		}
	}
}

// moment prints a stretch of the week: "sat 22:00 to 23:30".
func moment(start, end int) string {
	at := func(m int) (string, string) {
		m = (m + minutesPerWeek) % minutesPerWeek
		return days[m/minutesPerDay], fmt.Sprintf("%02d:%02d", m%minutesPerDay/60, m%60)
	}
	day, from := at(start)
	endDay, to := at(end)
	if endDay != day && to == "00:00" {
		endDay, to = day, "24:00"
	}
	if end-start > minutesPerDay || endDay != day {
		return fmt.Sprintf("%s %s to %s %s", day, from, endDay, to)
	}
	return fmt.Sprintf("%s %s to %s", day, from, to)
}
