package media

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestSoundsAreShared(t *testing.T) {
	file := filepath.Join(t.TempDir(), "music.wav")
	write := func(samples int, changed time.Time) {
		if err := os.WriteFile(file, append(wavHeader(8000, 2*samples), make([]byte, 2*samples)...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	open := func(l *sounds) *sound {
		s, err := l.open(file)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var l sounds
	write(100, time.Unix(1000, 0))
	first := open(&l)
	if open(&l) != first || len(first.samples) != 100 || first.rate != 8000 {
		t.Error("the file was read twice")
	}
	write(200, time.Unix(2000, 0))
	if s := open(&l); s == first || len(s.samples) != 200 {
		t.Error("the replaced file was not read")
	}
	runtime.KeepAlive(first)
	if _, err := l.open(file + ".gone"); err == nil {
		t.Error("a file that is not there was read")
	}
}
