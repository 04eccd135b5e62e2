package media

import (
	"runtime"
	"testing"
	"time"
)

// BenchmarkWebRTCRelay is the cost of one packet from one browser to another in our code and one sendto: sorting, SRTP in,
// relay, SRTP out, send. It must not allocate.
func BenchmarkWebRTCRelay(b *testing.B) {
	e := webrtcEngine(b)
	alice, bob := newThinBrowser(b), newThinBrowser(b)
	pa, pb := alice.call(b, e), bob.call(b, e)
	alice.vanish() // their DTLS would only read along
	bob.vanish()
	if err := pa.Bridge(pb.Session); err != nil {
		b.Fatal(err)
	}
	l := pa.link.(*webrtcLink)
	var seq uint16
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		batch := alice.voice(b, &seq, 1000)
		b.StartTimer()
		for _, pkt := range batch {
			l.Packet(pkt)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/packet")
	if got := pb.Stats().Out.Packets; got < uint64(b.N)*1000 {
		b.Errorf("%d packets were relayed, want %d", got, b.N*1000)
	}
}

// BenchmarkWebRTCSetup is one call from offer to keys, the thin browser's half of the DTLS handshake included.
func BenchmarkWebRTCSetup(b *testing.B) {
	e := webrtcEngine(b)
	for b.Loop() {
		c := newThinBrowser(b)
		p := c.call(b, e)
		c.vanish()
		p.Close()
		_ = c.conn.Close()
	}
}

// BenchmarkWebRTCMemory reports what a connected session keeps.
func BenchmarkWebRTCMemory(b *testing.B) {
	e := webrtcEngine(b)
	const sessions = 200
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		var parties []*party
		for range sessions {
			c := newThinBrowser(b)
			parties = append(parties, c.call(b, e))
			c.vanish()
			_ = c.conn.Close()
		}
		time.Sleep(200 * time.Millisecond)
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/sessions, "goroutines/session")
		b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/sessions/1024, "KB/session")
		for _, p := range parties {
			p.Close()
		}
	}
}
