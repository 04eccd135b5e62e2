package e2e

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// onPage is a carrier's call that ann has answered on her page; bob has a desk phone, and the music on hold is a tone.
func onPage(t *testing.T) (*server, *browser, *baresip, *trunkPeer) {
	t.Helper()
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	page := signIn(t, s, "ann", browserTone)
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	page.sees(`[data-testid=incoming]`, eventTimeout)
	page.click(`[data-testid=incoming-answer]`)
	page.sees(`[data-testid=call-panel][data-phase=up]`, eventTimeout)
	page.hears(carrierTone)
	return s, page, bob, sipp
}

// The page holds and resumes: the caller hears music meanwhile.
func TestPageHolds(t *testing.T) {
	s, page, _, sipp := onPage(t)
	page.click(`[data-testid=call-hold]`)
	page.sees(`[data-testid=call-panel][data-held=true]`, eventTimeout)
	sipp.hears(musicTone)
	page.screenshot("held")
	page.click(`[data-testid=call-hold]`)
	page.sees(`[data-testid=call-panel][data-held=false]`, eventTimeout)
	sipp.hears(browserTone)
	page.hears(carrierTone)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(eventTimeout)
	s.record(1)
	s.noCalls()
}

// The page passes a caller on at once.
func TestPageTransfersAtOnce(t *testing.T) {
	s, page, bob, sipp := onPage(t)
	mark := bob.mark()
	page.click(`[data-testid=call-transfer]`)
	page.fill(`[data-testid=pass-on-input]`, "Bob")
	page.screenshot("transfer")
	page.click(`[data-testid=transfer-now]`)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	page.gone(`[data-testid=call-hangup]`, eventTimeout)
	sipp.hears(deskTone)
	bob.hears(carrierTone)
	bob.do("hangup", "")
	sipp.ends(eventTimeout)
	r := s.record(1)
	if r.Disposition != store.Answered {
		t.Errorf("record: %s", r.Disposition)
	}
	tells(t, r, "to 202")
	s.noCalls()
}

// The page asks a colleague first, goes back to the caller and to the colleague again, and then passes the caller on.
func TestPageAsksFirst(t *testing.T) {
	s, page, bob, sipp := onPage(t)
	mark := bob.mark()
	page.click(`[data-testid=call-transfer]`)
	page.fill(`[data-testid=pass-on-input]`, "202")
	page.click(`[data-testid=pass-on-call]`)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	sipp.hears(musicTone)
	bob.do("accept", "")
	page.sees(`[data-testid=transfer-complete]`, eventTimeout)
	page.hears(deskTone)
	bob.hears(browserTone)
	page.screenshot("asks")

	page.click(`[data-testid=other-resume]`) // back to the caller: the colleague waits
	bob.hears(musicTone)
	sipp.hears(browserTone)
	page.hears(carrierTone)
	page.click(`[data-testid=other-resume]`)
	page.hears(deskTone)

	page.click(`[data-testid=transfer-complete]`)
	page.gone(`[data-testid=call-hangup]`, eventTimeout)
	sipp.hears(deskTone)
	bob.hears(carrierTone)
	bob.do("hangup", "")
	sipp.ends(eventTimeout)
	for _, r := range s.records() {
		if r.End.IsZero() {
			t.Errorf("record %s is open", r.ID)
		}
	}
	if n := strings.Count(sipp.messages(), "\nINVITE sip:"); n != 1 {
		t.Errorf("the trunk saw %d INVITEs", n)
	}
	s.noCalls()
}

// A second call comes in: the first is put on hold, and resumed when the second is over.
func TestPageTakesASecondCall(t *testing.T) {
	s, page, bob, sipp := onPage(t)
	bob.do("dial", "201")
	page.sees(`[data-testid=incoming]`, eventTimeout)
	page.screenshot("second")
	page.click(`[data-testid=incoming-answer]`)
	page.hears(deskTone)
	sipp.hears(musicTone)
	page.screenshot("two-calls")
	bob.do("hangup", "")
	page.sees(`[data-testid=other-resume], [data-testid=call-panel][data-held=true]`, eventTimeout)
	page.gone(`[data-testid=call-panel][data-phase=ended]`, eventTimeout)
	page.click(`[data-testid=call-hold]`)
	sipp.hears(browserTone)
	page.hears(carrierTone)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(eventTimeout)
	s.noCalls()
}

// The page adds a colleague to a call: three talk, and the page shows who; then the caller is parked and taken back.
func TestPageMergesAndParks(t *testing.T) {
	s, page, bob, sipp := onPage(t)
	mark := bob.mark()
	page.click(`[data-testid=call-add]`)
	page.fill(`[data-testid=pass-on-input]`, "202")
	page.click(`[data-testid=pass-on-call]`)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	page.hears(deskTone)
	page.click(`[data-testid=call-merge]`)
	page.sees(`[data-testid=members]`, eventTimeout)
	bob.mix([]float64{carrierTone, browserTone}, []float64{deskTone})
	page.screenshot("merged")

	bob.do("hangup", "")
	page.gone(`[data-testid=members]`, eventTimeout)
	sipp.hears(browserTone)
	page.click(`[data-testid=call-park]`)
	page.gone(`[data-testid=call-hangup]`, eventTimeout)
	sipp.hears(musicTone)
	page.sees(`[data-testid=retrieve-call]`, eventTimeout)
	page.screenshot("parked")
	page.click(`[data-testid=retrieve-call]`)
	page.sees(`[data-testid=call-panel][data-phase=up]`, eventTimeout)
	sipp.hears(browserTone)
	page.hears(carrierTone)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(eventTimeout)
	s.noCalls()
}

// The page records a call, pauses, and stops.
func TestPageRecords(t *testing.T) {
	s, page, _, sipp := onPage(t)
	page.click(`[data-testid=call-record]`)
	page.sees(`[data-testid=call-record][data-on=true]`, eventTimeout)
	page.sees(`[data-testid=call-record-pause]`, eventTimeout)
	page.click(`[data-testid=call-record-pause]`)
	page.sees(`[data-testid=call-record-pause][data-on=true]`, eventTimeout)
	page.screenshot("recorded")
	page.click(`[data-testid=call-record]`)
	page.sees(`[data-testid=call-record][data-on=false]`, eventTimeout)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(eventTimeout)
	if r := s.record(1); len(r.Recordings) != 1 {
		t.Errorf("the record names %d recordings", len(r.Recordings))
	}
	page.click(`[data-testid=recent-open]`)
	page.sees(`[data-testid=recording] audio`, eventTimeout)
	page.screenshot("details")
	s.noCalls()
}

// A script answers the call that rings a page: with the admin token, for ann.
func TestPageAnswersOnRequest(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	page := signIn(t, s, "ann", browserTone)
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	page.sees(`[data-testid=incoming]`, eventTimeout)
	for _, id := range s.active() {
		s.orders("/api/active/"+id+"/answer", map[string]string{"user": "ann"})
	}
	page.sees(`[data-testid=call-panel][data-phase=up]`, eventTimeout)
	page.hears(carrierTone)
	sipp.hears(browserTone)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(eventTimeout)
	s.noCalls()
}

// The page passes a caller into a colleague's mailbox without ringing anybody.
func TestPageTransfersToVoicemail(t *testing.T) {
	s, page, _, sipp := onPage(t)
	page.click(`[data-testid=call-transfer]`)
	page.fill(`[data-testid=pass-on-input]`, "202")
	page.click(`[data-testid=transfer-voicemail]`)
	page.gone(`[data-testid=call-hangup]`, eventTimeout)
	eventually(t, "the caller should be in the mailbox", eventTimeout, func() bool {
		var list struct{ Calls []struct{ Voicemail bool } }
		return s.api("GET", "/api/active", &list) == 200 && len(list.Calls) == 1 && list.Calls[0].Voicemail
	})
	time.Sleep(14 * time.Second) // the greeting, and something said
	for _, id := range s.active() {
		s.api("DELETE", "/api/active/"+id, nil)
	}
	sipp.ends(eventTimeout)
	s.messages(1)
	s.record(1)
}
