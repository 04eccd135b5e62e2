package media

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/oggreader"

	"strowger/media/codec"
)

// newTestTape records into a file of the test; ended is what was posted.
func newTestTape(t *testing.T, e *Engine, opus bool) (tape *Tape, file string, ended *[]TapeEvent) {
	t.Helper()
	name := "call.wav"
	if opus {
		name = "call.ogg"
	}
	file = filepath.Join(t.TempDir(), "recordings", name)
	ended = &[]TapeEvent{}
	tape, err := e.NewTape(TapeOptions{ID: "call", File: file, Opus: opus, OnEvent: func(ev TapeEvent) { *ended = append(*ended, ev) }})
	if err != nil {
		t.Fatal(err)
	}
	return tape, file, ended
}

// stereo reads a WAV file of two channels, as 16 kHz: the samples of a narrowband call come twice.
func stereo(t *testing.T, file string) (left, right []int16) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if len(b) < wavHeaderLen {
		t.Fatalf("%d octets", len(b))
	}
	rate := le.Uint32(b[24:])
	if le.Uint16(b[22:]) != 2 || rate != 16000 && rate != 8000 || int(le.Uint32(b[40:])) != len(b)-wavHeaderLen ||
		int(le.Uint32(b[4:])) != len(b)-8 || le.Uint32(b[28:]) != 4*rate || le.Uint16(b[32:]) != 4 {
		t.Fatalf("header % x of %d octets", b[:min(len(b), wavHeaderLen)], len(b))
	}
	for b = b[wavHeaderLen:]; len(b) >= 4; b = b[4:] {
		for range 16000 / rate {
			left, right = append(left, int16(le.Uint16(b))), append(right, int16(le.Uint16(b[2:])))
		}
	}
	return left, right
}

// onsets are the moments, in ms, at which something is heard after 50 ms of silence.
func onsets(samples []int16) (at []int) {
	const ms = 16
	last := -1000
	for i := 0; i+ms <= len(samples); i += ms {
		if rms(samples[i:i+ms]) < 1000 {
			continue
		}
		if i/ms-last > 50 {
			at = append(at, i/ms)
		}
		last = i / ms
	}
	return at
}

// part is from so many to so many ms.
func part(samples []int16, from, to int) []int16 {
	return samples[min(16*from, len(samples)):min(16*to, len(samples))]
}

// TestTapeKeepsSidesAndTime: each side is in its channel and at its time, whether it is relayed, transcoded or both listened
// to, and whoever comes and goes.
func TestTapeKeepsSidesAndTime(t *testing.T) {
	for _, other := range []*codecInfo{codecPCMU, codecG722} {
		t.Run(other.name, func(t *testing.T) {
			fakeTime(t, func(t *testing.T, e *Engine) {
				a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
				b := newFakeLeg(t, e, Options{}, agreedOn(other))
				c := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
				mustBridge(t, a.Session, b.Session)
				v := voice{rate: 8000}
				speaks := func(d time.Duration, sa, sb, sc []int16) {
					for range d / tickInterval {
						a.says(sa)
						var buf [400]byte
						b.received(b.packet(other.payload, b.ts, v.encode(other, buf[:], sb)))
						b.ts += 160
						c.says(sc)
						time.Sleep(tickInterval)
					}
				}
				speaks(time.Second, loud, loud, loud) // before: not on the tape
				speaks(tickInterval, quiet, quiet, quiet)
				tape, file, ended := newTestTape(t, e, false)
				add := func(s *Session, channel int) {
					if err := tape.Add(s, channel); err != nil {
						t.Fatal(err)
					}
				}
				add(a.Session, 0)
				add(b.Session, 1)
				speaks(2*time.Second, quiet, quiet, loud)
				speaks(time.Second, loud, loud, quiet) // 2 s: both
				speaks(time.Second, loud, quiet, loud)
				speaks(time.Second, quiet, loud, loud) // 4 s: the right one
				tape.Pause(true)
				speaks(980*time.Millisecond, loud, loud, loud)
				speaks(tickInterval, quiet, quiet, quiet) // what codecs drag along
				tape.Pause(false)
				speaks(500*time.Millisecond, quiet, quiet, quiet)
				speaks(500*time.Millisecond, quiet, loud, loud) // 6.5 s
				tape.Remove(b.Session)                          // a transfer
				mustBridge(t, a.Session, c.Session)
				speaks(500*time.Millisecond, loud, loud, quiet) // 7 s
				add(c.Session, 1)
				speaks(500*time.Millisecond, quiet, loud, quiet)
				speaks(time.Second, loud, loud, loud) // 8 s
				tape.Close()
				synctest.Wait()
				if len(*ended) != 1 || (*ended)[0].Why != "stopped" || math.Abs((*ended)[0].Seconds-9) > 0.01 || (*ended)[0].Missing != 0 {
					t.Fatalf("ended %+v", *ended)
				}
				left, right := stereo(t, file)
				if info, err := os.Stat(file); err != nil || info.Size() != int64(wavHeaderLen+9*4*max(8000, other.rate)) {
					t.Errorf("the file has %d octets: its rate is not that of the call", info.Size())
				}
				if len(left) != 9*16000 {
					t.Errorf("%d samples, want 9 s", len(left))
				}
				near := func(name string, got, want []int) {
					ok := len(got) == len(want)
					for i := 0; ok && i < len(got); i++ {
						ok = got[i] >= want[i]-10 && got[i] <= want[i]+10
					}
					if !ok {
						t.Errorf("%s begins to be heard at %v ms, want %v", name, got, want)
					}
				}
				near("left", onsets(left), []int{2000, 7000, 8000})
				near("right", onsets(right), []int{2000, 4000, 6500, 8000})
				for _, silence := range [][]int16{part(left, 0, 1950), part(left, 4050, 6950), part(right, 3050, 3950), part(right, 5050, 6450), part(right, 7050, 7950)} {
					if r := rms(silence); r > 100 {
						t.Errorf("silence has an RMS of %.0f", r)
					}
				}
			})
		})
	}
}

// TestTapeMixesOneChannel: in a conference all but the caller are in one channel, without an overflow.
func TestTapeMixesOneChannel(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		tape, file, _ := newTestTape(t, e, false)
		var legs []*fakeLeg
		for i := range 4 {
			legs = append(legs, newFakeLeg(t, e, Options{}, agreedOn(codecPCMU)))
			if err := tape.Add(legs[i].Session, min(i, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for range 100 {
			for _, l := range legs {
				l.says(loud)
			}
			time.Sleep(tickInterval)
		}
		legs[1].Close() // one hangs up; its session is gone before the tape is told
		tape.Remove(legs[1].Session)
		tape.Close()
		synctest.Wait()
		left, right := stereo(t, file)
		one, three := rms(part(left, 500, 1500)), rms(part(right, 500, 1500))
		if three < 2*one || three > 3.1*one {
			t.Errorf("three together have an RMS of %.0f, one has %.0f", three, one)
		}
	})
}

// TestTapeDoesNotDrift: a party whose clock is 200 ppm off is in its place after twenty minutes.
func TestTapeDoesNotDrift(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		tape, file, _ := newTestTape(t, e, false)
		slow := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		fast := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		_ = tape.Add(slow.Session, 0)
		_ = tape.Add(fast.Session, 1)
		begin := time.Now()
		var work sync.WaitGroup
		for i, l := range []*fakeLeg{slow, fast} {
			step := 20*time.Millisecond + time.Duration(8*i-4)*time.Microsecond // 200 ppm
			work.Go(func() {
				for time.Since(begin) < 20*time.Minute {
					samples := quiet
					if ms := time.Since(begin).Milliseconds(); ms%60000 >= 59000 {
						samples = loud
					}
					l.says(samples)
					time.Sleep(step)
				}
			})
		}
		work.Wait()
		tape.Close()
		synctest.Wait()
		left, right := stereo(t, file)
		for i, at := range [][]int{onsets(left), onsets(right)} {
			if len(at) != 20 {
				t.Fatalf("channel %d: heard %d times, want 20", i, len(at))
			}
			for n, ms := range at {
				if want := 60000*n + 59000; ms < want-25 || ms > want+45 { // packets of 20 ms end up to 20 ms late
					t.Errorf("channel %d: minute %d: heard at %d ms, want %d", i, n, ms, want)
				}
			}
		}
	})
}

// TestTapeSurvivesACrash: what is on the disk while it records is a whole recording up to the last second.
func TestTapeSurvivesACrash(t *testing.T) {
	for _, opus := range []bool{false, true} {
		fakeTime(t, func(t *testing.T, e *Engine) {
			if opus && !e.Opus() {
				return
			}
			tape, file, _ := newTestTape(t, e, opus)
			a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
			_ = tape.Add(a.Session, 0)
			a.talks(10*time.Second, loud)
			b, err := os.ReadFile(file + partSuffix)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			crashed := filepath.Join(dir, filepath.Base(file))
			if err := os.WriteFile(crashed+partSuffix, append(b, 1, 2, 3)[:len(b)+3*btoi(!opus)], 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := RecoverRecordings(dir)
			if err != nil || len(found) != 1 || found[0] != crashed {
				t.Fatalf("recovered %q: %v", found, err)
			}
			if opus {
				if seconds := oggSeconds(t, crashed); seconds < 9 {
					t.Errorf("%.2f s are left of 10", seconds)
				}
				return
			}
			left, right := stereo(t, crashed)
			if len(left) < 9*16000 || rms(part(left, 500, 8500)) < 1500 || rms(right) > 0 {
				t.Errorf("%.2f s are left of 10; RMS %.0f, %.0f", float64(len(left))/16000, rms(left), rms(right))
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// oggSeconds reads an Ogg file to its end.
func oggSeconds(t *testing.T, file string) float64 {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, head, err := oggreader.NewWith(f)
	if err != nil || head.Channels != 2 {
		t.Fatalf("%+v: %v", head, err)
	}
	granule := uint64(0)
	for {
		_, page, err := r.ParseNextPage()
		if err != nil {
			return float64(granule) / 48000
		}
		granule = max(granule, page.GranulePosition)
	}
}

// TestTapeInOgg: stereo Opus, with each side in its channel.
func TestTapeInOgg(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		if !e.Opus() {
			return // there is nothing to encode with
		}
		tape, file, ended := newTestTape(t, e, true)
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		b := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		_ = tape.Add(a.Session, 0)
		_ = tape.Add(b.Session, 1)
		for range 150 {
			a.says(loud)
			b.says(quiet)
			time.Sleep(tickInterval)
		}
		tape.Close()
		synctest.Wait()
		if len(*ended) != 1 || (*ended)[0].Err != nil {
			t.Fatalf("%+v", *ended)
		}
		if s := oggSeconds(t, file); s < 2.9 || s > 3.1 {
			t.Errorf("%.2f s", s)
		}
	})
}

// stuckSink is a disk that takes so much, and may hang.
type stuckSink struct {
	room   int // pairs
	hang   chan struct{}
	failed bool
	got    []int16
}

var errFull = errors.New("no space left on device")

func (s *stuckSink) begin(bool) {}

func (s *stuckSink) write(pairs []int16) error {
	if s.hang != nil {
		<-s.hang
	}
	if len(s.got)+len(pairs) > 2*s.room {
		return errFull
	}
	s.got = append(s.got, pairs...)
	return nil
}

func (s *stuckSink) close(failed bool) error { s.failed = failed; return nil }

// TestTapeOnABadDisk: a full disk ends the recording and nothing else; one that hangs costs what does not fit into memory,
// and the rest stays in its place.
func TestTapeOnABadDisk(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		var ended []TapeEvent
		sink := &stuckSink{room: 3 * 16000}
		tape, err := e.newTape(TapeOptions{OnEvent: func(ev TapeEvent) { ended = append(ended, ev) }}, sink)
		if err != nil {
			t.Fatal(err)
		}
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		_ = tape.Add(a.Session, 0)
		a.talks(6*time.Second, loud)
		synctest.Wait()
		if len(ended) != 1 || ended[0].Why != "failed" || !errors.Is(ended[0].Err, errFull) || !sink.failed || ended[0].Seconds < 2.5 {
			t.Fatalf("a full disk: %+v", ended)
		}
		if err := tape.Add(a.Session, 1); !errors.Is(err, ErrClosed) {
			t.Errorf("a tape that has ended takes a party: %v", err)
		}
		tape.Close()
	})
	fakeTime(t, func(t *testing.T, e *Engine) {
		var ended []TapeEvent
		sink := &stuckSink{room: 1 << 30, hang: make(chan struct{})}
		tape, err := e.newTape(TapeOptions{OnEvent: func(ev TapeEvent) { ended = append(ended, ev) }}, sink)
		if err != nil {
			t.Fatal(err)
		}
		a := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		_ = tape.Add(a.Session, 0)
		a.talks(10*time.Second, loud)
		close(sink.hang)
		a.talks(2*time.Second, loud)
		tape.Close()
		synctest.Wait()
		if len(ended) != 1 || ended[0].Missing < 3 || ended[0].Missing > 7 || ended[0].Seconds < 11.9 || ended[0].Seconds > 12.1 {
			t.Fatalf("a slow disk: %+v", ended)
		}
		var left []int16
		for i := 0; i < len(sink.got); i += 2 {
			left = append(left, sink.got[i])
		}
		if rms(part(left, 500, 4500)) < 1500 || rms(part(left, 6500, 9500)) != 0 || rms(part(left, 11000, 11900)) < 1500 {
			t.Error("what was kept is not in its place")
		}
	})
}

// tapeLoad is a lane with a party that talks, for costs per frame.
func tapeLoad(t testing.TB) (step func()) {
	e := newTestEngine(t, true)
	tape, err := e.newTape(TapeOptions{}, &stuckSink{})
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{t: tape, idle: true}
	ln := newListener(8000, nil)
	l.tap = ln.tap(false, 0)
	payload := codec.EncodeMu(make([]byte, 160), loud)
	h := header{ssrc: 1, start: headerLen, end: headerLen + 160}
	now := time.Duration(0)
	pairs := make([]int16, 2*320)
	return func() {
		h.seq++
		h.ts += 160
		now += tickInterval
		ln.take(h, codecPCMU, payload, now)
		l.tick(now)
		tape.take(pairs)
	}
}

func TestTapeAllocatesNothing(t *testing.T) {
	step := tapeLoad(t)
	for range 100 {
		step()
	}
	if got := testing.AllocsPerRun(500, step); got != 0 {
		t.Errorf("%v allocations per frame", got)
	}
}

// BenchmarkTape is the cost of 20 ms of one party on a tape: decoded, resampled, mixed and taken out for the disk.
func BenchmarkTape(b *testing.B) {
	step := tapeLoad(b)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}
