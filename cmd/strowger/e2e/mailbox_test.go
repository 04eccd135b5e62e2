package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// lamp waits until the phone was told of so many new and old messages last.
func (b *baresip) lamp(fresh, old int) {
	b.t.Helper()
	want := fmt.Sprintf("Voice-Message: %d/%d", fresh, old)
	eventually(b.t, b.name+" should be told "+want, 10*time.Second, func() bool {
		log := b.log.String()
		i := strings.LastIndex(log, "Voice-Message: ")
		return i >= 0 && strings.HasPrefix(log[i:], want)
	})
}

type messages struct {
	Voicemails []struct {
		ID      string
		Seconds float64
		Heard   bool
		HeardBy string `json:"heard_by"`
	}
}

func (s *server) messages(n int) messages {
	s.t.Helper()
	var list messages
	eventually(s.t, fmt.Sprintf("there should be %d messages", n), 10*time.Second, func() bool {
		list = messages{}
		return s.api("GET", "/api/voicemails", &list) == 200 && len(list.Voicemails) == n
	})
	return list
}

// A caller leaves a message for bob, who has declined; the lamp of his phone is lit; he hears the message by *97 and
// the lamp changes; the message is deleted by the API, brought back and deleted by phone, and the lamp goes out.
func TestMailboxByPhone(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{Lamp: true})
	bob.lamp(0, 0)
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(14*time.Second))
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("hangup", "")
	sipp.ends(30 * time.Second)
	if r := s.record(1); r.Disposition != store.VoicemailOK {
		t.Fatalf("record: %s (%s)", r.Disposition, r.Reason)
	}
	bob.lamp(1, 0)

	mark = bob.mark()
	bob.do("dial", "*97")
	bob.waitFor("CALL_ESTABLISHED", mark, 5*time.Second)
	time.Sleep(time.Second)
	bob.keysIn("1")
	bob.hears(carrierTone)
	bob.lamp(0, 1)
	list := s.messages(1)
	if vm := list.Voicemails[0]; !vm.Heard || vm.HeardBy != "bob" {
		t.Errorf("by the API: %+v", vm)
	}
	path := "/api/voicemails/" + list.Voicemails[0].ID
	if code := s.api("DELETE", path, nil); code != 204 {
		t.Errorf("delete: %d", code)
	}
	bob.lamp(0, 0)
	if code := s.api("POST", path+"/restore", nil); code != 200 {
		t.Errorf("restore: %d", code)
	}
	bob.lamp(0, 1)
	bob.keysIn("7")
	bob.lamp(0, 0)
	s.messages(0)
	bob.keysIn("7") // and back
	bob.lamp(0, 1)
	bob.do("hangup", "")
	s.noCalls()
	if code := s.api("DELETE", path, nil); code != 204 {
		t.Errorf("delete: %d", code)
	}
	bob.lamp(0, 0)
}

// The server is killed while a message is being left: it is there after the restart, up to the last second.
func TestMessageSurvivesKill(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	carrierCalls(t, s, "+12025550003", "+12025550999", waitBye)
	eventually(t, "the message should be recorded", 20*time.Second, func() bool {
		parts, err := filepath.Glob(filepath.Join(s.data, "voicemail", "*", "*.part"))
		return err == nil && len(parts) == 1
	})
	begun := time.Now()
	time.Sleep(6 * time.Second)
	s.proc.kill()
	lasted := time.Since(begun)
	s.start()
	list := s.messages(1)
	if lost := lasted.Seconds() - list.Voicemails[0].Seconds; lost > 1.2 {
		t.Errorf("the message has %.1f s; %.1f s of it are lost", list.Voicemails[0].Seconds, lost)
	}
	var wav []byte
	if code := s.api("GET", "/api/voicemails/"+list.Voicemails[0].ID+"/audio", &wav); code != 200 {
		t.Fatalf("the audio: %d", code)
	}
	file := filepath.Join(t.TempDir(), "message.wav")
	if err := os.WriteFile(file, wav, 0o600); err != nil {
		t.Fatal(err)
	}
	samples, rate := readWAV(file)
	if !carries(samples, rate, carrierTone) {
		t.Error("the message does not hold the caller's tone")
	}
	if r := s.record(1); r.Disposition != store.Interrupted {
		t.Errorf("the call's record: %s", r.Disposition)
	}
}

// Bob records a temporary greeting by *97, and the next caller hears it.
func TestGreetingByPhone(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := bob.mark()
	bob.do("dial", "*97")
	bob.waitFor("CALL_ESTABLISHED", mark, 5*time.Second)
	time.Sleep(time.Second)
	for _, key := range []string{"0", "3", "2"} { // options, temporary greeting, record
		bob.keysIn(key)
		time.Sleep(500 * time.Millisecond)
	}
	time.Sleep(7 * time.Second) // it is told how, and then speaks
	bob.keysIn("#")
	time.Sleep(time.Second)
	bob.keysIn("1") // keeps it
	eventually(t, "the greeting should be there", 10*time.Second, func() bool {
		return s.api("GET", "/api/mailboxes/bob/greetings/temporary", nil) == 200
	})
	bob.do("hangup", "")
	s.noCalls()
	mark = bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("hangup", "")
	sipp.hears(deskTone)
}
