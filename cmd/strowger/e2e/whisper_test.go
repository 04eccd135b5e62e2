package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

const whisperTone = 2700.0

// A call goes to an outside line that has to press 1: it hears what the call is about first, the caller hears ringing, and
// nobody is connected before the key.
func TestWhisperAndPressOne(t *testing.T) {
	dir := t.TempDir()
	voice, tone := filepath.Join(dir, "voice"), filepath.Join(dir, "tone.wav")
	writeTone(t, tone, 8000, whisperTone, 2*time.Second)
	if err := os.WriteFile(voice, []byte("#!/bin/sh\necho \"$1\" >> "+dir+"/said\ncp "+tone+" \"$2\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	outside := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, "")+carrierTrunk("outside", carrier2IP, outside, ", priority: -1"),
		"STROWGER_CALLS_SPEECH="+voice+" {text} {file}")
	s.applies(`numbers:
  - {number: "+12025550006", kind: company, label: Sales, forward_to: "+12025550150", call_connect: true, whisper: "Call for {label} from {caller}"}
`)
	callee := carrierAnswers(t, carrier2IP, outside, outsideTone, 300*time.Millisecond, provisional(180, false))
	sipp := carrierCalls(t, s, "+12025550006", "+12025550900", byeAfter(3*time.Second))
	callee.hears(whisperTone)
	callee.rtp.press('1')
	sipp.hears(outsideTone)
	callee.hears(carrierTone)
	sipp.ends(15 * time.Second)
	if said, _ := os.ReadFile(filepath.Join(dir, "said")); string(said) != "Call for Sales from Dee Poe\n" {
		t.Errorf("the whisper was %q", said)
	}
	if r := s.record(1); r.Disposition != store.Answered || r.AnsweredBy != "+12025550150" {
		t.Errorf("record: %s by %q", r.Disposition, r.AnsweredBy)
	}
	s.noCalls()
}

// Whoever answers the outside line and presses another key, or none, is not connected: the caller goes on to voicemail.
func TestOutsideLineIsNotConfirmed(t *testing.T) {
	for _, key := range []byte{'2', 0} {
		name := "silence"
		if key != 0 {
			name = "key " + string(key)
		}
		t.Run(name, func(t *testing.T) {
			outside := freePort(t, "udp")
			s := serve(t, carrierTrunk("acme", carrierIP, 5060, "")+carrierTrunk("outside", carrier2IP, outside, ", priority: -1"))
			s.applies("numbers:\n  - {number: \"+12025550006\", kind: company, label: Sales, forward_to: \"+12025550150\", call_connect: true}\n")
			callee := carrierAnswers(t, carrier2IP, outside, outsideTone, 300*time.Millisecond, provisional(180, false))
			sipp := carrierCalls(t, s, "+12025550006", "+12025550900", byeAfter(3*time.Second))
			eventually(t, "the outside line should be asked", eventTimeout, func() bool {
				return strings.Contains(callee.messages(), "ACK sip:")
			})
			if key != 0 {
				callee.rtp.press(key)
			}
			eventually(t, "the outside line should be let go", 40*time.Second, func() bool {
				return strings.Contains(callee.messages(), "BYE sip:")
			})
			sipp.ends(30 * time.Second)
			r := s.record(1)
			if r.AnsweredBy != "" || r.Disposition == store.Answered {
				t.Errorf("record: %s by %q", r.Disposition, r.AnsweredBy)
			}
			s.noCalls()
		})
	}
}
