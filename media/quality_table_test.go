//go:build quality

package media

import (
	"fmt"
	"testing"
	"time"

	"strowger/media/mediatest"
)

// TestQualityTable prints what networks do to speech on each way through the box: `make quality`. The box is the real one,
// without sockets, under fake time; the speech is synthetic, within telephone bandwidth.
func TestQualityTable(t *testing.T) {
	speech := narrow(mediatest.Speech(16000, 16000*30, 12))
	var list []network
	list = append(list, network{})
	for _, loss := range []float64{0.01, 0.03, 0.05, 0.10, 0.20} {
		list = append(list, network{loss: loss}, network{loss: loss, burst: true})
	}
	for _, jitter := range []time.Duration{20, 40, 80} {
		list = append(list, network{jitter: jitter * time.Millisecond})
	}
	list = append(list, network{loss: 0.05, jitter: 40 * time.Millisecond})
	fmt.Println("lost: packets; concealed: of the sound; delay: added, codecs' own included (relay: the phone's jitter buffer, the")
	fmt.Println("recorder: offset in the file); SNR: segmental, waveform (Opus does not keep it); gap: longest that is heard; R: E-model")
	for _, w := range ways {
		fmt.Printf("\n%-26s %-16s %6s %10s %9s %8s %7s %6s\n", w.name, "network", "lost", "concealed", "delay", "SNR", "gap", "R")
		for _, n := range list {
			h := through(t, w, n, speech)
			burst := 1.0
			if n.burst {
				burst = 3 * (1 - n.loss) // mean length of a row, over that of random loss
			}
			delay := h.delay
			if w.over == "recorder" {
				delay = 0
			}
			worse := w.to // what one codec does not carry, the other cannot bring back
			if w.from.rate < w.to.rate {
				worse = w.from
			}
			r := Rating(Conditions{Codec: worse.name, Loss: h.made, Burst: burst, Delay: deviceDelay + delay})
			fmt.Printf("%-26s %-16s %5.1f%% %9.1f%% %6.1f ms %5.1f dB %4d ms %6.1f\n", "", n, 100*h.lost, 100*h.made,
				float64(h.delay)/float64(time.Millisecond), h.snr, h.gap.Milliseconds(), r)
		}
	}
}

// String names the network in the table.
func (n network) String() string {
	s := "clean"
	if n.loss > 0 {
		kind := "random"
		if n.burst {
			kind = "burst"
		}
		s = fmt.Sprintf("%.0f%% %s", 100*n.loss, kind)
	}
	if n.jitter > 0 {
		j := fmt.Sprintf("%d ms jitter", n.jitter.Milliseconds())
		if n.loss > 0 {
			return fmt.Sprintf("%.0f%%, %d ms jitter", 100*n.loss, n.jitter.Milliseconds())
		}
		return j
	}
	return s
}
