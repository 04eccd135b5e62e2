package app

import (
	"testing"

	"strowger/cmd/strowger/admin"
)

// TestPatientReport: a terminal that is stopped holds up nobody's call.
func TestPatientReport(t *testing.T) {
	var got []string
	reading := make(chan struct{})
	report, written := patient(func(s admin.CarrierStep) {
		<-reading
		got = append(got, s.What)
	})
	report(admin.CarrierStep{What: "first"})
	for range 5000 {
		report(admin.CarrierStep{What: "more"})
	}
	close(reading)
	written()
	if len(got) < 1000 || got[0] != "first" {
		t.Errorf("%d steps were reported", len(got))
	}
}
