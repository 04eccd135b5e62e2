// Package spoken says numbers, dates and times as sequences of prompts: 42 is "n-42", half past three "n-3 n-30 pm". How a
// language puts them together is its Language; which sounds it has is a folder of prompts of the same name.
//
// The names of prompts that all languages share: n-0 to n-99, hundred, thousand, million, minus, plus, star, pound, o-1 to
// o-31 (ordinals), day-0 (Sunday) to day-6, month-1 to month-12, today, yesterday, at. A language may have more.
package spoken

import "time"

// Language is the grammar of one language. Methods return names of prompts in the order in which they are said.
type Language interface {
	// Number is a cardinal.
	Number(n int) []string
	// Ordinal is "first", "twenty-second"; n from 1 to 31, others as cardinals.
	Ordinal(n int) []string
	// Day is a date, as somebody says it at now: today, yesterday, Monday, July the fourth. Both in the listener's zone.
	Day(t, now time.Time) []string
	// Clock is a time of day.
	Clock(t time.Time) []string
	// Length is how long something takes, in hours, minutes and seconds.
	Length(d time.Duration) []string
	// Count is a number of things; one and many are the prompts of the noun.
	Count(n int, one, many string) []string
}

// For is the grammar of a language ("en", "en-GB"), and English with false when there is none for it.
func For(tag string) (Language, bool) {
	if len(tag) > 2 && (tag[2] == '-' || tag[2] == '_') {
		tag = tag[:2]
	}
	switch tag {
	case "en":
		return English{}, true
	}
	return English{}, false
}

// Digits says each character of a telephone number or an extension by itself; what is no digit, +, * or # is passed over.
// It is the same in all languages.
func Digits(s string) []string {
	var names []string
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			names = append(names, "n-"+string(r))
		case r == '*':
			names = append(names, "star")
		case r == '#':
			names = append(names, "pound")
		case r == '+':
			names = append(names, "plus")
		}
	}
	return names
}
