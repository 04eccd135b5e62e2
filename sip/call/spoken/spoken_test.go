package spoken

import (
	"strings"
	"testing"
	"time"
)

func TestEnglishNumbers(t *testing.T) {
	for n, want := range map[int]string{
		0: "n-0", 7: "n-7", 42: "n-42", 100: "n-1 hundred", 101: "n-1 hundred n-1", 1999: "n-1 thousand n-9 hundred n-99",
		12345: "n-12 thousand n-3 hundred n-45", 200000: "n-2 hundred thousand", 1000000: "n-1 million", -5: "minus n-5",
		2147483647: "n-2 n-1 n-4 n-7 n-4 n-8 n-3 n-6 n-4 n-7",
	} {
		if got := strings.Join(English{}.Number(n), " "); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestEnglishDays(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600)) // a Sunday, half an hour old
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{now.Add(-10 * time.Minute), "today"}, {now.Add(-40 * time.Minute), "yesterday"}, {now.AddDate(0, 0, -2), "day-5"},
		{now.AddDate(0, 0, -7), "day-0 month-2 o-22"}, {now.AddDate(0, 0, 1), "tomorrow"}, {now.AddDate(-1, 0, 0), "month-3 o-1 n-20 n-25"},
		{time.Date(2005, 12, 31, 5, 0, 0, 0, now.Location()), "month-12 o-31 n-2 thousand n-5"},
		{time.Date(1900, 1, 1, 5, 0, 0, 0, now.Location()), "month-1 o-1 n-19 hundred"},
		{time.Date(1901, 1, 1, 5, 0, 0, 0, now.Location()), "month-1 o-1 n-19 oh n-1"},
	} {
		if got := strings.Join(English{}.Day(c.at, now), " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.at, got, c.want)
		}
	}
}

func TestEnglishClockAndLength(t *testing.T) {
	for at, want := range map[string]string{"00:00": "n-12 am", "00:05": "n-12 oh n-5 am", "12:00": "n-12 pm", "15:30": "n-3 n-30 pm", "23:59": "n-11 n-59 pm"} {
		clock, err := time.Parse("15:04", at)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(English{}.Clock(clock), " "); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "n-0 seconds", time.Second: "n-1 second", 61 * time.Second: "n-1 minute n-1 second", 2 * time.Hour: "n-2 hours"} {
		if got := strings.Join(English{}.Length(d), " "); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestDigits(t *testing.T) {
	if got := strings.Join(Digits("+1 (2)*3#x"), " "); got != "plus n-1 n-2 star n-3 pound" {
		t.Error(got)
	}
}

func TestFor(t *testing.T) {
	for tag, known := range map[string]bool{"en": true, "en-GB": true, "en_US": true, "de": false, "": false} {
		if l, ok := For(tag); ok != known || l == nil {
			t.Errorf("%q: %v %v", tag, l, ok)
		}
	}
}
