package media

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func readSDP(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "webrtc", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func lines(sdp, prefix string) []string {
	var found []string
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			found = append(found, strings.TrimSpace(l))
		}
	}
	return found
}

func TestBrowserOffers(t *testing.T) {
	e := webrtcEngine(t)
	const ours = "m=audio PORT UDP/TLS/RTP/SAVPF "
	cases := []struct {
		file   string
		codecs []string // that both have
		answer []string // to answer with, nil = all
		media  []string // m-lines of the answer
	}{
		{"chromium-offer.sdp", []string{"opus", "G722", "PCMU", "PCMA"}, nil, []string{ours + "111 9 0 8 110 126"}},
		{"chromium-offer.sdp", []string{"opus", "G722", "PCMU", "PCMA"}, []string{"PCMA", "PCMU"}, []string{ours + "8 0 126"}},
		{"chromium-offer.sdp", []string{"opus", "G722", "PCMU", "PCMA"}, []string{"opus"}, []string{ours + "111 110 126"}},
		{"firefox-offer.sdp", []string{"opus", "G722", "PCMU", "PCMA"}, nil, []string{ours + "109 9 0 8 101"}},
		{"chromium-video-offer.sdp", []string{"opus", "G722", "PCMU", "PCMA"}, []string{"opus"}, []string{
			ours + "111 110 126", "m=video 0 UDP/TLS/RTP/SAVPF 96", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
		}},
	}
	for _, c := range cases {
		t.Run(c.file+strings.Join(c.answer, ","), func(t *testing.T) {
			p := newParty(t, e, Options{ID: "b", WebRTC: true})
			defer p.Close()
			offer := readSDP(t, c.file)
			got, err := p.RemoteOffer([]byte(offer))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.codecs) {
				t.Errorf("common codecs %v, want %v", got, c.codecs)
			}
			b, err := p.Answer(c.answer)
			if err != nil {
				t.Fatal(err)
			}
			answer := string(b)
			media := lines(answer, "m=")
			port := strings.Fields(media[0])[1]
			media[0] = strings.Replace(media[0], port, "PORT", 1)
			if !slices.Equal(media, c.media) {
				t.Errorf("m-lines %q, want %q", media, c.media)
			}
			if got, want := lines(answer, "a=mid:"), lines(offer, "a=mid:"); !slices.Equal(got, want) {
				t.Errorf("mids %q, want %q", got, want)
			}
			for _, want := range []string{"a=ice-lite", "a=group:BUNDLE 0", "a=setup:passive", "a=rtcp-mux", "a=sendrecv", "a=end-of-candidates"} {
				if line(answer, want) != want {
					t.Errorf("%q is missing in\n%s", want, answer)
				}
			}
			again, err := p.Answer(c.answer)
			if err != nil || string(again) != answer {
				t.Errorf("answering again: %v\n%s", err, again)
			}
		})
	}
}

func TestOurOfferAndChromiumsAnswer(t *testing.T) {
	e := webrtcEngine(t)
	p := newParty(t, e, Options{ID: "b", WebRTC: true})
	b, err := p.Offer([]string{"opus", "PCMU"})
	if err != nil {
		t.Fatal(err)
	}
	offer := string(b)
	if m := line(offer, "m=audio"); !strings.HasSuffix(m, "UDP/TLS/RTP/SAVPF 111 0 110 101") {
		t.Error(m)
	}
	for _, want := range []string{"a=setup:actpass", "a=rtcp-mux", "a=group:BUNDLE 0", "a=mid:0", "a=ice-lite", "a=sendrecv"} {
		if line(offer, want) != want {
			t.Errorf("%q is missing in\n%s", want, offer)
		}
	}
	for range 2 { // 183 and 200 with the same answer
		got, err := p.RemoteAnswer([]byte(readSDP(t, "chromium-answer.sdp")))
		if err != nil || !slices.Equal(got, []string{"opus", "PCMU"}) {
			t.Errorf("agreed on %v, %v", got, err)
		}
	}
	again, err := p.Offer([]string{"opus", "PCMU"})
	if err != nil || string(again) != offer {
		t.Errorf("the same offer again has another text: %v\n%s\n%s", err, offer, again)
	}
	less, err := p.Offer([]string{"PCMU"})
	if err != nil || line(string(less), "o=") == line(offer, "o=") {
		t.Errorf("another offer needs another version: %s, %v", line(string(less), "o="), err)
	}
}

func TestUnusableSDP(t *testing.T) {
	e := webrtcEngine(t)
	good := readSDP(t, "chromium-offer.sdp")
	without := func(prefixes ...string) string {
		var w strings.Builder
		for l := range strings.Lines(good) {
			if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(l, p) }) {
				w.WriteString(l)
			}
		}
		return w.String()
	}
	cases := map[string]struct{ sdp, why string }{
		"empty":         {"", "empty"},
		"not SDP":       {"hello", "SDP"},
		"plain RTP":     {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", "not of a WebRTC protocol"},
		"no ICE":        {without("a=ice-ufrag", "a=ice-pwd"), "ice-ufrag"},
		"no DTLS":       {without("a=fingerprint"), "fingerprint"},
		"weak hash":     {strings.Replace(good, "sha-256", "sha-1", 1), "SHA-256"},
		"no setup":      {without("a=setup"), "setup"},
		"two RTP ports": {without("a=rtcp-mux"), "rtcp-mux"},
		"both lite":     {strings.Replace(good, "t=0 0", "t=0 0\r\na=ice-lite", 1), "ice-lite"},
		"RTP with keys": {strings.Replace(without("a=fingerprint"), "UDP/TLS/RTP/SAVPF", "RTP/SAVP", 1), "fingerprint"},
		"no audio":      {strings.Replace(good, "m=audio", "m=video", 1), "no audio"},
		"refused audio": {strings.Replace(good, "m=audio 49475", "m=audio 0", 1), "no audio"},
		"no codec":      {strings.Replace(good, "111 63 9 0 8 13 110 126", "63 13 110", 1), "codec"},
		"bad payload":   {strings.Replace(good, "111 63 9 0 8 13 110 126", "111 700", 1), "700"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := newParty(t, e, Options{ID: "b", WebRTC: true})
			defer p.Close()
			if _, err := p.RemoteOffer([]byte(c.sdp)); err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %v, want one that says %q", err, c.why)
			}
			if _, err := p.Answer(nil); err == nil {
				t.Error("it was answered")
			}
		})
	}
}

func TestSDPOutOfOrder(t *testing.T) {
	e := webrtcEngine(t)
	p := newParty(t, e, Options{ID: "b", WebRTC: true})
	if _, err := p.Answer(nil); err == nil {
		t.Error("answered without an offer")
	}
	if _, err := p.RemoteAnswer([]byte(readSDP(t, "chromium-answer.sdp"))); err == nil {
		t.Error("took an answer without an offer of ours")
	}
	if _, err := p.Offer([]string{"GSM"}); err == nil {
		t.Error("offered no codec")
	}
	if _, err := p.RemoteOffer([]byte(readSDP(t, "chromium-offer.sdp"))); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Answer([]string{"GSM"}); err == nil {
		t.Error("answered with no codec")
	}
}

// TestAnswersFitOffers: whatever a browser-like offer says, the answer is SDP with as many m-lines in the same order, takes
// only what was offered, and says a direction that the offer allows (RFC 3264 §6).
func TestAnswersFitOffers(t *testing.T) {
	e := webrtcEngine(t)
	base := strings.SplitAfter(readSDP(t, "chromium-video-offer.sdp"), "\r\n")
	rapid.Check(t, func(rt *rapid.T) {
		offer := slices.Clone(base)
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			i := rapid.IntRange(0, len(offer)-1).Draw(rt, "line")
			switch rapid.IntRange(0, 3).Draw(rt, "how") {
			case 0:
				offer = slices.Delete(offer, i, i+1)
			case 1:
				offer = slices.Insert(offer, i, offer[rapid.IntRange(0, len(offer)-1).Draw(rt, "copy")])
			case 2:
				dir := rapid.SampledFrom([]string{"sendonly", "recvonly", "inactive"}).Draw(rt, "dir")
				offer[i] = strings.Replace(offer[i], "sendrecv", dir, 1)
			case 3:
				offer[i] = offer[i][:rapid.IntRange(0, len(offer[i])).Draw(rt, "cut")]
			}
		}
		p := newParty(t, e, Options{ID: "b", WebRTC: true})
		defer p.Close()
		checkAnswer(rt, p, strings.Join(offer, ""))
	})
}

type failer interface {
	Fatalf(string, ...any)
}

func checkAnswer(t failer, p *party, offer string) {
	if _, err := p.RemoteOffer([]byte(offer)); err != nil {
		return
	}
	b, err := p.Answer(nil)
	if err != nil {
		return
	}
	answer, err := parseSDP(b)
	if err != nil {
		t.Fatalf("the answer is malformed: %v\n%s", err, b)
	}
	offered, err := parseSDP([]byte(offer))
	if err != nil {
		t.Fatalf("a malformed offer was answered: %v", err)
	}
	if len(offered.media) != len(answer.media) {
		t.Fatalf("%d m-lines answer %d", len(answer.media), len(offered.media))
	}
	for i, m := range answer.media {
		o := offered.media[i]
		if m.kind != o.kind {
			t.Fatalf("m-line %d: %s answers %s", i, m.kind, o.kind)
		}
		for _, f := range m.formats {
			same := func(g string) bool { return strings.TrimLeft(g, "0") == strings.TrimLeft(f, "0") }
			if !slices.ContainsFunc(o.formats, same) {
				t.Fatalf("format %s was not offered", f)
			}
		}
		if m.port != 0 && m.dir != mirror(o.dir) {
			t.Fatalf("%s answers %s", m.dir, o.dir)
		}
	}
}

func FuzzBrowserSDP(f *testing.F) {
	for _, name := range []string{"chromium-offer.sdp", "chromium-video-offer.sdp", "firefox-offer.sdp", "chromium-answer.sdp"} {
		f.Add(readSDP(f, name))
	}
	e := webrtcEngine(f)
	f.Fuzz(func(t *testing.T, offer string) {
		p := newParty(t, e, Options{ID: "b", WebRTC: true})
		defer p.Close()
		checkAnswer(t, p, offer)
		if _, err := p.Offer(nil); err != nil {
			t.Fatal(err)
		}
		_, _ = p.RemoteAnswer([]byte(offer))
	})
}
