package media

import (
	"testing"
	"time"

	"strowger/media/mediatest"
)

// TestTransportGathers: packets come at a rate at which they are gathered, then one alone, then many again. All arrive, in
// order, and an end while they are gathered is an end.
func TestTransportGathers(t *testing.T) {
	start := time.Now()
	made, err := newTransport(func() time.Duration { return time.Since(start) })
	if err != nil {
		t.Fatal(err)
	}
	tr := made.(*epollTransport)
	var in inbox
	_, to := listen(t, tr, loopback, &in)
	sender, _ := listen(t, tr, loopback, &inbox{})
	sent := 0
	one := func() {
		sender.send([]byte{byte(sent), byte(sent >> 8)}, to)
		sent++
	}
	for range 3 {
		for until := time.Now().Add(5 * window); time.Now().Before(until); time.Sleep(gatherTime / 10) {
			one()
			one()
		}
		if !mediatest.Eventually(patience, func() bool { return in.count() == sent }) {
			t.Fatalf("%d of %d datagrams came", in.count(), sent)
		}
		time.Sleep(3 * window) // the bell is back
		one()
		if !mediatest.Eventually(patience, func() bool { return in.count() == sent }) {
			t.Fatal("the one alone did not come")
		}
	}
	in.mu.Lock()
	arrived := in.got
	in.mu.Unlock()
	for i, got := range arrived {
		if got != string([]byte{byte(i), byte(i >> 8)}) {
			t.Fatalf("datagram %d is % x", i, got)
		}
	}
	for until := time.Now().Add(2 * window); time.Now().Before(until); time.Sleep(gatherTime / 10) {
		one()
	}
	sender.close()
	tr.close()
}
