package sip

import (
	"testing"

	"strowger/sip/call"
)

func TestTrunkReadsNumbers(t *testing.T) {
	for _, test := range []struct{ region, format, number, want string }{
		{"US", "e164", "+12025550900", "+12025550900"},
		{"US", "e164", "12126427000", "+12126427000"},
		{"US", "e164", "2126427000", "+12126427000"},
		{"US", "e164", "33142685300", "+33142685300"}, // Paris, without its plus
		{"US", "e164", "01133142685300", "+33142685300"},
		{"DE", "e164", "4930227320", "+4930227320"},
		{"DE", "e164", "030227320", "+4930227320"},
		{"DE", "plain", "33142685300", "+33142685300"},
		{"DE", "plain", "030227320", "+4930227320"},
		{"US", "plain", "2126427000", "+12126427000"},
		{"DE", "e164", "0033142685300", "+33142685300"},
		{"", "e164", "442079460000", "+442079460000"},
		{"US", "e164", "911", "911"},
		{"US", "e164", "anonymous", "anonymous"},
		{"US", "e164", "99999999999999", "99999999999999"},
	} {
		if got := (&trunk{cfg: TrunkConfig{Region: test.region, NumberFormat: test.format}}).reads(test.number); got != test.want {
			t.Errorf("%s from a trunk in %q is %s, want %s", test.number, test.region, got, test.want)
		}
	}
}

// TestTrunkOfAnotherRegion: number and caller are read as the trunk writes them, not as the company would.
func TestTrunkOfAnotherRegion(t *testing.T) {
	story(t, func(r *rig) {
		d := r.carrier.NewDialog("sip:0142685300@10.0.0.2", "sip:0142685301@10.0.0.1")
		d.Do("INVITE", offerSDP)
		in := <-r.incoming
		if in.To != "+33142685301" || in.From.Number != "+33142685300" {
			t.Errorf("a call from %s to %s", in.From.Number, in.To)
		}
		in.Leg.Reject(404, "", call.Reason{})
		d.AckError(r.carrier.Expect("404"))
	}, withTrunk(func(c *TrunkConfig) { c.Region = "FR" }))
}

// TestRegionChanges: the company moves; the trunk, which has no region of its own, reads and writes its numbers from there.
func TestRegionChanges(t *testing.T) {
	story(t, func(r *rig) {
		for _, want := range []struct{ region, dialled, number string }{{"US", "2025550100", "+12025550100"}, {"FR", "0142685301", "+33142685301"}} {
			r.srv.SetRegion(want.region)
			d := r.carrier.NewDialog("sip:anonymous@10.0.0.2", "sip:"+want.dialled+"@10.0.0.1")
			d.Do("INVITE", offerSDP)
			in := <-r.incoming
			if in.To != want.number {
				t.Errorf("in %s, a call to %s is one to %s", want.region, want.dialled, in.To)
			}
			in.Leg.Reject(404, "", call.Reason{})
			d.AckError(r.carrier.Expect("404"))
			if got := r.srv.calls.trunks.all[0].uri(want.number).User; got != want.dialled {
				t.Errorf("in %s, %s is dialled as %s", want.region, want.number, got)
			}
		}
	}, withTrunk(func(c *TrunkConfig) { c.NumberFormat = "national" }))
}
