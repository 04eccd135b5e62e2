package call

import (
	"context"
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
func (nowhere) Stats() store.MediaStat                        { return store.MediaStat{} }
func (nowhere) Close()                                        {}

type forgetful struct{ Records }

func (forgetful) Open(store.CallRecord) error  { return nil }
func (forgetful) Close(store.CallRecord) error { return nil }

func (nowhere) NewTape(TapeOptions) (Tape, error) { return nil, nil }
