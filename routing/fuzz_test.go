package routing

import (
	"fmt"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// FuzzDecide looks for an organisation and a call that break what holds for every decision.
func FuzzDecide(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		w := drawWorld(t)
		p := w.decide(t)
		if w.req.Kind == KindText {
			checkDelivery(t, w, p)
			return
		}
		checkRings(t, w, p)
		checkTrace(t, p)
	}))
}

// FuzzParseNumber: whatever a caller calls themselves, it is read without a panic, and what was read reads as itself.
func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"", "anonymous", "+12025550900", "2025550900", "tel:+44-20-7946-0958;ext=5", "+4402079460958",
		"011 44 20 7946 0958", "1-800-FLOWERS", "911", "*69", "+", "++1", "+1202555090\x00", "٠١٢٣٤٥٦٧٨٩", "sip:ann@example.com"} {
		f.Add(s, "US")
		f.Add(s, "GB")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		e164, ok := ParseNumber(s, region)
		if !ok {
			if e164 != "" {
				t.Fatalf("%q is no number, but %q", s, e164)
			}
			return
		}
		if len(e164) < 4 || len(e164) > 19 || e164[0] != '+' {
			t.Fatalf("%q in %q is %q", s, region, e164)
		}
	})
}

// TestNorthAmericanShortcut: the numbers that ParseNumber does not parse would come out of the parser as they are.
func TestNorthAmericanShortcut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fmt.Sprintf("+1%010d", rapid.Int64Range(2_000_000_000, 9_999_999_999).Draw(t, "number"))
		region := rapid.SampledFrom([]string{"US", "CA", "BS", "GB", "DE", ""}).Draw(t, "region")
		n, err := phonenumbers.Parse(s, region)
		if err != nil {
			t.Fatal(err)
		}
		if got := phonenumbers.Format(n, phonenumbers.E164); got != s || !isNANP(s) {
			t.Fatalf("%s is %s", s, got)
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
