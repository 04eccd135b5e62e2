package web_test

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
	"strowger/web"
)

// TestRecordings: owners and admins hear them, participants where the company says so; whoever listens, downloads or deletes
// stands in the audit log.
func TestRecordings(t *testing.T) {
	r := newRig(t)
	var id string
	for i := range r.fake.Records {
		if c := &r.fake.Records[i]; c.AnsweredBy == "bob" {
			id = c.ID
			c.Recordings = []store.Recording{{ID: id + "-1", File: "recordings/2026-01-02/" + id + "-1.wav", Start: time.Now(), Seconds: 3, Why: "by rule: number",
				Pauses: []store.RecordingPause{{From: 1, To: 2, By: "bob"}}, Ended: "stopped"}}
			break
		}
	}
	path := "/api/calls/" + id + "/recordings"
	audio := path + "/" + id + "-1/audio"
	ann, bob, cyd := r.as("ann"), r.as("bob"), r.as("cyd")
	bob.want(403, "GET", path, "")
	bob.want(403, "GET", audio, "")
	cyd.want(404, "GET", path, "")
	if !decode[web.Call](t, bob.want(200, "GET", "/api/calls/"+id, "")).Recorded {
		t.Error("bob does not see that the call was recorded")
	}
	type list struct{ Recordings []web.CallRecording }
	got := decode[list](t, ann.want(200, "GET", path, "")).Recordings
	if len(got) != 1 || got[0].Format != "wav" || got[0].Seconds != 3 || len(got[0].Pauses) != 1 {
		t.Fatalf("ann sees %+v", got)
	}
	if res, body := ann.do("GET", audio, ""); res.StatusCode != 200 || res.Header.Get("Content-Type") != "audio/wav" || body != string(r.fake.Audio) {
		t.Errorf("audio: %d %s, %d octets", res.StatusCode, res.Header.Get("Content-Type"), len(body))
	}
	ann.want(200, "GET", audio, "") // the same listening
	if res, _ := ann.do("GET", audio+"?download=true", ""); !strings.Contains(res.Header.Get("Content-Disposition"), id+"-1.wav") {
		t.Errorf("download: %v", res.Header)
	}
	r.fake.Mu.Lock()
	r.fake.Directory.Company.Recording.Listen = store.ListenParticipants
	r.fake.Mu.Unlock()
	bob.want(200, "GET", audio, "")
	cyd.want(404, "GET", audio, "")
	bob.want(403, "DELETE", path+"/"+id+"-1", "")
	bob.want(403, "GET", "/api/audit", "")
	ann.want(404, "GET", path+"/other/audio", "")
	ann.want(204, "DELETE", path+"/"+id+"-1", "")
	ann.want(404, "GET", audio, "")
	if got := decode[list](t, ann.want(200, "GET", path, "")).Recordings; len(got) != 1 || got[0].DeletedBy != "ann" {
		t.Errorf("after the deletion: %+v", got)
	}
	type audit struct{ Entries []store.AuditEntry }
	var told []string
	for _, e := range decode[audit](t, ann.want(200, "GET", "/api/audit", "")).Entries {
		if strings.HasPrefix(e.Action, "recording.") {
			told = append(told, e.Actor+" "+e.Action+" "+strings.TrimPrefix(e.Object, id))
		}
	}
	if want := "ann recording.delete -1, bob recording.listen -1, ann recording.download -1, ann recording.listen -1"; strings.Join(told, ", ") != want {
		t.Errorf("audit log: %q, want %q", told, want)
	}
}
