package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strowger/store"
)

// Told to stop, the server lets the calls in progress end by themselves, and takes no new ones meanwhile.
func TestStopWaitsForCalls(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_CALLS_DRAIN=1m")
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	desk.waitFor("CALL_INCOMING", mark, eventTimeout)
	desk.do("accept", "")
	desk.hears(carrierTone)

	s.proc.cmd.Process.Signal(syscall.SIGTERM)
	eventually(t, "the server should say that it waits", eventTimeout, func() bool { return strings.Contains(s.log.String(), "waiting for calls to end") })
	late := carrierPlays(t, s, "+12025550001", "+12025550911", script(invites(1, "", "SDP"), gets(503, "Retry-After"), ofInvite("ACK", 1)))
	late.ends(eventTimeout)
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	if s.proc.ended(0) {
		t.Fatal("the server stopped during a call")
	}
	desk.do("hangup", "")
	sipp.ends(eventTimeout)
	if !s.proc.ended(eventTimeout) || s.proc.err != nil {
		t.Fatalf("after the last call the server should stop: %v", s.proc.err)
	}
	if r := s.record(1); r.Disposition != store.Answered || r.EndedBy != "callee" {
		t.Errorf("record: %s, ended by %s", r.Disposition, r.EndedBy)
	}
}

// Told twice, it hangs up and says so in the record.
func TestSecondSignalStopsNow(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_CALLS_DRAIN=1m")
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	desk.waitFor("CALL_INCOMING", mark, eventTimeout)
	desk.do("accept", "")
	desk.hears(carrierTone)
	s.proc.cmd.Process.Signal(syscall.SIGTERM)
	eventually(t, "the server should say that it waits", eventTimeout, func() bool { return strings.Contains(s.log.String(), "waiting for calls to end") })
	s.proc.cmd.Process.Signal(syscall.SIGTERM)
	desk.waitFor("CALL_CLOSED", mark, eventTimeout)
	sipp.ends(eventTimeout)
	if !s.proc.ended(eventTimeout) || s.proc.err != nil {
		t.Fatalf("the server should have stopped: %v", s.proc.err)
	}
	if r := s.record(1); r.Disposition != store.Answered || r.EndedBy != "us" {
		t.Errorf("record: %s, ended by %s", r.Disposition, r.EndedBy)
	}
}

// The power fails while a caller leaves a message: after the next start the call is recorded as interrupted, and what was
// said is in the mailbox.
func TestCrashDuringVoicemail(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Refresh: 3600})
	carrierCalls(t, s, "+12025550003", "+12025550900", waitBye)
	part := func() int64 {
		files, _ := filepath.Glob(filepath.Join(s.data, "voicemail", "*", "*.part"))
		if len(files) != 1 {
			return 0
		}
		info, err := os.Stat(files[0])
		if err != nil {
			return 0
		}
		return info.Size()
	}
	eventually(t, "two seconds of a message should be on the disk", 30*time.Second, func() bool { return part() > 2*2*8000 })
	s.proc.kill()
	s.start()

	r := s.record(1)
	if r.Disposition != store.Interrupted || r.End.IsZero() {
		t.Errorf("record: %s, ended %v", r.Disposition, r.End)
	}
	var list struct {
		Voicemails []struct {
			ID      string
			Seconds float64
		}
	}
	if code := s.api("GET", "/api/voicemails", &list); code != 200 {
		t.Fatalf("the messages: %d", code)
	}
	if len(list.Voicemails) != 1 || list.Voicemails[0].Seconds < 1.5 {
		t.Fatalf("messages: %+v", list)
	}
	var wav []byte
	if code := s.api("GET", "/api/voicemails/"+list.Voicemails[0].ID+"/audio", &wav); code != 200 {
		t.Fatalf("the audio: %d", code)
	}
	file := filepath.Join(t.TempDir(), "message.wav")
	if err := os.WriteFile(file, wav, 0o600); err != nil {
		t.Fatal(err)
	}
	if samples, rate := readWAV(file); !carries(samples, rate, carrierTone) {
		t.Errorf("the message (%d samples at %d Hz) does not hold the caller's tone", len(samples), rate)
	}
	if !s.registered(desk.name) {
		t.Error("the registration is lost")
	}
}
