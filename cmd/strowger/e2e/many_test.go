package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/store"
)

// Forty calls at once from one carrier go out over another: each party speaks, the called ones repeat what they hear, and all
// is counted in forty records.
func TestFortyCallsAtOnce(t *testing.T) {
	const calls = 40
	out := freePort(t, "udp")
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, "")+carrierTrunk("outside", carrier2IP, out, ", priority: -1"))
	callee := newTrunkPeer(t, carrier2IP, outsideTone)
	callee.port = out
	answers := strings.NewReplacer("LEARN", "", "PROGRESS", provisional(180, false), "RING", "100", "SDP\n", echoBody, `<Reference variables="m,p"/>`, "").Replace(answerScript)
	callee.run(answers, "127.0.0.1:9", "-m", "1000", "-rtp_echo")

	voice := filepath.Join(t.TempDir(), "voice.wav")
	writeTone(t, voice, 8000, carrierTone, 10*time.Second)
	samples, _ := readWAV(voice)
	encoded := filepath.Join(t.TempDir(), "voice.ul")
	if err := os.WriteFile(encoded, codec.EncodeMu(make([]byte, len(samples)), samples), 0o600); err != nil {
		t.Fatal(err)
	}
	caller := newTrunkPeer(t, carrierIP, carrierTone)
	speaks := `<nop><action><exec rtp_stream="` + encoded + `,-1,0"/></action></nop>`
	calling := script(invites(1, "", "SDP"), strings.Replace(answered, "LEARN", "", 1), within("ACK", 1, "", ""), speaks, pause(6*time.Second), within("BYE", 2, "", ""), gets(200, ""))
	calling = strings.NewReplacer("FROM", "+1202555[call_number]", "SDP\n", strings.Replace(echoBody, "[media_port]", "[rtpstream_audio_port]", 1)).Replace(calling)
	caller.run(calling, s.ready.SIPUDP, "-s", "+12025550002", "-m", strconv.Itoa(calls), "-l", strconv.Itoa(calls), "-r", "20")
	eventually(t, "forty calls should be up at once", 20*time.Second, func() bool {
		return strings.Count(s.cli("calls", "--active", "--json"), `"phase": "up"`) == calls
	})
	caller.ends(30 * time.Second)
	s.noCalls()
	s.record(calls)
	for _, r := range s.records() {
		if r.Disposition != store.Answered || r.AnsweredBy != "+12025550150" || r.EndedBy != "caller" {
			t.Errorf("record of %s: %s by %q, ended by %s (%s)", r.From, r.Disposition, r.AnsweredBy, r.EndedBy, r.Reason)
		}
		for _, l := range r.Legs {
			if l.Media.In.Packets < 200 || l.Media.Out.Packets < 200 {
				t.Errorf("call of %s, leg of %s: %d packets in, %d out in six seconds", r.From, l.Peer, l.Media.In.Packets, l.Media.Out.Packets)
			}
		}
	}
}

// echoBody is SDP of SIPp's own media.
const echoBody = `v=0
o=carrier 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
`
