package codec_test

import (
	"math"
	"testing"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

func newOpus(t testing.TB) (*codec.OpusEncoder, *codec.OpusDecoder) {
	t.Helper()
	l, err := codec.LoadOpus()
	if err != nil {
		t.Fatalf("%v (tests need Debian's libopus0)", err)
	}
	e, err := l.NewEncoder(codec.OpusSettings{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := codec.NewOpusDecoder()
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

// TestOpusTones: what the library encodes is decoded at the same pitch and level, at every length of frame.
func TestOpusTones(t *testing.T) {
	for _, ms := range []int{10, 20, 40, 60} {
		for _, hz := range []float64{200, 440, 1000, 3000, 6000} {
			e, d := newOpus(t)
			in := mediatest.Tone(hz, codec.OpusRate, codec.OpusRate)
			n := codec.OpusRate * ms / 1000
			var out []int16
			buf := make([]int16, 1920)
			for at := 0; at+n <= len(in); at += n {
				payload := e.Encode(make([]byte, 400), in[at:at+n])
				if got := codec.OpusSamples(payload); got != n {
					t.Fatalf("%d ms: the packet says %d samples", ms, got)
				}
				out = append(out, d.Decode(buf, payload)...)
			}
			if len(out) != len(in)/n*n {
				t.Fatalf("%d ms: %d samples of %d", ms, len(out), len(in))
			}
			tail := out[codec.OpusRate/2 : codec.OpusRate/2+4000]
			if got := mediatest.Level(tail, codec.OpusRate, hz); math.Abs(got+10) > 3 {
				t.Errorf("%d ms, %v Hz: %.1f dBFS, want -10", ms, hz, got)
			}
		}
	}
}

// FuzzOpusDecode: no payload makes the decoder fail in another way than by nil.
func FuzzOpusDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x4b, 3, 1, 2, 3})
	f.Add([]byte{0xff, 0xff, 0, 0, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := codec.NewOpusDecoder()
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Decode(make([]int16, 1920), payload); len(got) > 1920 {
			t.Errorf("%d samples", len(got))
		}
	})
}

func BenchmarkOpus(b *testing.B) {
	in, out := mediatest.Speech(codec.OpusRate, 16000, 1), make([]int16, 1920)
	e, d := newOpus(b)
	payload := make([]byte, 400)
	at := 0
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			at = (at + 320) % 16000
			e.Encode(payload, in[at:at+320])
		}
	})
	b.Run("decode", func(b *testing.B) {
		code := e.Encode(payload, in[3200:3520])
		b.ReportAllocs()
		for b.Loop() {
			d.Decode(out, code)
		}
	})
}
