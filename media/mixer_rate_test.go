package media

import (
	"testing"
	"time"

	"strowger/media/mediatest"
)

// changes lets a speaker go on in another codec.
func (l *speaker) changes(t testing.TB, c *codecInfo) {
	t.Helper()
	l.at = l.at * c.rate / l.codec.rate
	l.codec, l.voice = c, voice{rate: c.rate, opus: l.engine.opus}
	l.link.agreed = agreedOn(c)
	l.renegotiate(t)
}

// TestMixerChangeOfCodec: a member that changes from a narrowband to a wideband codec in mid-conference is heard, and hears,
// wideband from then on, and narrowband when it changes back; the others hear no click at either change.
func TestMixerChangeOfCodec(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		m := newTestMixer(t, e, MixerOptions{})
		a, b, c := newSpeaker(t, e, codecPCMU, 300), newSpeaker(t, e, codecPCMA, 1000), newSpeaker(t, e, codecG722, 5500)
		b.silent, c.silent = true, true
		mustAdd(t, m, a, b, c)
		list := []*speaker{a, b, c}
		talk(list, time.Second, nil)
		for _, to := range []*codecInfo{codecG722, codecPCMU} {
			a.changes(t, to)
			talk(list, time.Second, nil)
			if got := a.Session.listener.rate; got != to.rate {
				t.Errorf("in %s it is listened to at %d Hz", to.name, got)
			}
		}
		for _, l := range []*speaker{b, c} {
			v := voice{rate: l.codec.rate}
			var samples []int16
			for _, p := range l.link.packets() {
				samples = append(samples, v.decode(l.codec, p.payload)...)
			}
			half := l.codec.rate / 2
			calm, all := mediatest.LargestStep(samples[half:half*9/5]), mediatest.LargestStep(samples[half:])
			if all > calm*3/2+20 {
				t.Errorf("%s hears a step of %d, the tone's largest is %d", l.codec.name, all, calm)
			}
			if got := mediatest.LongestPause(samples[half:half*5], l.codec.rate, -40); got > 30*time.Millisecond {
				t.Errorf("%s hears nothing for %v", l.codec.name, got)
			}
		}

		a.changes(t, codecG722) // and wideband both ways
		a.freq, c.silent = 6200, false
		talk(list, time.Second, nil)
		checkHears(t, c, list, 6200)
		checkHears(t, a, list, 5500)
	})
}
