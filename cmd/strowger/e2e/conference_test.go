package e2e

import (
	"syscall"
	"testing"
	"time"
)

// A conference of all kinds: a browser, a wideband and a narrowband phone, and a caller from outside who is transferred in.
// Each hears the others.
func TestConferenceOfAllKinds(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies(officeOrganisation)
	page := signIn(t, s, "ann", browserTone)
	wide := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{Codecs: "G722/16000/1"})
	narrow := newBaresip(t, s, s.phone("cyd", "desk"), outsideTone, baresipOptions{})
	page.fill(`[data-testid=dial-input]`, "801")
	page.click(`[data-testid=dial-call]`)
	page.sees(`[data-testid=call-panel][data-phase=up]`, 10*time.Second)
	mark := wide.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(35*time.Second))
	wide.waitFor("CALL_INCOMING", mark, eventTimeout)
	wide.do("accept", "")
	sipp.hears(deskTone)
	wide.keysIn("##801#")
	wide.waitFor("CALL_CLOSED", mark, eventTimeout)
	page.hears(carrierTone)
	sipp.hears(browserTone)
	wide.do("dial", "801")
	narrow.do("dial", "801")
	wide.mix([]float64{carrierTone, browserTone, outsideTone}, []float64{deskTone})
	narrow.mix([]float64{carrierTone, browserTone, deskTone}, []float64{outsideTone})
	page.click(`[data-testid=call-hangup]`)
	narrow.mix([]float64{carrierTone, deskTone}, []float64{outsideTone, browserTone})
	wide.do("hangup", "")
	narrow.do("hangup", "")
	sipp.ends(40 * time.Second)
	s.noCalls()
}

// A phone whose network dies in a conference disturbs nobody: the others hear each other all the time, and it is let go.
func TestDeadPhoneInAConference(t *testing.T) {
	s := serve(t, "", "STROWGER_CALLS_SILENCE_TIMEOUT=3s")
	s.applies(officeOrganisation)
	ann := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	cyd := newBaresip(t, s, s.phone("cyd", "desk"), browserTone, baresipOptions{})
	for _, b := range []*baresip{ann, bob, cyd} {
		b.do("dial", "801")
	}
	ann.mix([]float64{deskTone, browserTone}, []float64{outsideTone})
	pid := cyd.proc.cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ann.hears(deskTone)
	bob.hears(outsideTone)
	time.Sleep(5 * time.Second)
	ann.hears(deskTone)
	bob.hears(outsideTone)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	ann.do("hangup", "")
	bob.do("hangup", "")
	s.noCalls()
	s.record(4)
	for _, r := range s.records() {
		if r.FromUser != "" {
			continue
		}
		for _, l := range r.Legs {
			if l.User == "cyd" && l.Reason != "No audio" {
				t.Errorf("the leg of the dead phone ended by %q", l.Reason)
			}
		}
	}
}
