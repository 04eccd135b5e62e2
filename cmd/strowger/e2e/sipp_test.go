package e2e

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The carriers' addresses: a trunk is recognised by its address, so phones must not share it.
const (
	carrierIP  = "127.0.0.3"
	carrier2IP = "127.0.0.4"
)

// trunkPeer is SIPp in the carrier's place, for the signalling; the voice is a party of ours on the port that SIPp
// announces, because SIPp cannot tell what it hears.
type trunkPeer struct {
	t    *testing.T
	dir  string
	log  *logFile
	proc *process
	rtp  *rtpParty
	port int    // SIP
	ip   string // SIP, "" = that of its voice
}

const sdpBody = `v=0
o=carrier 1 1 IN IP[media_ip_type] [media_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio MEDIA RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
`

// learnPort makes SIPp write the RTP port of the message that it just received to a file, where the voice finds it.
const learnPort = `<action><ereg regexp="m=audio ([0-9]+)" search_in="body" check_it="true" assign_to="m,p"/>` +
	`<exec command="echo [$p] > FOLDER/port.tmp; mv FOLDER/port.tmp FOLDER/port"/></action>`

// callScript is a call in XML: the INVITE, what may come, and then what the test adds (see carrierCalls).
const callScript = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:carrier@[local_ip]:[local_port]>
Max-Forwards: 70
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE
Content-Type: application/sdp
Content-Length: [len]

SDP
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true">LEARN</recv>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
REST
<Reference variables="m,p"/>
</scenario>`

// waitBye lets the other side hang up.
const waitBye = `<recv request="BYE" timeout="60000"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`

// byeAfter hangs up after so many milliseconds.
func byeAfter(d time.Duration) string {
	return fmt.Sprintf(`<pause milliseconds="%d"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:FROM@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>`, d.Milliseconds())
}

// carrierCalls makes SIPp call a number of ours. rest is what happens after the answer: waitBye or byeAfter.
func carrierCalls(t *testing.T, s *server, to, from, rest string) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, carrierIP, carrierTone)
	p.run(p.fill(callScript, from, rest), s.ready.SIPUDP, "-s", to, "-m", "1")
	return p
}

// carrierCalls6 is the same over IPv6.
func carrierCalls6(t *testing.T, s *server, to, from, rest string) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, "::1", carrierTone)
	p.run(p.fill(callScript, from, rest), at("::1", s.ready.SIPUDP), "-s", to, "-m", "1")
	return p
}

// at is an address on another host.
func at(host, addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(host, port)
}

// answerScript is a called party of the carrier.
const answerScript = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="answer">
<recv request="INVITE" rrs="true">LEARN</recv>
PROGRESS
<pause milliseconds="RING"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE
Content-Type: application/sdp
Content-Length: [len]

SDP
]]></send>
<recv request="ACK"/>
` + waitBye + `
<Reference variables="m,p"/>
</scenario>`

// provisional is a 180, or a 183 with the carrier's voice in it.
func provisional(code int, sdp bool) string {
	body := "Content-Length: 0\n\n"
	if sdp {
		body = "Content-Type: application/sdp\nContent-Length: [len]\n\nSDP\n"
	}
	return fmt.Sprintf(`<send><![CDATA[
SIP/2.0 %d Progress
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:carrier@[local_ip]:[local_port]>
%s]]></send>`, code, body)
}

// refuseScript answers every INVITE with an error.
const refuseScript = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="refuse">
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 CODE Refused
[last_Via:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<recv request="ACK"/>
</scenario>`

// carrierAnswers puts a called party behind a trunk: it rings, and answers after so long.
func carrierAnswers(t *testing.T, ip string, port int, hz float64, ring time.Duration, progress string) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, ip, hz)
	p.port = port
	script := strings.NewReplacer("PROGRESS", progress, "RING", strconv.FormatInt(ring.Milliseconds(), 10)).Replace(answerScript)
	p.run(p.fill(script, "", ""), net.JoinHostPort(p.server().String(), "9"), "-m", "1000")
	return p
}

// carrierRefuses puts a trunk there that fails every call.
func carrierRefuses(t *testing.T, ip string, port, code int) *trunkPeer {
	t.Helper()
	p := newTrunkPeer(t, ip, outsideTone)
	p.port = port
	p.run(strings.ReplaceAll(refuseScript, "CODE", strconv.Itoa(code)), "127.0.0.1:9", "-m", "1000")
	return p
}

func newTrunkPeer(t *testing.T, ip string, hz float64) *trunkPeer {
	t.Helper()
	return &trunkPeer{t: t, dir: t.TempDir(), log: &logFile{}, rtp: newRTPParty(t, netip.MustParseAddr(ip), hz)}
}

// fill puts the call's particulars into a script. The caller's name comes before the body, which speaks of ports.
func (p *trunkPeer) fill(script, from, rest string) string {
	sdp := strings.ReplaceAll(sdpBody, "MEDIA", strconv.Itoa(int(p.rtp.local().Port())))
	voice := strings.NewReplacer(" 101\n", "\n", "a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n", "").Replace(sdp)
	script = strings.NewReplacer("REST", rest).Replace(script)
	alaw := strings.NewReplacer("RTP/AVP 0 8", "RTP/AVP 8", "a=rtpmap:0 PCMU/8000\n", "").Replace(sdp)
	script = strings.NewReplacer("LEARN", learnPort, "SDP\n", sdp, "SDP:voice\n", voice, "SDP:alaw\n", alaw).Replace(script)
	for _, direction := range []string{"sendonly", "recvonly", "inactive"} {
		script = strings.ReplaceAll(script, "SDP:"+direction+"\n", strings.ReplaceAll(sdp, "sendrecv", direction))
	}
	return strings.NewReplacer("FROM", from, "FOLDER", p.dir).Replace(script)
}

// run starts SIPp and, once it has learned where the other side's media is, the voice.
func (p *trunkPeer) run(script, target string, args ...string) {
	p.t.Helper()
	file := filepath.Join(p.dir, "script.xml")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if p.port == 0 {
		p.port = freePort(p.t, "udp")
	}
	ip := p.rtp.local().Addr().String()
	args = append(args, "-sf", file, "-i", cmp.Or(p.ip, ip), "-p", strconv.Itoa(p.port), "-mi", ip, "-mp", strconv.Itoa(freeRange(p.t)),
		"-nostdin", "-trace_msg", "-message_file", filepath.Join(p.dir, "messages"), "-trace_err", "-error_file", filepath.Join(p.dir, "errors"),
		"-default_behaviors", "all,-bye", target)
	cmd := exec.Command("sipp", args...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	p.proc = start(p.t, cmd)
	stop := make(chan struct{})
	p.t.Cleanup(func() {
		close(stop)
		if p.t.Failed() {
			messages, _ := os.ReadFile(filepath.Join(p.dir, "messages"))
			errors, _ := os.ReadFile(filepath.Join(p.dir, "errors"))
			screen := p.log.String()
			p.t.Logf("sipp %s:\n%s\n%s\n%s", ip, messages, errors, screen[max(0, len(screen)-500):])
		}
	})
	go p.talk(stop)
}

// talk sends the voice to wherever SIPp was told, newest first.
func (p *trunkPeer) talk(stop <-chan struct{}) {
	last := ""
	for {
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		data, err := os.ReadFile(filepath.Join(p.dir, "port"))
		if text := strings.TrimSpace(string(data)); err == nil && text != last {
			last = text
			if n, err := strconv.ParseUint(text, 10, 16); err == nil {
				p.rtp.connect(netip.AddrPortFrom(p.server(), uint16(n)))
			}
		}
	}
}

// server is the loopback address of the server, in the carrier's family.
func (p *trunkPeer) server() netip.Addr {
	if p.rtp.local().Addr().Unmap().Is6() {
		return netip.IPv6Loopback()
	}
	return netip.MustParseAddr("127.0.0.1")
}

// hears waits until the carrier's party hears this tone.
func (p *trunkPeer) hears(hz float64) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("the carrier should hear %.0f Hz", hz), 12*time.Second, func() bool { return carries(p.rtp.heard(), 8000, hz) })
}

// deaf waits until the carrier's party has been sent no voice for 400 ms.
func (p *trunkPeer) deaf() {
	p.t.Helper()
	last, since := -1, time.Now()
	eventually(p.t, "the carrier should hear nothing", eventTimeout, func() bool {
		if n := len(p.rtp.heard()); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 400*time.Millisecond
	})
}

// gets waits until the carrier's party has received just these keys by RFC 4733.
func (p *trunkPeer) gets(keys string) {
	p.t.Helper()
	for end := time.Now().Add(eventTimeout); p.rtp.keys() != keys; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("the carrier received the keys %q, want %q", p.rtp.keys(), keys)
		}
	}
}

// ends waits until SIPp's call is over, and well.
func (p *trunkPeer) ends(d time.Duration) {
	p.t.Helper()
	if !p.proc.ended(d) {
		p.t.Fatalf("sipp's call is not over after %v", d)
	}
	if p.proc.err != nil {
		p.t.Fatalf("sipp: %v", p.proc.err)
	}
}

// messages are all SIP messages that SIPp saw.
func (p *trunkPeer) messages() string {
	data, _ := os.ReadFile(filepath.Join(p.dir, "messages"))
	return string(data)
}
