package e2e

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
)

const musicTone = 2300.0

// reinvite is the carrier's re-INVITE that says this direction, "" = sendrecv.
func reinvite(seq int, direction string) string {
	body := "SDP"
	if direction != "" {
		body += ":" + direction
	}
	return within("INVITE", seq, "", body) + gets(200, "") + within("ACK", seq, "", "")
}

// talking is a carrier's call that bob's desk phone has answered; the music on hold is a tone.
func talking(t *testing.T, rest string) (*server, *baresip, *trunkPeer) {
	t.Helper()
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", rest)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	sipp.hears(deskTone)
	desk.hears(carrierTone)
	return s, desk, sipp
}

// A desk phone holds: the carrier hears the company's music, and its session is left alone.
func TestPhoneHolds(t *testing.T) {
	s, desk, sipp := talking(t, waitBye)
	for range 2 {
		desk.do("hold", "")
		sipp.hears(musicTone)
		desk.do("resume", "")
		sipp.hears(deskTone)
	}
	if n := sipp.rtp.sources(); n != 1 {
		t.Errorf("the carrier saw %d RTP sources, music must not be another one", n)
	}
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	if n := strings.Count(sipp.messages(), "\nINVITE sip:"); n != 1 {
		t.Errorf("the trunk saw %d INVITEs: the hold was passed on", n)
	}
	r := s.record(1)
	story := ""
	for _, e := range r.Events {
		story += e.What + "\n"
	}
	if r.Disposition != store.Answered || strings.Count(story, "holds") != 2 || strings.Count(story, "resumes") != 2 {
		t.Errorf("record: %s\n%s", r.Disposition, story)
	}
	s.noCalls()
}

// The carrier holds: the phone hears music until it is back.
func TestCarrierHolds(t *testing.T) {
	s, desk, sipp := talking(t, pause(5*time.Second)+reinvite(2, "sendonly")+pause(5*time.Second)+reinvite(3, "")+waitBye)
	desk.hears(musicTone)
	desk.hears(carrierTone) // the carrier is back
	sipp.hears(deskTone)
	desk.do("hangup", "")
	sipp.ends(10 * time.Second)
	s.record(1)
	s.noCalls()
}
