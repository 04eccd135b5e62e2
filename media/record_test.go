package media

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

func TestRecord(t *testing.T) {
	for _, c := range []struct {
		name string
		rec  Recording
		act  func(l *fakeLeg)
		why  string
		min  float64
		max  float64
	}{
		{"stopped", Recording{}, func(l *fakeLeg) { l.talks(2*time.Second, loud); l.StopRecording() }, "stopped", 1.98, 2.02},
		{"hung up", Recording{}, func(l *fakeLeg) { l.talks(2*time.Second, loud); l.Close() }, "stopped", 1.98, 2.02},
		{"limit", Recording{MaxSeconds: 1}, func(l *fakeLeg) { l.talks(3*time.Second, loud) }, "limit", 1, 1},
		{"silence", Recording{SilenceSeconds: 2}, func(l *fakeLeg) { l.talks(time.Second, loud); l.talks(3*time.Second, quiet) }, "silence", 2.9, 3.1},
		{"nothing is sent", Recording{SilenceSeconds: 2}, func(l *fakeLeg) { l.talks(time.Second, loud); time.Sleep(5 * time.Second) }, "silence", 2.9, 3.5},
		{"speech again", Recording{SilenceSeconds: 2}, func(l *fakeLeg) {
			l.talks(time.Second, quiet)
			l.talks(time.Second, loud)
			l.talks(3*time.Second, quiet)
		}, "silence", 3.9, 4.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rec.File = filepath.Join(t.TempDir(), "box", "message.wav")
			var l *fakeLeg
			fakeTime(t, func(t *testing.T, e *Engine) {
				l = newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
				if err := l.Record(c.rec); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(c.rec.File); err == nil {
					t.Error("the file has its name before it is complete")
				}
				c.act(l)
				time.Sleep(time.Second)
			})
			got := l.events.of(RecordEnded)
			if len(got) != 1 || got[0].Why != c.why || got[0].Seconds < c.min || got[0].Seconds > c.max {
				t.Fatalf("posted %+v, want %s after %v to %v s", got, c.why, c.min, c.max)
			}
			samples, rate, err := mediatest.ReadWAV(c.rec.File)
			if err != nil {
				t.Fatal(err)
			}
			if float64(len(samples))/float64(rate) != got[0].Seconds {
				t.Errorf("the file has %d samples, posted were %v s", len(samples), got[0].Seconds)
			}
			if !mediatest.Hears(samples, rate, 1000) {
				t.Error("the party is not heard in the file")
			}
			if info, err := os.Stat(c.rec.File); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("others may hear it: %v, %v", info.Mode(), err)
			}
			if left, _ := filepath.Glob(c.rec.File + ".*"); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestRecordKeepsTime: a pause of the party, a change of its source and lost packets leave what follows in its place.
func TestRecordKeepsTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.wav")
	fakeTime(t, func(t *testing.T, e *Engine) {
		l := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		l.talks(time.Second, loud)
		time.Sleep(time.Second)
		l.ts += 8000
		l.talks(time.Second, loud)
		time.Sleep(time.Second)
		l.ssrc, l.ts = 99, 5
		l.talks(time.Second, loud)
		l.StopRecording()
	})
	samples, rate, err := mediatest.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(samples); n < 4950*rate/1000 || n > 5050*rate/1000 {
		t.Fatalf("%d samples, want 5 s", n)
	}
	for second := range 5 {
		part := samples[second*rate+rate/10 : (second+1)*rate-rate/10]
		if got := mediatest.Hears(part, rate, 1000); got != (second%2 == 0) {
			t.Errorf("second %d: heard %v", second, got)
		}
	}
}

// TestRecordReordered: packets that swapped places on the way are in their place in the file.
func TestRecordReordered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.wav")
	tone := mediatest.Tone(440, 8000, 8000)
	fakeTime(t, func(t *testing.T, e *Engine) {
		l := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		var packets [][]byte
		for i := range 50 {
			part := tone[160*i : 160*i+160]
			packets = append(packets, l.packet(0, uint32(160*i), codec.EncodeMu(make([]byte, 160), part)))
		}
		for i := 2; i < 48; i += 3 {
			packets[i], packets[i+1] = packets[i+1], packets[i]
		}
		for _, p := range packets {
			l.received(p)
			time.Sleep(tickInterval)
		}
		l.StopRecording()
	})
	samples, _, err := mediatest.ReadWAV(file)
	if err != nil || len(samples) < 8000 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for i := 40; i < 7840; i++ { // the first 4 ms fade in
		if d := int(samples[i]) - int(tone[i]); d > 400 || d < -400 {
			t.Fatalf("sample %d is %d, want %d", i, samples[i], tone[i])
		}
	}
}

// TestRecoverRecordings: what a crash left is a file that opens, up to what was written.
func TestRecoverRecordings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "1001", "m.wav")
	var copied []byte
	fakeTime(t, func(t *testing.T, e *Engine) {
		l := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		l.talks(3*time.Second+tickInterval, loud)
		copied, _ = os.ReadFile(file + partSuffix) // the disk at the moment of the crash
	})
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file+partSuffix, append(copied, 7)) // and a torn sample
	write(filepath.Join(dir, "empty.wav.part"), nil)
	write(filepath.Join(dir, "whole.wav"), []byte("untouched"))
	got, err := RecoverRecordings(dir)
	if err != nil || len(got) != 1 || got[0] != file {
		t.Fatalf("recovered %v, %v", got, err)
	}
	samples, rate, err := mediatest.ReadWAV(file)
	if err != nil {
		t.Fatal(err)
	}
	if sec := float64(len(samples)) / float64(rate); sec < 2.4 || sec > 3 {
		t.Errorf("recovered %v s of 3", sec)
	}
	if _, err := os.Stat(filepath.Join(dir, "empty.wav.part")); err == nil {
		t.Error("the empty leftover is still there")
	}
	if got, err := RecoverRecordings(filepath.Join(dir, "nowhere")); err != nil || got != nil {
		t.Errorf("a folder that does not exist: %v, %v", got, err)
	}
}

// TestRecordConceals: with one of twenty packets lost the file has no gap; and what was said is told from silence.
func TestRecordConceals(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.wav")
	speech := mediatest.Speech(8000, 8000*10, 5)
	var l *fakeLeg
	fakeTime(t, func(t *testing.T, e *Engine) {
		l = newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		l.talks(5*time.Second, quiet)
		for i := range 500 {
			if i%20 == 7 {
				l.seq, l.ts = l.seq+1, l.ts+160
			} else {
				l.says(speech[160*i : 160*i+160])
			}
			time.Sleep(tickInterval)
		}
		l.StopRecording()
	})
	samples, _, err := mediatest.ReadWAV(file)
	if err != nil || len(samples) < 15*8000 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for i := 7; i < 500; i += 20 {
		was, is := mediatest.Loudness(speech[160*i:160*i+160]), mediatest.Loudness(samples[40000+160*i:40000+160*i+160])
		around := min(mediatest.Loudness(speech[160*i-160:160*i]), was)
		if around > -30 && is < around-15 {
			t.Errorf("packet %d: a gap: %.1f dBFS, said were %.1f", i, is, was)
		}
	}
	loud, last := 0, -10
	for i := range 500 {
		if rms(speech[160*i:160*i+160]) > speechRMS {
			last = i
		}
		if i-last < 10 {
			loud++
		}
	}
	got := l.events.of(RecordEnded)
	if len(got) != 1 || got[0].Speech < float64(loud)/50-0.5 || got[0].Speech > float64(loud)/50+0.5 {
		t.Errorf("posted %+v, want %v s of speech", got, float64(loud)/50)
	}
}

// TestRecordOnADiskThatFails: what was written until then is there, under its name and with a header that fits.
func TestRecordOnADiskThatFails(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "r.wav")
	fakeTime(t, func(t *testing.T, e *Engine) {
		l := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: file}); err != nil {
			t.Fatal(err)
		}
		l.talks(2*time.Second, loud)
		if err := l.recorder.file.Close(); err != nil { // further writes fail
			t.Fatal(err)
		}
		l.talks(2*time.Second, loud)
		time.Sleep(time.Second)
		if got := l.events.of(RecordEnded); len(got) != 1 || got[0].Why != "failed" || got[0].Seconds < 1.4 || got[0].Seconds > 2.1 {
			t.Errorf("posted %+v", got)
		}
	})
	samples, rate, err := mediatest.ReadWAV(file)
	if err != nil || len(samples) < rate*7/5 || len(samples) > rate*21/10 {
		t.Errorf("%d samples, %v", len(samples), err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.part")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRecordWhereItCannot(t *testing.T) {
	fakeTime(t, func(t *testing.T, e *Engine) {
		blocked := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(blocked, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		l := newFakeLeg(t, e, Options{}, agreedOn(codecPCMU))
		if err := l.Record(Recording{File: filepath.Join(blocked, "r.wav")}); err == nil {
			t.Error("recorded below a file")
		}
	})
}
