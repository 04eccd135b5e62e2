package playout

import "math"

// jitter measures how much later than the quickest the packets of the last seconds came.
type jitter struct {
	ring   [256]int64 // arrival minus place in the stream, in samples; five seconds of 20 ms packets
	n, at  int
	since  int   // packets since the figures were made
	base   int64 // the quickest
	spread int   // of all but the slowest 3 %, over base
}

func (j *jitter) reset() { j.n, j.at, j.since = 0, 0, 0 }

// refresh is how many packets may pass before the figures are made anew.
const refresh = 8

func (j *jitter) add(transit int64) {
	j.ring[j.at] = transit
	j.at = (j.at + 1) % len(j.ring)
	j.n = min(j.n+1, len(j.ring))
	j.since++
	if j.n <= refresh || j.since >= refresh || transit < j.base {
		j.measure()
	}
}

// measure finds the least, and the largest when 3 % are left out.
func (j *jitter) measure() {
	j.since = 0
	var top [1 + len(j.ring)*3/100]int64 // the largest, in descending order
	keep := top[:1+j.n*3/100]
	for i := range keep {
		keep[i] = math.MinInt64
	}
	j.base = math.MaxInt64
	for _, v := range j.ring[:j.n] {
		j.base = min(j.base, v)
		if v <= keep[len(keep)-1] {
			continue
		}
		at := len(keep) - 1
		for at > 0 && keep[at-1] < v {
			keep[at] = keep[at-1]
			at--
		}
		keep[at] = v
	}
	j.spread = int(keep[len(keep)-1] - j.base)
}
