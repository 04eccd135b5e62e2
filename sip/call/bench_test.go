package call

import (
	"context"
	"runtime"
	"testing"

	"github.com/rs/zerolog"

	"strowger/store"
)

// BenchmarkCall is what one call costs the engine, everything around it being free: INVITE, two phones ring, one
// answers, ACK, BYE, record.
func BenchmarkCall(b *testing.B) {
	w := &world{phones: map[string]*phone{}}
	m := New(Config{Router: w, Dialer: w, Media: nowhere{}, Records: forgetful{w}, Log: zerolog.Nop()})
	w.m = m
	desk, web := w.registers("bob", store.Desk), w.registers("bob", store.Browser)
	w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk, store.Browser)))
	phases := make(chan string, 16)
	m.Subscribe(func(c Change) { phases <- c.Call.Phase })
	until := func(phase string) {
		for p := range phases {
			if p == phase {
				return
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		alice := &phone{w: w, uas: true}
		m.Incoming(Incoming{Trunk: "trunk", From: Party{Number: "+1"}, To: "+2", SDP: []byte(carrierOffer), Leg: alice,
			Bind: func(post Post) { alice.post = post }})
		until("ringing")
		desk.post(LegEvent{Type: Progress, Code: 180})
		web.post(LegEvent{Type: Progress, Code: 180})
		web.post(LegEvent{Type: Answered, SDP: web.req.SDP})
		until("up")
		alice.post(LegEvent{Type: Acked})
		alice.post(LegEvent{Type: Ended})
		until("ended")
	}
	if err := m.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// nowhere is media that costs nothing; forgetful a store that does.
type nowhere struct{ MediaSession }

func (nowhere) NewSession(MediaOptions) (MediaSession, error) { return nowhere{}, nil }
func (nowhere) NewMixer(MixerOptions) (Mixer, error)          { return nil, nil }
func (nowhere) Offer([]string) ([]byte, error)                { return []byte(carrierOffer), nil }
func (nowhere) RemoteOffer([]byte) ([]string, error)          { return []string{"PCMU"}, nil }
func (nowhere) Answer([]string) ([]byte, error)               { return []byte(carrierOffer), nil }
func (nowhere) RemoteAnswer([]byte) ([]string, error)         { return []string{"PCMU"}, nil }
func (nowhere) RemoteDirection() string                       { return "sendrecv" }
func (nowhere) Bridge(MediaSession) error                     { return nil }
func (nowhere) Play(Sound) error                              { return nil }
func (nowhere) Stop()                                         {}
func (nowhere) Stats() store.MediaStat                        { return store.MediaStat{} }
func (nowhere) Close()                                        {}

type forgetful struct{ Records }

func (forgetful) Open(store.CallRecord) error  { return nil }
func (forgetful) Close(store.CallRecord) error { return nil }

func (nowhere) NewTape(TapeOptions) (Tape, error) { return nil, nil }

// BenchmarkHeldCall is what a call on hold costs the engine while nothing happens in it: memory and goroutines, and no
// processor time, since nothing wakes it. Its media are package media's matter.
func BenchmarkHeldCall(b *testing.B) {
	w := &world{phones: map[string]*phone{}}
	m := New(Config{Router: w, Speech: w, Dialer: w, Media: nowhere{}, Records: forgetful{w}, Log: zerolog.Nop()})
	w.m = m
	desk := w.registers("bob", store.Desk)
	w.plans(toVoicemail("bob"), stage(20, user("bob", store.Desk)))
	const calls = 200
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	for range calls {
		alice := &phone{w: w, uas: true}
		m.Incoming(Incoming{Trunk: "trunk", From: Party{Number: "+1"}, To: "+2", SDP: []byte(carrierOffer), Leg: alice,
			Bind: func(post Post) { alice.post = post }})
		for invited := false; !invited; runtime.Gosched() {
			desk.mu.Lock()
			invited, desk.invited = desk.invited, false
			desk.mu.Unlock()
		}
		desk.post(LegEvent{Type: Answered, SDP: desk.req.SDP})
		alice.post(LegEvent{Type: Acked})
		for err := ErrNoCall; err != nil; {
			if active := m.Active(); len(active) > 0 { // the newest is the last one
				err = m.Control(context.Background(), active[len(active)-1].ID, Hold{"bob"})
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() { // nothing: that is the point
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/calls, "B/call")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/calls, "goroutines/call")
	now, cancel := context.WithCancel(context.Background())
	cancel() // the one phone of all these calls does not confirm that they are over
	_ = m.Close(now)
}
