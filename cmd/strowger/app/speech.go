package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"strowger/media"
)

const (
	maxSpeech   = 1000 // characters of a text
	keptSpeech  = 500  // files in the cache
	speechGrace = time.Second
)

// speech makes texts audible by a command of the administrator's, and finds the files of prompts.
type speech struct {
	command []string // with {text} and {file}; empty = there is no voice
	prompts *prompts
	cache   string // folder; a text is spoken once

	one sync.Mutex // one voice at a time: they take a whole processor
}

// Prompt implements call.Speech: the file of NAME or NAME.wav, see prompts. A name cannot lead out of its folder.
func (s *speech) Prompt(name string) string {
	file, err := s.prompts.file(name)
	if err != nil {
		return ""
	}
	return file
}

// Say implements call.Speech.
func (s *speech) Say(ctx context.Context, text string) (string, error) {
	if text = speakable(text); len(s.command) == 0 || text == "" {
		return "", nil
	}
	sum := sha256.Sum256([]byte(strings.Join(s.command, "\x00") + "\x00" + text))
	file := filepath.Join(s.cache, fmt.Sprintf("%x.wav", sum[:16]))
	if there, err := used(file); there {
		return file, err
	}
	s.one.Lock()
	defer s.one.Unlock()
	if there, err := used(file); there { // another call said it meanwhile
		return file, err
	}
	if err := os.MkdirAll(s.cache, 0o700); err != nil {
		return "", fmt.Errorf("speech: %w", err)
	}
	if err := s.make(ctx, text, file); err != nil {
		return "", err
	}
	return file, s.prune()
}

// used reports whether a file is in the cache, and keeps it there for longer.
func used(file string) (bool, error) {
	if _, err := os.Stat(file); err != nil {
		return false, nil
	}
	now := time.Now()
	return true, os.Chtimes(file, now, now)
}

// make runs the command, without a shell: a caller's name is part of a whisper.
func (s *speech) make(ctx context.Context, text, file string) error {
	part := strings.TrimSuffix(file, ".wav") + ".part.wav"
	defer os.Remove(part)
	args := make([]string, len(s.command))
	for i, a := range s.command {
		args[i] = strings.NewReplacer("{text}", text, "{file}", part).Replace(a)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = speechGrace
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("speech: %s: %w: %.200s (see calls.speech)", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	sound, err := media.ReadClipFile(part)
	if err == nil {
		err = sound.Write(file) // in a form that players take, whatever the command makes
	}
	if err != nil {
		return fmt.Errorf("speech: %s made no sound file: %w (see calls.speech)", args[0], err)
	}
	return nil
}

// prune forgets the files that were not used for longest.
func (s *speech) prune() error {
	files, err := filepath.Glob(filepath.Join(s.cache, "*.wav"))
	if err != nil || len(files) <= keptSpeech {
		return err
	}
	age := map[string]time.Time{}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			age[f] = info.ModTime()
		}
	}
	slices.SortFunc(files, func(a, b string) int { return age[a].Compare(age[b]) })
	for _, f := range files[:len(files)-keptSpeech*9/10] {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return nil
}

// speakable is a text without what a command could take for something else.
func speakable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimLeft(strings.TrimSpace(text), "-@ ")
	if r := []rune(text); len(r) > maxSpeech {
		text = string(r[:maxSpeech])
	}
	return text
}
