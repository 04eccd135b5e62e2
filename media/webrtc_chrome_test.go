package media

import (
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"
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

// line finds an SDP line by its beginning.
func line(sdp, prefix string) string {
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
