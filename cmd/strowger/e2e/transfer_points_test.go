package e2e

import (
	"strings"
	"testing"
	"time"
)

// Each party of a transfer hangs up at each point of it: nobody is left behind, and who remains talks to whom it should.
func TestHangUpInTransfer(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.prompt("music-on-hold.wav", musicTone, 2*time.Second)
	s.applies("users:\n  - {id: ann, name: Ann Lee, role: owner, extension: \"201\", call_waiting: true, voicemail: false}\n")
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	points := []struct {
		name  string
		reach func(t *testing.T, annMark, bobMark int)
	}{
		{"asking", func(t *testing.T, _, _ int) { bob.keysIn("##20") }},
		{"ringing", func(t *testing.T, annMark, _ int) {
			bob.do("transfer", "201")
			ann.waitFor("CALL_INCOMING", annMark, eventTimeout)
		}},
		{"consult", func(t *testing.T, annMark, _ int) {
			bob.keysIn("*2201#")
			ann.waitFor("CALL_INCOMING", annMark, eventTimeout)
			ann.do("accept", "")
			ann.hears(deskTone)
		}},
		{"consult, ringing", func(t *testing.T, annMark, _ int) {
			bob.keysIn("*2201#")
			ann.waitFor("CALL_INCOMING", annMark, eventTimeout)
		}},
		{"answered", func(t *testing.T, annMark, bobMark int) {
			bob.do("transfer", "201")
			ann.waitFor("CALL_INCOMING", annMark, eventTimeout)
			ann.do("accept", "")
			bob.waitFor("CALL_CLOSED", bobMark, eventTimeout)
		}},
	}
	const caller, transferor, target = "caller", "transferor", "target"
	// who remains, by point and by who hangs up: "" = nobody, else the two who talk
	remain := map[string]map[string]string{
		"asking":           {caller: "", transferor: ""},
		"ringing":          {caller: "", transferor: target, target: transferor},
		"consult, ringing": {caller: "", transferor: target, target: transferor},
		"consult":          {caller: "", transferor: target, target: transferor},
		"answered":         {caller: "", target: ""},
	}
	for _, p := range points {
		for _, who := range []string{caller, transferor, target} {
			rest, there := remain[p.name][who]
			if !there {
				continue
			}
			t.Run(p.name+"/"+who, func(t *testing.T) {
				script := waitBye
				if who == caller {
					script = byeAfter(9 * time.Second)
				}
				annMark, bobMark := ann.mark(), bob.mark()
				sipp := carrierCalls(t, s, "+12025550004", "+12025550999", script)
				bob.waitFor("CALL_INCOMING", bobMark, eventTimeout)
				bob.do("accept", "")
				sipp.hears(deskTone)
				p.reach(t, annMark, bobMark)
				switch who {
				case transferor:
					bob.do("hangup", "")
				case target:
					ann.do("hangup", "")
				}
				switch rest {
				case target:
					if p.name != "consult" {
						ann.do("accept", "")
					}
					sipp.hears(annTone)
					ann.hears(carrierTone)
					ann.do("hangup", "")
				case transferor:
					if p.name == "ringing" { // this phone hangs up when its REFER fails
						break
					}
					sipp.hears(deskTone)
					bob.do("hangup", "")
				}
				sipp.ends(15 * time.Second)
				if who == caller && strings.HasPrefix(p.name, "consult") { // what is left is a call of the transferor's
					bob.do("hangup", "")
				}
				s.noCalls()
			})
		}
	}
}
