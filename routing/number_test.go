package routing

import (
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// byLibrary is ParseNumber without its shortcut.
func byLibrary(s, region string) (string, bool) {
	number, err := phonenumbers.Parse(s, strings.ToUpper(region))
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}

// TestShortcutIsExact: whatever the shortcut takes, the library returns unchanged, in every region.
func TestShortcutIsExact(t *testing.T) {
	codes, regions := []string{}, []string{""}
	for code := range phonenumbers.GetSupportedCallingCodes() {
		codes = append(codes, strconv.Itoa(code))
	}
	for region := range phonenumbers.GetSupportedRegions() {
		regions = append(regions, region)
	}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(codes).Draw(t, "code")
		if rapid.IntRange(0, 20).Draw(t, "any code") == 0 {
			code = rapid.StringMatching(`[0-9]{0,3}`).Draw(t, "digits")
		}
		s := "+" + code + rapid.StringMatching(`(0|1|00|15|8|9)?[0-9]{3,14}`).Draw(t, "national")
		region := rapid.SampledFrom(regions).Draw(t, "region")
		if !isE164(s) {
			return
		}
		taken++
		if got, ok := byLibrary(s, region); got != s || !ok {
			t.Fatalf("%s in %q: the library says %q, %v", s, region, got, ok)
		}
	})
	if taken == 0 {
		t.Error("no number was taken")
	}
}

// TestShortcutTakesExamples: every region's example numbers come by the shortcut, but for the few whose plan has numbers
// that begin like its national prefix.
func TestShortcutTakesExamples(t *testing.T) {
	slow := 0
	for region := range phonenumbers.GetSupportedRegions() {
		number := phonenumbers.GetExampleNumber(region)
		if number == nil {
			continue
		}
		s := phonenumbers.Format(number, phonenumbers.E164)
		if !isE164(s) {
			slow++
			t.Logf("%s: %s goes by the parser", region, s)
		}
		if got, ok := ParseNumber(s, ""); !ok || got != s {
			t.Errorf("%s: %s is read as %q, %v", region, s, got, ok)
		}
	}
	if slow > 10 {
		t.Errorf("%d regions' examples go by the parser", slow)
	}
}

func FuzzShortcut(f *testing.F) {
	for _, s := range []string{"+12025550001", "+442079460958", "+390612345678", "+5491112345678", "+80012345678", "+1242", "+001"} {
		f.Add(s, "US")
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		if isE164(s) {
			if got, ok := byLibrary(s, region); got != s || !ok {
				t.Errorf("%q in %q: the library says %q, %v", s, region, got, ok)
			}
		}
	})
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct{ give, region, want string }{
		{"+12025550900", "", "+12025550900"},
		{"2025550900", "US", "+12025550900"},
		{"1 (202) 555-0900", "US", "+12025550900"},
		{"011 44 20 7946 0958", "US", "+442079460958"},
		{"020 7946 0958", "GB", "+442079460958"},
		{"+44 (0)20 7946 0958", "US", "+442079460958"},
		{"+4402079460958", "US", "+442079460958"},
		{"tel:+49-30-901820", "US", "+4930901820"},
		{"+12025550900;ext=12", "US", "+12025550900"},
		{"2025550900", "", ""},
		{"555-0900", "US", ""}, // an area code is missing
		{"201", "US", ""},
		{"911", "US", ""},
		{"anonymous", "US", ""},
		{"Restricted", "US", ""},
		{"unknown", "", ""},
		{"", "US", ""},
		{"+", "US", ""},
		{"+1", "US", ""},
		{"+999123456789", "US", ""},
		{"sip:+12025550900@example.com", "US", ""},
	} {
		got, ok := ParseNumber(c.give, c.region)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q: %q, %v; want %q", c.give, c.region, got, ok, c.want)
		}
	}
}
