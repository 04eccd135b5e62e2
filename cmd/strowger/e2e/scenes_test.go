package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// told reports whether a line of the record's story contains the text.
func told(r store.CallRecord, text string) bool {
	return slices.ContainsFunc(r.Events, func(e store.RecordEvent) bool { return strings.Contains(e.What, text) })
}

// What carriers do, one call each: they give up, hold, lose their media, never acknowledge, refresh. Two calls take long by
// the protocol's own timers and go on in the background.
func TestScenesWithACarrier(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""), "STROWGER_CALLS_SILENCE_TIMEOUT=3s")
	ann := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	mobile := newBaresip(t, s, s.phone("ann", "mobile"), outsideTone, baresipOptions{})
	bob := newBaresip(t, s, s.phone("bob", "desk"), outsideTone, baresipOptions{})
	const toAnn, toBob = "+12025550001", "+12025550004"

	// pickUp answers the next call of a phone.
	pickUp := func(b *baresip, mark int) {
		t.Helper()
		b.waitFor("CALL_INCOMING", mark, eventTimeout)
		b.do("accept", "")
		b.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	}
	mark := bob.mark()
	unacknowledged := carrierPlays(t, s, toBob, "+12025550901", script(invites(1, "", "SDP"), answered, asked("BYE", "", "")))
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.do("accept", "")
	bob.waitFor("CALL_ESTABLISHED", mark, eventTimeout)
	refreshed := carrierPlays(t, s, toBob, "+12025550902", script(
		invites(1, "Supported: timer\nSession-Expires: 30;refresher=uas\n", "SDP"), gets(422, "Min-SE: 90"), ofInvite("ACK", 1),
		invites(2, "Supported: timer\nSession-Expires: 90;refresher=uas\nMin-SE: 90\n", "SDP"), answered, within("ACK", 2, "", ""),
		asked("UPDATE", "Session-Expires: 90;refresher=uac", "Supported: timer\nRequire: timer\nSession-Expires: 90;refresher=uac\n"),
		asked("BYE", "", "")))
	pickUp(bob, bob.mark())

	t.Run("the caller gives up", func(t *testing.T) {
		mark, mobileMark := ann.mark(), mobile.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550900", script(invites(1, "", "SDP"), ringing, pause(500*time.Millisecond),
			ofInvite("CANCEL", 1), gets(200, "CSeq: 1 CANCEL"), gets(487, ""), ofInvite("ACK", 1)))
		ann.waitFor("CALL_INCOMING", mark, eventTimeout)
		mobile.waitFor("CALL_INCOMING", mobileMark, eventTimeout)
		ann.waitFor("CALL_CLOSED", mark, eventTimeout)
		mobile.waitFor("CALL_CLOSED", mobileMark, eventTimeout)
		sipp.ends(eventTimeout)
		r := s.recordOf("+12025550900", eventTimeout)
		if r.Disposition != store.Missed || r.EndedBy != "caller" || r.Code != 487 || !r.Unclaimed || !slices.Equal(r.Participants, []string{"ann"}) {
			t.Errorf("record: %s, ended by %s, %d, unclaimed %v, of %v", r.Disposition, r.EndedBy, r.Code, r.Unclaimed, r.Participants)
		}
	})

	t.Run("the offer comes last", func(t *testing.T) {
		mark := ann.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550903", script(invites(1, "", ""), answered, within("ACK", 1, "", "SDP"), waitBye))
		pickUp(ann, mark)
		ann.hears(carrierTone)
		sipp.hears(deskTone)
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
		if r := s.recordOf("+12025550903", eventTimeout); r.Disposition != store.Answered || r.EndedBy != "callee" {
			t.Errorf("record: %s, ended by %s", r.Disposition, r.EndedBy)
		}
	})

	t.Run("hold and resume", func(t *testing.T) {
		mark := ann.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550904", script(invites(1, "", "SDP"), answered, within("ACK", 1, "", ""), pause(2*time.Second),
			within("INVITE", 2, "", "SDP:sendonly"), gets(200, "a=recvonly"), within("ACK", 2, "", ""), pause(4500*time.Millisecond),
			within("INVITE", 3, "", "SDP"), gets(200, "a=sendrecv"), within("ACK", 3, "", ""), pause(2*time.Second),
			within("BYE", 4, "", ""), gets(200, "")))
		pickUp(ann, mark)
		ann.hears(carrierTone)
		sipp.hears(deskTone)
		sipp.deaf()
		ann.hears(carrierTone) // who holds may play music
		heard := len(sipp.rtp.heard())
		eventually(t, "the carrier should hear again", eventTimeout, func() bool { return len(sipp.rtp.heard()) > heard })
		sipp.hears(deskTone)
		sipp.ends(eventTimeout)
		if r := s.recordOf("+12025550904", eventTimeout); r.EndedBy != "caller" || !told(r, "holds") || !told(r, "resumes") {
			t.Errorf("record: ended by %s, %+v", r.EndedBy, r.Events)
		}
	})

	t.Run("the carrier refreshes", func(t *testing.T) {
		mark := ann.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550905", script(
			invites(1, "Supported: timer\nSession-Expires: 120;refresher=uac\n", "SDP"), answered, within("ACK", 1, "", ""), pause(500*time.Millisecond),
			within("UPDATE", 2, "Supported: timer\nSession-Expires: 120;refresher=uac\n", ""), gets(200, "Session-Expires: 120;refresher=uac"),
			within("INVITE", 3, "Supported: timer\nSession-Expires: 120;refresher=uac\n", "SDP"), gets(200, "Session-Expires: 120;refresher=uac"),
			within("ACK", 3, "", ""), waitBye))
		pickUp(ann, mark)
		eventually(t, "the refreshes should be over", eventTimeout, func() bool { return strings.Contains(sipp.messages(), "CSeq: 3 ACK") })
		sipp.hears(deskTone)
		ann.hears(carrierTone)
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
		if m := sipp.messages(); !strings.Contains(m, "Require: timer") {
			t.Error("a 200 that makes the caller the refresher must require timer (RFC 4028 §9)")
		}
	})

	t.Run("keys by INFO become RFC 4733", func(t *testing.T) {
		mark := ann.mark()
		relay := func(seq int, key string) string {
			return pause(500*time.Millisecond) + within("INFO", seq, "Content-Type: application/dtmf-relay\n", "Signal="+key+"\nDuration=160") + gets(200, "")
		}
		sipp := carrierPlays(t, s, toAnn, "+12025550906", script(invites(1, "", "SDP"), answered, within("ACK", 1, "", ""),
			relay(2, "7"), relay(3, "#"), waitBye))
		pickUp(ann, mark)
		eventually(t, "the desk phone should be sent 7 and #", eventTimeout, func() bool { return ann.keys(mark) == "7#" })
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
	})

	t.Run("keys by RFC 4733 become INFO for who presses by INFO", func(t *testing.T) {
		mark := ann.mark()
		press := pause(500*time.Millisecond) + within("INFO", 2, "Content-Type: application/dtmf-relay\n", "Signal=9\nDuration=160") + gets(200, "")
		sipp := carrierPlays(t, s, toAnn, "+12025550907", script(invites(1, "", "SDP:voice"), answered, within("ACK", 1, "", ""), press,
			asked("INFO", "Signal=4", ""), asked("INFO", "Signal=2", ""), waitBye))
		pickUp(ann, mark)
		ann.hears(carrierTone)
		eventually(t, "the desk phone should be sent 9", eventTimeout, func() bool { return ann.keys(mark) == "9" })
		ann.do("sndcode", "4")
		eventually(t, "the carrier should get the first key", eventTimeout, func() bool { return strings.Contains(sipp.messages(), "Signal=4") })
		ann.do("sndcode", "2")
		eventually(t, "the carrier should get the second key", eventTimeout, func() bool { return strings.Contains(sipp.messages(), "Signal=2") })
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
	})

	t.Run("keys by RFC 4733 become tones for who has nothing else", func(t *testing.T) {
		mark := ann.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550910", script(invites(1, "", "SDP:voice"), answered, within("ACK", 1, "", ""), waitBye))
		pickUp(ann, mark)
		sipp.hears(deskTone)
		ann.do("sndcode", "4")
		eventually(t, "the carrier should hear the tones of 4", eventTimeout, func() bool {
			ears := sipp.rtp.heard()
			for at := 0; at+400 <= len(ears); at += 200 { // 50 ms in which these two are all there is
				if part := ears[at : at+400]; goertzel(part, 8000, 770) > 0.25 && goertzel(part, 8000, 1209) > 0.25 {
					return true
				}
			}
			return false
		})
		ann.do("hangup", "")
		sipp.ends(eventTimeout)
	})

	t.Run("the carrier's media stops", func(t *testing.T) {
		mark := ann.mark()
		sipp := carrierPlays(t, s, toAnn, "+12025550908", script(invites(1, "", "SDP"), answered, within("ACK", 1, "", ""), asked("BYE", "", "")))
		pickUp(ann, mark)
		sipp.hears(deskTone)
		sipp.rtp.silence(true)
		ann.waitFor("CALL_CLOSED", mark, eventTimeout)
		sipp.ends(eventTimeout)
		if r := s.recordOf("+12025550908", eventTimeout); r.Disposition != store.Answered || r.EndedBy != "carrier" || !strings.Contains(r.Reason, "no audio") {
			t.Errorf("record: %s, ended by %s: %q", r.Disposition, r.EndedBy, r.Reason)
		}
	})

	t.Run("our 200 is never acknowledged", func(t *testing.T) {
		unacknowledged.ends(40 * time.Second)
		if r := s.recordOf("+12025550901", eventTimeout); r.Disposition != store.Failed || !strings.Contains(r.Reason, "never acknowledged") {
			t.Errorf("record: %s, %q", r.Disposition, r.Reason)
		}
		if n := strings.Count(unacknowledged.messages(), "SIP/2.0 200"); n < 6 {
			t.Errorf("the 200 was sent %d times, want it repeated for half a minute (RFC 3261 §13.3.1.4)", n)
		}
	})

	t.Run("we refresh", func(t *testing.T) {
		eventually(t, "the session should be refreshed", 50*time.Second, func() bool { return strings.Contains(refreshed.messages(), "UPDATE sip:") })
		refreshed.hears(outsideTone)
		bob.do("hangup", "")
		refreshed.ends(eventTimeout)
	})
	s.noCalls()
}
