package codec_test

import (
	"testing"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// TestStopBand measures what the converters let through: speech within 0.2 dB, images and aliases 60 dB below it.
func TestStopBand(t *testing.T) {
	for _, hz := range []float64{300, 1000, 2000, 3000, 3400} {
		var up codec.Upsampler
		out := up.Convert(make([]int16, 16000), mediatest.Tone(hz, 8000, 8000))[8000:]
		pass, image := mediatest.Level(out, 16000, hz), mediatest.Level(out, 16000, 8000-hz)
		if pass < -10.2 || pass > -9.8 || image > -70 {
			t.Errorf("up, %v Hz: %.2f dBFS, image %.1f", hz, pass, image)
		}
		var down codec.Downsampler
		out = down.Convert(make([]int16, 8000), mediatest.Tone(hz, 16000, 16000))[4000:]
		if pass = mediatest.Level(out, 8000, hz); pass < -10.2 || pass > -9.8 {
			t.Errorf("down, %v Hz: %.2f dBFS", hz, pass)
		}
	}
	for _, hz := range []float64{4600, 5000, 6000, 7000, 7700} {
		var down codec.Downsampler
		out := down.Convert(make([]int16, 8000), mediatest.Tone(hz, 16000, 16000))[4000:]
		if alias := mediatest.Level(out, 8000, 8000-hz); alias > -70 {
			t.Errorf("down, %v Hz: alias of %.1f dBFS", hz, alias)
		}
	}
}
