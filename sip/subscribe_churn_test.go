package sip

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strowger/sip/siptest"
)

// After a thousand subscriptions that were renewed, ended, refused, left unanswered or forgotten, nothing of them is left.
func TestSubscriptionChurn(t *testing.T) {
	watching(t, func(r *rig, b *board) {
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 20 {
			b.mu.Lock()
			b.states[fmt.Sprint("of:", 300+i)] = LampState{}
			b.mu.Unlock()
		}
		answers := func(m *siptest.Message) { // to a NOTIFY, in all ways that phones have
			d := r.phone.NewDialog("sip:x@10.0.0.3", "sip:x@10.0.0.1")
			switch {
			case random.IntN(10) == 0:
			case random.IntN(5) == 0:
				d.Reply(m, []int{481, 500, 489, 491}[random.IntN(4)], "")
			default:
				d.Reply(m, 200, "")
			}
		}
		response := func() *siptest.Message {
			for {
				m := r.phone.Must(siptest.Patience)
				if m.Code() != 0 {
					return m
				}
				answers(m)
			}
		}
		for range 1000 {
			event, name := []string{"dialog", "presence"}[random.IntN(2)], fmt.Sprint(300+random.IntN(20))
			d := r.phone.NewDialog("sip:ann-desk@"+testRealm, "sip:"+name+"@10.0.0.1")
			d.Do("SUBSCRIBE", "", "Event: "+event)
			auth := strings.TrimSpace(digest(response().Get("WWW-Authenticate"), "SUBSCRIBE", d.Target, "ann-desk", "secret-ann-desk", "00000001"))
			d.Do("SUBSCRIBE", "", "Event: "+event, "Expires: 120", auth)
			res := response()
			if res.Code() != 200 {
				t.Fatalf("SUBSCRIBE: %+v", res)
			}
			d.Confirm(res)
			b.set(r, name, LampCall{ID: fmt.Sprint(random.IntN(3)), Stage: LampEarly})
			if random.IntN(3) == 0 {
				d.Do("SUBSCRIBE", "", "Event: "+event, fmt.Sprint("Expires: ", random.IntN(2)*300))
				response()
			}
			for m := r.phone.Next(notifyPause); m != nil; m = r.phone.Next(notifyPause) {
				answers(m)
			}
		}
		if n := r.srv.Subscriptions(); n == 0 || n > 40 {
			t.Errorf("%d subscriptions of one phone to forty things", n)
		}
		time.Sleep(maxSubscription + time.Minute)
		synctest.Wait()
		s := r.srv.subs
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.byDialog)+len(s.byWatch)+len(s.byUser) > 0 {
			t.Errorf("left over: %v, %v, %v", s.byDialog, s.byWatch, s.byUser)
		}
	})
}

// What fails while a lamp is looked at costs the subscription, not the server.
func TestSubscriptionFails(t *testing.T) {
	srv := &Server{subs: newSubscriptions(Config{})}
	sub := &subscription{srv: srv, d: &dialog{callID: "c", localTag: "t"}, event: &eventPackage{
		content: func(*subscription) ([]byte, []string, bool) { panic("no such luck") }}}
	if p := srv.subs.add(sub); p != nil {
		t.Fatal(p)
	}
	sub.do(sub.news)
	sub.queue.wait(func() {
		if !sub.over || srv.subs.count() != 0 {
			t.Errorf("over %v, %d are kept", sub.over, srv.subs.count())
		}
	})
}
