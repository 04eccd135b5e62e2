package e2e

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
)

const annTone = 1300.0

// tells checks that the call's story has these lines.
func tells(t *testing.T, r store.CallRecord, lines ...string) {
	t.Helper()
	var story strings.Builder
	for _, e := range r.Events {
		story.WriteString(e.What + "\n")
	}
	for _, want := range lines {
		if !strings.Contains(story.String(), want) {
			t.Errorf("the record does not tell %q:\n%s", want, &story)
		}
	}
}

// A desk phone transfers an outside caller to a colleague by REFER; the carrier's session is left alone.
func TestBlindTransfer(t *testing.T) {
	s, bob, sipp := talking(t, waitBye)
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	annMark, bobMark := ann.mark(), bob.mark()
	bob.do("transfer", "201")
	ann.waitFor("CALL_INCOMING", annMark, 5*time.Second)
	ann.do("accept", "")
	bob.waitFor("CALL_CLOSED", bobMark, 5*time.Second)
	sipp.hears(annTone)
	ann.hears(carrierTone)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	if n := strings.Count(sipp.messages(), "\nINVITE sip:"); n != 1 {
		t.Errorf("the trunk saw %d INVITEs", n)
	}
	r := s.record(1)
	tells(t, r, "transfers +12025550999 to 201", "the transfer to 201 is done")
	if r.Disposition != store.Answered || r.AnsweredBy != "bob" || len(r.Participants) != 2 {
		t.Errorf("record: %s by %q, of %v", r.Disposition, r.AnsweredBy, r.Participants)
	}
	s.noCalls()
}

// The colleague is busy and has no mailbox: the phone that asked for the transfer is told why, and has the call back.
func TestTransferComesBack(t *testing.T) {
	s, bob, sipp := talking(t, waitBye)
	s.applies("users:\n  - {id: ann, name: Ann Lee, role: owner, extension: \"201\", call_waiting: true, voicemail: false}\n")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	annMark, bobMark := ann.mark(), bob.mark()
	bob.do("transfer", "201")
	ann.waitFor("CALL_INCOMING", annMark, 5*time.Second)
	ann.do("hangup", "") // 486
	bob.waitFor("TRANSFER_FAILED", bobMark, 5*time.Second)
	sipp.ends(10 * time.Second) // this phone hangs up then
	r := s.record(1)
	tells(t, r, "the transfer to 201 failed", "it has the call back")
	if r.Disposition != store.Answered || r.AnsweredBy != "bob" {
		t.Errorf("record: %s by %q", r.Disposition, r.AnsweredBy)
	}
	s.noCalls()
}
