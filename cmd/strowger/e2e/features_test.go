package e2e

import (
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// officeOrganisation has five users with call waiting, rooms and a page.
const officeOrganisation = `
users:
  - {id: ann, name: Ann Lee, role: owner, extension: "201", call_waiting: true}
  - {id: bob, name: Bob Ray, role: agent, extension: "202", call_waiting: true}
  - {id: cyd, name: Cyd Fox, extension: "203", call_waiting: true}
  - {id: dee, name: Dee Poe, extension: "204", call_waiting: true}
  - {id: eve, name: Eve Orr, extension: "205", call_waiting: true}
features:
  rooms:
    - {extension: "801"}
    - {extension: "802", pin: "4711", moderator_pin: "0815"}
  pages:
    - {extension: "850", users: [ann, bob, cyd]}
  emergency: {numbers: ["333"], callback: "+12025550001", location: Main Street 1}
`

// keys presses keys one after the other.
func (b *baresip) keysIn(keys string) {
	b.t.Helper()
	for _, k := range keys {
		b.do("sndcode", string(k))
		time.Sleep(250 * time.Millisecond) // a key's length, and the pause after it
		b.do("sndcode", "")
		time.Sleep(150 * time.Millisecond)
	}
}

// mix waits until the phone hears all these tones at once, and none of those.
func (b *baresip) mix(hear, not []float64) {
	b.t.Helper()
	share := func(hz float64) float64 {
		samples, rate := readWAV(b.recorded())
		if n := rate * 2 / 5; rate > 0 && len(samples) >= n {
			return goertzel(samples[len(samples)-n:], rate, hz)
		}
		return 0
	}
	eventually(b.t, b.name+" should hear the others and not itself", 15*time.Second, func() bool {
		for _, hz := range hear {
			if share(hz) < 0.5/float64(len(hear)) {
				return false
			}
		}
		for _, hz := range not {
			if share(hz) > 0.02 {
				return false
			}
		}
		return true
	})
}

// Five phones in a room: each hears the four others and never itself. When one leaves, the others go on; the last one out
// ends it.
func TestFiveInAConference(t *testing.T) {
	s := serve(t, "")
	s.applies(officeOrganisation)
	names := []string{"ann", "bob", "cyd", "dee", "eve"}
	tones := []float64{430, 620, 830, 1170, 1510}
	var phones []*baresip
	for i, name := range names {
		b := newBaresip(t, s, s.phone(name, "desk"), tones[i], baresipOptions{})
		b.do("dial", "801")
		phones = append(phones, b)
	}
	for i, b := range phones {
		var others []float64
		for k, hz := range tones {
			if k != i {
				others = append(others, hz)
			}
		}
		b.mix(others, tones[i:i+1])
	}
	phones[0].do("hangup", "")
	phones[1].mix(tones[2:], tones[:2])
	for _, b := range phones[1:] {
		b.do("hangup", "")
	}
	s.noCalls()
	s.record(6) // one for each who dialled, one for the conference
	rooms := 0
	for _, r := range s.records() {
		if r.FromUser == "" && r.To == "801" {
			rooms++
			if len(r.Legs) != 5 || r.Disposition != store.Answered {
				t.Errorf("the conference's record: %s, %d legs", r.Disposition, len(r.Legs))
			}
		}
	}
	if rooms != 1 {
		t.Errorf("%d records of the conference", rooms)
	}
}

// A room with a PIN: the wrong one is refused, the right one lets in, the moderator locks the room.
func TestConferenceByPIN(t *testing.T) {
	s := serve(t, "")
	s.applies(officeOrganisation)
	ann := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), outsideTone, baresipOptions{})
	mark := ann.mark()
	ann.do("dial", "802")
	ann.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	ann.keysIn("1#")
	ann.keysIn("4711#")
	mark = bob.mark()
	bob.do("dial", "802")
	bob.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	bob.keysIn("0815#")
	ann.hears(outsideTone)
	bob.hears(deskTone)
	bob.keysIn("4")
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), carrierTone, baresipOptions{})
	mark = cyd.mark()
	cyd.do("dial", "802")
	cyd.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	cyd.keysIn("4711#")
	cyd.waitFor("CALL_CLOSED", mark, 15*time.Second)
	ann.do("hangup", "")
	bob.do("hangup", "")
	s.noCalls()
}

// The echo test; a code that is none is told so and refused.
func TestEchoByCode(t *testing.T) {
	s := serve(t, "")
	ann := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	ann.do("dial", "*43")
	ann.hears(deskTone)
	ann.do("hangup", "")
	s.noCalls()
	mark := ann.mark()
	ann.do("dial", "*999")
	if m := ann.waitFor("CALL_CLOSED", mark, 15*time.Second); !strings.Contains(m.Param, "404") {
		t.Errorf("the call was closed with %q", m.Param)
	}
	if r := s.record(2); r.Disposition != store.Refused || r.Code != 404 {
		t.Errorf("record: %s, %d", r.Disposition, r.Code)
	}
}

// Do-not-disturb and forwarding by code, in the directory at once.
func TestDisturbAndForwardByCode(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies(officeOrganisation)
	ann := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	dials := func(b *baresip, code string) {
		t.Helper()
		mark := b.mark()
		b.do("dial", code)
		b.waitFor("CALL_CLOSED", mark, 20*time.Second)
	}
	dials(bob, "*78")
	if out := s.cli("export"); !strings.Contains(out, "dnd: true") {
		t.Errorf("the directory does not say it:\n%s", out)
	}
	dials(bob, "*79")
	dials(bob, "*72201")
	if out := s.cli("export"); strings.Contains(out, "dnd") || !strings.Contains(out, `forward_to: "201"`) {
		t.Errorf("the directory says:\n%s", out)
	}
	mark := ann.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye) // bob's number
	ann.waitFor("CALL_INCOMING", mark, eventTimeout)
	ann.do("accept", "")
	sipp.hears(outsideTone)
	ann.do("hangup", "")
	sipp.ends(eventTimeout)
	dials(bob, "*73")
	if out := s.cli("export"); strings.Contains(out, "forward_to: \"201\"") {
		t.Error("calls are still forwarded")
	}
	s.noCalls()
}

// A page: phones answer by themselves and hear the pager, who does not hear them; who is on a call is left alone. An intercom
// is two-way.
func TestPageAndIntercom(t *testing.T) {
	s := serve(t, "")
	s.applies(officeOrganisation)
	auto := baresipOptions{AutoAnswer: true}
	ann := newBaresip(t, s, s.phone("ann", "desk"), deskTone, auto)
	bob := newBaresip(t, s, s.phone("bob", "desk"), outsideTone, auto)
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), browserTone, auto)
	eve := newBaresip(t, s, s.phone("eve", "desk"), carrierTone, baresipOptions{})
	cyd.do("dial", "*43")
	cyd.hears(browserTone)
	mark, quiet := bob.mark(), cyd.mark()
	ann.do("dial", "850")
	bob.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	bob.hears(deskTone)
	for _, header := range []string{"Call-Info: <sip:page>;answer-after=0", "info=alert-autoanswer"} {
		if !strings.Contains(bob.log.String(), header) {
			t.Errorf("the phone is not asked by %q to answer", header)
		}
	}
	if cyd.saw("CALL_INCOMING", quiet) {
		t.Error("a phone that is on a call was paged")
	}
	if samples, rate := readWAV(ann.recorded()); carries(samples, rate, outsideTone) {
		t.Error("the pager hears a phone that it pages")
	}
	ann.do("hangup", "")
	bob.waitFor("CALL_CLOSED", mark, eventTimeout)
	cyd.do("hangup", "")
	s.noCalls()

	mark = bob.mark()
	eve.do("dial", "*80202")
	bob.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	bob.hears(carrierTone)
	eve.hears(outsideTone)
	eve.do("hangup", "")
	s.noCalls()
}

// Transfers by keys: ann, whom the carrier has called, gives the call to bob unseen (##), and bob asks cyd first (*2).
func TestTransfersByKeys(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies(officeOrganisation)
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	ann := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), browserTone, baresipOptions{})
	rings := func(b *baresip, f func()) {
		t.Helper()
		mark := b.mark()
		f()
		b.waitFor("CALL_INCOMING", mark, eventTimeout)
		b.do("accept", "")
	}
	var sipp *trunkPeer
	rings(ann, func() { sipp = carrierCalls(t, s, "+12025550001", "+12025550999", waitBye) })
	sipp.hears(outsideTone)
	mark := ann.mark()
	rings(bob, func() { ann.keysIn("##202#") })
	ann.waitFor("CALL_CLOSED", mark, eventTimeout)
	sipp.hears(deskTone)
	bob.hears(carrierTone)

	rings(cyd, func() { bob.keysIn("*2203#") })
	sipp.hears(musicTone)
	cyd.hears(deskTone)
	bob.hears(browserTone)
	bob.keysIn("*") // takes the call back
	sipp.hears(deskTone)
	rings(cyd, func() { bob.keysIn("*2203#") })
	bob.hears(browserTone)
	bob.do("hangup", "")
	sipp.hears(browserTone)
	cyd.hears(carrierTone)
	cyd.do("hangup", "")
	sipp.ends(eventTimeout)
	if r := s.record(1); r.Disposition != store.Answered || r.AnsweredBy != "ann" || len(r.Legs) < 5 {
		t.Errorf("record: %s by %s, %d legs", r.Disposition, r.AnsweredBy, len(r.Legs))
	}
	s.noCalls()
}

// A call for help goes out although the user may make one call only, with the callback number, and is marked.
func TestEmergencyCall(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_LIMITS_CALLS_PER_USER=1")
	s.applies(officeOrganisation)
	dispatcher := carrierAnswers(t, carrierIP, 5060, carrierTone, 200*time.Millisecond, "")
	ann := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	other := newBaresip(t, s, s.phone("ann", "mobile"), outsideTone, baresipOptions{})
	other.do("dial", "*43")
	other.hears(outsideTone)
	page := signIn(t, s, "ann", browserTone)
	mark := ann.mark()
	ann.do("dial", "*43")
	ann.waitFor("CALL_CLOSED", mark, eventTimeout)
	ann.do("dial", "333")
	page.sees(`[data-testid=emergency]`, eventTimeout)
	page.screenshot("emergency")
	if told := page.text(`[data-testid=emergency]`); !strings.Contains(told, "Main Street 1") {
		t.Errorf("the page tells %q", told)
	}
	ann.hears(carrierTone)
	dispatcher.hears(deskTone)
	if m := dispatcher.messages(); !strings.Contains(m, "+12025550001") {
		t.Errorf("the dispatcher is not shown the callback number:\n%s", m)
	}
	ann.do("hangup", "")
	other.do("hangup", "")
	s.noCalls()
	s.record(3)
	marked := false
	for _, r := range s.records() {
		marked = marked || r.Emergency && r.To == "333" && r.Disposition == store.Answered
	}
	if !marked {
		t.Error("no record is marked")
	}
}
