package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// shows waits until a watched contact has this state on the phone: Online, Busy, Offline.
func (b *baresip) shows(contact, state string) {
	b.t.Helper()
	eventually(b.t, b.name+" should show "+contact+" "+state, eventTimeout, func() bool {
		list := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(b.do("contacts", ""), "")
		for line := range strings.Lines(list) {
			if strings.Contains(line, state) && strings.Contains(line, ":"+contact+"@") {
				return true
			}
		}
		return false
	})
}

// A desk phone shows a colleague: away, there, on the phone while a call runs, and there again.
func TestPresenceOnDeskPhone(t *testing.T) {
	s := serve(t, "")
	bobs := s.phone("bob", "desk")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{Watch: []string{"202"}})
	ann.shows("202", "Offline")
	bob := newBaresip(t, s, bobs, deskTone, baresipOptions{})
	ann.shows("202", "Online")
	bob.do("dial", "*43")
	ann.shows("202", "Busy")
	bob.do("hangup", "")
	ann.shows("202", "Online")
	s.noCalls()
}

// lastCount is the last count of messages in the phone's trace.
func lastCount(b *baresip) string {
	all := regexp.MustCompile(`Voice-Message: \d+/\d+`).FindAllString(b.log.String(), -1)
	return all[len(all)-1]
}

// A message that a caller leaves lights the message lamps of a phone that asks and of one that does not, until it is deleted.
func TestMessageLamp(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	asks := startBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{Messages: true, Refresh: 600})
	silent := newBaresip(t, s, s.phone("bob", "mobile"), outsideTone, baresipOptions{})
	lit := func(messages string) {
		t.Helper()
		for _, b := range []*baresip{asks, silent} {
			eventually(t, b.name+" should be told "+messages, 20*time.Second, func() bool {
				return strings.Contains(b.log.String(), "Voice-Message: "+messages)
			})
		}
	}
	lit("0/0")
	asksMark, silentMark := asks.mark(), silent.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(12*time.Second))
	asks.waitFor("CALL_INCOMING", asksMark, eventTimeout)
	silent.waitFor("CALL_INCOMING", silentMark, eventTimeout)
	asks.do("hangup", "") // 486
	silent.do("hangup", "")
	sipp.ends(time.Minute) // the bindings of phones that ran wild and were stopped ring to the end
	lit("1/0")
	r := s.record(1)
	if code := s.api("DELETE", "/api/voicemails/"+r.Voicemail, nil); code >= 300 {
		t.Fatalf("the message could not be deleted: %d", code)
	}
	eventually(t, "the lamps should go out", eventTimeout, func() bool {
		return strings.HasSuffix(lastCount(asks), "0/0") && strings.HasSuffix(lastCount(silent), "0/0")
	})
	s.noCalls()
}

// panelIP is a desk phone with lamps, which SIPp plays. It is no carrier's address.
const panelIP = "127.0.0.6"

// subscribes is the SUBSCRIBE of a panel, before and after the challenge, or to end it.
func subscribes(s *server, device string, seq int, event, expires string, auth bool) string {
	headers := "Event: " + event + "\nExpires: " + expires + "\n"
	if auth {
		headers += "[authentication username=" + device + " password=" + s.password(device) + "]\n"
	}
	text := invites(seq, headers, "")
	return strings.NewReplacer("INVITE sip:", "SUBSCRIBE sip:", " INVITE\n", " SUBSCRIBE\n").Replace(text)
}

// panel makes SIPp a phone of this device that watches an extension's dialogs and then does what the steps say.
func panel(t *testing.T, s *server, device, extension string, steps ...string) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, panelIP, outsideTone)
	all := append([]string{
		subscribes(s, device, 1, "dialog", "600", false), `<recv response="401" auth="true"/>`,
		subscribes(s, device, 2, "dialog", "600", true),
		`<recv response="200" rrs="true"><action><ereg regexp="To: .*tag=([0-9a-f]+)" search_in="msg" check_it="true" assign_to="x,t"/></action></recv>`,
		asked("NOTIFY", "state=.full.", ""),
	}, steps...)
	p.run(p.fill(script(all...), device, ""), s.ready.SIPUDP, "-s", extension, "-m", "1")
	return p
}

// unsubscribes ends the panel's subscription. The message before it was a NOTIFY, whose To is the panel's.
func unsubscribes() string {
	text := within("SUBSCRIBE", 3, "Event: dialog\nExpires: 0\n", "")
	return strings.Replace(text, "[last_To:]", "To: <sip:[service]@[remote_ip]:[remote_port]>;tag=[$t]", 1) + gets(200, "") + asked("NOTIFY", "terminated;reason=timeout", "")
}

// A busy lamp as desk phones have it (RFC 4235) follows a colleague's call: ringing, talking, over.
func TestBusyLamp(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	lamp := panel(t, s, s.phone("ann", "desk"), "202",
		asked("NOTIFY", "direction=.recipient.><state>early</state>", ""),
		asked("NOTIFY", "<state>confirmed</state>", ""),
		asked("NOTIFY", "<state>terminated</state>", ""), unsubscribes())
	eventually(t, "the panel should be told that nobody talks", eventTimeout, func() bool { return strings.Contains(lamp.messages(), "version=\"0\"") })
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	eventually(t, "the lamp should blink", eventTimeout, func() bool { return strings.Contains(lamp.messages(), "<state>early</state>") })
	bob.do("accept", "")
	sipp.hears(deskTone)
	eventually(t, "the lamp should be on", eventTimeout, func() bool { return strings.Contains(lamp.messages(), "<state>confirmed</state>") })
	bob.do("hangup", "")
	sipp.ends(eventTimeout)
	lamp.ends(eventTimeout)
	s.noCalls()
}

// A phone picks up what blinks on its panel, by the dialog that the lamp names (RFC 3891): the colleague's phone falls silent,
// and the caller hears who picked up.
func TestPickupFromPanel(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	anns := s.phone("ann", "desk")
	own := func(text string) string { // another call of the same phone
		text = strings.ReplaceAll(text, "Call-ID: [call_id]", "Call-ID: pickup///[call_id]")
		return strings.ReplaceAll(text, "[branch]", "[branch]p")
	}
	replaces := "Require: replaces\nReplaces: [$c];to-tag=[$r];from-tag=[$l];early-only\n"
	taker := panel(t, s, anns, "202",
		`<recv request="NOTIFY" timeout="60000"><action><ereg regexp="call-id=.([^ ]+). local-tag=.([^ ]+). remote-tag=.([^ ]+). direction" search_in="msg" check_it="true" assign_to="x,c,l,r"/></action></recv>`,
		strings.SplitAfter(asked("NOTIFY", "", ""), "</recv>")[1],
		unsubscribes(),
		own(invites(11, replaces, "SDP")), `<recv response="401" auth="true"/>`, own(ofInvite("ACK", 11)),
		own(invites(12, replaces+"[authentication username="+anns+" password="+s.password(anns)+"]\n", "SDP")),
		answered, own(within("ACK", 12, "", "")), asked("UPDATE", "P-Asserted-Identity: .*12025550999", ""), // its display
		waitBye)
	eventually(t, "the panel should watch", eventTimeout, func() bool { return strings.Contains(taker.messages(), "version=\"0\"") })
	mark := bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", byeAfter(8*time.Second))
	bob.waitFor("CALL_INCOMING", mark, eventTimeout)
	bob.waitFor("CALL_CLOSED", mark, eventTimeout)
	sipp.hears(outsideTone)
	taker.hears(carrierTone)
	sipp.ends(20 * time.Second)
	taker.ends(eventTimeout)
	s.noCalls()
}

// A parking orbit has a lamp: on while somebody is parked there, off when the call is retrieved.
func TestOrbitLamp(t *testing.T) {
	s, bob, sipp := talking(t, waitBye)
	lamp := panel(t, s, s.phone("ann", "desk"), "701",
		asked("NOTIFY", "<state>confirmed</state>", ""), asked("NOTIFY", "<state>terminated</state>", ""), unsubscribes())
	eventually(t, "the panel should watch the orbit", eventTimeout, func() bool { return strings.Contains(lamp.messages(), "version=\"0\"") })
	mark := bob.mark()
	bob.do("transfer", "701")
	bob.waitFor("CALL_CLOSED", mark, eventTimeout)
	eventually(t, "the orbit's lamp should be on", eventTimeout, func() bool { return strings.Contains(lamp.messages(), "<state>confirmed</state>") })
	ann := newBaresip(t, s, s.phone("ann", "mobile"), annTone, baresipOptions{})
	ann.do("dial", "701")
	sipp.hears(annTone)
	ann.hears(carrierTone)
	lamp.ends(eventTimeout)
	ann.do("hangup", "")
	sipp.ends(eventTimeout)
	s.noCalls()
}

// A server that ends tells the phones when to come back: their lamps work again without anybody's doing.
func TestLampsAfterRestart(t *testing.T) {
	s := serve(t, "")
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{Watch: []string{"202"}})
	ann.shows("202", "Online")
	s.restart()
	bob.do("dial", "*43")
	eventually(t, "the lamp should be on", 30*time.Second, func() bool { return strings.Contains(ann.do("contacts", ""), "Busy") })
	bob.do("hangup", "")
	ann.shows("202", "Online")
	s.noCalls()
}
