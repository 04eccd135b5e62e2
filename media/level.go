package media

import "math"

// leveler makes the members of a conference about equally loud, and lets nothing pass of one that says nothing. The gain
// follows what is said slowly, and rests while nothing is: it does not pump.
type leveler struct {
	rate  int
	gain  float32 // applied at the end of the last frame
	agc   float32
	level float32 // RMS of what it says, averaged over some seconds of speech
	floor float32 // RMS of what there is besides speech
	open  int     // frames for which what it says still passes
	talk  int     // frames of speech, and then without, in a row
	quiet int
	said  bool // Speaking was posted
	edge  edge
}

type edge int

const (
	none edge = iota
	began
	ended
)

// Levels are RMS values of 16-bit samples.
const (
	levelTarget = 2000  // -24 dB of full scale
	levelDead   = 1.4   // 3 dB to either side are left as they are
	levelMin    = 0.5   // gain: -6 dB
	levelMax    = 4     // +12 dB
	levelUp     = 1.002 // per frame: 0.9 dB a second
	levelDown   = 1.004
	levelSpeech = 100 // what is softer than -50 dB is no speech
	levelOver   = 3   // speech is 10 dB louder than what is there besides
	levelGate   = 58  // what is softer than -55 dB does not pass
	gateFrames  = 15  // for so long, after the last that did
	talkFrames  = 4
	quietFrames = 50
)

func newLeveler(rate int) leveler { return leveler{rate: rate, agc: 1, level: levelTarget, floor: 30} }

// take writes what the member adds to the mix; false: nothing. pass says that it may be heard, heard that samples came from it.
func (l *leveler) take(out []float32, in []int16, heard, pass bool) bool {
	level := float32(0)
	if heard {
		level = rms32(in)
	}
	l.follow(level)
	if level > levelGate {
		l.open = gateFrames
	} else if l.open > 0 {
		l.open--
	}
	gain := float32(0)
	if pass && l.open > 0 {
		gain = l.agc
	}
	was := l.gain
	l.gain = gain
	if gain == 0 && was == 0 {
		return false
	}
	n := l.rate / 200 // 5 ms: a jump would click
	step := (gain - was) / float32(n)
	for i, v := range in[:n] {
		out[i] = float32(v) * (was + step*(float32(i)+0.5))
	}
	for i := n; i < len(in); i++ {
		out[i] = float32(in[i]) * gain
	}
	return true
}

// follow measures speech and what is there besides.
func (l *leveler) follow(level float32) {
	if level < l.floor {
		l.floor += (level - l.floor) * 0.3
	} else {
		l.floor *= 1.001
	}
	l.floor = min(max(l.floor, 10), 1000)
	l.edge = none
	if level < levelSpeech || level < levelOver*l.floor {
		l.talk = 0
		if l.quiet++; l.quiet == quietFrames && l.said {
			l.said, l.edge = false, ended
		}
		return
	}
	l.quiet = 0
	if l.talk++; l.talk == talkFrames && !l.said {
		l.said, l.edge = true, began
	}
	l.level += (level - l.level) * 0.01
	want := min(max(levelTarget/l.level, levelMin), levelMax)
	switch {
	case want > l.agc*levelDead:
		l.agc *= levelUp
	case want < l.agc/levelDead:
		l.agc /= levelDown
	}
}

// event is what the last frame began or ended.
func (l *leveler) event() edge { return l.edge }

func rms32(samples []int16) float32 {
	var sum float32
	for _, v := range samples {
		sum += float32(v) * float32(v)
	}
	return float32(math.Sqrt(float64(sum / float32(max(len(samples), 1)))))
}

// limiter keeps a mix below full scale. It looks 2.5 ms ahead, which is the delay that it adds: the gain goes down before
// what is too loud comes, and up again slowly, so that nothing is clipped and nothing clicks.
type limiter struct {
	block int         // samples in 2.5 ms
	held  [40]float32 // the block that was not given out yet
	need  float32     // the gain that it can bear
	gain  float32     // where it begins: no more than need
}

const (
	limiterPeak = 32000
	limiterUp   = 1.01 // per block: 35 dB a second
)

func newLimiter(rate int) limiter { return limiter{block: rate / 400, need: 1, gain: 1} }

// take limits a frame, which is a whole number of blocks. What comes out is one block late.
func (l *limiter) take(out []int16, frame []float32) {
	for at := 0; at+l.block <= len(frame); at += l.block {
		next := frame[at : at+l.block]
		peak := float32(0)
		for _, v := range next {
			peak = max(peak, v, -v)
		}
		need := float32(1)
		if peak > limiterPeak {
			need = limiterPeak / peak
		}
		// The gain where both blocks meet must suit both; between two gains that suit, every one does.
		end := min(l.need, need, l.gain*limiterUp)
		held := l.held[:l.block]
		if l.gain == 1 && end == 1 {
			for i, v := range held {
				out[at+i] = round16(v)
			}
		} else {
			step := (end - l.gain) / float32(l.block)
			for i, v := range held {
				out[at+i] = round16(v * (l.gain + step*float32(i)))
			}
		}
		copy(held, next)
		l.gain, l.need = end, need
	}
}

func round16(v float32) int16 {
	if v < 0 {
		return int16(max(v-0.5, -32768))
	}
	return int16(min(v+0.5, 32767))
}
