package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// signIn opens the page as a user and waits until its phone is registered.
func signIn(t *testing.T, s *server, user string, hz float64) *browser {
	t.Helper()
	b := newBrowser(t, hz)
	b.open(raw(strings.TrimSpace(s.cli("user", "link", user))))
	b.sees(`[data-testid=phone-status][data-registered=true]`, 15*time.Second)
	return b
}

// office is a server with a trunk to SIPp, and ann with a desk phone and a browser.
func office(t *testing.T) (*server, *baresip, *browser) {
	t.Helper()
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{})
	return s, desk, signIn(t, s, "ann", browserTone)
}

func leg(t *testing.T, r store.CallRecord, kind string) store.LegRecord {
	t.Helper()
	for _, l := range r.Legs {
		if l.Kind == kind {
			return l
		}
	}
	t.Fatalf("the record has no %s leg: %+v", kind, r.Legs)
	return store.LegRecord{}
}

// A carrier calls; desk phone and browser ring; the browser answers; the desk phone stops because of that.
func TestBrowserAnswers(t *testing.T) {
	s, desk, page := office(t)
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	page.sees(`[data-testid=incoming]`, 5*time.Second)
	page.click(`[data-testid=incoming-answer]`)
	desk.waitFor("CALL_CLOSED", mark, 5*time.Second)
	eventually(t, "the desk phone should be told why", 3*time.Second, func() bool {
		return strings.Contains(desk.log.String(), `Reason: SIP;cause=200;text="Call completed elsewhere"`)
	})
	page.hears(carrierTone)
	sipp.hears(browserTone)
	page.click(`[data-testid=call-hangup]`)
	sipp.ends(5 * time.Second)

	r := s.record(1)
	if r.Disposition != store.Answered || r.AnsweredBy != "ann" || r.Direction != store.Inbound {
		t.Errorf("record: %s %s by %q", r.Direction, r.Disposition, r.AnsweredBy)
	}
	if l := leg(t, r, store.Browser); l.Media.SRTP != "dtls" || l.Media.In.Packets == 0 || l.Media.Out.Packets == 0 || l.Media.Codec != "PCMU" {
		t.Errorf("the browser's media: %+v", l.Media)
	}
	s.noCalls()
}

// The same, and the desk phone answers; the browser's pop-up goes away.
func TestDeskPhoneAnswers(t *testing.T) {
	s, desk, page := office(t)
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	page.sees(`[data-testid=incoming]`, 5*time.Second)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	page.gone(`[data-testid=incoming]`, 5*time.Second)
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	if n := sipp.rtp.sources(); n != 1 {
		t.Errorf("the carrier saw %d RTP sources, one leg must have one", n)
	}
	desk.do("hangup", "")
	sipp.ends(5 * time.Second)
	if r := s.record(1); r.AnsweredBy != "ann" || leg(t, r, store.Desk).Code != 200 {
		t.Errorf("record: by %q, %+v", r.AnsweredBy, r.Legs)
	}
	s.noCalls()
}

// Nobody answers: the next stage is an outside line over the trunk, and both are bridged.
func TestNextStageIsAnOutsideLine(t *testing.T) {
	outside := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, "")+carrierTrunk("outside", carrier2IP, outside, ", priority: -1"))
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	callee := carrierAnswers(t, carrier2IP, outside, outsideTone, 300*time.Millisecond, provisional(180, false))
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550002", "+12025550999", byeAfter(4*time.Second))
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.waitFor("CALL_CLOSED", mark, 10*time.Second) // five seconds of ringing are over
	sipp.hears(outsideTone)
	callee.hears(carrierTone)
	if !strings.Contains(callee.messages(), "Diversion:") {
		t.Error("the forwarded INVITE has no Diversion header")
	}
	sipp.ends(10 * time.Second)
	r := s.record(1)
	if r.Disposition != store.Answered || r.AnsweredBy != "+12025550150" {
		t.Errorf("record: %s by %q", r.Disposition, r.AnsweredBy)
	}
	s.noCalls()
}

// Nobody answers anywhere: voicemail. The message is on the page, and it is the caller's voice.
func TestVoicemail(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	page := signIn(t, s, "ann", browserTone)
	sipp := carrierCalls(t, s, "+12025550003", "+12025550999", byeAfter(12*time.Second))
	sipp.ends(30 * time.Second)
	r := s.record(1)
	if r.Disposition != store.VoicemailOK || r.Voicemail == "" {
		t.Fatalf("record: %s, voicemail %q", r.Disposition, r.Voicemail)
	}
	page.click(`[data-testid=tab-voicemail]`)
	page.sees(`[data-testid=voicemail]`, 5*time.Second)
	page.screenshot("voicemail")
	var wav []byte
	if code := s.api("GET", "/api/voicemails/"+r.Voicemail+"/audio", &wav); code != 200 {
		t.Fatalf("the audio: %d", code)
	}
	file := t.TempDir() + "/message.wav"
	if err := os.WriteFile(file, wav, 0o600); err != nil {
		t.Fatal(err)
	}
	samples, rate := readWAV(file)
	if !carries(samples, rate, carrierTone) {
		t.Errorf("the message (%d samples at %d Hz) does not hold the caller's tone", len(samples), rate)
	}
	s.noCalls()
}
