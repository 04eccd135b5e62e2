package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"strowger/cmd/strowger/admin"
	"strowger/store"
)

// registrarScript challenges every REGISTER, and grants four seconds.
const registrarScript = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="registrar">
<recv request="REGISTER"/>
<send><![CDATA[
SIP/2.0 401 Unauthorized
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
WWW-Authenticate: Digest realm="acme", nonce="n[call_number]", algorithm=MD5, qop="auth"
Content-Length: 0

]]></send>
<recv request="REGISTER"><action>
<ereg regexp="username=.12025550001." search_in="msg" check_it="true" assign_to="u"/>
</action></recv>
<Reference variables="u"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]r[call_number]
[last_Call-ID:]
[last_CSeq:]
[last_Contact:];expires=4
Content-Length: 0

]]></send>
</scenario>`

func (s *server) trunk(name string) admin.TrunkStatus {
	s.t.Helper()
	var list []admin.TrunkStatus
	if err := json.Unmarshal([]byte(s.cli("trunks", "--json")), &list); err != nil {
		s.t.Fatal(err)
	}
	for _, tr := range list {
		if tr.Name == name {
			return tr
		}
	}
	s.t.Fatalf("no trunk %s in %+v", name, list)
	return admin.TrunkStatus{}
}

// A trunk registers with digest, says so when its registrar is gone, and comes back by itself.
func TestTrunkLosesItsRegistrarAndRecovers(t *testing.T) {
	port := freePort(t, "udp")
	registrar := func() *trunkPeer {
		p := newTrunkPeer(t, carrierIP, carrierTone)
		p.port = port
		p.run(registrarScript, "127.0.0.1:9", "-m", "1000", "-deadcall_wait", "0")
		return p
	}
	first := registrar()
	s := serve(t, carrierTrunk("acme", carrierIP, port, `, register: true, username: "12025550001", password: hush`))
	eventually(t, "the trunk should register", 10*time.Second, func() bool { return s.trunk("acme").Registered })
	if log := s.log.String(); strings.Contains(log, "hush") {
		t.Error("the trunk's password is in the log")
	}
	first.proc.kill()
	eventually(t, "the trunk should say that it is not registered, and why", 60*time.Second, func() bool {
		tr := s.trunk("acme")
		return !tr.Registered && tr.Detail != ""
	})
	registrar()
	eventually(t, "the trunk should register again", 90*time.Second, func() bool { return s.trunk("acme").Registered })
}

// The first trunk fails; the call goes out by the second. A busy line does not fail over.
func TestFailoverToTheSecondTrunk(t *testing.T) {
	port1, port2 := freePort(t, "udp"), freePort(t, "udp")
	s := serve(t, carrierTrunk("first", carrierIP, port1, "")+carrierTrunk("second", carrier2IP, port2, ", priority: 1"))
	broken := carrierRefuses(t, carrierIP, port1, 503)
	callee := carrierAnswers(t, carrier2IP, port2, outsideTone, 300*time.Millisecond, provisional(180, false))
	desk := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{})
	mark := desk.mark()
	desk.do("dial", "+12025550177")
	desk.waitFor("CALL_ESTABLISHED", mark, 10*time.Second)
	desk.hears(outsideTone)
	callee.hears(deskTone)
	desk.do("hangup", "")
	r := s.record(1)
	if r.Disposition != store.Answered || len(r.Legs) != 3 || r.Legs[1].Trunk != "first" || r.Legs[1].Code != 503 || r.Legs[2].Trunk != "second" {
		t.Errorf("record: %s, %+v", r.Disposition, r.Legs)
	}
	broken.proc.kill()
	busy := carrierRefuses(t, carrierIP, port1, 486)
	mark = desk.mark()
	desk.do("dial", "+12025550178")
	desk.waitFor("CALL_CLOSED", mark, 10*time.Second)
	if r := s.record(2); len(r.Legs) != 2 || r.Code != 486 || r.Disposition != store.Busy {
		t.Errorf("a busy line: %s %d with %d legs", r.Disposition, r.Code, len(r.Legs))
	}
	if !strings.Contains(busy.messages(), "INVITE sip:") {
		t.Error("the busy line was not called")
	}
	s.noCalls()
}

// The server restarts while a phone is registered: the phone rings without registering again.
func TestRestartKeepsRegistrations(t *testing.T) {
	s := serve(t, carrierTrunk("acme", carrierIP, 5060, ""))
	desk := newBaresip(t, s, s.phone("ann", "desk"), deskTone, baresipOptions{Refresh: 3600})
	s.restart()
	mark := desk.mark()
	sipp := carrierCalls(t, s, "+12025550001", "+12025550900", waitBye)
	desk.waitFor("CALL_INCOMING", mark, 5*time.Second)
	desk.do("accept", "")
	desk.hears(carrierTone)
	sipp.hears(deskTone)
	desk.do("hangup", "")
	sipp.ends(5 * time.Second)
	if n := strings.Count(desk.log.String(), "REGISTER sip:"); n != 2 {
		t.Errorf("the phone sent %d REGISTERs, want two: one challenged, one accepted, none after the restart", n)
	}
}

// A phone behind a router that masquerades hears and is heard.
func TestPhoneBehindNAT(t *testing.T) {
	lab := newNATLab(t)
	s := serveIn(t, lab.pbx, "198.18.0.10")
	phone := newBaresip(t, s, s.phone("bob", "desk"), deskTone, baresipOptions{Netns: lab.phone, Local: "10.99.1.2", Server: s.ready.SIPUDP})
	near := newBaresip(t, s, s.phone("ann", "desk"), outsideTone, baresipOptions{Netns: lab.pbx, Local: "198.18.0.10", Server: s.ready.SIPUDP})
	mark := phone.mark()
	near.do("dial", "202")
	phone.waitFor("CALL_INCOMING", mark, 10*time.Second)
	phone.do("accept", "")
	phone.hears(outsideTone)
	near.hears(deskTone)
	phone.do("hangup", "")
	s.noCalls()

	mark = near.mark() // and the other way round: the one behind the router calls
	phone.do("dial", "201")
	near.waitFor("CALL_INCOMING", mark, 10*time.Second)
	near.do("accept", "")
	near.hears(deskTone)
	phone.hears(outsideTone)
	near.do("hangup", "")
	s.noCalls()
	if r := s.record(2); leg(t, r, store.Desk).Media.In.Packets == 0 {
		t.Errorf("no media counted: %+v", r.Legs)
	}
}
