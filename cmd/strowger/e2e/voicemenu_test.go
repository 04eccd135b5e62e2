package e2e

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"strowger/store"
)

// pin sets the PIN of a mailbox.
func (s *server) pin(box, pin string) {
	s.t.Helper()
	cmd := exec.Command(program, "--data", s.data, "user", "pin", box)
	cmd.Stdin = strings.NewReader(pin + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("set a PIN: %v\n%s", err, out)
	}
}

// pushes presses keys by RFC 4733, one after the other.
func (p *trunkPeer) pushes(keys string) {
	for _, k := range []byte(keys) {
		p.rtp.press(k)
		time.Sleep(350 * time.Millisecond)
	}
}

// dials calls and waits for the answer.
func (b *baresip) dials(what string) {
	b.t.Helper()
	mark := b.mark()
	b.do("dial", what)
	b.waitFor("CALL_ESTABLISHED", mark, 5*time.Second)
}

// leaves a message of some seconds, in the box of whoever has that extension and no phone.
func (b *baresip) leavesMessage(extension string) {
	b.t.Helper()
	mark := b.mark()
	b.do("dial", extension)
	b.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	time.Sleep(12 * time.Second) // the greeting, the beep, and some speech
	b.do("hangup", "")
}

// A box is opened from a colleague's phone by *98, its number and its PIN; after too many wrong PINs nobody opens it, not even
// with the right one, and the log tells of each try without the PIN.
func TestMailboxByPINAndLock(t *testing.T) {
	s := serve(t, "")
	s.pin("bob", "2580")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	ann.leavesMessage("202")
	s.messages(1)

	ann.dials("*98")
	time.Sleep(time.Second)
	ann.keysIn("202#")
	ann.keysIn("2580#")
	time.Sleep(time.Second)
	ann.keysIn("1")
	ann.hears(annTone)
	ann.do("hangup", "")
	s.noCalls()
	if vm := s.messages(1).Voicemails[0]; !vm.Heard || vm.HeardBy != "ann" {
		t.Errorf("after listening: %+v", vm)
	}

	refused := func(n int) {
		t.Helper()
		eventually(t, "the try should be told", 8*time.Second, func() bool { return strings.Count(s.log.String(), "a mailbox stays closed") >= n })
	}
	mark := ann.mark()
	ann.dials("*98202")
	for i := range 3 {
		time.Sleep(time.Second)
		ann.keysIn("1357#")
		refused(i + 1)
	}
	ann.waitFor("CALL_CLOSED", mark, 10*time.Second)
	ann.dials("*98202")
	for i := range 2 {
		time.Sleep(time.Second)
		ann.keysIn("1357#")
		refused(i + 4)
	}
	s.noCalls()
	mark = ann.mark()
	ann.dials("*98202")
	time.Sleep(time.Second)
	ann.keysIn("2580#")
	refused(6)
	ann.waitFor("CALL_CLOSED", mark, 10*time.Second)
	log := s.log.String()
	if n := strings.Count(log, "too many wrong PINs"); n != 2 {
		t.Errorf("the log tells of a locked box %d times, want 2", n)
	}
	if strings.Contains(log, "1357") || strings.Contains(log, "2580") {
		t.Error("the log holds a PIN")
	}
}

// A caller who is leaving a message presses 0: the message is kept, the operator's phone rings, and the two talk.
func TestOperatorFromMailbox(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.applies("company: {name: Test, timezone: America/New_York, region: US, ring_seconds: 20, operator: \"201\"}\n")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	mark := ann.mark()
	sipp := carrierCalls(t, s, "+12025550003", "+12025550999", waitBye)
	time.Sleep(14 * time.Second) // the greeting, the beep, and some speech
	sipp.pushes("0")
	ann.waitFor("CALL_INCOMING", mark, 10*time.Second)
	ann.do("accept", "")
	sipp.hears(annTone)
	ann.hears(carrierTone)
	ann.do("hangup", "")
	sipp.ends(10 * time.Second)
	if vm := s.messages(1).Voicemails[0]; vm.Seconds < 2 {
		t.Errorf("the message: %+v", vm)
	}
	if r := s.record(1); r.Disposition != store.Answered || r.AnsweredBy != "ann" || r.Voicemail == "" {
		t.Errorf("record: %s by %q, voicemail %q (%s)", r.Disposition, r.AnsweredBy, r.Voicemail, r.Reason)
	}
}

// Bob, who is out, calls his own number, presses * in his greeting, and hears his messages with his PIN.
func TestMailboxFromOutside(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	s.pin("bob", "2580")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	ann.leavesMessage("202")
	s.messages(1)
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	time.Sleep(3 * time.Second)
	sipp.pushes("*")
	time.Sleep(time.Second)
	sipp.pushes("2580#")
	time.Sleep(time.Second)
	sipp.pushes("1")
	sipp.hears(annTone)
	sipp.pushes("7") // deleted
	s.messages(0)
	sipp.pushes("##")
	sipp.ends(20 * time.Second)
}

// Bob answers a message of ann's by one of his own, forwards it to her with a comment before it, and calls her back.
func TestReplyForwardAndCallBack(t *testing.T) {
	s := serve(t, "")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	ann.leavesMessage("202")
	s.messages(1)
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	bob.dials("*97")
	time.Sleep(time.Second)
	bob.keysIn("1")
	bob.hears(annTone)
	bob.keysIn("3")
	time.Sleep(9 * time.Second) // it is told how, and then speaks
	bob.keysIn("#")
	s.messages(2)
	time.Sleep(time.Second)
	bob.keysIn("8")
	time.Sleep(500 * time.Millisecond)
	bob.keysIn("201#")
	time.Sleep(10 * time.Second)
	bob.keysIn("#")
	list := s.messages(3)
	time.Sleep(time.Second)
	mark := ann.mark()
	bob.keysIn("2")
	ann.waitFor("CALL_INCOMING", mark, 10*time.Second)
	ann.do("accept", "")
	bob.hears(annTone)
	ann.hears(deskTone)
	bob.do("hangup", "")
	s.noCalls()

	forwarded, reply := list.Voicemails[0], list.Voicemails[1] // newest first
	if begin, end := s.ends(reply.ID); !begin(deskTone) || !end(deskTone) {
		t.Error("the reply is not what bob said")
	}
	if begin, end := s.ends(forwarded.ID); !begin(deskTone) || !end(annTone) {
		t.Error("the forwarded message is not bob's comment and then ann's message")
	}
	ann.dials("*97")
	time.Sleep(time.Second)
	ann.keysIn("1")
	ann.hears(deskTone)
	ann.do("hangup", "")
	s.noCalls()
}

// ends tells which tones the audio of a message begins and ends with.
func (s *server) ends(id string) (begin, end func(hz float64) bool) {
	s.t.Helper()
	samples, rate := s.audio(id)
	part := rate * 4 / 5 // the silence around a message is cut but for a quarter of a second
	if len(samples) < 2*part {
		s.t.Fatalf("message %s has %d samples", id, len(samples))
	}
	margin := rate * 3 / 10
	return func(hz float64) bool { return carries(samples[:part], rate, hz) },
		func(hz float64) bool { return carries(samples[:len(samples)-margin], rate, hz) }
}

// Bob pauses a message, goes on, goes back, and skips what is left of it.
func TestMovingInAMessage(t *testing.T) {
	s := serve(t, "")
	ann := newBaresip(t, s, s.phone("ann", "desk"), annTone, baresipOptions{})
	ann.leavesMessage("202")
	length := s.messages(1).Voicemails[0].Seconds
	if length < 3 || length > 12 {
		t.Fatalf("the message has %.1f s", length)
	}
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	bob.dials("*97")
	time.Sleep(time.Second)
	bob.keysIn("1")
	bob.hears(annTone)
	bob.keysIn("0")
	time.Sleep(4 * time.Second) // a prompt tells of the pause
	if samples, rate := readWAV(bob.recorded()); carries(samples, rate, annTone) {
		t.Error("the message goes on in the pause")
	}
	bob.keysIn("0")
	bob.hears(annTone)
	for range 4 { // again and again from its beginning, longer than it is
		time.Sleep(2 * time.Second)
		bob.keysIn("*")
		bob.hears(annTone)
	}
	for range int(length/5) + 1 { // what is beyond its end is the menu, in which # leads to the first one, and then out
		bob.keysIn("#")
	}
	eventually(t, "the message should be over", 5*time.Second, func() bool {
		samples, rate := readWAV(bob.recorded())
		return len(samples) > 0 && !carries(samples, rate, annTone)
	})
	bob.do("hangup", "")
	s.noCalls()
}

// Bob asks on the page for a greeting to be recorded: his phone rings, he speaks, and the next caller hears it.
func TestGreetingFromThePage(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	bob := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := bob.mark()
	if code := s.api("POST", "/api/mailboxes/bob/greetings/busy/record?user=bob", nil); code != 202 {
		t.Fatalf("record: %d", code)
	}
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("accept", "")
	time.Sleep(11 * time.Second) // it is told how, and then speaks
	bob.keysIn("#")
	time.Sleep(time.Second)
	bob.keysIn("1")
	eventually(t, "the greeting should be there", 10*time.Second, func() bool {
		return s.api("GET", "/api/mailboxes/bob/greetings/busy", nil) == 200
	})
	bob.waitFor("CALL_CLOSED", mark, 10*time.Second)
	s.noCalls()
	mark = bob.mark()
	sipp := carrierCalls(t, s, "+12025550004", "+12025550999", waitBye)
	bob.waitFor("CALL_INCOMING", mark, 5*time.Second)
	bob.do("hangup", "")
	sipp.hears(deskTone)
}
