package media

import (
	"os"
	"sync"
	"time"
	"weak"
)

// sound is what a file holds.
type sound struct {
	samples []int16
	rate    int
}

// sounds shares what is being played: a hundred parties on hold hear one copy of the music. A file that nobody plays any
// more costs nothing; one that was replaced is read anew.
type sounds struct {
	mu    sync.Mutex
	files map[string]loaded
}

type loaded struct {
	sound   weak.Pointer[sound]
	changed time.Time
	size    int64
}

func (l *sounds) open(name string) (*sound, error) {
	info, err := os.Stat(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.files[name]; ok && err == nil && f.size == info.Size() && f.changed.Equal(info.ModTime()) {
		if s := f.sound.Value(); s != nil {
			return s, nil
		}
	}
	samples, rate, err := readWAV(name)
	if err != nil {
		return nil, err
	}
	s := &sound{samples, rate}
	if info == nil {
		return s, nil
	}
	if l.files == nil {
		l.files = map[string]loaded{}
	}
	for known, f := range l.files { // texts that were spoken once do not pile up
		if f.sound.Value() == nil {
			delete(l.files, known)
		}
	}
	l.files[name] = loaded{weak.Make(s), info.ModTime(), info.Size()}
	return s, nil
}
