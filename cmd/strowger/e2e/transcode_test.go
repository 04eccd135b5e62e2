package e2e

import (
	"testing"

	"strowger/store"
)

// onlyOpus lets a page have no other codec: neither in its offers nor, as far as it sees, in ours.
const onlyOpus = `(() => {
	const only = RTCRtpSender.getCapabilities("audio").codecs.filter((c) => /opus|telephone-event/.test(c.mimeType));
	const page = RTCPeerConnection.prototype;
	const { createOffer, setRemoteDescription } = page;
	page.createOffer = function (...args) {
		for (const t of this.getTransceivers()) t.setCodecPreferences(only);
		return createOffer.apply(this, args);
	};
	page.setRemoteDescription = function (d) {
		const sdp = d.sdp.replace(/^(m=audio \d+ \S+) .*$/m, (line, start) =>
			start + line.slice(start.length).split(" ").filter((pt) => !["0", "8", "9"].includes(pt)).join(" "));
		return setRemoteDescription.call(this, { type: d.type, sdp: sdp.replace(/^a=rtpmap:[089] .*\r\n/gm, "") });
	};
	return true;
})()`

// A desk phone that has G.722 alone and a browser that has Opus alone hear each other, whoever calls: beyond the telephone's
// 4 kHz, for both are wideband.
func TestG722WithOpus(t *testing.T) {
	const high, higher = 5230.0, 6110.0
	s := serve(t, "")
	desk := newBaresip(t, s, s.phone("bob", "desk"), high, baresipOptions{Codecs: "G722/16000/1"})
	page := signIn(t, s, "ann", higher)
	var done bool
	page.eval(onlyOpus, &done)

	mark := desk.mark()
	page.fill(`[data-testid=dial-input]`, "202")
	page.click(`[data-testid=dial-call]`)
	desk.waitFor("CALL_INCOMING", mark, eventTimeout)
	desk.do("accept", "")
	desk.hears(higher)
	page.hears(high)
	page.click(`[data-testid=call-hangup]`)
	desk.waitFor("CALL_CLOSED", mark, eventTimeout)
	check := func(calls int) {
		t.Helper()
		r := s.record(calls)
		if b, d := leg(t, r, store.Browser).Media.Codec, leg(t, r, store.Desk).Media.Codec; b != "opus" || d != "G722" {
			t.Errorf("call %d: the browser has codec %s, the phone %s", calls, b, d)
		}
	}
	check(1)

	desk.do("dial", "201")
	page.sees(`[data-testid=incoming]`, eventTimeout)
	page.click(`[data-testid=incoming-answer]`)
	page.hears(high)
	desk.hears(higher)
	desk.do("hangup", "")
	page.gone(`[data-testid=call-panel]`, eventTimeout)
	check(2)
	s.noCalls()
}
