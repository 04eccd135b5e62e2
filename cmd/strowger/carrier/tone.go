package carrier

import (
	"math"
	"time"
)

// tone makes a sine at 8 kHz, a quarter of full scale.
func tone(hz float64, d time.Duration) []int16 {
	samples := make([]int16, int(d.Seconds()*8000))
	for i := range samples {
		samples[i] = int16(8192 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	return samples
}
