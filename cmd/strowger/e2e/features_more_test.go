package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"strowger/store"
)

// orders gives a command to the oldest call by the API, as an owner.
func (s *server) orders(path string, body map[string]string) {
	s.t.Helper()
	data, _ := json.Marshal(body)
	req, err := http.NewRequest(http.MethodPost, s.ready.HTTP+path, bytes.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.ready.AdminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		s.t.Fatalf("%s: %s", path, resp.Status)
	}
}

// active are the ids of the calls in progress, by whom they are from.
func (s *server) active() map[string]string {
	s.t.Helper()
	var list []struct{ ID, From string }
	if err := json.Unmarshal([]byte(s.cli("calls", "--active", "--json")), &list); err != nil {
		s.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, c := range list {
		ids[c.From] = c.ID
	}
	return ids
}

// A call that rings at bob's is taken by ann, with the extension and from the group; one is parked by keys and taken elsewhere;
// the last caller is called back.
func TestPickupParkAndRedialByCode(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies(officeOrganisation)
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	ann := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	for _, code := range []string{"**202", "*8"} {
		mark := bob.mark()
		sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
		bob.waitFor("CALL_INCOMING", mark, eventTimeout)
		ann.do("dial", code)
		sipp.hears(outsideTone)
		ann.hears(carrierTone)
		bob.waitFor("CALL_CLOSED", mark, eventTimeout)
		mark = ann.mark()
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
		s.noCalls()
	}

	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	sipp.hears(deskTone)
	bob.keysIn("##701#")
	bob.waitFor("CALL_CLOSED", mark, eventTimeout)
	sipp.hears(musicTone)
	ann.do("dial", "701")
	sipp.hears(outsideTone)
	ann.hears(carrierTone)
	ann.do("hangup", "")
	sipp.ends(eventTimeout)
	s.noCalls()

	mark = ann.mark()
	bob.do("dial", "201")
	ann.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("hangup", "")
	ann.waitFor("CALL_CLOSED", mark, eventTimeout)
	s.noCalls()
	s.record(7) // bob's call is the last of the seven that are kept
	mark = bob.mark()
	ann.do("dial", "*69")
	bob.waitFor("CALL_INCOMING", mark, 15*time.Second)
	bob.do("accept", "")
	bob.hears(outsideTone)
	bob.do("hangup", "")
	s.noCalls()
}

// A user on a call is rung when call waiting is on, and busy when it is off.
func TestCallWaiting(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	bob.do("dial", "*43")
	bob.hears(deskTone)
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	sipp.hears(deskTone)
	bob.do("hangup", "")
	sipp.ends(eventTimeout)
	bob.do("hangup", "")
	s.noCalls()

	s.applies(`users: [{id: bob, name: Bob Ray, role: agent, extension: "202"}]`)
	bob.do("dial", "*43")
	bob.hears(deskTone)
	mark = bob.mark()
	sipp = carrierCalls(t, s, "+12025550004", "+12025550998", byeAfter(3*time.Second))
	sipp.ends(20 * time.Second)
	if bob.saw("CALL_INCOMING", mark) {
		t.Error("a user without call waiting is rung during a call")
	}
	bob.do("hangup", "")
	s.noCalls()
}

// Two calls of ann's are merged by the API: all three hear each other; when one leaves, the others go on.
func TestMergedCalls(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies(officeOrganisation)
	ann := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), browserTone, baresipOptions{})
	mark := ann.mark()
	bob.do("dial", "201")
	ann.waitFor("CALL_INCOMING", mark, eventTimeout)
	ann.do("accept", "")
	bob.hears(outsideTone)
	ann.do("hold", "")
	mark = cyd.mark()
	ann.do("dial", "203")
	cyd.waitFor("CALL_INCOMING", mark, eventTimeout)
	cyd.do("accept", "")
	cyd.hears(outsideTone)
	ids := s.active()
	s.orders("/api/active/"+ids["201"]+"/merge", map[string]string{"user": "ann", "with": ids["202"]})
	bob.mix([]float64{outsideTone, browserTone}, []float64{deskTone})
	cyd.mix([]float64{outsideTone, deskTone}, []float64{browserTone})
	ann.mix([]float64{deskTone, browserTone}, []float64{outsideTone})
	ann.do("hangup", "")
	bob.hears(browserTone)
	cyd.hears(deskTone)
	bob.do("hangup", "")
	s.noCalls()
	s.record(2)
	for _, r := range s.records() {
		if r.Disposition != store.Answered || len(r.Related) != 1 {
			t.Errorf("record of %s: %s, related to %v", r.From, r.Disposition, r.Related)
		}
	}
}
