package mediatest

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

func TestLevel(t *testing.T) {
	s := Tone(1000, 8000, 800)
	if got := Level(s, 8000, 1000); math.Abs(got+10) > 0.1 {
		t.Errorf("the tone has %.2f dBFS, want -10", got)
	}
	if got := Level(s, 8000, 600); got > -60 {
		t.Errorf("another frequency has %.2f dBFS", got)
	}
	if got := Loudness(s); math.Abs(got+10) > 0.1 {
		t.Errorf("loudness %.2f dBFS, want -10", got)
	}
	if got := Level(nil, 8000, 600); got != -120 {
		t.Errorf("nothing has %.2f dBFS", got)
	}
}

func TestWhoIsHeard(t *testing.T) {
	tones := map[string]float64{"alice": 600, "bob": 1000, "carol": 1400}
	mix := Tone(600, 16000, 16000)
	for i, v := range Tone(1400, 16000, 8000) { // carol for half a second only
		mix[i] += v
	}
	got := slices.Sorted(maps.Keys(WhoIsHeard(mix, 16000, tones)))
	if !slices.Equal(got, []string{"alice", "carol"}) {
		t.Errorf("heard %v", got)
	}
	if Hears(make([]int16, 100), 8000, 600) {
		t.Error("a tone is heard in less than a tenth of a second of silence")
	}
}

func TestWAV(t *testing.T) {
	name := filepath.Join(t.TempDir(), "t.wav")
	want := Tone(440, 8000, 1234)
	if err := WriteWAV(name, want, 8000); err != nil {
		t.Fatal(err)
	}
	got, rate, err := ReadWAV(name)
	if err != nil || rate != 8000 || !slices.Equal(got, want) {
		t.Errorf("read %d samples at %d Hz, %v", len(got), rate, err)
	}
}
