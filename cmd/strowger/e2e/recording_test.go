package e2e

import (
	"encoding/binary"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

const noticeTone = 2100.0

// recordedOrganisation records the calls to bob's number, and tells the parties so.
const recordedOrganisation = `
company: {name: Test, timezone: America/New_York, region: US, ring_seconds: 20, recording: {announce: true}}
numbers:
  - {number: "+12025550004", kind: personal, label: Bob, user: bob, record: always}
`

// recorded is a call from the carrier to bob's desk, which is recorded by the number's rule.
func recorded(t *testing.T, announce bool) (*server, *baresip, *trunkPeer) {
	t.Helper()
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_RECORDING_MIN_FREE=1")
	s.prompt("rec-notice.wav", noticeTone, 3*time.Second)
	doc := recordedOrganisation
	if !announce {
		doc = strings.Replace(doc, ", recording: {announce: true}", "", 1)
	}
	s.applies(doc)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	if announce {
		sipp.hears(noticeTone)
		desk.hears(noticeTone)
	}
	sipp.hears(deskTone)
	desk.hears(carrierTone)
	return s, desk, sipp
}

// stereoFile reads a recording.
func stereoFile(t *testing.T, path string) (left, right []int16, rate int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 44 || string(b[:4]) != "RIFF" || binary.LittleEndian.Uint16(b[22:]) != 2 || int(binary.LittleEndian.Uint32(b[40:])) != len(b)-44 {
		t.Fatalf("%s: not a whole stereo WAV of %d octets", path, len(b))
	}
	for i := 44; i+3 < len(b); i += 4 {
		left = append(left, int16(binary.LittleEndian.Uint16(b[i:])))
		right = append(right, int16(binary.LittleEndian.Uint16(b[i+2:])))
	}
	return left, right, int(binary.LittleEndian.Uint32(b[24:]))
}

// share is how much of a channel, in parts of 100 ms, holds the tone, and how much is silent. On a busy machine parties
// stumble: what is made up for packets that come late is the tone too, out of step.
func share(samples []int16, rate int, hz float64) (tone, silence float64) {
	n := rate / 10
	parts := max(len(samples)/n, 1)
	for i := range parts {
		part := samples[min(i*n, len(samples)):min((i+1)*n, len(samples))]
		loudest := int16(0)
		for _, v := range part {
			loudest = max(loudest, v, -v)
		}
		if loudest > 500 && goertzel(part, rate, hz) > 0.7 {
			tone++
		}
		if loudest < 200 {
			silence++
		}
	}
	return tone / float64(parts), silence / float64(parts)
}

// A call is recorded because its number says so: both parties are told, each is in its channel, and a pause is silent. An
// owner listens, an agent may not, and the audit log knows.
func TestRecordedByRule(t *testing.T) {
	s, desk, sipp := recorded(t, true)
	id := s.active()["+12025550999"]
	time.Sleep(2 * time.Second)
	s.orders("/api/active/"+id+"/record", map[string]string{"do": "pause"})
	time.Sleep(3 * time.Second)
	s.orders("/api/active/"+id+"/record", map[string]string{"do": "resume"})
	time.Sleep(2 * time.Second)
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	tells(t, r, "the parties are told that the call is recorded", "recording begins: by rule: number", "recording is paused", "recording goes on")
	if len(r.Recordings) != 1 || r.Recordings[0].Ended != "stopped" || len(r.Recordings[0].Pauses) != 1 || r.Recordings[0].Missing != 0 {
		t.Fatalf("recordings: %+v", r.Recordings)
	}
	rec := r.Recordings[0]
	left, right, rate := stereoFile(t, filepath.Join(s.data, rec.File))
	if seconds := float64(len(left)) / float64(rate); seconds < rec.Seconds-0.1 || seconds > rec.Seconds+0.1 || seconds < 6 {
		t.Errorf("the file has %.2f s, the record says %.2f s", seconds, rec.Seconds)
	}
	pause := rec.Pauses[0]
	at := func(samples []int16, from, to float64) []int16 {
		return samples[int(from*float64(rate)):int(to*float64(rate))]
	}
	for _, side := range []struct {
		name       string
		samples    []int16
		own, other float64
	}{{"left", left, carrierTone, deskTone}, {"right", right, deskTone, carrierTone}} {
		before, after := at(side.samples, 0.2, pause.From-0.1), at(side.samples, pause.To+0.2, rec.Seconds-0.3)
		for _, talk := range [][]int16{before, after} {
			if own, _ := share(talk, rate, side.own); own < 0.6 {
				t.Errorf("%s: its party's tone is in %.0f %% of it", side.name, 100*own)
			}
			if other := goertzel(talk, rate, side.other); other > 0.02 {
				t.Errorf("%s: the other party leaks into it: %.3f", side.name, other)
			}
			if notice := goertzel(talk, rate, noticeTone); notice > 0.02 {
				t.Errorf("%s: the announcement is on it: %.3f", side.name, notice)
			}
		}
		if _, quiet := share(at(side.samples, pause.From+0.1, pause.To-0.1), rate, side.own); quiet < 0.99 {
			t.Errorf("%s: only %.0f %% of the pause are silent", side.name, 100*quiet)
		}
	}
	if out := s.cli("calls", r.ID); !strings.Contains(out, "recording "+rec.ID) || !strings.Contains(out, "MOS 4.") {
		t.Errorf("strowger calls prints\n%s", out)
	}
	s.listens(r.ID, rec.ID, int64(44+4*len(left)))
}

// listens fetches a recording as an owner, and finds that in the audit log.
func (s *server) listens(call, recording string, size int64) {
	s.t.Helper()
	path := "/api/calls/" + call + "/recordings/" + recording
	resp, err := http.Get(s.ready.HTTP + path + "/audio")
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		s.t.Errorf("a stranger gets %s", resp.Status)
	}
	var audio []byte
	if code := s.api("GET", path+"/audio", &audio); code != 200 || int64(len(audio)) != size {
		s.t.Errorf("the audio: %d, %d octets of %d", code, len(audio), size)
	}
	if code := s.api("DELETE", path, nil); code != 204 {
		s.t.Errorf("deleting it: %d", code)
	}
	if code := s.api("GET", path+"/audio", nil); code != 404 {
		s.t.Errorf("after that: %d", code)
	}
	var audit struct{ Entries []store.AuditEntry }
	s.api("GET", "/api/audit", &audit)
	var told []string
	for _, e := range audit.Entries {
		if e.Object == recording {
			told = append(told, e.Actor+" "+e.Action)
		}
	}
	if got := strings.Join(told, ", "); got != "admin recording.delete, admin recording.listen" {
		s.t.Errorf("the audit log tells %q", got)
	}
}

// The callee transfers: who comes takes its side, the caller keeps the other.
func TestRecordingOfATransfer(t *testing.T) {
	s, bob, sipp := recorded(t, false)
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	annMark, bobMark := ann.mark(), bob.mark()
	bob.do("transfer", "201")
	ann.waitFor("CALL_INCOMING", annMark, 5*time.Second)
	time.Sleep(time.Second) // it rings: nobody is recorded
	ann.do("accept", "")
	bob.waitFor("CALL_CLOSED", bobMark, 5*time.Second)
	sipp.hears(annTone)
	ann.hears(carrierTone)
	time.Sleep(2 * time.Second)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	r := s.record(1)
	if len(r.Recordings) != 1 {
		t.Fatalf("recordings: %+v", r.Recordings)
	}
	left, right, rate := stereoFile(t, filepath.Join(s.data, r.Recordings[0].File))
	tail := len(left) - 2*rate
	if own, _ := share(left[tail:len(left)-rate/4], rate, carrierTone); own < 0.6 {
		t.Errorf("left, at the end: the caller's tone is in %.0f %% of it", 100*own)
	}
	if own, _ := share(right[tail:len(right)-rate/4], rate, annTone); own < 0.6 {
		t.Errorf("right, at the end: ann's tone is in %.0f %% of it", 100*own)
	}
	if own, _ := share(right[rate/5:rate], rate, deskTone); own < 0.25 { // ann's phone is being started meanwhile
		t.Errorf("right, at the beginning: bob's tone is in %.0f %% of it", 100*own)
	}
	for _, hz := range []float64{deskTone, annTone} {
		if leak := goertzel(left, rate, hz); leak > 0.02 {
			t.Errorf("left: %v Hz leaks into it: %.3f", hz, leak)
		}
	}
}

// The power fails while a call is recorded: after the next start the recording is in the record of the interrupted call.
func TestCrashDuringRecording(t *testing.T) {
	s, _, _ := recorded(t, false)
	begun := time.Now()
	time.Sleep(3 * time.Second)
	s.proc.kill()
	lasted := time.Since(begun).Seconds()
	s.start()
	r := s.record(1)
	if r.Disposition != store.Interrupted || len(r.Recordings) != 1 || r.Recordings[0].Ended != "interrupted" || r.Recordings[0].Seconds < lasted-1 {
		t.Fatalf("%s, recordings %+v; want one of %.1f s at least", r.Disposition, r.Recordings, lasted-1)
	}
	left, right, rate := stereoFile(t, filepath.Join(s.data, r.Recordings[0].File))
	caller, _ := share(left[len(left)-rate:], rate, carrierTone)
	callee, _ := share(right[len(right)-rate:], rate, deskTone)
	if caller < 0.6 || callee < 0.6 {
		t.Errorf("the last second holds the caller's tone to %.0f %%, the callee's to %.0f %%", 100*caller, 100*callee)
	}
}

// The carrier's packets get lost, and then none come: the live view and the record tell, and how it sounded.
func TestQualityIsTold(t *testing.T) {
	s, desk, sipp := talking(t, waitBye)
	sipp.rtp.loses(6)
	type live struct {
		Calls []struct {
			Legs []struct{ Troubles []string }
		}
	}
	troubled := func(trouble string) func() bool {
		return func() bool {
			var l live
			s.api("GET", "/api/active", &l)
			return len(l.Calls) == 1 && strings.Contains(strings.Join(l.Calls[0].Legs[0].Troubles, ","), trouble)
		}
	}
	eventually(t, "the loss should be told", 15*time.Second, troubled("high packet loss"))
	var quality struct {
		Calls []struct {
			Legs []struct{ Media store.MediaStat }
		}
	}
	s.api("GET", "/api/active/quality", &quality)
	if len(quality.Calls) != 1 || len(quality.Calls[0].Legs) != 2 {
		t.Fatalf("%+v", quality)
	}
	if in := quality.Calls[0].Legs[0].Media.In; in.Lost == 0 || in.MOS > 4.2 || in.MOS < 1.5 || in.ConcealedMS < 20 {
		t.Errorf("the carrier's side: %+v", in)
	}
	if in := quality.Calls[0].Legs[1].Media.In; in.Lost != 0 || in.MOS < 4.2 {
		t.Errorf("the desk's side: %+v", in)
	}
	sipp.rtp.loses(0)
	sipp.rtp.silence(true)
	eventually(t, "the silence should be told", 20*time.Second, troubled("one-way audio"))
	sipp.rtp.silence(false)
	desk.hears(carrierTone)
	over := troubled("one-way audio")
	eventually(t, "its end should be told", 10*time.Second, func() bool { return !over() })
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	tells(t, s.record(1), "high packet loss: ", "one-way audio: nothing is received from +12025550999", "one-way audio is over")
}

// The demo's number that answers and sends no audio.
func TestDemoOneWay(t *testing.T) {
	s := demo(t)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	desk.do("dial", "+12025550195")
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	var list struct {
		Calls []struct {
			Legs []struct{ Troubles []string }
		}
	}
	eventually(t, "one-way audio should be told", 20*time.Second, func() bool {
		s.api("GET", "/api/active", &list)
		return len(list.Calls) == 1 && len(list.Calls[0].Legs) == 2 && strings.Contains(strings.Join(list.Calls[0].Legs[1].Troubles, ","), "one-way audio")
	})
	desk.do("hangup", "")
	tells(t, s.record(1), "one-way audio: nothing is received from")
}
