package routing

import (
	"testing"

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
