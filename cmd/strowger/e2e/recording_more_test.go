package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// side checks who is in a channel: each tone of own is in most of its tenths of a second, as loud as the others of own, and none
// of the others is. On a busy machine parties stumble.
func side(t *testing.T, name string, samples []int16, rate int, own, others []float64) {
	t.Helper()
	n := rate / 10
	for _, hz := range own {
		there := 0
		for i := 0; i+n <= len(samples); i += n {
			if goertzel(samples[i:i+n], rate, hz) > 0.4/float64(len(own)) {
				there++
			}
		}
		if parts := len(samples) / n; 2*there < parts {
			t.Errorf("%s: %v Hz is in %d of %d parts", name, hz, there, parts)
		}
	}
	for _, hz := range others {
		if got := goertzel(samples, rate, hz); got > 0.02 {
			t.Errorf("%s: %v Hz leaks into it: %.3f", name, hz, got)
		}
	}
}

// recordedFile reads the only recording of a call, without its first and last moments.
func (s *server) recordedFile(r store.CallRecord) (left, right []int16, rate int) {
	s.t.Helper()
	if len(r.Recordings) != 1 {
		s.t.Fatalf("recordings: %+v", r.Recordings)
	}
	left, right, rate = stereoFile(s.t, filepath.Join(s.data, r.Recordings[0].File))
	cut := rate / 5
	if len(left) < 4*cut {
		s.t.Fatalf("the recording has %d samples", len(left))
	}
	return left[cut : len(left)-cut], right[cut : len(right)-cut], rate
}

// A user records by keys what is worth it, and stops by the same keys, as often as they like.
func TestRecordedByKeys(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_RECORDING_MIN_FREE=1")
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	sipp.hears(deskTone)
	state := func(want string) {
		t.Helper()
		eventually(t, "the live view should show that the recording is "+want, 5*time.Second, func() bool {
			var list struct{ Calls []struct{ Recording string } }
			s.api("GET", "/api/active", &list)
			return len(list.Calls) == 1 && list.Calls[0].Recording == want
		})
	}
	for range 2 {
		desk.keysIn("*1")
		state("on")
		time.Sleep(2 * time.Second)
		desk.keysIn("*1")
		state("")
	}
	sipp.hears(deskTone) // the call goes on
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	if len(r.Recordings) != 2 {
		t.Fatalf("recordings: %+v", r.Recordings)
	}
	for _, rec := range r.Recordings {
		if rec.By != "bob" || rec.Why != "on demand" || rec.Ended != "stopped" || rec.Seconds < 2 || rec.Seconds > 8 {
			t.Errorf("%+v", rec)
		}
		left, right, rate := stereoFile(t, filepath.Join(s.data, rec.File))
		if own, _ := share(left, rate, carrierTone); own < 0.6 {
			t.Errorf("left: the caller's tone is in %.0f %% of it", 100*own)
		}
		if own, _ := share(right[:rate], rate, deskTone); own < 0.6 {
			t.Errorf("right: bob's tone is in %.0f %% of its first second", 100*own)
		}
	}
}

// Three in a merged call are recorded: the caller left, the two others right, together.
func TestRecordingOfAMergedCall(t *testing.T) {
	s := serve(t, "", "STROWGER_RECORDING_MIN_FREE=1")
	s.applies(officeOrganisation)
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), cydTone, baresipOptions{})
	mark := ann.mark()
	bob.do("dial", "201")
	ann.waitFor("CALL_INCOMING", mark, eventTimeout)
	ann.do("accept", "")
	bob.hears(annTone)
	ann.do("hold", "")
	mark = cyd.mark()
	ann.do("dial", "203")
	cyd.waitFor("CALL_INCOMING", mark, eventTimeout)
	cyd.do("accept", "")
	cyd.hears(annTone)
	ids := s.active()
	s.orders("/api/active/"+ids["202"]+"/merge", map[string]string{"user": "ann", "with": ids["201"]})
	bob.mix([]float64{annTone, cydTone}, []float64{deskTone})
	record := "/api/active/" + ids["202"] + "/record"
	s.orders(record, map[string]string{"do": "start"})
	time.Sleep(4 * time.Second)
	s.orders(record, map[string]string{"do": "stop"})
	ann.do("hangup", "")
	bob.hears(cydTone)
	bob.do("hangup", "")
	s.noCalls()
	s.record(2)
	left, right, rate := s.recordedFile(s.recordOf("202", 5*time.Second))
	side(t, "left", left, rate, []float64{deskTone}, []float64{annTone, cydTone})
	side(t, "right", right, rate, []float64{annTone, cydTone}, []float64{deskTone})
}

// Bob, whose call with the carrier is recorded, asks cyd first and then joins the two: the carrier's leg may move to the other
// call, and the recording goes on there; the caller stays left.
func TestRecordingOfAnAttendedTransfer(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_RECORDING_MIN_FREE=1")
	s.applies("numbers:\n  - {number: \"+12025550004\", kind: personal, label: Bob, user: bob, record: always}\n")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	bob := newLinphone(t, s, s.phone("bob", "desk"), deskTone, linphoneOptions{Transport: "udp"})
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.sees("Receiving new incoming call")
	bob.do("answer")
	sipp.hears(deskTone)
	mark := ann.mark()
	bob.do("pause")
	bob.do("call 201")
	ann.waitFor("CALL_INCOMING", mark, eventTimeout)
	ann.do("accept", "")
	ann.hears(deskTone)
	bob.do("transfer 1 --to-call 2")
	sipp.hears(annTone)
	ann.hears(carrierTone)
	time.Sleep(2 * time.Second)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	s.record(2)
	found := 0
	for _, r := range s.records() {
		for _, rec := range r.Recordings {
			found++
			left, right, rate := stereoFile(t, filepath.Join(s.data, rec.File))
			last := max(len(left)-2*rate, 0)
			if r.ID+"-1" != rec.ID {
				t.Errorf("recording %s stands in the record of call %s", rec.ID, r.ID)
			}
			if leak := goertzel(left, rate, annTone); leak > 0.02 {
				t.Errorf("left of %s: ann leaks into it: %.3f", r.From, leak)
			}
			if own, _ := share(right[last:len(right)-rate/4], rate, annTone); own > 0.6 {
				if caller, _ := share(left[last:len(left)-rate/4], rate, carrierTone); caller < 0.6 {
					t.Errorf("left, at the end: the caller's tone is in %.0f %% of it", 100*caller)
				}
				found += 10
			}
		}
	}
	if found/10 != 1 {
		t.Errorf("ann's talk with the caller is on %d of %d recordings", found/10, found%10)
	}
}

// A whole call in Ogg Opus, read by Opus's own tool: each side in its channel, and not in the other.
func TestRecordingInOgg(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_RECORDING_MIN_FREE=1", "STROWGER_RECORDING_FORMAT=ogg")
	s.applies("numbers:\n  - {number: \"+12025550004\", kind: personal, label: Bob, user: bob, record: always}\n")
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	sipp.hears(deskTone)
	desk.hears(carrierTone)
	time.Sleep(3 * time.Second)
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	if len(r.Recordings) != 1 || filepath.Ext(r.Recordings[0].File) != ".ogg" {
		t.Fatalf("recordings: %+v", r.Recordings)
	}
	wav := filepath.Join(t.TempDir(), "call.wav")
	if out, err := exec.Command("opusdec", "--quiet", "--rate", "16000", filepath.Join(s.data, r.Recordings[0].File), wav).CombinedOutput(); err != nil {
		t.Fatalf("opusdec: %v\n%s", err, out)
	}
	left, right, rate := stereoFile(t, wav)
	if seconds := float64(len(left)) / float64(rate); seconds < r.Recordings[0].Seconds-0.1 || seconds > r.Recordings[0].Seconds+0.1 {
		t.Errorf("the file has %.2f s, the record says %.2f s", seconds, r.Recordings[0].Seconds)
	}
	n := len(left) - rate/2
	for _, c := range []struct {
		name       string
		samples    []int16
		own, other float64
	}{{"left", left[rate/4 : n], carrierTone, deskTone}, {"right", right[rate/4 : n], deskTone, carrierTone}} {
		if own, _ := share(c.samples, rate, c.own); own < 0.6 {
			t.Errorf("%s: its party's tone is in %.0f %% of it", c.name, 100*own)
		}
		if leak := goertzel(c.samples, rate, c.other); leak > 0.001 {
			t.Errorf("%s: the other party leaks into it: %.5f", c.name, leak)
		}
	}
}

// There is no room for a recording: the call goes on, and the owner's page says what is wrong until it is dismissed.
func TestRecordingWithoutRoom(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_RECORDING_MIN_FREE=999999999")
	s.applies("numbers:\n  - {number: \"+12025550004\", kind: personal, label: Bob, user: bob, record: always}\n")
	page := signIn(t, s, "ann", browserTone)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	page.sees(`[data-testid=alert-recording]`, 10*time.Second)
	if text := page.text(`[data-testid=alert-recording]`); !strings.Contains(text, "recording.min_free") {
		t.Errorf("the page says %q", text)
	}
	page.screenshot("alert")
	sipp.hears(deskTone)
	desk.hears(carrierTone)
	page.click(`[data-testid=alert-recording] button`)
	page.gone(`[data-testid=alert-recording]`, 5*time.Second)
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	tells(t, r, "not recorded: the disk is nearly full")
	if len(r.Recordings) != 0 {
		t.Errorf("recordings: %+v", r.Recordings)
	}
}

// The desk phone holds: neither the music nor what the parties say meanwhile is recorded, and the record marks when.
func TestHoldIsNotRecorded(t *testing.T) {
	s, desk, sipp := recorded(t, false)
	time.Sleep(time.Second)
	desk.do("hold", "")
	time.Sleep(3 * time.Second)
	desk.do("resume", "")
	sipp.hears(deskTone)
	time.Sleep(2 * time.Second)
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	if len(r.Recordings) != 1 || len(r.Recordings[0].Pauses) != 1 || !r.Recordings[0].Pauses[0].Hold || r.Recordings[0].Pauses[0].By != "bob" {
		t.Fatalf("recordings: %+v", r.Recordings)
	}
	left, right, rate := stereoFile(t, filepath.Join(s.data, r.Recordings[0].File))
	hold := r.Recordings[0].Pauses[0]
	for _, c := range []struct {
		name    string
		samples []int16
		own     float64
	}{{"left", left, carrierTone}, {"right", right, deskTone}} {
		held := c.samples[int((hold.From+0.2)*float64(rate)):int((hold.To-0.1)*float64(rate))]
		if _, quiet := share(held, rate, c.own); quiet < 0.99 {
			t.Errorf("%s: only %.0f %% of the hold are silent", c.name, 100*quiet)
		}
		after := c.samples[int((hold.To+0.3)*float64(rate)) : len(c.samples)-rate/3]
		if own, _ := share(after, rate, c.own); own < 0.6 {
			t.Errorf("%s: after the hold its party's tone is in %.0f %% of it", c.name, 100*own)
		}
	}
}
