package codec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPacketSizes: what comes out does not depend on how the stream is cut into packets.
func TestPacketSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	in := make([]int16, 16000)
	for i := range in {
		in[i] = int16(r.Uint32())
	}
	code := NewG722Encoder().Encode(make([]byte, 8000), in)
	var up Upsampler
	var down Downsampler
	whole := [3][]int16{
		up.Convert(make([]int16, 32000), in), down.Convert(make([]int16, 8000), in),
		NewG722Decoder().Decode(make([]int16, 16000), code),
	}
	for _, size := range []int{2, 80, 160, 320, 322, 1000} {
		up, down = Upsampler{}, Downsampler{}
		enc, dec := NewG722Encoder(), NewG722Decoder()
		var parts [3][]int16
		var codes []byte
		for part := range slices.Chunk(in, size) {
			buf := make([]int16, 2*size)
			parts[0] = append(parts[0], up.Convert(buf, part)...)
			parts[1] = append(parts[1], down.Convert(buf, part)...)
			b := enc.Encode(make([]byte, size), part)
			codes = append(codes, b...)
			parts[2] = append(parts[2], dec.Decode(buf, b)...)
		}
		if !slices.Equal(codes, code) {
			t.Errorf("G.722 in packets of %d samples is another stream", size)
		}
		for i := range whole {
			if !slices.Equal(parts[i], whole[i]) {
				t.Errorf("converter %d in packets of %d samples differs", i, size)
			}
		}
	}
}

func BenchmarkResample(b *testing.B) {
	in, out := make([]int16, 160), make([]int16, 320)
	var up Upsampler
	var down Downsampler
	b.ReportAllocs()
	for b.Loop() {
		down.Convert(in, up.Convert(out, in))
	}
}
