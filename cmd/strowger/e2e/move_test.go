package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

const cydTone = 1700.0

// oneInvite checks that the trunk was asked for nothing but the call itself.
func oneInvite(t *testing.T, p *trunkPeer) {
	t.Helper()
	if n := strings.Count(p.messages(), "\nINVITE sip:"); n != 1 {
		t.Errorf("the trunk saw %d INVITEs", n)
	}
	if strings.Contains(p.messages(), "REFER sip:") {
		t.Error("the trunk was asked to transfer")
	}
}

// relate checks that the records name each other.
func relate(t *testing.T, a, b store.CallRecord) {
	t.Helper()
	names := func(a, b store.CallRecord) bool {
		return slices.ContainsFunc(a.Related, func(r store.RelatedCall) bool { return r.ID == b.ID })
	}
	if !names(a, b) || !names(b, a) {
		t.Errorf("the records do not name each other: %+v, %+v", a.Related, b.Related)
	}
}

// A colleague takes the call that rings at bob's desk.
func TestDirectedPickup(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	ann.do("dial", "**202")
	bob.waitFor("CALL_CLOSED", mark, 5*time.Second)
	eventually(t, "bob's phone should be told why", 3*time.Second, func() bool {
		return strings.Contains(bob.log.String(), `Reason: SIP;cause=200;text="Call completed elsewhere"`)
	})
	sipp.hears(annTone)
	ann.hears(carrierTone)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	s.record(2)
	called, picked := s.recordOf("+12025550999", 5*time.Second), s.recordOf("201", 5*time.Second)
	relate(t, called, picked)
	if called.AnsweredBy != "ann" || picked.Disposition != store.Answered {
		t.Errorf("records: answered by %q; %s", called.AnsweredBy, picked.Disposition)
	}
	s.noCalls()
}

// Bob parks a caller on an orbit, and a colleague takes the call from there.
func TestParkAndRetrieve(t *testing.T) {
	s, bob, sipp := talking(t, waitBye)
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	mark := bob.mark()
	bob.do("transfer", "701")
	bob.waitFor("CALL_CLOSED", mark, 5*time.Second)
	sipp.hears(musicTone)
	ann.do("dial", "701")
	sipp.hears(annTone)
	ann.hears(carrierTone)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	oneInvite(t, sipp)
	s.record(2)
	parked := s.recordOf("+12025550999", 5*time.Second)
	tells(t, parked, "is parked on 701 by bob", "takes the call from 701")
	relate(t, parked, s.recordOf("201", 5*time.Second))
	s.noCalls()
}

// Both sides hold, and hear each other again when both have come back.
func TestBothHold(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	bob := newLinphone(t, s, s.phone("bob", "desk"), deskTone, linphoneOptions{Transport: "udp"})
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999",
		pause(5*time.Second)+reinvite(2, "sendonly")+pause(8*time.Second)+reinvite(3, "")+waitBye)
	bob.sees("Receiving new incoming call")
	bob.do("answer")
	bob.do("pause")
	sipp.hears(musicTone)
	eventually(t, "the carrier should hold too", eventTimeout, func() bool { return strings.Contains(sipp.messages(), "a=sendonly") })
	bob.do("resume")
	bob.hears(musicTone)   // the carrier still holds
	bob.hears(carrierTone) // the carrier is back
	sipp.hears(deskTone)
	bob.do("terminate")
	sipp.ends(10 * time.Second)
	tells(t, s.record(1), "holds", "resumes")
	s.noCalls()
}

// Linphone has two calls, one on hold, and joins the two others, also when the colleague's phone still rings; with the
// carrier's session nothing happens.
func TestAttendedTransferByLinphone(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers bool
	}{{"who talks", true}, {"who is rung", false}} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
			s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
			ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
			bob := newLinphone(t, s, s.phone("bob", "desk"), deskTone, linphoneOptions{Transport: "udp"})
			sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
			bob.sees("Receiving new incoming call")
			bob.do("answer")
			sipp.hears(deskTone)
			mark := ann.mark()
			bob.do("pause")
			sipp.hears(musicTone)
			bob.do("call 201")
			ann.waitFor("CALL_INCOMING", mark, eventTimeout)
			if test.answers {
				ann.do("accept", "")
				ann.hears(deskTone)
				bob.do("transfer 1 --to-call 2")
			} else {
				bob.sees("ringing")
				bob.do("transfer 1 --to-call 2")
				eventually(t, "the caller should hear it ring", eventTimeout, func() bool { return !carries(sipp.rtp.heard(), 8000, musicTone) })
				if n := len(s.records()); n != 0 {
					t.Errorf("%d calls are over, although how the transfer ends is not known", n)
				}
				ann.do("accept", "")
			}
			sipp.hears(annTone)
			ann.hears(carrierTone)
			eventually(t, "both calls of linphone should be over", eventTimeout, func() bool { return strings.Count(bob.log.String(), "ended") >= 2 })
			ann.do("hangup", "")
			sipp.ends(10 * time.Second)
			oneInvite(t, sipp)
			s.record(2)
			first, second := s.recordOf("+12025550999", 5*time.Second), s.recordOf("202", 5*time.Second)
			relate(t, first, second)
			tells(t, first, "transfers +12025550999 to its other call")
			s.noCalls()
		})
	}
}

// A browser that is not ours transfers: attended to a desk phone, blindly to an outside line, and to nobody.
func TestTransferByForeignPages(t *testing.T) {
	site, port := foreignSite(t), freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, port, ""), "STROWGER_HTTP_ORIGINS="+site)
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	s.applies("users:\n  - {id: cyd, name: Cyd Orr, role: agent, extension: \"203\", voicemail: false}\n")
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), cydTone, baresipOptions{})
	carrier := carrierAnswers(t, carrierIP, port, carrierTone, 0, provisional(180, false))
	device := s.phone("ann", "browser")
	b := newBrowser(t, browserTone)
	for _, lib := range []string{"jssip", "sipjs"} {
		page := openForeign(t, b, site, lib, s, device)
		if got := page.does("register()"); got != "yes" {
			t.Fatalf("registering: %s", got)
		}
		s.hasPhone(device)
		// bob has called the page, which asks cyd
		asks := func(t *testing.T) (bobMark, cydMark int) {
			bobMark, cydMark = bob.mark(), cyd.mark()
			bob.do("dial", "201")
			page.does("rings()")
			page.does("answer()")
			page.does("up()")
			bob.hears(browserTone)
			page.does("hold()")
			bob.hears(musicTone)
			page.does(`consult("203")`)
			cyd.waitFor("CALL_INCOMING", cydMark, eventTimeout)
			return bobMark, cydMark
		}
		t.Run(lib+" attended", func(t *testing.T) {
			calls := len(s.records())
			bobMark, _ := asks(t)
			cyd.do("accept", "")
			page.does("up()")
			cyd.hears(browserTone)
			if got := page.does("attend()"); got != "200" {
				t.Errorf("the transfer: %s", got)
			}
			bob.hears(cydTone)
			cyd.hears(deskTone)
			bob.do("hangup", "")
			bob.waitFor("CALL_CLOSED", bobMark, eventTimeout)
			s.record(calls + 2)
			s.noCalls()
		})
		for _, answers := range []bool{true, false} {
			if lib != "sipjs" {
				break
			}
			t.Run(fmt.Sprintf("%s attended while it rings, answered %v", lib, answers), func(t *testing.T) {
				calls := len(s.records())
				bobMark, _ := asks(t)
				page.does(`attendEarly("203")`)
				hears := func() bool {
					samples, rate := readWAV(bob.recorded())
					return carries(samples, rate, musicTone)
				}
				eventually(t, "bob should hear it ring", eventTimeout, func() bool { return !hears() })
				if !answers {
					cyd.do("hangup", "") // 486
					if got := page.does("attended()"); got != "failed: 486" {
						t.Errorf("the transfer: %s", got)
					}
					page.does("rings()") // the call comes back
					page.does("answer()")
					page.does("up()")
					bob.hears(browserTone)
				} else {
					cyd.do("accept", "")
					if got := page.does("attended()"); got != "200" {
						t.Errorf("the transfer: %s", got)
					}
					bob.hears(cydTone)
					cyd.hears(deskTone)
				}
				bob.do("hangup", "")
				bob.waitFor("CALL_CLOSED", bobMark, eventTimeout)
				s.record(calls + 2)
				s.noCalls()
			})
		}
		t.Run(lib+" blind to an outside line, and back", func(t *testing.T) {
			calls := len(s.records())
			bobMark := bob.mark()
			bob.do("dial", "201")
			page.does("rings()")
			page.does("answer()")
			page.does("up()")
			bob.hears(browserTone)
			if got := page.does(`transfer("299")`); got != "failed: 404" { // nobody has it: the call comes back
				t.Errorf("a transfer to nobody: %s", got)
			}
			bob.hears(browserTone)
			carrier.rtp.forget()
			if got := page.does(`transfer("+12025550177")`); got != "200" {
				t.Errorf("the transfer: %s", got)
			}
			bob.hears(carrierTone)
			carrier.hears(deskTone)
			bob.do("hangup", "")
			bob.waitFor("CALL_CLOSED", bobMark, eventTimeout)
			tells(t, s.record(calls+1), "the transfer to 299 is refused", "the transfer to +12025550177 is done")
			s.noCalls()
		})
		page.does("unregister()")
		s.noPhone(device)
	}
}
