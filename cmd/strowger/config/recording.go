package config

import (
	"fmt"
	"time"
)

// Recording is how recorded calls are kept. Which are recorded stands in the directory document.
type Recording struct {
	Format   string        `yaml:"format"`    // wav | ogg
	KeepDays int           `yaml:"keep_days"` // recordings are removed after so many days; 0 = never
	MinFree  int           `yaml:"min_free"`  // megabytes that must be free for a recording to begin
	Longest  time.Duration `yaml:"longest"`   // of one recording
}

func (k *checker) recording(r *Recording) {
	k.oneOf("recording.format", r.Format, "wav", "ogg")
	k.notNegative("recording.keep_days", r.KeepDays)
	k.notNegative("recording.min_free", r.MinFree)
	if r.Longest <= 0 {
		k.bad("recording.longest", fmt.Sprintf("%v is not a length", r.Longest), "use 4h")
	}
}
