package mediatest

import "time"

// LargestStep is the largest difference between a sample and the next: a click is one that the sound itself has not.
func LargestStep(samples []int16) (step int) {
	for i := 1; i < len(samples); i++ {
		d := int(samples[i]) - int(samples[i-1])
		step = max(step, d, -d)
	}
	return step
}

// LongestPause is the longest time for which samples are softer than dB of full scale, in steps of 5 ms.
func LongestPause(samples []int16, rate int, dB float64) time.Duration {
	longest, run, n := 0, 0, rate/200
	for at := 0; at+n <= len(samples); at += n {
		if run++; Loudness(samples[at:at+n]) >= dB {
			run = 0
		}
		longest = max(longest, run)
	}
	return time.Duration(longest) * 5 * time.Millisecond
}
