package web_test

import (
	"testing"

	"strowger/web"
)

// TestAlerts: owners and admins are told live and when they come; whoever dismisses one does so for all, until it happens again.
func TestAlerts(t *testing.T) {
	r := newRig(t)
	ann, bob := r.as("ann"), r.as("bob")
	seen, unseen := ann.watch(""), bob.watch("")
	seen.expect("hello", "")
	unseen.expect("hello", "")
	disk := web.Alert{Kind: web.AlertRecording, Call: "call1", Text: "the disk is full", Remedy: "make room"}
	r.web.Alarm(disk)
	disk.Call = "call2"
	r.web.Alarm(disk)
	seen.expect("alert", `"times":1`)
	seen.expect("alert", `"times":2`)
	type list struct{ Alerts []web.Alert }
	got := decode[list](t, ann.want(200, "GET", "/api/alerts", "")).Alerts
	if len(got) != 1 || got[0].Call != "call2" || got[0].Times != 2 || got[0].At.IsZero() {
		t.Errorf("alerts: %+v", got)
	}
	bob.want(403, "GET", "/api/alerts", "")
	bob.want(403, "DELETE", "/api/alerts/recording", "")
	ann.want(204, "DELETE", "/api/alerts/recording", "")
	seen.expect("alert", `"gone":true`)
	ann.want(404, "DELETE", "/api/alerts/recording", "")
	if got := decode[list](t, ann.want(200, "GET", "/api/alerts", "")).Alerts; len(got) != 0 {
		t.Errorf("after that: %+v", got)
	}
	r.web.VoicemailChanged(r.fake.Messages[1], false)
	unseen.expect("voicemail", "vm1") // and nothing before it
	r.web.Alarm(disk)
	seen.expect("voicemail", "vm1")
	seen.expect("alert", `"times":1`)
}
