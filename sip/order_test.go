package sip

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"
)

// inDialogRequest is a request of the peer's side of a dialog.
func inDialogRequest(t testing.TB, method string, seq uint32) *sipmsg.Request {
	t.Helper()
	text := fmt.Sprintf("%s sip:us SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK%d%s\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\n"+
		"CSeq: %d %s\nContent-Length: 0\n\n", method, seq, method, seq, method)
	m, err := newParser().ParseSIP([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return m.(*sipmsg.Request)
}

func TestDialogOrder(t *testing.T) {
	type arrival struct {
		after  time.Duration
		method string
		seq    uint32
	}
	ms := time.Millisecond
	for _, test := range []struct {
		name     string
		arrivals []arrival
		want     string
		within   time.Duration
	}{
		{"as sent", []arrival{{0, "ACK", 1}, {ms, "BYE", 2}}, "ACK 1, BYE 2", 2 * ms},
		{"BYE overtakes ACK", []arrival{{0, "BYE", 2}, {ms, "ACK", 1}}, "ACK 1, BYE 2", 2 * ms},
		{"swapped", []arrival{{0, "ACK", 1}, {ms, "INFO", 3}, {2 * ms, "INFO", 2}, {3 * ms, "INFO", 4}}, "ACK 1, INFO 2, INFO 3, INFO 4", 5 * ms},
		{"a gap is not waited for long", []arrival{{0, "ACK", 1}, {ms, "INFO", 5}}, "ACK 1, INFO 5", orderGap + 2*ms},
		{"a lost ACK", []arrival{{0, "BYE", 2}}, "BYE 2", orderGap + ms},
		{"UPDATE before ACK", []arrival{{0, "UPDATE", 2}, {ms, "ACK", 1}}, "UPDATE 2, ACK 1", 2 * ms},
		{"re-INVITE waits for the ACK of the last", []arrival{{0, "ACK", 1}, {ms, "INVITE", 2}, {2 * ms, "BYE", 3}, {3 * ms, "ACK", 2}},
			"ACK 1, INVITE 2, ACK 2, BYE 3", 5 * ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newDialogOrder()
				o.begin(inDialogRequest(t, "INVITE", 1))
				start := time.Now()
				var mu sync.Mutex
				var got []string
				var all sync.WaitGroup
				for _, a := range test.arrivals {
					all.Go(func() {
						time.Sleep(a.after)
						release := o.enter(inDialogRequest(t, a.method, a.seq))
						mu.Lock()
						got = append(got, fmt.Sprintf("%s %d", a.method, a.seq))
						mu.Unlock()
						release()
					})
				}
				all.Wait()
				if s := strings.Join(got, ", "); s != test.want {
					t.Errorf("came as %s, want %s", s, test.want)
				}
				if d := time.Since(start); d > test.within {
					t.Errorf("took %v, want at most %v", d, test.within)
				}
			})
		})
	}
}

// Only one request of a dialog is handled at a time, however many come at once.
func TestDialogOrderIsExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newDialogOrder()
		o.begin(inDialogRequest(t, "INVITE", 1))
		var mu sync.Mutex
		var got []uint32
		var all sync.WaitGroup
		for seq := uint32(21); seq > 1; seq-- {
			all.Go(func() {
				release := o.enter(inDialogRequest(t, "INFO", seq))
				defer release()
				if !mu.TryLock() {
					t.Error("two at a time")
					return
				}
				time.Sleep(time.Millisecond)
				got = append(got, seq)
				mu.Unlock()
			})
		}
		all.Wait()
		if len(got) != 20 || !slices.IsSorted(got) {
			t.Errorf("came as %v", got)
		}
	})
}
