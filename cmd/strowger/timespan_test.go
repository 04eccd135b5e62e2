package main

import (
	"testing"
	"time"
)

func TestTimespan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"7d": 7 * day, "2w": 14 * day, "36h": 36 * time.Hour, "1d12h": 36 * time.Hour, "1w2d3h4m": 9*day + 3*time.Hour + 4*time.Minute,
		"1.5d": 36 * time.Hour, "90s": 90 * time.Second,
	} {
		var got timespan
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v; want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "7", "7x", "d", "-7d", "7d-8d", "1h7d", "0d", "NaNd", "1e9w", "1d1d", "7 d"} {
		var got timespan
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %v", text, time.Duration(got))
		}
	}
}
