package media

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// sdpLeg is a session for SDP tests: its port is real, its address is not the peer's.
func sdpLeg(t testing.TB, policy Policy) *Session {
	t.Helper()
	s, err := newTestEngine(t, false).NewSession(Options{ID: "leg", SRTP: policy})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sdp makes a description with this audio section.
func sdp(lines ...string) []byte {
	return []byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n")
}

func mustAnswer(t testing.TB, s *Session, offer []byte, codecs ...string) string {
	t.Helper()
	if _, err := s.RemoteOffer(offer); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Answer(codecs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseSDP(answer); err != nil {
		t.Fatalf("our own answer: %v\n%s", err, answer)
	}
	return string(answer)
}

func wantLines(t testing.TB, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, l+"\r\n") && !strings.Contains(text, l+" ") {
			t.Errorf("no %q in\n%s", l, text)
		}
	}
}

func TestRemoteOfferCommonCodecs(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"static without rtpmap", []string{"m=audio 4000 RTP/AVP 8 0 9 18"}, []string{"PCMA", "PCMU", "G722"}},
		{"dynamic", []string{"m=audio 4000 RTP/AVP 107 0", "a=rtpmap:107 opus/48000/2"}, []string{"opus", "PCMU"}},
		{"any case", []string{"m=audio 4000 RTP/AVP 0 98", "a=rtpmap:0 pcmu/8000", "a=rtpmap:98 OPUS/48000/2"}, []string{"PCMU", "opus"}},
		{"channels written out", []string{"m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000/1"}, []string{"PCMU"}},
		{"G.711 under a dynamic type", []string{"m=audio 4000 RTP/AVP 110", "a=rtpmap:110 PCMU/8000"}, []string{"PCMU"}},
		{"PCMU at another rate is none of ours", []string{"m=audio 4000 RTP/AVP 110 8", "a=rtpmap:110 PCMU/16000"}, []string{"PCMA"}},
		{"101 is nothing without rtpmap", []string{"m=audio 4000 RTP/AVP 101 0"}, []string{"PCMU"}},
		{"video first", []string{"m=video 5000 RTP/AVP 96", "m=audio 4000 RTP/AVP 0"}, []string{"PCMU"}},
		{"second audio is usable", []string{"m=audio 4000 UDP/TLS/RTP/SAVPF 0", "m=audio 4002 RTP/AVP 8"}, []string{"PCMA"}},
		{"the first audio is switched off", []string{"m=audio 0 RTP/AVP 0", "m=audio 4002 RTP/AVP 8"}, []string{"PCMA"}},
		{"twice the same", []string{"m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 PCMU/8000"}, []string{"PCMU"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := sdpLeg(t, None).RemoteOffer(sdp(c.lines...))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestRemoteOfferErrors(t *testing.T) {
	const key30 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk"
	savp := func(crypto string) []string { return []string{"m=audio 4000 RTP/SAVP 0", "a=crypto:" + crypto} }
	for _, c := range []struct {
		name   string
		policy Policy
		sdp    []byte
		want   string // in the error
	}{
		{"empty", None, nil, "is empty"},
		{"not SDP", None, []byte("hello"), "line 1"},
		{"no media", None, sdp(), "no m= line"},
		{"no audio", None, sdp("m=video 4000 RTP/AVP 96"), "no m=audio"},
		{"version", None, []byte("v=1\r\n"), "want 0"},
		{"port", None, sdp("m=audio 99999 RTP/AVP 0"), "line 6: m=: port"},
		{"short", None, sdp("m=audio 4000"), "line 6"},
		{"payload type", None, sdp("m=audio 4000 RTP/AVP 200"), "payload type"},
		{"rtpmap", None, sdp("m=audio 4000 RTP/AVP 0", "a=rtpmap:96"), "line 7: a=rtpmap"},
		{"address", None, sdp("m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example"), "host names"},
		{"family", None, sdp("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), "there is no way"},
		{"family mismatch", None, sdp("m=audio 4000 RTP/AVP 0", "c=IN IP4 2001:db8::1"), "not an IP4 address"},
		{"multicast", None, sdp("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.0.0.9/127"), "multicast"},
		{"broadcast", None, sdp("m=audio 4000 RTP/AVP 0", "c=IN IP4 255.255.255.255"), "broadcast"},
		{"no address", None, []byte("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), "no c= address"},
		{"codecs", None, sdp("m=audio 4000 RTP/AVP 18 3"), "the peer has 18, 3"},
		{"protocol", None, sdp("m=audio 4000 TCP/RTP/AVP 0"), "protocol"},
		{"DTLS", Optional, sdp("m=audio 4000 UDP/TLS/RTP/SAVPF 0"), "browsers"},
		{"switched off", None, sdp("m=audio 0 RTP/AVP 0"), "port 0"},
		{"SAVP refused by policy", None, sdp(savp("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30)...), "switched off"},
		{"SAVP without key", Optional, sdp("m=audio 4000 RTP/SAVP 0"), "no a=crypto"},
		{"plain refused by policy", Required, sdp("m=audio 4000 RTP/AVP 0"), "SRTP is required"},
		{"suite", Required, sdp(savp("1 F8_128_HMAC_SHA1_80 inline:" + key30)...), "suite"},
		{"key length", Required, sdp(savp("1 AES_CM_128_HMAC_SHA1_80 inline:MDEy")...), "needs 30"},
		{"base64", Required, sdp(savp("1 AES_CM_128_HMAC_SHA1_80 inline:%%%")...), "base64"},
		{"MKI", Required, sdp(savp("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4")...), "MKI"},
		{"session parameter", Required, sdp(savp("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " UNENCRYPTED_SRTP")...), "UNENCRYPTED_SRTP"},
		{"tag", Required, sdp(savp("x AES_CM_128_HMAC_SHA1_80 inline:" + key30)...), "tag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sdpLeg(t, c.policy).RemoteOffer(c.sdp)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), key30) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

// RTCP may go to another host (RFC 3605), but never to many.
func TestRTCPAddress(t *testing.T) {
	for attr, want := range map[string]string{
		"a=rtcp:5": "192.0.2.1:5", "a=rtcp:5 IN IP4 192.0.2.9": "192.0.2.9:5", "a=rtcp:99999": "192.0.2.1:4001", "a=sendrecv": "192.0.2.1:4001",
		"a=rtcp:5 IN IP4 224.0.0.1": "192.0.2.1:5", "a=rtcp:5 IN IP4 255.255.255.255": "192.0.2.1:5", "a=rtcp:5 IN IP6 ::ffff:224.0.0.1": "192.0.2.1:5",
	} {
		doc, err := parseSDP(sdp("m=audio 4000 RTP/AVP 0", "c=IN IP4 192.0.2.1", attr))
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.media[0].rtcpAddr().String(); got != want {
			t.Errorf("%s: RTCP goes to %s, want %s", attr, got, want)
		}
	}
}

func TestAnswer(t *testing.T) {
	s := sdpLeg(t, None)
	offer := sdp("m=audio 4000 RTP/AVP 0 8 97 101 9", "a=rtpmap:97 telephone-event/8000", "a=rtpmap:101 opus/48000/2",
		"a=ptime:30", "a=sendonly", "m=video 5000 RTP/AVP 96", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel")
	answer := mustAnswer(t, s, offer, "PCMA", "PCMU")
	port := s.link.(*rtpLink).rtp.port()
	wantLines(t, answer, fmt.Sprintf("m=audio %d RTP/AVP 8 0 97", port), "a=rtpmap:97 telephone-event/8000", "a=recvonly",
		"m=video 0 RTP/AVP 96", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 127.0.0.1")
	if strings.Contains(answer, "rtcp-mux") || strings.Contains(answer, "opus") {
		t.Errorf("more than offered or wanted:\n%s", answer)
	}
	if got := s.agreed.ptime; got != 30 {
		t.Errorf("ptime %d", got)
	}
	if s.RemoteDirection() != sendonly || s.agreed.send || !s.agreed.recv {
		t.Errorf("direction %s, agreed %+v", s.RemoteDirection(), s.agreed)
	}
	if strings.Index(answer, "m=audio") > strings.Index(answer, "m=video") {
		t.Error("the m= lines changed their order")
	}
}

func TestAnswerUsesOfferersPayloadTypes(t *testing.T) {
	s := sdpLeg(t, None)
	answer := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 107 126 99", "a=rtpmap:107 opus/48000/2",
		"a=rtpmap:126 telephone-event/48000", "a=rtpmap:99 telephone-event/8000", "a=rtcp-mux"))
	wantLines(t, answer, "a=rtpmap:107 opus/48000/2", "a=rtpmap:126 telephone-event/48000", "a=rtpmap:99 telephone-event/8000", "a=rtcp-mux")
	offer, err := s.Offer(nil) // a re-INVITE from our side keeps them
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, string(offer), "a=rtpmap:107 opus/48000/2", "a=rtpmap:126 telephone-event/48000", "a=rtpmap:99 telephone-event/8000")
}

func TestHold(t *testing.T) {
	for _, c := range []struct{ line, remote, answer string }{
		{"a=sendrecv", sendrecv, sendrecv},
		{"a=sendonly", sendonly, recvonly},
		{"a=recvonly", recvonly, sendonly},
		{"a=inactive", inactive, inactive},
		{"c=IN IP4 0.0.0.0", inactive, inactive},
		{"c=IN IP4 0.0.0.0\r\na=sendonly", sendonly, recvonly},
	} {
		s := sdpLeg(t, None)
		first := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 0"))
		held := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 0", c.line))
		if got := s.RemoteDirection(); got != c.remote {
			t.Errorf("%q: the peer is %s, want %s", c.line, got, c.remote)
		}
		wantLines(t, held, "a="+c.answer)
		if v1, v2 := version(first), version(held); c.answer != sendrecv && v2 != v1+1 || c.answer == sendrecv && v2 != v1 {
			t.Errorf("%q: version %d after %d", c.line, v2, v1)
		}
		// The address of before stays, so that the call goes on where it was.
		if got := s.link.(*rtpLink).latch.signalled; got != netip.MustParseAddrPort("192.0.2.1:4000") {
			t.Errorf("%q: sent to %v", c.line, got)
		}
	}
}

// TestAnswerAgain: a 183 and the 200 carry the same answer; a broken offer has none.
func TestAnswerAgain(t *testing.T) {
	s := sdpLeg(t, Optional)
	first := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 0 8", "a=rtcp-mux"), "PCMA")
	again, err := s.Answer([]string{"PCMA"})
	if err != nil || string(again) != first {
		t.Errorf("the second answer, %v:\n%s\nafter\n%s", err, again, first)
	}
	if _, err := s.RemoteOffer([]byte("broken")); err == nil {
		t.Error("a broken offer was taken")
	}
	if _, err := s.Answer(nil); err == nil {
		t.Error("a broken offer was answered")
	}
}

// version is the o= line's.
func version(sdp string) (v int) {
	var id uint64
	_, _ = fmt.Sscanf(sdp[strings.Index(sdp, "o="):], "o=- %d %d", &id, &v)
	return v
}

func TestOffer(t *testing.T) {
	s := sdpLeg(t, None)
	b, err := s.Offer([]string{"PCMA", "GSM", "opus"})
	if err != nil {
		t.Fatal(err)
	}
	offer := string(b)
	wantLines(t, offer, fmt.Sprintf("m=audio %d RTP/AVP 8 111 110 101", s.link.(*rtpLink).rtp.port()), "a=rtpmap:111 opus/48000/2",
		"a=rtpmap:110 telephone-event/48000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16", "a=rtcp-mux", "a=ptime:20", "a=sendrecv")
	got, err := s.RemoteAnswer(sdp("m=audio 4000 RTP/AVP 96 8 100", "a=rtpmap:96 opus/48000/2", "a=rtpmap:100 telephone-event/8000"))
	if err != nil || !slices.Equal(got, []string{"opus", "PCMA"}) {
		t.Fatalf("negotiated %v, %v", got, err)
	}
	if f := s.agreed.audio[0]; f.send != 96 || f.recv != 111 {
		t.Errorf("opus is sent as %d and received as %d; want the peer's 96 and our 111", f.send, f.recv)
	}
	if f := s.agreed.events[0]; f.send != 100 || f.recv != 101 {
		t.Errorf("telephone-event is sent as %d and received as %d", f.send, f.recv)
	}
	if _, err := s.Offer([]string{"GSM"}); err == nil {
		t.Error("an offer without codecs was made")
	}
}

func TestRemoteAnswerErrors(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		answer []byte
		want   string
	}{
		{None, sdp("m=audio 0 RTP/AVP 0"), "refused the audio"},
		{None, sdp("m=video 4000 RTP/AVP 96"), "no m=audio"},
		{None, sdp("m=audio 4000 RTP/AVP 18"), "none of the offered codecs"},
		{Required, sdp("m=audio 4000 RTP/SAVP 0"), "no a=crypto"},
		{Required, sdp("m=audio 4000 RTP/SAVP 0", "a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk"), "was not offered"},
	} {
		s := sdpLeg(t, c.policy)
		if _, err := s.Offer([]string{"PCMU"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RemoteAnswer(c.answer); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestReofferRepeatsLines: after a call with a video line that we refused, our own offers have that line too.
func TestReofferRepeatsLines(t *testing.T) {
	s := sdpLeg(t, None)
	mustAnswer(t, s, sdp("m=video 5000 RTP/AVP 96", "m=audio 4000 RTP/AVP 0"))
	offer, err := s.Offer([]string{"PCMU"})
	if err != nil {
		t.Fatal(err)
	}
	if v, a := strings.Index(string(offer), "m=video 0"), strings.Index(string(offer), "m=audio"); v < 0 || a < v {
		t.Errorf("offer\n%s", offer)
	}
	if _, err := s.RemoteAnswer(sdp("m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 0")); err != nil {
		t.Error(err)
	}
}

func TestPolicyInOffer(t *testing.T) {
	for policy, want := range map[Policy]string{None: "RTP/AVP ", Optional: "RTP/AVP ", Required: "RTP/SAVP "} {
		offer, err := sdpLeg(t, policy).Offer([]string{"PCMU"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(offer), want) {
			t.Errorf("policy %d offers\n%s", policy, offer)
		}
		if got := strings.Contains(string(offer), "a=crypto:1 AEAD_AES_128_GCM inline:"); got != (policy != None) {
			t.Errorf("policy %d: keys offered: %v", policy, got)
		}
	}
}

// TestCryptoChoice: GCM where it is offered, whatever its place; the tag comes back.
func TestCryptoChoice(t *testing.T) {
	s := sdpLeg(t, Optional)
	answer := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 0",
		"a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk|2^31 WSH=64",
		"a=crypto:7 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg=="))
	if !strings.Contains(answer, "a=crypto:7 AEAD_AES_128_GCM inline:") || strings.Count(answer, "a=crypto") != 1 {
		t.Errorf("answer\n%s", answer)
	}
	again := mustAnswer(t, s, sdp("m=audio 4000 RTP/AVP 0",
		"a=crypto:7 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg=="))
	if again != answer {
		t.Errorf("the same offer got another answer:\n%s\n%s", answer, again)
	}
}

func FuzzSDP(f *testing.F) {
	f.Add(sdp("m=audio 4000 RTP/AVP 0 8 97 101", "a=rtpmap:97 telephone-event/8000", "a=sendonly", "m=video 5000 RTP/AVP 96"))
	f.Add(sdp("m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk|2^31|1:1 KDR=1"))
	f.Add(sdp("m=audio 4000/2 RTP/AVPF 107 13", "a=rtpmap:107 opus/48000/2", "a=rtcp:5 IN IP4 1.2.3.4", "a=maxptime:5", "c=IN IP4 0.0.0.0"))
	f.Add([]byte("v=0\nm=audio 65535 RTP/AVP 0\nc=IN IP6 ::1%eth0\n"))
	e := newTestEngine(f, true)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range []Policy{None, Optional, Required} {
			s, err := e.NewSession(Options{SRTP: p})
			if err != nil {
				t.Fatal(err)
			}
			if codecs, err := s.RemoteOffer(b); err == nil {
				answer, err := s.Answer(nil)
				if err != nil {
					t.Errorf("offer with %v cannot be answered: %v", codecs, err)
				} else if _, err := parseSDP(answer); err != nil {
					t.Errorf("our answer: %v\n%s", err, answer)
				}
			}
			if _, err := s.Offer(nil); err != nil {
				t.Error(err)
			}
			_, _ = s.RemoteAnswer(b)
			s.Close()
		}
	})
}
