package media

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
	"strowger/media/playout"
)

// overOpus sends speech through a network that loses packets to a jitter buffer, and returns what is heard.
func overOpus(t *testing.T, speech []int16, set codec.OpusSettings, lost func(i int) bool, decode *codec.OpusLibrary) ([]int16, playout.Stats) {
	t.Helper()
	lib, err := codec.LoadOpus()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := lib.NewEncoder(set)
	if err != nil {
		t.Fatal(err)
	}
	v := &voice{rate: 16000, opus: decode}
	b := playout.New(16000, v, 0)
	var heard []int16
	frame, payload := make([]int16, 320), make([]byte, 400)
	for i := range len(speech) / 320 {
		now := time.Second + time.Duration(i)*tickInterval
		p := enc.Encode(payload, speech[320*i:320*i+320])
		if !lost(i) {
			b.Push(playoutPacket(header{ssrc: 1, seq: uint16(i), ts: uint32(960 * i)}, codecOpus, p, 16000), now)
		}
		b.Pull(frame, now+2*time.Millisecond)
		heard = append(heard, frame...)
	}
	return heard, b.Stats()
}

// likeness is the mean correlation of short spectra at the best shift: 1 = the same. Codecs and changes of delay leave it
// near 1; what is made up for a lost packet does not.
func likeness(a, b []int16) float64 {
	sum, n := 0.0, 0
	for at := 3200; at+320+1600 < min(len(a), len(b)); at += 320 {
		if mediatest.Loudness(a[at:at+320]) < -35 {
			continue
		}
		best := 0.0
		for shift := 0; shift <= 900; shift += 4 {
			var ab, aa, bb float64
			for i := range 320 {
				x, y := float64(a[at+i]), float64(b[at+shift+i])
				ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
			}
			best = max(best, ab/math.Sqrt(aa*bb+1))
		}
		sum, n = sum+best, n+1
	}
	return sum / float64(n)
}

// TestOpusRepair: with forward error correction most of what is lost is heard all the same, and nothing is delayed for it on
// a network that loses nothing.
func TestOpusRepair(t *testing.T) {
	lib, err := codec.LoadOpus()
	if err != nil {
		t.Fatal(err)
	}
	speech := mediatest.Speech(16000, 16000*20, 9)
	r := rand.New(rand.NewPCG(7, 8))
	gone := make([]bool, len(speech)/320)
	for i := range gone {
		gone[i] = i > 10 && r.IntN(10) == 0
	}
	lost := func(i int) bool { return gone[i] }
	with, st := overOpus(t, speech, codec.OpusSettings{FEC: true}, lost, lib)
	plain, none := overOpus(t, speech, codec.OpusSettings{}, lost, lib)
	without, pure := overOpus(t, speech, codec.OpusSettings{FEC: true}, lost, nil)
	t.Logf("repaired %d, concealed %d; without FEC %d; without the library %d", st.Repaired, st.Concealed, none.Concealed, pure.Concealed)
	if st.Repaired < 2*st.Concealed || none.Repaired+pure.Repaired != 0 || pure.Concealed < st.Repaired {
		t.Errorf("with FEC %+v; without %+v; without the library %+v", st, none, pure)
	}
	good, bad, old := likeness(speech, with), likeness(speech, plain), likeness(speech, without)
	t.Logf("likeness with FEC %.3f, without %.3f, without the library %.3f", good, bad, old)
	if good < bad+0.01 || good < old+0.01 {
		t.Errorf("likeness with FEC %.3f, without %.3f, without the library %.3f", good, bad, old)
	}
	_, st = overOpus(t, speech, codec.OpusSettings{FEC: true}, func(int) bool { return false }, lib)
	if st.Repaired+st.Concealed+st.Stretched != 0 {
		t.Errorf("with nothing lost %+v", st)
	}
}
