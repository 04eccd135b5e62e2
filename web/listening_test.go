package web

import (
	"strconv"
	"testing"
	"time"
)

// TestListenings: one goes on as long as its session asks again in time; how many are remembered is limited.
func TestListenings(t *testing.T) {
	var n listenings
	now := time.Unix(1e9, 0)
	l := listening{"ann", "s1", "recording.listen", "r1"}
	if n.noted(l, now) {
		t.Error("noted before it began")
	}
	n.note(l, now)
	for range 5 {
		if now = now.Add(listeningGap - time.Second); !n.noted(l, now) {
			t.Error("a listening that goes on begins anew")
		}
	}
	for _, other := range []listening{{"ann", "s2", l.action, "r1"}, {"ann", "s1", "recording.download", "r1"}, {"ann", "s1", l.action, "r2"}} {
		if n.noted(other, now) {
			t.Errorf("%v is taken for another one", other)
		}
	}
	if n.noted(l, now.Add(listeningGap)) {
		t.Error("it never ends")
	}
	for i := range 2 * maxListenings {
		now = now.Add(time.Millisecond)
		n.note(listening{recording: strconv.Itoa(i)}, now)
	}
	if len(n.last) != maxListenings || !n.noted(listening{recording: strconv.Itoa(2*maxListenings - 1)}, now) || n.noted(l, now) {
		t.Errorf("%d are remembered", len(n.last))
	}
}
