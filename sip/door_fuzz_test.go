package sip

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"

	sipmsg "github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// heard is a sipgo connection that keeps the responses.
type heard struct {
	responses []*sipmsg.Response
}

func (h *heard) LocalAddr() net.Addr    { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5060} }
func (h *heard) Ref(int) int            { return 1 }
func (h *heard) TryClose() (int, error) { return 1, nil }
func (h *heard) Close() error           { return nil }

func (h *heard) WriteMsg(m sipmsg.Message) error {
	if res, ok := m.(*sipmsg.Response); ok {
		h.responses = append(h.responses, res)
	}
	return nil
}

var doorSeeds = []string{
	"OPTIONS sip:a SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: x\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n",
	"INVITE sip:201@x SIP/2.0\nv: SIP/2.0/UDP h;branch=z9hG4bK1\nf: \"q;,\\\"\" <sip:a@b;x=y?h=v>;tag=1\nt: sip:c@d\ni: x\nCSeq: 1 INVITE\nm: <sip:a@b>;q=0.1\nc: application/sdp\nl: 5\n\nv=0\r\n",
	"REGISTER sip:x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1, SIP/2.0/TCP g\nFrom: <sip:ann@b>;tag=1\nTo: <sip:ann@d>\nCall-ID: x\nCSeq: 1 REGISTER\n" +
		"Contact: *\nContact: <sip:a@b>;expires=1;+sip.instance=\"<urn:uuid:1>\", sip:c@d\nExpires: 0\nPath: <sip:p;lr>\n" +
		"Authorization: Digest username=\"ann-desk\", realm=\"" + testRealm + "\", nonce=\"AAAA\", uri=\"sip:x\", response=\"0\", qop=auth, nc=00000001, cnonce=\"c\"\n\n",
	"BYE tel:+1 SIP/2.0\nVia: SIP/2.0/WSS [::1]:5060;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 BYE\nReason: SIP;cause=200\n\n",
	"ACK sip:a SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: x\nCSeq: 1 ACK\n\n",
	"INVITE sip:201@x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: sip:c@d\nCall-ID: x\nCSeq: 1 INVITE\n" +
		"Content-Type: multipart/mixed;boundary=b\nContent-Length: 61\n\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n           ",
	"SUBSCRIBE sip:202@x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:202@d>\nCall-ID: x\nCSeq: 1 SUBSCRIBE\n" +
		"Contact: <sip:a@h>\no: dialog;id=7\nAccept: application/dialog-info+xml\nExpires: 600\nContent-Length: 0\n\n",
	"REFER sip:202@x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:202@d>\nCall-ID: x\nCSeq: 1 REFER\n" +
		"r: <sip:203@x?Replaces=a%40b%3Bto-tag%3Dc%3Bfrom-tag%3Dd>\nTarget-Dialog: a;local-tag=b;remote-tag=c\nContent-Length: 0\n\n",
	"INVITE sip:202@x SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:202@d>\nCall-ID: x\nCSeq: 1 INVITE\n" +
		"Require: replaces\nReplaces: a@b;to-tag=c;from-tag=d;early-only\nContent-Length: 0\n\n",
	"SIP/2.0 200 OK\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n\n",
	"\n\n", "\x00\x01\x00\x00!\x12\xa4B", "INVITE", "INVITE sip:a SIP/2.0\n\n",
}

// Whatever arrives: nothing panics, nobody is rung, nobody is registered, and a request is answered once or not at all.
func FuzzDoor(f *testing.F) {
	for _, seed := range doorSeeds {
		f.Add([]byte(strings.ReplaceAll(seed, "\n", "\r\n")))
		f.Add([]byte(seed))
	}
	office := newOffice()
	cfg := office.config()
	watched := &board{states: map[string]LampState{"of:202": {}}}
	cfg.Lamps, cfg.Messages = watched, watched
	var log bytes.Buffer
	cfg.Log = zerolog.New(&log).Level(zerolog.ErrorLevel)
	s, err := New(cfg)
	if err != nil {
		f.Fatal(err)
	}
	props := sipmsg.TransportReadProps{
		Transport: "UDP", LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5060}, RemoteAddr: &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5060},
	}
	parser := newParser()
	f.Fuzz(func(t *testing.T, data []byte) {
		data, err := s.filter(props, bytes.Clone(data))
		if err != nil {
			t.Fatalf("the filter failed and would stop the listener: %v", err)
		}
		m, err := parser.ParseSIP(data)
		if err != nil {
			return
		}
		m.SetTransport("UDP")
		m.SetSource("192.0.2.1:5060")
		s.arrived(m)
		req, ok := m.(*sipmsg.Request)
		if !ok || req.Via() == nil || req.CSeq() == nil || req.Method == sipmsg.CANCEL {
			return // sipgo answers these by itself
		}
		conn := &heard{}
		tx := sipmsg.NewServerTx("key", req, conn, slog.New(slog.DiscardHandler))
		if err := tx.Init(); err != nil {
			t.Fatal(err)
		}
		s.handle(req, tx)
		tx.Terminate()
		if strings.Contains(log.String(), "panic") {
			t.Fatal(log.String())
		}
		if len(conn.responses) > 1 || (req.Method == sipmsg.ACK && len(conn.responses) > 0) {
			t.Fatalf("%s was answered %d times", req.Method, len(conn.responses))
		}
		for _, res := range conn.responses {
			if req.Method == sipmsg.INVITE && res.StatusCode < 400 || req.Method == sipmsg.REGISTER && res.StatusCode < 400 {
				t.Fatalf("%s of a stranger was answered with %d", req.Method, res.StatusCode)
			}
		}
		if office.calls.Load() > 0 || len(s.Registrations("")) > 0 || s.Subscriptions() > 0 {
			t.Fatal("somebody was rung, registered or subscribed")
		}
	})
}
