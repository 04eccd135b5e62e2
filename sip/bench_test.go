package sip

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRegister is a refresh with digest over loopback UDP, from the socket and back: a phone that uses its nonce
// again with the next count. The phone's own work is in it too.
func BenchmarkRegister(b *testing.B) {
	cfg := newOffice().config()
	cfg.Bindings = &memoryBindings{}
	cfg.NonceLifetime = time.Hour
	s := startEdge(b, cfg)
	w := dialWire(b, "udp", s.Addrs().UDP)
	w.send(w.request("REGISTER", testURI, "ann-desk", w.contact("")))
	challenge := w.read().header("WWW-Authenticate")
	_, rest, _ := strings.Cut(challenge, `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	hash := func(s string) string { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }
	ha1, _ := HA1("ann-desk", testRealm, "secret-ann-desk")
	ha2 := hash("REGISTER:" + testURI)
	local := w.conn.LocalAddr().String()
	buf := make([]byte, maxDatagram)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for i := range b.N {
		nc := fmt.Sprintf("%08x", i+1)
		response := hash(ha1 + ":" + nonce + ":" + nc + ":c:auth:" + ha2)
		text := fmt.Sprintf("REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:ann-desk@strowger.test>;tag=f1\r\nTo: <sip:ann-desk@strowger.test>\r\nCall-ID: bench\r\nCSeq: %d REGISTER\r\n"+
			"Contact: <sip:ann-desk@%s>;expires=300\r\nUser-Agent: bench\r\n"+
			"Authorization: Digest username=\"ann-desk\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=MD5, cnonce=\"c\", nc=%s, qop=auth\r\n"+
			"Content-Length: 0\r\n\r\n", testURI, local, i, i+2, local, testRealm, nonce, testURI, response, nc)
		_, _ = w.conn.Write([]byte(text))
		if status := readStatus(b, w.conn, buf); status != "200" {
			b.Fatalf("answered %s", status)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used of both kinds of CPU time: on a busy machine the wall clock measures the others.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkChallenge is what a stranger's REGISTER costs.
func BenchmarkChallenge(b *testing.B) {
	s := startEdge(b, newOffice().config())
	w := dialWire(b, "udp", s.Addrs().UDP)
	text := strings.ReplaceAll(w.request("REGISTER", testURI, "nobody", w.contact("")), "\n", "\r\n")
	buf := make([]byte, maxDatagram)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.conn.Write([]byte(text))
		if status := readStatus(b, w.conn, buf); status != "401" {
			b.Fatalf("answered %s", status)
		}
	}
}

func readStatus(b *testing.B, conn net.Conn, buf []byte) string {
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := conn.Read(buf)
	if err != nil || n < 12 {
		b.Fatal(err)
	}
	return string(buf[8:11])
}
