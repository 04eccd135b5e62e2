package media

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

func TestBrowserCallsBrowser(t *testing.T) {
	e := webrtcEngine(t)
	a, b := newParty(t, e, Options{ID: "a", WebRTC: true}), newParty(t, e, Options{ID: "b", WebRTC: true})
	alice, bob := newChrome(t, "opus"), newChrome(t, "opus")
	if err := a.Bridge(b.Session); err != nil {
		t.Fatal(err)
	}
	alice.calls(a)
	if got := bob.isCalledBy(b); got[0] != "opus" {
		t.Errorf("agreed on %v", got)
	}
	a.wait(t, Ready)
	b.wait(t, Ready)
	alice.talks("this is alice")
	bob.talks("this is bob")
	first := alice.hears("this is bob")
	bob.hears("this is alice")
	second := alice.hears("this is bob")
	if second.SSRC != first.SSRC || second.SequenceNumber != first.SequenceNumber+1 {
		t.Errorf("the stream is not continuous: %v then %v", first.Header, second.Header)
	}
	if first.PayloadType != 109 {
		t.Errorf("payload type %d, alice's opus is 109", first.PayloadType)
	}
	if st := a.Stats(); st.SRTP != "dtls" || st.Codec != "opus" || st.In.Packets == 0 || st.Out.Packets == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestBrowserTalksToDeskPhone(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "alice", WebRTC: true})
	alice := newChrome(t, "PCMU")
	alice.calls(a, "PCMU")
	phone := newPhone(t, "bob", "G722", 700)
	mustBridge(t, a.Session, ring(t, e, phone, Options{}))
	phone.Talk()
	alice.talks(string(codec.EncodeMu(make([]byte, 160), mediatest.Tone(400, 8000, 160)))) // eight whole waves in a packet
	if !phone.Hears(400, patience) {
		t.Error("the phone does not hear the browser")
	}
	var heard []int16
	for !mediatest.Hears(heard, 8000, 700) {
		select {
		case p := <-alice.heard:
			heard = append(heard, codec.DecodeMu(make([]int16, len(p.Payload)), p.Payload)...)
			heard = heard[max(0, len(heard)-8000):]
		case <-time.After(patience):
			t.Fatal("the browser does not hear the phone")
		}
	}
}

func TestAnswerIsRestrictedToTheList(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	answer := string(alice.calls(a, "PCMU"))
	if !strings.Contains(answer, " 0 126\r\n") || strings.Contains(answer, "opus") || strings.Contains(answer, "48000") {
		t.Errorf("want PCMU and its telephone-event only:\n%s", answer)
	}
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.talks("echo")
	if p := alice.hears("echo"); p.PayloadType != 0 {
		t.Errorf("payload type %d", p.PayloadType)
	}
}

func TestHoldAndResume(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	alice.calls(a)
	a.wait(t, Ready)
	for _, step := range []struct{ dir, answer string }{
		{"sendonly", "recvonly"}, {"sendrecv", "sendrecv"}, {"inactive", "inactive"}, {"recvonly", "sendonly"}, {"sendrecv", "sendrecv"},
	} {
		offer := strings.Replace(string(alice.offer()), "a=sendrecv", "a="+step.dir, 1)
		if _, err := a.RemoteOffer([]byte(offer)); err != nil {
			t.Fatal(err)
		}
		answer, err := a.Answer(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.RemoteDirection(); got != step.dir {
			t.Errorf("RemoteDirection %s, want %s", got, step.dir)
		}
		if !strings.Contains(string(answer), "a="+step.answer+"\r\n") {
			t.Errorf("the answer to %s is not %s:\n%s", step.dir, step.answer, answer)
		}
		// The page itself stays on sendrecv: pion would stop its transceiver for good on inactive.
		alice.remote(webrtc.SDPTypeAnswer, []byte(strings.Replace(string(answer), "a="+step.answer, "a=sendrecv", 1)))
	}
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.talks("back again")
	alice.hears("back again")
}

func TestReinviteFromOurSideKeepsTheConnection(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	first := string(alice.calls(a, "opus", "PCMU"))
	a.wait(t, Ready)
	if got := alice.isCalledBy(a, "PCMU", "opus"); !slices.Contains(got, "PCMU") {
		t.Errorf("agreed on %v", got)
	}
	second, err := a.Offer([]string{"PCMU", "opus"})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a=ice-ufrag:", "a=fingerprint:", "a=mid:", "a=rtpmap:109 opus"} {
		if line(first, key) != line(string(second), key) {
			t.Errorf("%q became %q", line(first, key), line(string(second), key))
		}
	}
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.talks("still here")
	alice.hears("still here")
}

func TestIceRestart(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice := newChrome(t, "PCMU")
	before := string(alice.calls(a))
	alice.talks("hello")
	alice.hears("hello")
	o, err := alice.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	after := string(alice.reoffers(a, alice.local(o, err)))
	if line(before, "a=ice-ufrag") == line(after, "a=ice-ufrag") {
		t.Error("the answer to an ICE restart must have new credentials")
	}
	for len(alice.heard) > 0 {
		<-alice.heard
	}
	alice.hears("hello")
}

func TestPeerThatWantsToBeDTLSServer(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChromeAs(t, "PCMU", webrtc.DTLSRoleServer)
	alice.isCalledBy(a)
	a.wait(t, Ready)
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	alice.talks("hello")
	alice.hears("hello")
	again := string(alice.reoffers(a, alice.offer()))
	if got := line(again, "a=setup"); got != "a=setup:active" {
		t.Errorf("%s: the roles of a connection that is up do not change", got)
	}
}

// TestSecondBrowserTakesOver: a page that was reloaded comes back with new credentials and a new certificate.
func TestSecondBrowserTakesOver(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	if err := a.Echo(); err != nil {
		t.Fatal(err)
	}
	first, second := newChrome(t, "PCMU"), newChrome(t, "PCMU")
	first.calls(a)
	first.talks("first")
	first.hears("first")
	second.calls(a)
	second.talks("second")
	second.hears("second")
	if got := len(a.events); got != 1 {
		t.Errorf("%d events, want only Ready", got)
	}
}

func TestBrowserThatLeavesIsLost(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	alice.calls(a)
	a.wait(t, Ready)
	alice.becomes(webrtc.PeerConnectionStateConnected)
	alice.hangUp()
	if ev := a.wait(t, Lost); ev.Why == "" {
		t.Error("Lost does not say why")
	}
}

func TestWrongCertificateIsRefused(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	offer := string(alice.offer())
	fp := line(offer, "a=fingerprint:sha-256 ")
	forged := strings.Replace(offer, fp, fp[:len(fp)-2]+"00", 1)
	if strings.HasSuffix(fp, "00") {
		forged = strings.Replace(offer, fp, fp[:len(fp)-2]+"01", 1)
	}
	alice.reoffers(a, []byte(forged))
	if ev := a.wait(t, Lost); !strings.Contains(ev.Why, "certificate") {
		t.Errorf("Lost because %q", ev.Why)
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	e := webrtcEngine(t)
	a := newParty(t, e, Options{ID: "a", WebRTC: true})
	alice := newChrome(t, "PCMU")
	alice.calls(a)
	a.wait(t, Ready)
	alice.becomes(webrtc.PeerConnectionStateConnected)
	a.Close()
	a.Close()
	alice.becomes(webrtc.PeerConnectionStateClosed)
	select {
	case ev := <-a.events:
		t.Errorf("event %+v after Close", ev)
	default:
	}
}

func TestCloseInEveryState(t *testing.T) {
	e := webrtcEngine(t)
	states := map[string]func(*party, *chrome){
		"new":        func(*party, *chrome) {},
		"offered":    func(p *party, _ *chrome) { _, _ = p.Offer(nil) },
		"asked":      func(p *party, c *chrome) { _, _ = p.RemoteOffer(c.offer()) },
		"connecting": func(p *party, c *chrome) { c.calls(p) },
	}
	for name, reach := range states {
		t.Run(name, func(*testing.T) {
			p := newParty(t, e, Options{ID: name, WebRTC: true})
			reach(p, newChrome(t, "opus"))
			p.Close()
			if _, err := p.Answer(nil); err == nil {
				t.Error("a closed session answers")
			}
		})
	}
}

// TestKeysCrossClocks: Chromium presses keys at the clock of Opus; a peer that knows only 8000 Hz gets them at that.
func TestKeysCrossClocks(t *testing.T) {
	e := webrtcEngine(t)
	alice, bob := newThinBrowser(t), newThinBrowser(t)
	alice.audio = "111 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000"
	bob.audio = "109 101\r\na=rtpmap:109 opus/48000/2\r\na=rtpmap:101 telephone-event/8000"
	a, b := alice.call(t, e), bob.call(t, e)
	alice.vanish() // of their connections only the keys are needed from here on
	bob.vanish()
	if err := a.Bridge(b.Session); err != nil {
		t.Fatal(err)
	}
	// A key of 100 ms, as six packets of which the last three are its end.
	for i, length := range []uint16{960, 1920, 2880, 4800, 4800, 4800} {
		payload := []byte{5, 10, byte(length >> 8), byte(length)}
		if i > 2 {
			payload[1] |= 0x80
		}
		alice.send(t, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 110, SequenceNumber: uint16(i), Timestamp: 1000, SSRC: 7, Marker: i == 0}, Payload: payload})
	}
	if ev := a.wait(t, Digit); ev.Digit != '5' || ev.Millis != 100 || !ev.Relayed {
		t.Errorf("event %+v", ev)
	}
	for {
		p := bob.receive(t)
		if p.PayloadType != 101 || p.Payload[0] != 5 {
			t.Fatalf("bob got %+v", p.Header)
		}
		if p.Payload[1]&0x80 != 0 { // the end
			if length := int(p.Payload[2])<<8 | int(p.Payload[3]); length != 800 {
				t.Errorf("length %d, want 800", length)
			}
			return
		}
	}
}

// TestBrowsersComeAndGo sets calls up, bridges, talks and ends them in every way at once, for the race detector and goleak.
func TestBrowsersComeAndGo(t *testing.T) {
	e := webrtcEngine(t)
	lobby := newParty(t, e, Options{ID: "lobby", WebRTC: true})
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for round := range 8 {
				c := newThinBrowser(t)
				p := c.call(t, e)
				if err := p.Bridge(lobby.Session); err != nil {
					t.Error(err)
				}
				var seq uint16
				for _, pkt := range c.voice(t, &seq, 20) {
					_, _ = c.conn.WriteToUDPAddrPort(pkt, c.server)
				}
				switch (worker + round) % 3 {
				case 0:
					c.vanish()
				case 1:
					_ = c.dtls.Close() // says goodbye
				}
				p.Close()
				if c.dtls != nil {
					c.vanish()
				}
			}
		})
	}
	wg.Wait()
}
