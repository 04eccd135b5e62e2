package sip

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"strowger/sip/siptest"
)

// lampsInBench is how many lamps the benchmark's panel has.
const lampsInBench = 1000

// BenchmarkLamps changes all of a thousand lamps that a phone watches, each in a subscription of its own, and waits until it
// has been told of every one, over loopback UDP. The phone's own work is in it too.
func BenchmarkLamps(b *testing.B) {
	o := newOffice()
	lamps := &board{states: map[string]LampState{}}
	var keys []string
	for i := range lampsInBench {
		keys = append(keys, fmt.Sprint("of:", 1000+i))
		lamps.states[keys[i]] = LampState{Open: true}
	}
	cfg := o.config()
	cfg.TCP, cfg.Lamps, cfg.NonceLifetime = "", lamps, time.Hour
	s := startEdge(b, cfg)
	s.subs.pause = 0
	panel := dialWire(b, "udp", s.Addrs().UDP)
	before := heapInUse()
	for i := range lampsInBench {
		panel.subscribes(fmt.Sprint(1000 + i))
		panel.read()
		panel.notified()
	}
	kept := heapInUse() - before
	cpu := cpuTime(b)
	for turn := 0; b.Loop(); turn++ {
		lamps.mu.Lock()
		for _, key := range keys {
			var calls []LampCall
			if turn%2 == 0 {
				calls = []LampCall{{ID: "c", Stage: LampConfirmed, Incoming: true}}
			}
			lamps.states[key] = LampState{Open: true, Calls: calls}
		}
		lamps.mu.Unlock()
		for some := range slices.Chunk(keys, 100) { // what a socket's buffer holds
			s.LampChanged(some...)
			for range some {
				panel.notified()
			}
		}
	}
	b.ReportMetric(float64(kept)/lampsInBench, "B/lamp")
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N*lampsInBench), "cpu-ns/NOTIFY")
}

// heapInUse is what is in use after a collection.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// subscribes asks for a lamp, and answers the challenge.
func (w *wire) subscribes(name string) {
	uri := "sip:" + name + "@" + testRealm
	extra := "Call-ID: lamp-" + name + "\nEvent: dialog\n" + w.contact("")
	w.send(w.request("SUBSCRIBE", uri, "ann-desk", extra))
	challenge := w.read().header("WWW-Authenticate")
	w.send(w.request("SUBSCRIBE", uri, "ann-desk", extra+digest(challenge, "SUBSCRIBE", uri, "ann-desk", "secret-ann-desk", "00000001")))
}

// notified answers the next NOTIFY.
func (w *wire) notified() {
	w.t.Helper()
	buf := make([]byte, maxDatagram)
	_ = w.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, err := w.conn.Read(buf)
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := siptest.Parse(string(buf[:n]))
	if err != nil || m.Method() != "NOTIFY" {
		w.t.Fatalf("got %q, %v, want NOTIFY", m.Start, err)
	}
	var res strings.Builder
	res.WriteString("SIP/2.0 200 OK\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		res.WriteString(name + ": " + m.Get(name) + "\r\n")
	}
	res.WriteString("Content-Length: 0\r\n\r\n")
	if _, err := w.conn.Write([]byte(res.String())); err != nil {
		w.t.Fatal(err)
	}
}
