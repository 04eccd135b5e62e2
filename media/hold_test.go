package media

import (
	"testing"
	"time"
)

// TestHoldIsNoLoss: a party that held us off for a while gets sequence numbers without a gap, and timestamps that show the
// pause.
func TestHoldIsNoLoss(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		alice := newFakeLeg(t, e, Options{ID: "alice"}, agreedOn(codecPCMU))
		bob := newFakeLeg(t, e, Options{ID: "bob"}, agreedOn(codecPCMU))
		mustBridge(t, alice.Session, bob.Session)
		alice.talks(200*time.Millisecond, loud)
		bob.link.agreed.send = false
		bob.renegotiate(t)
		alice.talks(10*time.Second, loud)
		bob.link.agreed.send = true
		bob.renegotiate(t)
		alice.talks(200*time.Millisecond, loud)
		got := bob.link.packets()
		if len(got) != 20 {
			t.Fatalf("bob got %d packets, want 10 before and 10 after the hold", len(got))
		}
		for i := 1; i < len(got); i++ {
			want := uint32(160)
			if i == 10 {
				want += 10 * 8000
			}
			if step := got[i].seq - got[i-1].seq; step != 1 {
				t.Errorf("packet %d: the sequence number steps by %d", i, step)
			}
			if step := got[i].ts - got[i-1].ts; step != want {
				t.Errorf("packet %d: the timestamp steps by %d, want %d", i, step, want)
			}
		}
		if !got[10].marker {
			t.Error("the first packet after the hold has no marker")
		}
	})
}
