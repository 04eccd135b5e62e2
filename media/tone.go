package media

import (
	"fmt"
	"math"
	"time"
)

// A tone is a cadence of two sine waves (frequencies in Hz, 0 = none). Without Loop it is played for one period.
type tone struct {
	low, high float64
	on, off   time.Duration
}

const (
	toneRate  = 8000
	toneLevel = 3300.0 // peak of each sine: -20 dBm0, as networks send them
)

// toneByName finds a tone; the call progress tones are those of North America (ITU-T E.180 supplement 2).
func toneByName(name string) (tone, error) {
	switch name {
	case "ringback":
		return tone{440, 480, 2 * time.Second, 4 * time.Second}, nil
	case "busy":
		return tone{480, 620, 500 * time.Millisecond, 500 * time.Millisecond}, nil
	case "congestion":
		return tone{480, 620, 250 * time.Millisecond, 250 * time.Millisecond}, nil
	case "beep":
		return tone{1000, 0, 400 * time.Millisecond, 0}, nil
	case "silence":
		return tone{0, 0, 0, time.Second}, nil
	}
	return tone{}, fmt.Errorf("tone %q is unknown; want ringback, busy, congestion, beep, join, leave or silence", name)
}

// toneSamples makes one period of a tone at toneRate; besides those of toneByName, "join" and "leave", two steps up or down
// that tell a conference of somebody who comes or goes.
func toneSamples(name string) ([]int16, error) {
	first, second := tone{low: 520, on: 120 * time.Millisecond}, tone{low: 660, on: 160 * time.Millisecond}
	switch name {
	case "join":
		return append(first.samples(), second.samples()...), nil
	case "leave":
		return append(second.samples(), first.samples()...), nil
	}
	t, err := toneByName(name)
	if err != nil {
		return nil, err
	}
	return t.samples(), nil
}

// samples makes one period at toneRate. The edges are shaped over 5 ms: a sine that is cut clicks.
func (t tone) samples() []int16 {
	on, off := samplesIn(t.on, toneRate), samplesIn(t.off, toneRate)
	list := make([]int16, on+off)
	const edge = toneRate / 200
	for i := range on {
		shape := math.Min(1, math.Min(float64(i), float64(on-i))/edge)
		at := 2 * math.Pi * float64(i) / toneRate
		v := math.Sin(at * t.low)
		if t.high > 0 {
			v += math.Sin(at * t.high)
		}
		list[i] = int16(toneLevel * shape * v)
	}
	return list
}

func samplesIn(d time.Duration, rate int) int { return int(d * time.Duration(rate) / time.Second) }
