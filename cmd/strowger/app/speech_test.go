package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strowger/media"
	"strowger/sip/call"
)

func TestSpeech(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "voice")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf %s \"$1\" > \""+dir+"/text\"\ncp \""+dir+"/voice.wav\" \"$2\"\necho once >> \""+dir+"/runs\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (media.Clip{Samples: make([]int16, 100), Rate: 8000}).Write(filepath.Join(dir, "voice.wav")); err != nil {
		t.Fatal(err)
	}
	s := &speech{command: []string{script, "{text}", "{file}"}, cache: filepath.Join(dir, "cache")}
	for range 2 {
		file, err := s.Say(context.Background(), "--Call from\n$(reboot); Dee")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
		if said, _ := os.ReadFile(dir + "/text"); string(said) != "Call from $(reboot); Dee" {
			t.Errorf("it said %q", said)
		}
	}
	if runs, _ := os.ReadFile(dir + "/runs"); string(runs) != "once\n" {
		t.Errorf("the voice spoke %q, want once", runs)
	}
	if file, err := (&speech{}).Say(context.Background(), "x"); file != "" || err != nil {
		t.Errorf("without a voice: %q, %v", file, err)
	}
	s.command = []string{"false"}
	if _, err := s.Say(context.Background(), "x"); err == nil || !strings.Contains(err.Error(), "calls.speech") {
		t.Errorf("a voice that fails: %v", err)
	}
	s.command = []string{"true"}
	if _, err := s.Say(context.Background(), "x"); err == nil {
		t.Error("a voice that says nothing is taken for one")
	}
	for range keptSpeech + 1 {
		f, err := os.CreateTemp(s.cache, "*.wav")
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(s.cache); len(files) > keptSpeech {
		t.Errorf("%d files are kept", len(files))
	}
}

func TestPromptFiles(t *testing.T) {
	dir := t.TempDir()
	p, err := newPrompts(dir, "de")
	if err != nil {
		t.Fatal(err)
	}
	s := &speech{prompts: p}
	for _, f := range []string{"prompts/hello.wav", "prompts/de/hallo.wav", "secret.wav", "prompts/x.txt"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"hello.wav": "prompts/hello.wav", "hello": "prompts/hello.wav", "de/hallo": "prompts/de/hallo.wav", "hallo": "prompts/de/hallo.wav", "de": "",
		"n-42": "speech/prompts/" + filepath.Base(p.made) + "/en/n-42.wav", "": "",
		"../secret.wav": "", "x.txt": "", "Press 1 for sales": "", dir + "/secret.wav": "",
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got := s.Prompt(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestSpell(t *testing.T) {
	for number, want := range map[string]string{"+1202": "1 2 0 2", "anonymous": "anonymous", "": ""} {
		if got := spell(number); got != want {
			t.Errorf("%q: %q", number, got)
		}
	}
	var _ call.Speech = &speech{}
}
