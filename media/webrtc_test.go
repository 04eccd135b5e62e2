package media

import (
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// webrtcEngine is an engine on loopback whose goroutines are gone at the test's end.
func webrtcEngine(t testing.TB) *Engine {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		ignore := goleak.IgnoreCurrent()
		t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	}
	e, err := NewEngine(Config{BindIP: netip.MustParseAddr("127.0.0.1"), WebRTCUDP: "127.0.0.1:0", WebRTCTCP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// party is a session with its events.
type party struct {
	*Session
	events chan Event
}

func newParty(t testing.TB, e *Engine, opt Options) *party {
	t.Helper()
	p := &party{events: make(chan Event, 100)}
	opt.OnEvent = func(ev Event) { p.events <- ev }
	s, err := e.NewSession(opt)
	if err != nil {
		t.Fatal(err)
	}
	p.Session = s
	return p
}

// wait returns the next event of this type.
func (p *party) wait(t testing.TB, want EventType) Event {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case ev := <-p.events:
			if ev.Type == want {
				return ev
			}
		case <-limit:
			t.Fatalf("event %d did not come", want)
		}
	}
}

// chrome is a pion PeerConnection in the part of the browser.
type chrome struct {
	t     testing.TB
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticRTP
	heard chan *rtp.Packet
	state chan webrtc.PeerConnectionState
	stops chan struct{}
	once  sync.Once
}

func browserAPI(t testing.TB, role webrtc.DTLSRole) *webrtc.API {
	t.Helper()
	m := &webrtc.MediaEngine{}
	for _, c := range []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/opus", ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}, PayloadType: 109},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/G722", ClockRate: 8000}, PayloadType: 9},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/PCMU", ClockRate: 8000}, PayloadType: 0},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/PCMA", ClockRate: 8000}, PayloadType: 8},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 48000}, PayloadType: 112},
		{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/telephone-event", ClockRate: 8000}, PayloadType: 126},
	} {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			t.Fatal(err)
		}
	}
	var se webrtc.SettingEngine
	se.SetIncludeLoopbackCandidate(true)
	se.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	if role != webrtc.DTLSRoleAuto {
		if err := se.SetAnsweringDTLSRole(role); err != nil {
			t.Fatal(err)
		}
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(se), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
}

// newChrome talks this codec, "opus" or "PCMU".
func newChrome(t testing.TB, codec string) *chrome {
	t.Helper()
	return newChromeAs(t, codec, webrtc.DTLSRoleAuto)
}

// newChromeAs answers with this DTLS role.
func newChromeAs(t testing.TB, codec string, role webrtc.DTLSRole) *chrome {
	t.Helper()
	pc, err := browserAPI(t, role).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &chrome{t: t, pc: pc, heard: make(chan *rtp.Packet, 1000), stops: make(chan struct{})}
	c.state = make(chan webrtc.PeerConnectionState, 20)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { c.state <- s })
	clock, channels := uint32(8000), uint16(0)
	if codec == "opus" {
		clock, channels = 48000, 2
	}
	c.track, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "audio/" + codec, ClockRate: clock, Channels: channels}, "mic", "page")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(c.track); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := tr.ReadRTP()
			if err == io.EOF || pc.ConnectionState() == webrtc.PeerConnectionStateClosed {
				return
			}
			if err == nil {
				c.heard <- p
			}
		}
	})
	t.Cleanup(func() { c.hangUp() })
	return c
}

func (c *chrome) hangUp() {
	c.once.Do(func() {
		close(c.stops)
		if err := c.pc.GracefulClose(); err != nil {
			c.t.Error(err)
		}
	})
}

// becomes waits until the browser sees the connection in this state.
func (c *chrome) becomes(want webrtc.PeerConnectionState) {
	c.t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case s := <-c.state:
			if s == want {
				return
			}
		case <-limit:
			c.t.Fatalf("the browser's connection did not become %v", want)
		}
	}
}

// offer is complete with candidates, as SIP libraries wait for.
func (c *chrome) offer() []byte {
	c.t.Helper()
	o, err := c.pc.CreateOffer(nil)
	return c.local(o, err)
}

func (c *chrome) local(d webrtc.SessionDescription, err error) []byte {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
	done := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(d); err != nil {
		c.t.Fatal(err)
	}
	<-done
	return []byte(c.pc.LocalDescription().SDP)
}

func (c *chrome) remote(kind webrtc.SDPType, sdp []byte) {
	c.t.Helper()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: string(sdp)}); err != nil {
		c.t.Fatalf("the browser does not take\n%s\n%v", sdp, err)
	}
}

// calls lets the browser offer and the session answer.
func (c *chrome) calls(p *party, codecs ...string) []byte {
	c.t.Helper()
	return c.reoffers(p, c.offer(), codecs...)
}

func (c *chrome) reoffers(p *party, offer []byte, codecs ...string) []byte {
	c.t.Helper()
	if _, err := p.RemoteOffer(offer); err != nil {
		c.t.Fatal(err)
	}
	answer, err := p.Answer(codecs)
	if err != nil {
		c.t.Fatal(err)
	}
	c.remote(webrtc.SDPTypeAnswer, answer)
	return answer
}

// isCalledBy lets the session offer and the browser answer.
func (c *chrome) isCalledBy(p *party, codecs ...string) []string {
	c.t.Helper()
	offer, err := p.Offer(codecs)
	if err != nil {
		c.t.Fatal(err)
	}
	c.remote(webrtc.SDPTypeOffer, offer)
	a, err := c.pc.CreateAnswer(nil)
	got, err := p.RemoteAnswer(c.local(a, err))
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// talks sends this payload every 20 ms, as the source, until the test ends.
func (c *chrome) talks(payload string) {
	var seq uint16
	stop := c.stops
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ts := uint32(0); ; ts += 160 {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			seq++
			_ = c.track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts}, Payload: []byte(payload)})
		}
	}()
}

// hears waits for a packet with this payload.
func (c *chrome) hears(payload string) *rtp.Packet {
	c.t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case p := <-c.heard:
			if string(p.Payload) == payload {
				return p
			}
		case <-limit:
			c.t.Fatalf("%q was not heard", payload)
		}
	}
}

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

// line finds an SDP line by its beginning.
func line(sdp, prefix string) string {
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
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
